/* synth.c -- a corpus like SlimPajama: the laws of its sets, the plan of documents, and their
 * JSONL. */
#include "lib/synth/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/buf.h"
#include "lib/base/rng.h"
#include "lib/synth/internal.h"

enum { MIN_BYTES = 64, SLICE = 64 * 1024 };
#define DOC_MAX ((uint64_t)256 << 20) /* text of one document; its line stays under LM_LINE_MAX */
#define CORPUS_MAX ((uint64_t)1 << 50)

typedef struct law {
    char name[48], label[48];
    enum synth_style style;
    double share, median, sigma; /* share of tokens; median in tokens */
    double mean;                 /* expected bytes per document */
    uint64_t budget;             /* bytes of the corpus */
} law;

/* Shares from the authors' count of SlimPajama's tokens, medians from their script. The sigmas are
 * ours: tails heavy enough that a corpus a few times the size of a mixture suffices for it. */
static const law builtin[] = {
    { "CommonCrawl", "RedPajamaCommonCrawl", SYNTH_PROSE, 0.53374772, 1066, 1.1, 0, 0 },
    { "C4", "RedPajamaC4", SYNTH_PROSE, 0.26609933, 315, 1.25, 0, 0 },
    { "GitHub", "RedPajamaGithub", SYNTH_CODE, 0.05004782, 520, 1.4, 0, 0 },
    { "ArXiv", "RedPajamaArXiv", SYNTH_LATEX, 0.04290379, 14565, 0.8, 0, 0 },
    { "Book", "RedPajamaBook", SYNTH_BOOK, 0.0414836, 121602, 0.6, 0, 0 },
    { "Wikipedia", "RedPajamaWikipedia", SYNTH_WIKI, 0.03402128, 409, 1.2, 0, 0 },
    { "StackExchange", "RedPajamaStackExchange", SYNTH_ANSWERS, 0.03169647, 507, 1.2, 0, 0 },
};

/* Bytes per LLaMA-2 token in our text, measured. */
static const double bytes_per_token[SYNTH_STYLES] = {
    [SYNTH_PROSE] = 3.845, [SYNTH_BOOK] = 3.915, [SYNTH_WIKI] = 3.78,
    [SYNTH_CODE] = 3.31,   [SYNTH_LATEX] = 3.75, [SYNTH_ANSWERS] = 3.83,
};

/* The state of the plan before a document. */
typedef struct cursor {
    uint64_t document, given, given_to[LM_SYNTH_DOMAINS_MAX];
} cursor;

typedef struct document {
    size_t domain;
    uint64_t bytes, seed;
} document;

struct lm_synth {
    uint64_t seed, bytes, file_bytes, documents;
    size_t laws, files, files_cap;
    law law[LM_SYNTH_DOMAINS_MAX];
    lm_synth_sums sums[LM_SYNTH_DOMAINS_MAX];
    cursor *file; /* [files] state before the first document of each */
    synth_lexicon *lexicon;
};

/* ---- laws ------------------------------------------------------------------------------ */

static int read_word(char *out, size_t room, const lm_json *o, const char *key, const char *absent)
{
    const char *s = absent;
    int rc = LM_OK;
    if (!absent || lm_json_get(o, key)) rc = lm_json_str(&s, o, key);
    if (rc) return rc;
    for (const char *c = s; *c; c++)
        if ((unsigned char)*c < 32 || *c == '"' || *c == '\\' || strlen(s) >= room)
            return lm_json_fail(o, "%s: at most %zu bytes without quotes, backslashes and controls",
                                key, room - 1);
    snprintf(out, room, "%s", s);
    return LM_OK;
}

static int read_positive(double *out, const lm_json *o, const char *key, double max)
{
    int rc = lm_json_f64(out, o, key);
    if (!rc && !(*out > 0 && *out <= max))
        rc = lm_json_fail(o, "%s: expected a number over 0, at most %g", key, max);
    return rc;
}

static int read_law(law *w, const lm_json *o)
{
    static const char *const keys[] = {
        "name", "label", "style", "share", "median", "sigma", NULL
    };
    char style[16] = "";
    int rc = lm_json_only(o, keys);
    if (!rc) rc = read_word(w->name, sizeof w->name, o, "name", NULL);
    if (!rc) rc = read_word(w->label, sizeof w->label, o, "label", w->name);
    if (!rc) rc = read_word(style, sizeof style, o, "style", synth_style_names[SYNTH_PROSE]);
    if (!rc) rc = read_positive(&w->share, o, "share", 1e9);
    if (!rc) rc = read_positive(&w->median, o, "median", 1e7);
    if (!rc) rc = read_positive(&w->sigma, o, "sigma", 4);
    if (rc) return rc;
    for (size_t i = 0; i < SYNTH_STYLES; i++)
        if (!strcmp(style, synth_style_names[i])) {
            w->style = (enum synth_style)i;
            return LM_OK;
        }
    return lm_json_fail(o, "style: \"%s\" is not one of prose, book, wiki, code, latex, answers",
                        style);
}

static int read_laws(lm_synth *s, const lm_json *laws)
{
    if (!laws) {
        s->laws = sizeof builtin / sizeof *builtin;
        memcpy(s->law, builtin, sizeof builtin);
        return LM_OK;
    }
    static const char *const keys[] = { "domains", NULL };
    const lm_json *list = NULL;
    int rc = lm_json_only(laws, keys);
    if (!rc) rc = lm_json_need(&list, laws, "domains");
    if (rc) return rc;
    s->laws = lm_json_size(list);
    if (lm_json_type(list) != LM_JSON_ARRAY || !s->laws || s->laws > LM_SYNTH_DOMAINS_MAX)
        return lm_json_fail(list, "expected 1 to %d domains", LM_SYNTH_DOMAINS_MAX);
    for (size_t i = 0; !rc && i < s->laws; i++) rc = read_law(&s->law[i], lm_json_at(list, i));
    return rc;
}

/* Convert shares of tokens to budgets in bytes with an exact sum. */
static void budgets(lm_synth *s)
{
    double all = 0;
    for (size_t i = 0; i < s->laws; i++) all += s->law[i].share * bytes_per_token[s->law[i].style];
    uint64_t left = s->bytes;
    for (size_t i = s->laws; i-- > 0;) {
        law *w = &s->law[i];
        double size = bytes_per_token[w->style];
        w->budget = i ? (uint64_t)((double)s->bytes * (w->share * size / all)) : left;
        left -= w->budget;
        w->mean = w->median * exp(w->sigma * w->sigma / 2) * size;
    }
}

/* ---- plan ------------------------------------------------------------------------------ */

/* Bytes of a document, log-normal (Box-Muller). */
static uint64_t length(const law *w, uint64_t seed)
{
    double u = 1 - lm_unit(lm_hash4(seed, 1, 0, 0)), v = lm_unit(lm_hash4(seed, 2, 0, 0));
    double z = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
    double bytes = w->median * exp(w->sigma * z) * bytes_per_token[w->style];
    return bytes >= (double)DOC_MAX ? DOC_MAX : bytes < MIN_BYTES ? MIN_BYTES : (uint64_t)bytes;
}

/* The document at `at`, which is advanced. The further a domain lags behind its share, in
 * documents, the more probable it is, so shares hold in any long range. A domain's last document is
 * cut to its budget, so they hold exactly in the whole corpus. */
static document take(const lm_synth *s, cursor *at)
{
    uint64_t seed = lm_hash4(s->seed, at->document, 0, 0);
    document d = { 0, 0, seed };
    double best = -INFINITY;
    for (size_t i = 0; i < s->laws; i++) {
        const law *w = &s->law[i];
        if (at->given_to[i] == w->budget) continue;
        double due = (double)w->budget * ((double)at->given / (double)s->bytes);
        double lag = (due - (double)at->given_to[i]) / w->mean + lm_unit(lm_hash4(seed, 0, i, 0));
        if (lag > best) {
            best = lag;
            d.domain = i;
        }
    }
    uint64_t left = s->law[d.domain].budget - at->given_to[d.domain];
    d.bytes = length(&s->law[d.domain], seed);
    if (d.bytes + MIN_BYTES > left) d.bytes = left < DOC_MAX ? left : DOC_MAX;
    at->document++;
    at->given += d.bytes;
    at->given_to[d.domain] += d.bytes;
    return d;
}

static int add_file(lm_synth *s, const cursor *at)
{
    if (s->files == s->files_cap) {
        cursor *file = lm_grow(s->file, &s->files_cap, sizeof *file, SIZE_MAX);
        if (!file) return LM_ENOMEM;
        s->file = file;
    }
    s->file[s->files++] = *at;
    return LM_OK;
}

static bool file_ends(const lm_synth *s, const cursor *begin, const cursor *at)
{
    return at->given == s->bytes || at->given - begin->given >= s->file_bytes;
}

static int plan(lm_synth *s)
{
    cursor at = { 0 };
    while (at.given < s->bytes) {
        cursor begin = at;
        int rc = add_file(s, &begin);
        if (rc) return rc;
        while (!file_ends(s, &begin, &at)) {
            document d = take(s, &at);
            s->sums[d.domain].documents++;
        }
    }
    s->documents = at.document;
    for (size_t i = 0; i < s->laws; i++) {
        s->sums[i].name = s->law[i].name;
        s->sums[i].bytes = s->law[i].budget;
    }
    return LM_OK;
}

int lm_synth_new(lm_synth **out, uint64_t seed, uint64_t bytes, uint64_t file_bytes,
                 const lm_json *laws)
{
    if (bytes < MIN_BYTES || bytes > CORPUS_MAX)
        return lm_fail(LM_EUSAGE, "a corpus has at least %d bytes of text and at most 1 PiB",
                       MIN_BYTES);
    if (file_bytes < bytes / (1 << 20))
        return lm_fail(LM_EUSAGE, "that would be over a million files");
    lm_synth *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    s->seed = seed;
    s->bytes = bytes;
    s->file_bytes = file_bytes;
    int rc = read_laws(s, laws);
    if (!rc) rc = synth_lexicon_new(&s->lexicon);
    if (!rc) {
        budgets(s);
        rc = plan(s);
    }
    if (rc) {
        lm_synth_free(s);
        return rc;
    }
    *out = s;
    return LM_OK;
}

void lm_synth_free(lm_synth *s)
{
    if (!s) return;
    synth_lexicon_free(s->lexicon);
    free(s->file);
    free(s);
}

size_t lm_synth_files(const lm_synth *s) { return s->files; }
uint64_t lm_synth_documents(const lm_synth *s) { return s->documents; }

bool lm_synth_sums_get(const lm_synth *s, size_t domain, lm_synth_sums *out)
{
    if (domain >= s->laws) return false;
    *out = s->sums[domain];
    return true;
}

/* ---- JSONL ----------------------------------------------------------------------------- */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether one of 8 bytes needs an escape: a control, a quote, a backslash, or, with `ascii`, any
 * byte outside ASCII. */
static bool special(uint64_t v, bool ascii)
{
    uint64_t quote = v ^ EACH('"'), slash = v ^ EACH('\\');
    uint64_t hit =
        ((v - EACH(0x20)) & ~v) | ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash);
    return (hit | (ascii ? v : 0)) & EACH(0x80);
}

static unsigned char *put_hex(unsigned char *o, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    *o++ = '\\';
    *o++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *o++ = (unsigned char)digits[(v >> shift) & 15];
    return o;
}

/* Escape the character at *p and advance *p. Our text is valid UTF-8. */
static unsigned char *put_special(unsigned char *o, const unsigned char **p, bool ascii)
{
    unsigned c = *(*p)++;
    if (c == '"' || c == '\\') *o++ = '\\';
    if (c == '\n' || c == '\t') {
        *o++ = '\\';
        *o++ = c == '\n' ? 'n' : 't';
        return o;
    }
    if (c < 0x20) return put_hex(o, c);
    if (c < 0x80 || !ascii) {
        *o++ = (unsigned char)c;
        return o;
    }
    unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    c &= 0x3fu >> more;
    while (more--) c = c << 6 | (*(*p)++ & 0x3f);
    if (c < 0x10000) return put_hex(o, c);
    c -= 0x10000;
    return put_hex(put_hex(o, 0xd800 + (c >> 10)), 0xdc00 + (c & 0x3ff));
}

/* Append the n bytes at p, escaped. `out` has space for 6 n + 8 bytes. */
static void escape(lm_buf *out, const unsigned char *p, size_t n, bool ascii)
{
    unsigned char *o = out->data + out->size;
    const unsigned char *end = p + n;
    while (p < end) {
        uint64_t v = 0;
        if (end - p >= 8) {
            memcpy(&v, p, 8);
            if (!special(v, ascii)) {
                memcpy(o, p, 8);
                p += 8;
                o += 8;
                continue;
            }
        }
        /* The whole group of 8 byte by byte: special characters are clustered. */
        for (const unsigned char *stop = end - p >= 8 ? p + 8 : end; p < stop;)
            o = put_special(o, &p, ascii);
    }
    out->size = (size_t)(o - out->data);
}

typedef struct sink {
    int (*write)(void *arg, const void *p, size_t n);
    void *arg;
    lm_buf out; /* less than a slice is pending */
    bool ascii;
} sink;

static int flush(sink *k)
{
    int rc = k->out.size ? k->write(k->arg, k->out.data, k->out.size) : LM_OK;
    k->out.size = 0;
    return rc;
}

static int write_line(sink *k, const char *text, size_t n, const char *label)
{
    int rc = lm_buf_printf(&k->out, "{\"text\": \"");
    for (size_t i = 0; !rc && i < n;) {
        size_t part = n - i < SLICE ? n - i : SLICE;
        while (i + part < n && ((unsigned char)text[i + part] & 0xc0) == 0x80) part--;
        rc = lm_buf_reserve(&k->out, 6 * (size_t)SLICE + 8);
        if (rc) break;
        escape(&k->out, (const unsigned char *)text + i, part, k->ascii);
        i += part;
        if (k->out.size >= SLICE) rc = flush(k);
    }
    if (!rc)
        rc = lm_buf_printf(&k->out, "\", \"meta\": {\"redpajama_set_name\": \"%s\"}}\n", label);
    return rc;
}

int lm_synth_file(const lm_synth *s, size_t file, int (*write)(void *arg, const void *p, size_t n),
                  void *arg)
{
    sink k = {
        .write = write, .arg = arg, .out = LM_BUF_INIT((size_t)1 << 20), .ascii = file % 2 == 0
    };
    lm_buf text = LM_BUF_INIT((size_t)DOC_MAX + SYNTH_SLACK);
    cursor begin = s->file[file], at = begin;
    int rc = LM_OK;
    while (!rc && !file_ends(s, &begin, &at)) {
        document d = take(s, &at);
        const law *w = &s->law[d.domain];
        text.size = 0;
        rc = lm_buf_reserve(&text, d.bytes + SYNTH_SLACK);
        if (rc) break;
        size_t n = synth_text(s->lexicon, w->style, d.seed, (char *)text.data, d.bytes);
        rc = write_line(&k, (const char *)text.data, n, w->label);
    }
    if (!rc) rc = flush(&k);
    lm_buf_free(&text);
    lm_buf_free(&k.out);
    return rc;
}
