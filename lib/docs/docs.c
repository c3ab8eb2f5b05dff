/* docs.c -- chunks of whole lines, and lines parsed by simdjson or scan.c. */
#include "longmix/docs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/docs/internal.h"
#include "lib/io/foreign.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"

enum {
    STEP_MIN = 64 * 1024, /* read past a chunk's size to find the line's end */
    STEP_MAX = 1024 * 1024,
    KEEP_BYTES = 4 * 1024 * 1024, /* a larger buffer is freed after its line */
    BIG_LINE = 4 * 1024 * 1024,
};

/* ---- chunks ---------------------------------------------------------------------------- */

struct lm_chunker {
    lm_in *in;
    lm_buf rest;           /* read, and past the end of the last chunk */
    uint64_t line, offset; /* of the next chunk */
    bool begun;            /* the input's format has been checked */
    bool ended;
};

int lm_chunker_new(lm_chunker **out, lm_in *in)
{
    lm_chunker *k = calloc(1, sizeof *k);
    *out = k;
    if (!k) {
        lm_in_close(in);
        return lm_fail_nomem(sizeof *k);
    }
    k->in = in;
    k->rest.max = 2 * STEP_MAX;
    k->line = 1;
    return LM_OK;
}

static uint64_t count_lines(const unsigned char *p, size_t n)
{
    uint64_t lines = 0;
    const unsigned char *end = p + n;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        lines++;
        p++;
    }
    return lines;
}

static int line_too_long(const lm_chunker *k, const lm_chunk *c, size_t start)
{
    return lm_line_error(lm_in_name(k->in), c->line + count_lines(c->bytes.data, start),
                         c->offset + start, "a line longer than 1 GiB: is this JSONL?");
}

/* The first bytes of the file are in the chunk. */
static int begin_file(lm_chunker *k, lm_chunk *c)
{
    lm_buf *b = &c->bytes;
    const lm_foreign *f = lm_foreign_format(b->data, b->size);
    if (f) return lm_foreign_fail(lm_in_name(k->in), f);
    k->begun = true;
    if (b->size < 3 || memcmp(b->data, "\xef\xbb\xbf", 3)) return LM_OK;
    memmove(b->data, b->data + 3, b->size -= 3);
    c->offset = k->offset = 3;
    return LM_OK;
}

/* Read on until *end, the size of the chunk's whole lines, is known; 0 where nothing is left. */
static int fill(lm_chunker *k, lm_chunk *c, size_t *end)
{
    lm_buf *b = &c->bytes;
    size_t searched = LM_CHUNK_BYTES - 1;
    for (;;) {
        if (b->size > searched) {
            const unsigned char *lf = memchr(b->data + searched, '\n', b->size - searched);
            searched = b->size;
            if (lf) {
                *end = (size_t)(lf + 1 - b->data);
                return LM_OK;
            }
            const unsigned char *before = memrchr(b->data, '\n', LM_CHUNK_BYTES - 1);
            size_t start = before ? (size_t)(before + 1 - b->data) : 0;
            if (b->size - start > LM_LINE_MAX) return line_too_long(k, c, start);
        }
        /* Large steps in long lines; small ones otherwise: what is read past the end is copied. */
        size_t step = b->size < LM_CHUNK_BYTES ? LM_CHUNK_BYTES + STEP_MIN - b->size : b->size / 8;
        if (step < STEP_MIN) step = STEP_MIN;
        if (step > STEP_MAX) step = STEP_MAX;
        int rc = lm_buf_reserve(b, step + 1 + LM_LINE_PAD);
        if (rc) return rc;
        ssize_t got = k->ended ? 0 : lm_in_read(k->in, b->data + b->size, step);
        if (got < 0) return (int)got;
        b->size += (size_t)got;
        if (!k->begun && (!got || b->size >= LM_FOREIGN_HEAD)) rc = begin_file(k, c);
        if (rc) return rc;
        if (got) continue;
        k->ended = true;
        if (b->size && b->data[b->size - 1] != '\n') b->data[b->size++] = '\n';
        *end = b->size;
        return LM_OK;
    }
}

int lm_chunker_next(lm_chunker *k, lm_chunk *c)
{
    lm_buf *b = &c->bytes;
    int rc = lm_check_interrupt();
    if (rc) return rc;
    b->max = LM_LINE_MAX + LM_CHUNK_BYTES + 2 * STEP_MAX;
    lm_buf_reset(b, KEEP_BYTES);
    c->line = k->line;
    c->offset = k->offset;
    size_t end = 0;
    rc = lm_buf_reserve(b, LM_CHUNK_BYTES + 2 * STEP_MIN);
    if (!rc) rc = lm_buf_add(b, k->rest.data, k->rest.size);
    if (!rc) rc = fill(k, c, &end);
    if (rc) return rc;
    lm_buf_reset(&k->rest, KEEP_BYTES);
    rc = lm_buf_add(&k->rest, b->data + end, b->size - end);
    b->size = end;
    if (!rc) rc = lm_buf_reserve(b, LM_LINE_PAD);
    if (rc) return rc;
    memset(b->data + end, 0, LM_LINE_PAD);
    k->line += count_lines(b->data, end);
    k->offset += end;
    return end > 0;
}

lm_in *lm_chunker_in(lm_chunker *k) { return k->in; }

void lm_chunker_free(lm_chunker *k)
{
    if (!k) return;
    lm_in_close(k->in);
    lm_buf_free(&k->rest);
    free(k);
}

int lm_line_error(const char *name, uint64_t line, uint64_t offset, const char *reason)
{
    return lm_fail(LM_EDATA, "%s:%" PRIu64 ": byte %" PRIu64 ": %s", name, line, offset, reason);
}

/* ---- lines ----------------------------------------------------------------------------- */

struct lm_line_parser {
    lm_paths paths;
    bool replace;
    lm_simd *simd;
    lm_buf repaired;
};

/* Add the path `key`. */
static int add_path(lm_paths *p, const char *key)
{
    if (p->count == LM_PATHS_MAX)
        return lm_fail(LM_EUSAGE, "more than %d keys to find a domain by", LM_LABELS_MAX);
    struct lm_path *path = &p->path[p->count++];
    for (const char *s = key;; s++) {
        size_t n = strcspn(s, ".");
        if (n == 0 || n > LM_STEP_BYTES || path->steps == LM_STEPS_MAX)
            return lm_fail(LM_EUSAGE, "\"%s\" is not a path of 1 to %d keys and points", key,
                           LM_STEPS_MAX);
        memcpy(path->step[path->steps].s, s, n);
        path->step[path->steps++].n = n;
        s += n;
        if (!*s) break;
    }
    for (unsigned i = 0; i + 1 < p->count; i++)
        if (!memcmp(&p->path[i], path, sizeof *path))
            return i ? lm_fail(LM_EUSAGE, "the key \"%s\" is given twice", key)
                     : lm_fail(LM_EUSAGE, "the key \"%s\" is that of the text already", key);
    return LM_OK;
}

int lm_paths_init(lm_paths *p, const lm_schema *schema)
{
    memset(p, 0, sizeof *p);
    const char *text = schema && schema->text ? schema->text : LM_TEXT_KEY;
    const char *const *key = schema ? schema->labels : NULL;
    int rc = add_path(p, text);
    if (!rc) memcpy(p->text, text, strlen(text) + 1); /* add_path has checked its length */
    for (; !rc && key && *key; key++) rc = add_path(p, *key);
    return rc;
}

int lm_line_parser_new(lm_line_parser **out, const lm_schema *schema)
{
    lm_line_parser *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return lm_fail_nomem(sizeof *p);
    p->replace = schema && schema->replace;
    p->repaired.max = 3 * LM_LINE_MAX + LM_LINE_PAD; /* a byte becomes at most three */
    int rc = lm_paths_init(&p->paths, schema);
    p->simd = rc ? NULL : lm_simd_new();
    if (!rc && !p->simd) rc = lm_fail_nomem(sizeof *p);
    if (rc) lm_line_parser_free(p);
    else *out = p;
    return rc;
}

static void set_line(lm_line *out, const lm_string *found, unsigned count)
{
    out->text = found[0].s;
    out->text_size = found[0].n;
    out->labels = 0;
    out->repaired = (lm_string){ NULL, 0 };
    for (unsigned p = 1; p < count; p++)
        if (found[p].s) out->label[out->labels++] = found[p];
}

static int parse_valid(lm_line_parser *p, const char *s, size_t n, lm_line *out, size_t *fault)
{
    lm_string found[LM_PATHS_MAX];
    const char *why = NULL;
    int rc = lm_simd_parse(p->simd, s, n, &p->paths, found, &why);
    if (rc > 0) set_line(out, found, p->paths.count);
    if (rc) return rc;
    lm_span span[LM_PATHS_MAX];
    rc = lm_line_scan(s, n, &p->paths, span, fault);
    if (rc) return rc;
    *fault = 0; /* the parsers disagree: simdjson decides */
    return lm_fail(LM_EDATA, "%s", why ? why : "no document");
}

static int spend_valid(lm_line_parser *p, char *s, size_t n, lm_line *out, size_t *fault)
{
    lm_span span[LM_PATHS_MAX];
    lm_string found[LM_PATHS_MAX] = { { NULL, 0 } };
    int rc = lm_line_scan(s, n, &p->paths, span, fault);
    if (rc) return rc;
    for (unsigned i = 0; i < p->paths.count; i++) {
        if (!span[i].start) continue;
        found[i].s = s + span[i].start;
        found[i].n = lm_line_unescape(s + span[i].start, found[i].s, span[i].end - span[i].start);
    }
    set_line(out, found, p->paths.count);
    return 1;
}

/* A line was rejected, and lm_err() and *fault say why: repair it and read that, if it helps. */
static int try_repaired(lm_line_parser *p, const char *s, size_t n, bool spend, lm_line *out,
                        size_t *fault)
{
    lm_buf *b = &p->repaired;
    lm_buf_reset(b, BIG_LINE);
    int rc = lm_line_repair(b, s, n);
    if (rc == 0) return LM_EDATA;
    if (rc > 0) rc = lm_buf_reserve(b, LM_LINE_PAD);
    if (rc < 0) return rc;
    memset(b->data + b->size, 0, LM_LINE_PAD);
    rc = spend ? spend_valid(p, (char *)b->data, b->size, out, fault)
               : parse_valid(p, (char *)b->data, b->size, out, fault);
    if (rc == LM_EDATA) *fault = lm_line_repaired_from(s, n, *fault);
    if (rc > 0) out->repaired = (lm_string){ (char *)b->data, b->size };
    return rc;
}

int lm_line_parse(lm_line_parser *p, const char *s, size_t n, lm_line *out, size_t *fault)
{
    if (lm_is_blank(s, n)) return 0;
    int rc = parse_valid(p, s, n, out, fault);
    return rc == LM_EDATA && p->replace ? try_repaired(p, s, n, false, out, fault) : rc;
}

int lm_line_spend(lm_line_parser *p, char *s, size_t n, lm_line *out, size_t *fault)
{
    if (n <= BIG_LINE) return lm_line_parse(p, s, n, out, fault);
    if (lm_is_blank(s, n)) return 0;
    int rc = spend_valid(p, s, n, out, fault);
    return rc == LM_EDATA && p->replace ? try_repaired(p, s, n, true, out, fault) : rc;
}

void lm_line_parser_trim(lm_line_parser *p)
{
    lm_simd_trim(p->simd);
    if (p->repaired.cap > BIG_LINE) lm_buf_reset(&p->repaired, 0);
}

void lm_line_parser_free(lm_line_parser *p)
{
    if (!p) return;
    lm_simd_free(p->simd);
    lm_buf_free(&p->repaired);
    free(p);
}
