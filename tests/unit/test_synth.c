/* The synthetic corpus: lines that read back, exact budgets, expected distributions, bytes that
 * depend only on the seed. */
#include "check.h"
#include "longmix/docs.h"
#include "lib/base/hash.h"
#include "lib/synth/synth.h"

enum { DOCS_MAX = 20000 };

/* One corpus, read back with the reader that lmtok uses. */
typedef struct corpus {
    size_t documents;
    uint64_t hash[DOCS_MAX], bytes[DOCS_MAX];
    char label[DOCS_MAX][32];
    uint64_t all;        /* hash of the JSONL */
    size_t not_ascii[2]; /* bytes of JSONL outside ASCII, in even and odd files */
} corpus;

static int keep(void *arg, const void *p, size_t n) { return lm_buf_add(arg, p, n); }

static corpus *make(uint64_t seed, uint64_t bytes, uint64_t file_bytes, const lm_json *laws,
                    size_t want_files)
{
    static const char *const keys[] = { "meta.redpajama_set_name", NULL };
    corpus *c = calloc(1, sizeof *c);
    lm_synth *s = NULL;
    lm_line_parser *p = NULL;
    lm_hasher *all = NULL;
    lm_buf b = LM_BUF_INIT((size_t)1 << 30);
    NEED(c && lm_synth_new(&s, seed, bytes, file_bytes, laws) == 0);
    NEED(lm_line_parser_new(&p, &(lm_schema){ .labels = keys }) == 0 && lm_hasher_new(&all) == 0);
    if (want_files) CHECK_EQ(lm_synth_files(s), want_files);
    for (size_t f = 0; f < lm_synth_files(s); f++) {
        b.size = 0;
        NEED(lm_synth_file(s, f, keep, &b) == 0);
        lm_hasher_add(all, b.data, b.size);
        for (size_t i = 0; i < b.size; i++) c->not_ascii[f % 2] += b.data[i] > 127;
        NEED(lm_buf_reserve(&b, LM_LINE_PAD) == 0);
        memset(b.data + b.size, 0, LM_LINE_PAD);
        for (char *line = (char *)b.data, *end = line + b.size; line < end;) {
            char *next = memchr(line, '\n', (size_t)(end - line));
            lm_line doc;
            size_t fault;
            NEED(next && c->documents < DOCS_MAX);
            NEED(lm_line_parse(p, line, (size_t)(next - line), &doc, &fault) == 1);
            size_t i = c->documents++;
            c->hash[i] = lm_hash64(doc.text, doc.text_size);
            c->bytes[i] = doc.text_size;
            snprintf(c->label[i], sizeof c->label[i], "%.*s", (int)doc.label[0].n, doc.label[0].s);
            line = next + 1;
        }
    }
    CHECK_EQ(c->documents, lm_synth_documents(s));
    c->all = lm_hasher_digest(all);
    lm_hasher_free(all);
    lm_line_parser_free(p);
    lm_synth_free(s);
    lm_buf_free(&b);
    return c;
}

/* Documents are the same however they are divided into files, and so in both escape styles. */
static void both_styles(void)
{
    corpus *whole = make(7, 4000000, 1 << 30, NULL, 1), *cut = make(7, 4000000, 1000000, NULL, 0);
    CHECK_EQ(whole->documents, cut->documents);
    CHECK(!memcmp(whole->hash, cut->hash, sizeof whole->hash));
    CHECK(!memcmp(whole->label, cut->label, sizeof whole->label));
    CHECK_EQ(whole->not_ascii[0], 0);
    CHECK_EQ(cut->not_ascii[0], 0);
    CHECK(cut->not_ascii[1] > 1000);
    corpus *other = make(8, 4000000, 1 << 30, NULL, 1);
    CHECK(other->all != whole->all);
    free(whole);
    free(cut);
    free(other);
}

/* The output of seed 1 is fixed: a change here changes the corpus of every benchmark. */
static void golden(void)
{
    corpus *c = make(1, 300000, 100000, NULL, 0);
    char hex[17];
    lm_hex64(hex, c->all);
    CHECK_STR(hex, "a06028f1e7847277");
    free(c);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t median_of(const corpus *c, const char *label)
{
    static uint64_t v[DOCS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->documents; i++)
        if (!strcmp(c->label[i], label)) v[n++] = c->bytes[i];
    NEED(n > 0);
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

static void check_near(double got, double want, double part)
{
    if (!(got > want * (1 - part) && got < want * (1 + part)))
        fprintf(stderr, "  %g, expected %g\n", got, want);
    CHECK(got > want * (1 - part) && got < want * (1 + part));
}

/* Budgets are met to the byte (less the rest of a cut character), shares are of tokens. */
static void laws(void)
{
    enum { BYTES = 40000000 };
    corpus *c = make(3, BYTES, 16000000, NULL, 3);
    lm_synth *s = NULL;
    lm_synth_sums sums;
    uint64_t bytes = 0, documents = 0, got = 0;
    NEED(lm_synth_new(&s, 3, BYTES, 16000000, NULL) == 0);
    size_t d = 0;
    for (; lm_synth_sums_get(s, d, &sums); d++) {
        bytes += sums.bytes;
        documents += sums.documents;
        if (!strcmp(sums.name, "CommonCrawl")) check_near((double)sums.bytes / BYTES, 0.534, 0.02);
        if (!strcmp(sums.name, "Book")) check_near((double)sums.bytes / BYTES, 0.042, 0.05);
        CHECK(sums.documents > 0);
    }
    CHECK_EQ(d, 7);
    CHECK_EQ(bytes, BYTES);
    CHECK_EQ(documents, c->documents);
    for (size_t i = 0; i < c->documents; i++) got += c->bytes[i];
    CHECK(got <= BYTES && got + 4 * c->documents > BYTES);
    check_near((double)median_of(c, "RedPajamaC4"), 315 * 3.845, 0.1);
    check_near((double)median_of(c, "RedPajamaCommonCrawl"), 1066 * 3.845, 0.1);
    check_near((double)median_of(c, "RedPajamaGithub"), 520 * 3.31, 0.3);
    lm_synth_free(s);
    free(c);
}

/* The shares hold in every prefix, not only at the end: a domain lags by a few documents. */
static void even(void)
{
    corpus *c = make(5, 10000000, 1 << 30, NULL, 1);
    uint64_t half = 0, web = 0;
    for (size_t i = 0; i < c->documents && half < 5000000; i++) {
        half += c->bytes[i];
        if (!strcmp(c->label[i], "RedPajamaC4")) web += c->bytes[i];
    }
    check_near((double)web / (double)half, 0.267, 0.15);
    free(c);
}

static lm_json *parse(const char *text)
{
    lm_json *j = NULL;
    NEED(lm_json_parse(&j, text, strlen(text), "laws") == 0);
    return j;
}

static void own_laws(void)
{
    static const char *const bad[] = {
        "{\"domains\":[]}",
        "{}",
        "{\"domains\":3}",
        "{\"domains\":[{\"name\":\"a\"}]}",
        "{\"domains\":[{\"name\":\"a\\\"b\",\"share\":1,\"median\":10,\"sigma\":1}]}",
        "{\"domains\":[{\"name\":\"a\",\"share\":0,\"median\":10,\"sigma\":1}]}",
        "{\"domains\":[{\"name\":\"a\",\"share\":1,\"median\":-1,\"sigma\":1}]}",
        "{\"domains\":[{\"name\":\"a\",\"share\":1,\"median\":10,\"sigma\":99}]}",
        "{\"domains\":[{\"name\":\"a\",\"share\":1,\"median\":10,\"sigma\":1,\"style\":\"poem\"}]}",
        "{\"domains\":[{\"name\":\"a\",\"share\":1,\"median\":10,\"sigma\":1,\"mean\":2}]}",
    };
    lm_synth *s = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lm_json *j = parse(bad[i]);
        CHECK(lm_synth_new(&s, 1, 100000, 100000, j) == LM_EDATA);
        lm_json_free(j);
    }
    CHECK(lm_synth_new(&s, 1, 0, 1000, NULL) == LM_EUSAGE);
    CHECK(lm_synth_new(&s, 1, UINT64_MAX, 1000, NULL) == LM_EUSAGE);

    lm_json *j =
        parse("{\"domains\":[{\"name\":\"poems\",\"share\":3,\"median\":100,\"sigma\":0.5},"
              "{\"name\":\"code\",\"label\":\"C\",\"style\":\"code\",\"share\":1,\"median\":500,"
              "\"sigma\":1}]}");
    corpus *c = make(1, 500000, 1 << 20, j, 1);
    uint64_t poems = 0;
    for (size_t i = 0; i < c->documents; i++) {
        CHECK(!strcmp(c->label[i], "poems") || !strcmp(c->label[i], "C"));
        if (c->label[i][0] == 'p') poems += c->bytes[i];
    }
    check_near((double)poems, 500000.0 * 3 * 3.845 / (3 * 3.845 + 3.31), 0.02);
    lm_json_free(j);
    free(c);
}

/* An error of the writer is returned. */
static int full(void *arg, const void *p, size_t n)
{
    (void)arg, (void)p, (void)n;
    return lm_fail(LM_EIO, "no room");
}

static void write_fails(void)
{
    lm_synth *s = NULL;
    NEED(lm_synth_new(&s, 1, 1000000, 1000000, NULL) == 0);
    CHECK(lm_synth_file(s, 0, full, NULL) == LM_EIO);
    CHECK_STR(lm_err(), "no room");
    lm_synth_free(s);
}

int main(void)
{
    both_styles();
    golden();
    laws();
    even();
    own_laws();
    write_fails();
    CHECK_END();
}
