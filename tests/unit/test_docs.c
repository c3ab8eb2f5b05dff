#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "longmix/docs.h"
#include "lib/base/threads.h"

static const char *const keys[] = { "domain", "meta.redpajama_set_name", "a.b.c.d", NULL };

/* ---- chunks ---------------------------------------------------------------------------- */

static void put(const char *path, enum lm_out_format format, const void *p, size_t n)
{
    lm_out *o = NULL;
    NEED(!lm_out_open(&o, path, format, 1));
    NEED(!lm_out_write(o, p, n));
    NEED(!lm_out_commit(o));
}

static size_t next_lf(const lm_buf *b, size_t from)
{
    while (from < b->size && b->data[from] != '\n') from++;
    return from;
}

/* Compare every chunk of `path` with its text. */
static void check_chunks(const char *path, const lm_buf *text)
{
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_chunk c = { { NULL, 0, 0, 0 }, 0, 0 };
    NEED(!lm_in_open(&in, path) && !lm_chunker_new(&k, in));
    CHECK(lm_chunker_in(k) == in);
    size_t at = 0;
    uint64_t line = 1;
    int rc;
    while ((rc = lm_chunker_next(k, &c)) > 0) {
        size_t end = at + LM_CHUNK_BYTES <= text->size ? next_lf(text, at + LM_CHUNK_BYTES - 1) + 1
                                                       : text->size;
        if (end > text->size) end = text->size;
        bool last_lf = text->data[end - 1] == '\n';
        CHECK_EQ(c.line, line);
        CHECK_EQ(c.offset, at);
        CHECK_EQ(c.bytes.size, end - at + !last_lf);
        NEED(c.bytes.size >= end - at);
        CHECK(!memcmp(c.bytes.data, text->data + at, end - at));
        CHECK(c.bytes.data[c.bytes.size - 1] == '\n');
        static const unsigned char pad[LM_LINE_PAD];
        NEED(c.bytes.cap - c.bytes.size >= LM_LINE_PAD);
        CHECK(!memcmp(c.bytes.data + c.bytes.size, pad, LM_LINE_PAD));
        for (size_t i = 0; i < c.bytes.size; i++) line += c.bytes.data[i] == '\n';
        at = end;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(at, text->size);
    CHECK_EQ(lm_chunker_next(k, &c), 0);
    lm_chunker_free(k);
    lm_buf_free(&c.bytes);
}

static void add_line(lm_buf *b, size_t n, bool lf)
{
    NEED(!lm_buf_reserve(b, n + 1));
    memset(b->data + b->size, 'a' + (int)(b->size % 26), n);
    b->size += n;
    if (lf) b->data[b->size++] = '\n';
}

static void chunks(void)
{
    lm_buf b = LM_BUF_INIT((size_t)1 << 28);
    NEED(!lm_buf_reserve(&b, 1));
    put("c", LM_OUT_PLAIN, b.data, 0);
    check_chunks("c", &b); /* empty */
    add_line(&b, 5, false);
    put("c", LM_OUT_PLAIN, b.data, b.size);
    check_chunks("c", &b); /* one line, no LF */
    b.size = 0;
    for (int i = 0; i < 700000; i++) add_line(&b, 0, true);
    put("c", LM_OUT_PLAIN, b.data, b.size);
    check_chunks("c", &b); /* nothing but LF */
    b.size = 0;
    uint64_t z = 7;
    for (int i = 0; i < 1500; i++, z = z * 6364136223846793005u + 1)
        add_line(&b, (size_t)(z >> 33) % 5000, true);
    static const size_t sizes[] = { LM_CHUNK_BYTES - 2,
                                    LM_CHUNK_BYTES - 1,
                                    LM_CHUNK_BYTES,
                                    LM_CHUNK_BYTES + 1,
                                    3000000,
                                    0,
                                    9000000,
                                    10,
                                    2 * LM_CHUNK_BYTES - 1,
                                    0,
                                    1 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) add_line(&b, sizes[i], true);
    for (int last_lf = 0; last_lf < 2; last_lf++) {
        add_line(&b, 100, last_lf);
        put("c", LM_OUT_PLAIN, b.data, b.size);
        check_chunks("c", &b);
        put("c.zst", LM_OUT_ZSTD, b.data, b.size);
        check_chunks("c.zst", &b);
        b.size -= 100 + (size_t)last_lf;
    }
    lm_buf_free(&b);
}

static void large_buffers_go_back(void)
{
    lm_buf b = LM_BUF_INIT((size_t)1 << 28);
    add_line(&b, 20000000, true);
    for (int i = 0; i < 100; i++) add_line(&b, 10000, true);
    put("c", LM_OUT_PLAIN, b.data, b.size);
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_chunk c = { { NULL, 0, 0, 0 }, 0, 0 };
    NEED(!lm_in_open(&in, "c") && !lm_chunker_new(&k, in));
    CHECK_EQ(lm_chunker_next(k, &c), 1);
    CHECK(c.bytes.size == 20000001);
    CHECK_EQ(lm_chunker_next(k, &c), 1);
    CHECK(c.bytes.cap <= (size_t)4 << 20);
    lm_chunker_free(k);
    lm_chunker_free(NULL);
    lm_buf_free(&c.bytes);
    lm_buf_free(&b);
}

static void broken_input(void)
{
    put("cut.jsonl.zst", LM_OUT_ZSTD, "{\"text\": \"a\"}\n", 14);
    NEED(!truncate("cut.jsonl.zst", 20));
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_chunk c = { { NULL, 0, 0, 0 }, 0, 0 };
    NEED(!lm_in_open(&in, "cut.jsonl.zst") && !lm_chunker_new(&k, in));
    CHECK(lm_chunker_next(k, &c) == LM_EDATA && strstr(lm_err(), "cut.jsonl.zst: truncated"));
    lm_chunker_free(k);
    lm_buf_free(&c.bytes);
}

/* ---- lines ----------------------------------------------------------------------------- */

static lm_line_parser *parser;
static lm_line line;
static size_t fault;
static char *held; /* the line, with its padding */

static int parse(const char *s, size_t n)
{
    free(held);
    held = calloc(1, n + LM_LINE_PAD);
    NEED(held);
    memcpy(held, s, n);
    fault = 999;
    memset(&line, 0, sizeof line);
    return lm_line_parse(parser, held, n, &line, &fault);
}

static bool is(const char *p, size_t n, const char *want)
{
    return p && n == strlen(want) && !memcmp(p, want, n);
}

static void documents(void)
{
    static const struct {
        const char *s, *text, *label;
    } good[] = {
        { "{\"text\":\"\"}", "", NULL },
        { "{\"text\":\"a\"}", "a", NULL },
        { " {\t\"text\" :\r \"a\" } \r", "a", NULL },
        { "{\"te\\u0078t\": \"\\u0061\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a\"\\/\b\f\n\r\t", NULL },
        { "{\"text\":\"\\u00e9\\u20ac\\uD83D\\ude00\xf0\x9f\x98\x80\"}",
          "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80", NULL },
        { "{\"text\":\"a\",\"domain\":\"C4\"}", "a", "C4" },
        { "{\"meta\":{\"redpajama_set_name\":\"RedPajamaC4\"},\"text\":\"a\"}", "a",
          "RedPajamaC4" },
        { "{\"meta\":{\"redpajama_set_name\":\"low\"},\"text\":\"a\",\"domain\":\"high\"}", "a",
          "high" },
        { "{\"text\":\"a\",\"domain\":7,\"meta\":{\"redpajama_set_name\":\"b\"}}", "a", "b" },
        { "{\"text\":\"a\",\"domain\":null,\"meta\":{\"redpajama_set_name\":{}}}", "a", NULL },
        { "{\"text\":\"a\",\"meta\":\"x\"}", "a", NULL },
        { "{\"text\":\"a\",\"meta\":[\"redpajama_set_name\"]}", "a", NULL },
        { "{\"text\":\"a\",\"meta\":{\"text\":\"no\",\"x\":{\"redpajama_set_name\":\"no\"}}}", "a",
          NULL },
        { "{\"text\":\"a\",\"a\":{\"b\":{\"c\":{\"d\":\"deep\"}}}}", "a", "deep" },
        { "{\"text\":\"a\",\"x\":1,\"x\":2,\"y\":{\"domain\":1,\"domain\":2}}", "a",
          NULL }, /* not a path the scanner reads */
        { "{\"text\":\"a\",\"x\":[1,-2.5e3,true,false,null,[],{},[{}]]}", "a", NULL },
        { "{\"text\":\"a\",\"x\":18446744073709551615,\"y\":-9223372036854775808,\"z\":1e308,\"u\":"
          "1e-999}",
          "a", NULL },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int rc = parse(good[i].s, strlen(good[i].s));
        if (rc != 1) fprintf(stderr, "  %s\n", good[i].s);
        CHECK_EQ(rc, 1);
        CHECK(is(line.text, line.text_size, good[i].text));
        CHECK(good[i].label ? is(line.label[0].s, line.label[0].n, good[i].label) : !line.labels);
    }
    CHECK(parse("{\"text\":\"a\\u0000b\"}", 19) == 1 && line.text_size == 3 &&
          !memcmp(line.text, "a\0b", 3));
    CHECK(parse("", 0) == 0 && parse(" \t\r", 3) == 0);
}

static void refusals(void)
{
    static const struct {
        const char *s;
        size_t fault;
        const char *why;
    } bad[] = {
        { "{}", 1, "no member \"text\"" },
        { "{\"text\":1}", 8, "a number, not a string" },
        { "{\"text\":null}", 8, "null, not a string" },
        { "{\"text\":true}", 8, "true or false, not a string" },
        { "{\"text\":[]}", 8, "an array, not a string" },
        { "{\"text\":{\"a\":\"b\"}}", 8, "an object, not a string" },
        { "{\"text\":\"a\",\"te\\u0078t\":\"b\"}", 12, "\"text\" stands twice" },
        { "{\"text\":\"a\",\"domain\":1,\"domain\":\"b\"}", 23, "\"domain\" stands twice" },
        { "{\"text\":\"a\",\"meta\":1,\"meta\":{}}", 21, "\"meta\" stands twice" },
        { "{\"text\":\"a\",\"meta\":{\"redpajama_set_name\":1,\"redpajama_set_name\":2}}", 43,
          "stands twice" },
        { "[]", 0, "an array, not an object" },
        { "\"text\"", 0, "a string, not an object" },
        { "-1", 0, "a number, not an object" },
        { "null", 0, "null, not an object" },
        { "text", 1, "" },
        { "\xef\xbb\xbf{\"text\":\"a\"}", 0, "byte order mark" },
        { " \xef\xbb\xbf{\"text\":\"a\"}", 1, "not JSON" },
        { "{\"text\":\"a", 10, "cut off inside a string" },
        { "{\"text\":\"a\\", 11, "cut off inside an escape" },
        { "{\"text\":\"a\\u00", 14, "cut off inside an escape" },
        { "{\"text\":\"a\"", 11, "cut off inside an object" },
        { "{\"text\":\"a\",", 12, "cut off inside an object" },
        { "{\"text\"", 7, "cut off after a key" },
        { "{\"text\":", 8, "cut off where a value" },
        { "{\"text\":\"a\",\"x\":[1", 18, "cut off inside an array" },
        { "{\"text\":\"a\",}", 12, "a comma before '}'" },
        { "{\"text\":\"a\",\"x\":[1,]}", 19, "a comma before ']'" },
        { "{\"text\":\"a\"}}", 12, "something follows" },
        { "{\"text\":\"a\"} {}", 13, "something follows" },
        { "{\"text\" \"a\"}", 8, "expected ':'" },
        { "{\"text\":\"a\" \"b\":1}", 12, "expected ',' or '}'" },
        { "{\"text\":\"a\",\"x\":[1 2]}", 19, "expected ',' or ']'" },
        { "{text:\"a\"}", 1, "double quotes" },
        { "{\"text\":'a'}", 8, "not a JSON value" },
        { "{\"text\":\"a\tb\"}", 10, "control byte 0x09" },
        { "{\"text\":\"\\x\"}", 9, "escape that JSON does not know" },
        { "{\"text\":\"\\u00g0\"}", 9, "four hexadecimal digits" },
        { "{\"text\":\"\\ud800\"}", 9, "lone high surrogate" },
        { "{\"text\":\"\\ud800\\u0041\"}", 9, "lone high surrogate" },
        { "{\"text\":\"\\udc00\"}", 9, "lone low surrogate" },
        { "{\"text\":\"ab\x80\"}", 11, "continuation" },
        { "{\"text\":\"ab\xc0\xaf\"}", 11, "overlong" },
        { "{\"text\":\"ab\xe0\x80\x80\"}", 11, "overlong" },
        { "{\"text\":\"ab\xf0\x8f\xbf\xbf\"}", 11, "overlong" },
        { "{\"text\":\"ab\xed\xa0\x80\"}", 11, "surrogate in UTF-8" },
        { "{\"text\":\"ab\xf4\x90\x80\x80\"}", 11, "past U+10FFFF" },
        { "{\"text\":\"ab\xff\"}", 11, "never has" },
        { "{\"text\":\"ab\xe4\xb8\"}", 11, "cut short" },
        { "{\"text\":\"a\",\"x\":01}", 16, "leading zero" },
        { "{\"text\":\"a\",\"x\":-}", 16, "not a JSON number" },
        { "{\"text\":\"a\",\"x\":1.}", 16, "after its point" },
        { "{\"text\":\"a\",\"x\":1e+}", 16, "exponent" },
        { "{\"text\":\"a\",\"x\":+1}", 16, "not a JSON value" },
        { "{\"text\":\"a\",\"x\":18446744073709551616}", 16, "past 64 bits" },
        { "{\"text\":\"a\",\"x\":-9223372036854775809}", 16, "past 64 bits" },
        { "{\"text\":\"a\",\"x\":1e309}", 16, "range of a double" },
        { "{\"text\":\"a\",\"x\":NaN}", 16, "not a JSON value" },
        { "{\"text\":\"a\",\"x\":nul}", 16, "not a JSON value" },
        { "{\"text\":\"a\",\"x\":truex}", 20, "expected ',' or '}'" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int rc = parse(bad[i].s, strlen(bad[i].s));
        bool right = rc == LM_EDATA && (fault == bad[i].fault || !*bad[i].why) &&
                     strstr(lm_err(), bad[i].why);
        if (!right) fprintf(stderr, "  %s: rc %d, byte %zu, %s\n", bad[i].s, rc, fault, lm_err());
        CHECK(right);
    }
    CHECK(parse("{\"text\":\"a\0b\"}", 14) == LM_EDATA && fault == 10);
    CHECK(parse("\0\0", 2) == LM_EDATA && fault == 0);
}

/* The bytes of the padding after the line are ignored. */
static void next_line_is_not_ours(void)
{
    char s[200];
    memset(s, '9', sizeof s);
    memcpy(s, "{\"text\":\"a\",\"x\":1}", 18);
    CHECK(lm_line_parse(parser, s, 18, &line, &fault) == 1 && is(line.text, line.text_size, "a"));
    CHECK(lm_line_parse(parser, s, 17, &line, &fault) == LM_EDATA && fault == 17);
    memset(s + 18, '"', sizeof s - 18);
    CHECK(lm_line_parse(parser, s, 18, &line, &fault) == 1);
    CHECK(lm_line_parse(parser, s, 10, &line, &fault) == LM_EDATA && fault == 10);
}

static void depth(void)
{
    char s[5000];
    for (int d = 1020; d <= 1026; d++) { /* d containers, the line's object included */
        int n = sprintf(s, "{\"text\":\"a\",\"x\":");
        memset(s + n, '[', (size_t)d - 1);
        s[n + d - 1] = '1';
        memset(s + n + d, ']', (size_t)d - 1);
        s[n + 2 * d - 1] = '}';
        int rc = parse(s, (size_t)(n + 2 * d));
        CHECK(rc == (d <= 1023 ? 1 : LM_EDATA));
        if (rc < 0) CHECK(strstr(lm_err(), "nested deeper than 1023 levels") != NULL);
    }
}

static void keys_are_checked(void)
{
    static const char *const bad[][10] = {
        { "" },          { "a." },   { ".a" },     { "a..b" },
        { "a.b.c.d.e" }, { "text" }, { "x", "x" }, { "1", "2", "3", "4", "5", "6", "7", "8", "9" }
    };
    lm_line_parser *p = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(lm_line_parser_new(&p, &(lm_schema){ .labels = bad[i] }) == LM_EUSAGE && !p);
    CHECK(lm_line_parser_new(&p, &(lm_schema){ .text = "a..b" }) == LM_EUSAGE && !p);
    NEED(!lm_line_parser_new(&p, NULL));
    char s[11 + LM_LINE_PAD] = "{\"text\":\"\"}";
    CHECK(lm_line_parse(p, s, 11, &line, &fault) == 1 && line.labels == 0);
    lm_line_parser_free(p);
    lm_line_parser_free(NULL);
}

/* A line of n bytes of text, of which some are escapes. */
static char *big_line(size_t n, size_t *size)
{
    static const char head[] = "{\"meta\":{\"redpajama_set_name\":\"B\\u006fok\"},\"text\":\"",
                      tail[] = "\"}";
    char *s = calloc(1, n + 100 + LM_LINE_PAD), *p = s;
    NEED(s);
    p = (char *)memcpy(p, head, sizeof head - 1) + sizeof head - 1;
    for (size_t i = 0; i + 16 <= n; i += 16)
        memcpy(p + i, i % 4096 ? "plain text here " : "\\n\\u00e9\\\\ \xe2\x82\xac xx", 16);
    p += n / 16 * 16;
    memcpy(p, tail, 2);
    *size = (size_t)(p + 2 - s);
    return s;
}

static void spent_lines(void)
{
    size_t n;
    for (size_t want = 1000; want <= (size_t)6 << 20; want *= 78) {
        char *s = big_line(want, &n), *kept = malloc(n);
        NEED(kept);
        memcpy(kept, s, n);
        lm_line a, b;
        NEED(lm_line_parse(parser, s, n, &a, &fault) == 1);
        char *text = malloc(a.text_size);
        NEED(text);
        memcpy(text, a.text, a.text_size);
        NEED(lm_line_spend(parser, s, n, &b, &fault) == 1);
        CHECK(b.text_size == a.text_size && !memcmp(b.text, text, a.text_size));
        CHECK(is(b.label[0].s, b.label[0].n, "Book"));
        free(text);
        /* Refused: nothing is changed. */
        memcpy(s, kept, n);
        s[n - 1] = kept[n - 1] = ']';
        CHECK(lm_line_spend(parser, s, n, &b, &fault) == LM_EDATA && fault == n - 1);
        CHECK(!memcmp(s, kept, n));
        memset(s, ' ', n);
        CHECK_EQ(lm_line_spend(parser, s, n, &b, &fault), 0);
        free(s);
        free(kept);
        lm_line_parser_trim(parser);
        CHECK(parse("{\"text\":\"after\"}", 16) == 1 && is(line.text, line.text_size, "after"));
    }
}

static long peak_kb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* Decoding a long line in place needs no further memory. */
static void decodes_in_place(void)
{
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    size_t n;
    char *s = big_line((size_t)128 << 20, &n);
    long before = peak_kb();
    NEED(lm_line_spend(parser, s, n, &line, &fault) == 1);
    CHECK(peak_kb() - before < 4096);
    free(s);
#else
    CHECK(peak_kb() > 0);
#endif
}

static void members(void)
{
    static const struct {
        const char *s, *key, *value;
    } cases[] = {
        { "{\"text\":\"a\",\"domain\":\"C4\"}", "domain", "\"C4\"" },
        { " { \"domain\" : 12 , \"text\":\"a\"}", "domain", "12" },
        { "{\"text\":\"\\\\\\\"domain\\\": 1\\\\\",\"domain\":[1,{\"x\":\"]}\"}] }", "domain",
          "[1,{\"x\":\"]}\"}]" },
        { "{\"x\":{\"domain\":1},\"text\":\"a\"}", "domain", NULL },
        { "{\"do\\u006dain\":null,\"text\":\"\"}", "domain", "null" },
        { "{\"domain\":{},\"domain\":2}", "domain", "{}" },
        { "{}", "domain", NULL },
        { "{\"text\":\"a\"}", "tex", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *v = NULL;
        size_t n = 0;
        bool has = lm_line_member(cases[i].s, strlen(cases[i].s), cases[i].key, &v, &n);
        CHECK(has == (cases[i].value != NULL));
        if (has && cases[i].value) CHECK(is(v, n, cases[i].value));
    }
}

/* A schema with another text key, and all labels in the order of the keys. */
static void schemas(void)
{
    static const char *const labels[] = { "b", "a.c", "z", NULL };
    static const struct {
        const char *s, *text, *first, *second;
    } good[] = {
        { "{\"a\":{\"t\":\"x\"},\"b\":\"y\"}", "x", "y", NULL },
        { "{\"a\":{\"c\":\"z\",\"t\":\"x\"},\"b\":\"y\",\"text\":7}", "x", "y", "z" },
        { "{\"a\":{\"c\":\"z\",\"t\":\"\"},\"b\":1}", "", "z", NULL },
    };
    lm_line_parser *p = NULL;
    lm_schema schema = { "a.t", labels, false };
    NEED(!lm_line_parser_new(&p, &schema));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char s[200] = "";
        strcpy(s, good[i].s);
        CHECK(lm_line_parse(p, s, strlen(s), &line, &fault) == 1);
        CHECK(is(line.text, line.text_size, good[i].text) && !line.repaired.s);
        CHECK_EQ(line.labels, 1 + (good[i].second != NULL));
        CHECK(is(line.label[0].s, line.label[0].n, good[i].first));
        if (good[i].second) CHECK(is(line.label[1].s, line.label[1].n, good[i].second));
    }
    static const char *const bad[][2] = {
        { "{\"text\":\"x\"}", "the object has no member \"a.t\"" },
        { "{\"a\":\"x\"}", "the object has no member \"a.t\"" },
        { "{\"a\":{\"t\":null}}", "\"a.t\" is null, not a string" },
        { "{\"a\":{\"t\":\"\",\"t\":\"\"}}", "the key \"t\" stands twice: which one is meant?" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char s[200] = "";
        strcpy(s, bad[i][0]);
        CHECK(lm_line_parse(p, s, strlen(s), &line, &fault) == LM_EDATA);
        CHECK_STR(lm_err(), bad[i][1]);
    }
    lm_line_parser_free(p);
    schema.text = "b";
    CHECK(lm_line_parser_new(&p, &schema) == LM_EUSAGE && strstr(lm_err(), "that of the text"));
}

/* ---- files of other formats --------------------------------------------------------------- */

static int first_chunk(const void *p, size_t n, lm_chunk *c)
{
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    put("f", LM_OUT_ZSTD, p, n);
    NEED(!lm_in_open(&in, "f") && !lm_chunker_new(&k, in));
    int rc = lm_chunker_next(k, c);
    lm_chunker_free(k);
    return rc;
}

/* Named by content, whatever compresses them. */
static void foreign_formats(void)
{
    static const struct {
        const char *s;
        size_t n;
        const char *message; /* NULL: this is JSON lines, or a bad line of it */
    } cases[] = {
        { "PAR1\x15\x04\x15", 7, "f: not JSON lines: this is a Parquet file; duckdb" },
        { "PK\3\4\x14", 5, "a zip archive; unzip FILE" },
        { "ARROW1\0\0", 8, "an Arrow (Feather) file" },
        { "\xff\xff\xff\xff\x10", 5, "an Arrow stream" },
        { "7z\xbc\xaf\x27\x1c", 6, "a 7z archive" },
        { "\x04\x22\x4d\x18", 4, "lz4 -d" },
        { "\xff\x06\0\0sNaPpY", 10, "snappy" },
        { "\x1f\x8b\x08\0", 4, "decompress it once more: gzip -d" },
        { "\n <!DocType HTML>\n<html>", 25, "an HTML page" },
        { "<html lang=en>", 14, "an HTML page" },
        { "<!-- saved -->\n<p>", 18, "an HTML page" },
        { "< 5", 3, NULL },
        { "<?xml version='1.0'?><Error/>", 29, "an XML document" },
        { "version https://git-lfs.github.com/spec/v1\n", 43, "git lfs pull" },
        { "\xff\xfe{\0", 4, "UTF-16; iconv" },
        { "\0\0\xfe\xff\0\0\0{", 8, "UTF-32; iconv" },
        { "{\0\"\0t\0", 6, "UTF-16; iconv" },
        { " [ \n {\"text\":\"a\"}]", 19, "jq -c '.[]'" },
        { "{ \n  \"text\": \"a\"\n}\n", 20, "JSON over several lines; jq -c ." },
        { "[1]\n", 4, NULL },
        { "[\"text\"]\n", 9, NULL },
        { "{}\n", 3, NULL },
        { "text,label\n1,2\n", 15, NULL },
        { "\x89PNG", 4, NULL },
        { "\n\n", 2, NULL },
    };
    lm_chunk c = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = first_chunk(cases[i].s, cases[i].n, &c);
        CHECK(rc == (cases[i].message ? LM_EDATA : 1));
        if (cases[i].message) CHECK(strstr(lm_err(), cases[i].message) != NULL);
    }
    char tar[512] = "corpus/a.jsonl";
    memcpy(tar + 257, "ustar", 5);
    CHECK(first_chunk(tar, sizeof tar, &c) == LM_EDATA && strstr(lm_err(), "tar -xf FILE"));
    CHECK(first_chunk("", 0, &c) == 0);
    /* A byte order mark is left out at the begin of the file; positions count it. */
    CHECK(first_chunk("\xef\xbb\xbf{}\n", 6, &c) == 1);
    CHECK(c.bytes.size == 3 && !memcmp(c.bytes.data, "{}\n", 3) && c.line == 1 && c.offset == 3);
    CHECK(first_chunk("\xef\xbb\xbf", 3, &c) == 0);
    CHECK(first_chunk("\xef\xbb\xbf<html>", 9, &c) == LM_EDATA);
    lm_buf_free(&c.bytes);
}

int main(void)
{
    chunks();
    large_buffers_go_back();
    broken_input();
    NEED(!lm_line_parser_new(&parser, &(lm_schema){ .labels = keys }));
    documents();
    refusals();
    next_line_is_not_ours();
    depth();
    keys_are_checked();
    spent_lines();
    decodes_in_place();
    members();
    lm_line_parser_free(parser);
    free(held);
    schemas();
    foreign_formats();

    CHECK(lm_line_error("a.jsonl", 7, 123, "reason") == LM_EDATA);
    CHECK_STR(lm_err(), "a.jsonl:7: byte 123: reason");

    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_chunk c = { { NULL, 0, 0, 0 }, 0, 0 };
    NEED(!lm_in_open(&in, "c") && !lm_chunker_new(&k, in));
    lm_interrupt();
    CHECK(lm_chunker_next(k, &c) == LM_EINTR);
    lm_chunker_free(k);
    lm_buf_free(&c.bytes);
    CHECK_END();
}
