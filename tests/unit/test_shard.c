/* The shard format: reading returns what was written; each flipped byte and truncation is found. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "longmix/shard.h"
#include "lib/base/threads.h"
#include "longmix/zio.h"

static lm_json *parse(const char *text)
{
    lm_json *j = NULL;
    NEED(lm_json_parse(&j, text, strlen(text), "test") == 0);
    return j;
}

static const char *const file_names[] = { "a.jsonl", "b.jsonl" };

static lm_json *make_identity(void)
{
    lm_json *j = parse("{\"domains\":[\"A\",\"B\"],\"pack\":{\"how\":\"concat\"}}");
    lm_json_set(j, "files", lm_shard_files(file_names, 2));
    return j;
}

/* Row r, token t. */
static uint32_t id_at(uint64_t r, uint64_t t, uint32_t vocab)
{
    return (uint32_t)((r * 7919 + t * 31 + 5) % vocab);
}

/* `inputs`: the list of the receipt. */
static void write_named(const char *path, unsigned width, uint32_t vocab, uint64_t row_tokens,
                        uint64_t rows, uint64_t number, bool last, const char *inputs)
{
    lm_json *identity = make_identity(),
            *receipt = parse(last ? "{\"last\":true}" : "{\"last\":false}");
    lm_json_set(receipt, "inputs", parse(inputs));
    lm_shard_spec spec = { row_tokens, true, width, vocab, number, identity };
    lm_shard_writer *w = NULL;
    unlink(path);
    NEED(lm_shard_writer_open(&w, path, &spec) == 0);
    unsigned char *ids = malloc((size_t)row_tokens * width);
    NEED(ids);
    for (uint64_t r = 0; r < rows; r++) {
        for (uint64_t t = 0; t < row_tokens; t++) {
            uint32_t id = id_at(r, t, vocab);
            if (width == 2) lm_put16(ids + 2 * t, (uint16_t)id);
            else lm_put32(ids + 4 * t, id);
        }
        /* Row 1 ends in padding; row 2 has no span at all. */
        lm_span spans[2] = {
            { 0x1111 + r, 3, 1000, 900, 7, 0, 0, 2, 0, 0, LM_SPAN_ENDS },
            { 0x2222 + r, 0, 100000, 50, 8, 1, 2, (uint32_t)(row_tokens - 2 - (r == 1)), 1, 1,
              LM_SPAN_BEGINS },
        };
        CHECK_OK(lm_shard_writer_row(w, ids, spans, r == 2 ? 0 : 2));
    }
    free(ids);
    CHECK(access(path, F_OK) != 0); /* does not exist before it is complete */
    CHECK_OK(lm_shard_writer_commit(w, receipt));
    lm_json_free(identity);
    lm_json_free(receipt);
}

static void write_shard(const char *path, unsigned width, uint32_t vocab, uint64_t row_tokens,
                        uint64_t rows, uint64_t number, bool last)
{
    write_named(path, width, vocab, row_tokens, rows, number, last, "[]");
}

static void round_trip(unsigned width, uint32_t vocab, uint64_t row_tokens, uint64_t rows)
{
    write_shard("t.lms", width, vocab, row_tokens, rows, 3, true);
    lm_shard *s = NULL;
    NEED(lm_shard_open(&s, "t.lms") == 0);
    CHECK_EQ(lm_shard_rows(s), rows);
    CHECK_EQ(lm_shard_row_tokens(s), row_tokens);
    CHECK_EQ(lm_shard_width(s), width);
    CHECK_EQ(lm_shard_vocab(s), vocab);
    CHECK_EQ(lm_shard_number(s), 3);
    CHECK(lm_shard_labels(s));
    CHECK_STR(lm_shard_name(s), "t.lms");
    struct stat st;
    NEED(stat("t.lms", &st) == 0);
    CHECK_EQ(lm_shard_bytes(s), st.st_size);
    CHECK_EQ(lm_shard_version(s), 2);
    uint64_t files = 0;
    CHECK_OK(lm_json_u64(&files, lm_json_get(lm_shard_identity(s), "files"), "count"));
    CHECK_EQ(files, 2);
    CHECK(lm_json_get(lm_shard_receipt(s), "last") != NULL);
    CHECK_EQ(lm_shard_identity_hash(s) != 0, 1);

    uint32_t *ids = malloc((size_t)row_tokens * 4);
    NEED(ids);
    for (uint64_t r = 0; r < rows; r++) {
        CHECK_OK(lm_shard_row(s, r, ids));
        size_t wrong = 0;
        for (uint64_t t = 0; t < row_tokens; t++) wrong += ids[t] != id_at(r, t, vocab);
        CHECK_EQ(wrong, 0);
        const lm_span *spans = NULL;
        size_t n = 9;
        CHECK_OK(lm_shard_spans(s, r, &spans, &n));
        CHECK_EQ(n, r == 2 ? 0 : 2);
        if (n == 2) {
            CHECK_EQ(spans[0].key, 0x1111 + r);
            CHECK_EQ(spans[0].doc_start, 3);
            CHECK_EQ(spans[0].unit_tokens, 900);
            CHECK_EQ(spans[1].row_start, 2);
            CHECK_EQ(spans[1].line, 8);
            CHECK_EQ(spans[1].file, 1);
            CHECK_EQ(spans[1].domain, 1);
            CHECK_EQ(spans[1].copy, 1);
            CHECK_EQ(spans[1].flags, LM_SPAN_BEGINS);
        }
    }
    CHECK_EQ(lm_shard_row(s, rows, ids), LM_EUSAGE);
    const lm_span *none;
    size_t n;
    CHECK_EQ(lm_shard_spans(s, rows, &none, &n), LM_EUSAGE);
    free(ids);
    lm_shard_close(s);
    CHECK_OK(lm_shard_check("t.lms", false));
    CHECK_OK(lm_shard_check("t.lms", true));
}

static unsigned char *slurp(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    NEED(fd >= 0 && fstat(fd, &st) == 0);
    unsigned char *p = malloc((size_t)st.st_size);
    NEED(p && read(fd, p, (size_t)st.st_size) == st.st_size);
    close(fd);
    *n = (size_t)st.st_size;
    return p;
}

static void spill(const char *path, const unsigned char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    NEED(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

/* Every byte of a small shard, flipped alone, is found by the full check and named; outside the
 * rows it is found by opening. Every cut is found by opening. */
static void every_byte(void)
{
    uint64_t row_tokens = 13, rows = 3;
    write_shard("f.lms", 2, 300, row_tokens, rows, 0, true);
    size_t n = 0, missed = 0, unnamed = 0, opened = 0;
    unsigned char *p = slurp("f.lms", &n);
    int fd = open("f.lms", O_RDWR);
    NEED(fd >= 0);
    size_t rows_end = LM_SHARD_DATA + row_tokens * rows * 2;
    for (size_t i = 0; i < n; i++) {
        unsigned char bad = p[i] ^ (unsigned char)(1u << (i % 8));
        NEED(pwrite(fd, &bad, 1, (off_t)i) == 1);
        int quick = lm_shard_check("f.lms", true);
        bool in_rows = i >= LM_SHARD_DATA && i < rows_end;
        if (quick != (in_rows ? LM_OK : LM_EDATA)) opened++;
        if (lm_shard_check("f.lms", false) != LM_EDATA) missed++;
        else if (!strstr(lm_err(), "f.lms") || !strstr(lm_err(), "byte")) unnamed++;
        NEED(pwrite(fd, p + i, 1, (off_t)i) == 1);
    }
    CHECK_EQ(missed, 0);
    CHECK_EQ(unnamed, 0);
    CHECK_EQ(opened, 0);
    CHECK_OK(lm_shard_check("f.lms", false));
    close(fd);
    missed = 0;
    for (size_t i = 0; i < n; i++) {
        NEED(truncate("f.lms", (off_t)(n - 1 - i)) == 0);
        missed += lm_shard_check("f.lms", true) != LM_EDATA;
    }
    CHECK_EQ(missed, 0);
    unsigned char *longer = calloc(1, n + 8);
    NEED(longer);
    memcpy(longer, p, n);
    spill("f.lms", longer, n + 8);
    CHECK_EQ(lm_shard_check("f.lms", true), LM_EDATA);

    /* A row's fault is reported with the row's offset, and the other rows can still be read. */
    memcpy(longer, p, n);
    longer[LM_SHARD_DATA + 2 * row_tokens + 5] ^= 4;
    spill("f.lms", longer, n);
    lm_shard *s = NULL;
    uint32_t ids[13];
    NEED(lm_shard_open(&s, "f.lms") == 0);
    CHECK_OK(lm_shard_row(s, 0, ids));
    CHECK_EQ(lm_shard_row(s, 1, ids), LM_EDATA);
    CHECK(strstr(lm_err(), "byte 4122") != NULL);
    CHECK_OK(lm_shard_row(s, 2, ids));
    lm_shard_close(s);

    /* A later format version is refused. */
    memcpy(longer, p, n);
    longer[8] = 3;
    spill("f.lms", longer, n);
    CHECK_EQ(lm_shard_check("f.lms", true), LM_EDATA);
    CHECK(strstr(lm_err(), "version 3; this longmix reads 1 to 2") != NULL);
    free(longer);
    free(p);
}

static void writer_refuses(void)
{
    lm_json *identity = make_identity(), *bad = parse("{\"domains\":[]}");
    lm_shard_spec spec = { 4, false, 2, 10, 0, identity };
    lm_shard_writer *w = NULL;
    NEED(lm_shard_writer_open(&w, "w.lms", &spec) == 0);
    uint16_t ids[4] = { 1, 2, 3, 9 };
    lm_span s = { 1, 0, 4, 4, 1, 0, 0, 4, 0, 0, 3 };
    CHECK_OK(lm_shard_writer_row(w, ids, &s, 1));
    ids[3] = 10;
    CHECK_EQ(lm_shard_writer_row(w, ids, &s, 1), LM_EDATA); /* an id outside the vocabulary */
    ids[3] = 0;
    lm_span t = s;
    t.row_start = 1;
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    t = s, t.tokens = 5;
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    t = s, t.doc_start = 1;
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    t = s, t.domain = 2;
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    t = s, t.file = 2;
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    t = s, t.tokens = 0;
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    lm_shard_writer_abandon(w);
    CHECK(access("w.lms", F_OK) != 0 && access("w.lms.longmix.tmp", F_OK) != 0);
    NEED(lm_shard_writer_open(&w, "w.lms", &spec) == 0);
    CHECK_EQ(lm_shard_writer_row(w, ids, &t, 1), LM_EUSAGE);
    CHECK_EQ(lm_shard_writer_commit(w, identity), LM_EUSAGE); /* a row is missing */
    CHECK(access("w.lms", F_OK) != 0 && access("w.lms.longmix.tmp", F_OK) != 0);

    spec.width = 3;
    CHECK_EQ(lm_shard_writer_open(&w, "w.lms", &spec), LM_EUSAGE);
    spec.width = 2, spec.identity = bad;
    CHECK_EQ(lm_shard_writer_open(&w, "w.lms", &spec), LM_EDATA);
    spec.identity = identity;
    CHECK_EQ(lm_shard_writer_open(&w, "absent/w.lms", &spec), LM_EIO);
    lm_json_free(identity);
    lm_json_free(bad);
}

/* More spans than a spool keeps in memory. */
static void many_spans(void)
{
    enum { ROWS = 300, N = 200 };
    lm_json *identity = make_identity(), *receipt = parse("{\"last\":true}");
    lm_shard_spec spec = { N, false, 4, 1000000, 0, identity };
    lm_shard_writer *w = NULL;
    NEED(lm_shard_writer_open(&w, "m.lms", &spec) == 0);
    static uint32_t ids[N];
    static lm_span spans[N];
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t i = 0; i < N; i++) {
            ids[i] = r * N + i;
            spans[i] = (lm_span){ r, 0, 1, 1, r + 1, 0, i, 1, 0, 0, 3 };
        }
        CHECK_OK(lm_shard_writer_row(w, ids, spans, N));
    }
    CHECK_OK(lm_shard_writer_commit(w, receipt));
    lm_json_free(identity);
    lm_json_free(receipt);
    lm_shard *s = NULL;
    NEED(lm_shard_open(&s, "m.lms") == 0);
    size_t wrong = 0, n = 0;
    for (uint32_t r = 0; r < ROWS; r++) {
        const lm_span *p = NULL;
        CHECK_OK(lm_shard_spans(s, r, &p, &n));
        wrong += n != N || p[7].key != r || p[N - 1].row_start != N - 1;
        CHECK_OK(lm_shard_row(s, r, ids));
        wrong += ids[3] != r * N + 3;
    }
    CHECK_EQ(wrong, 0);
    lm_shard_close(s);
}

static void directories(void)
{
    lm_shards *s = NULL;
    NEED(mkdir("dir", 0777) == 0);
    CHECK_EQ(lm_shards_open(&s, "dir"), LM_EDATA); /* empty */
    CHECK_EQ(lm_shards_open(&s, "nowhere"), LM_EIO);
    write_shard("dir/shard-00000.lms", 2, 300, 8, 2, 0, false);
    CHECK_EQ(lm_shards_open(&s, "dir"), LM_EDATA);
    CHECK(strstr(lm_err(), "incomplete") != NULL);
    write_shard("dir/shard-00002.lms", 2, 300, 8, 4, 2, true);
    CHECK_EQ(lm_shards_open(&s, "dir"), LM_EDATA);
    CHECK(strstr(lm_err(), "shard-00001.lms is missing") != NULL);
    write_shard("dir/shard-00001.lms", 2, 300, 8, 0, 1, false); /* a shard without rows */
    NEED(lm_shards_open(&s, "dir") == 0);
    CHECK_EQ(lm_shards_count(s), 3);
    CHECK_EQ(lm_shards_rows(s), 6);
    const lm_shard *one = NULL;
    uint64_t at = 9;
    CHECK_OK(lm_shards_find(s, 1, &one, &at));
    CHECK(one == lm_shards_at(s, 0) && at == 1);
    CHECK_OK(lm_shards_find(s, 2, &one, &at));
    CHECK(one == lm_shards_at(s, 2) && at == 0);
    CHECK_OK(lm_shards_find(s, 5, &one, &at));
    CHECK(one == lm_shards_at(s, 2) && at == 3);
    CHECK_EQ(lm_shards_find(s, 6, &one, &at), LM_EUSAGE);
    CHECK(lm_shards_at(s, 3) == NULL);

    lm_shards_close(s);

    write_shard("dir/shard-00001.lms", 2, 300, 8, 1, 5, false); /* the wrong number inside */
    CHECK_EQ(lm_shards_open(&s, "dir"), LM_EDATA);
    write_shard("dir/shard-00001.lms", 2, 300, 9, 1, 1, false); /* rows of another length */
    CHECK_EQ(lm_shards_open(&s, "dir"), LM_EDATA);
    CHECK_OK(lm_shards_open(&s, "dir/shard-00002.lms")); /* one file is a sequence too */
    CHECK_EQ(lm_shards_rows(s), 4);
    lm_shards_close(s);

    uint64_t n = 0;
    CHECK(lm_shard_number_of("shard-00012.lms", &n) && n == 12);
    CHECK(lm_shard_number_of("shard-123456.lms", &n) && n == 123456);
    CHECK(!lm_shard_number_of("shard-12.lms", &n));
    CHECK(!lm_shard_number_of("shard-00012.lms.tmp", &n));
    CHECK(!lm_shard_number_of("shard--0012.lms", &n));
}

/* The names of the input files: in receipts, proven by the hash in the identity. */
static const char *name_in(const char *path, uint32_t file)
{
    static char name[64];
    lm_shards *s = NULL;
    NEED(lm_shards_open(&s, path) == 0);
    const char *found = lm_shards_file(s, file);
    snprintf(name, sizeof name, "%s", found ? found : "unknown");
    lm_shards_close(s);
    return name;
}

static void names(void)
{
    const char *const both = "[{\"file\":\"a.jsonl\"},{\"file\":\"b.jsonl\"}]";
    NEED(mkdir("names", 0777) == 0);
    /* All in shard 0, as in a mixture of a store. */
    write_named("names/shard-00000.lms", 2, 300, 8, 2, 0, false, both);
    write_named("names/shard-00001.lms", 2, 300, 8, 2, 1, true, "[]");
    CHECK_STR(name_in("names", 0), "a.jsonl");
    CHECK_STR(name_in("names", 1), "b.jsonl");
    CHECK_STR(name_in("names", 2), "unknown");
    CHECK_STR(name_in("names/shard-00000.lms", 1), "b.jsonl");
    CHECK_STR(name_in("names/shard-00001.lms", 1), "b.jsonl"); /* from the shard 0 next to it */
    NEED(rename("names/shard-00001.lms", "shard-00001.lms") == 0);
    CHECK_STR(name_in("shard-00001.lms", 1), "unknown"); /* nothing next to it */
    CHECK_OK(lm_write_file("manifest.json", "{\"inputs\":", 10));
    CHECK_STR(name_in("shard-00001.lms", 1), "unknown"); /* not readable */
    char text[128];
    int n = snprintf(text, sizeof text, "{\"inputs\":%s}", both);
    CHECK_OK(lm_write_file("manifest.json", text, (size_t)n));
    CHECK_STR(name_in("shard-00001.lms", 1), "b.jsonl");
    CHECK_STR(name_in("./shard-00001.lms", 0), "a.jsonl");
    n = snprintf(text, sizeof text, "{\"inputs\":[{\"file\":\"b.jsonl\"},{\"file\":\"a.jsonl\"}]}");
    CHECK_OK(lm_write_file("manifest.json", text, (size_t)n));
    CHECK_STR(name_in("shard-00001.lms", 1), "unknown"); /* of another mixture */
    NEED(unlink("manifest.json") == 0 && unlink("shard-00001.lms") == 0);

    /* A name in each, as in a stream whose shards are cut by size; then not enough, then too many. */
    write_named("names/shard-00000.lms", 2, 300, 8, 2, 0, false, "[{\"file\":\"a.jsonl\"}]");
    write_named("names/shard-00001.lms", 2, 300, 8, 2, 1, true, "[{\"file\":\"b.jsonl\"}]");
    CHECK_STR(name_in("names", 1), "b.jsonl");
    CHECK_STR(name_in("names/shard-00001.lms", 1), "unknown");
    write_named("names/shard-00001.lms", 2, 300, 8, 2, 1, true, "[]");
    CHECK_STR(name_in("names", 0), "unknown");
    write_named("names/shard-00001.lms", 2, 300, 8, 2, 1, true, both);
    CHECK_STR(name_in("names", 0), "unknown");
    write_named("names/shard-00001.lms", 2, 300, 8, 2, 1, true, "[{\"file\":7}]");
    CHECK_STR(name_in("names", 0), "unknown");

    /* "a", "b" is not "ab": each name ends with a zero byte. */
    static const char *const one[] = { "a.jsonlb.jsonl" };
    lm_json *x = lm_shard_files(file_names, 2), *y = lm_shard_files(one, 1);
    uint64_t hx = 0, hy = 0;
    CHECK_OK(lm_json_hex64(&hx, x, "xxh3"));
    CHECK_OK(lm_json_hex64(&hy, y, "xxh3"));
    CHECK_EQ(hx, lm_hash64("a.jsonl\0b.jsonl", 16)); /* with the zero byte of the literal */
    CHECK_EQ(hy, lm_hash64("a.jsonlb.jsonl", 15));
    lm_json_free(x);
    lm_json_free(y);
}

/* Files of version 1, whose identity has the names themselves. */
static void version_1(void)
{
    char path[4096];
    const char *src = getenv("LM_SRC");
    lm_shards *s = NULL;
    snprintf(path, sizeof path, "%s/tests/golden/shard-v1/concat", src ? src : ".");
    NEED(lm_shards_open(&s, path) == 0);
    CHECK_EQ(lm_shard_version(lm_shards_at(s, 0)), 1);
    const lm_json *list = lm_json_get(lm_shard_identity(lm_shards_at(s, 0)), "files");
    CHECK(lm_json_size(list) > 0);
    for (uint32_t i = 0; i < lm_json_size(list); i++) {
        const char *name = NULL;
        CHECK_OK(lm_json_str(&name, lm_json_at(list, i), NULL));
        CHECK_STR(lm_shards_file(s, i), name);
    }
    CHECK(lm_shards_file(s, (uint32_t)lm_json_size(list)) == NULL);

    /* It is not written any more. */
    lm_shard_spec spec = { 4, false, 2, 10, 0, lm_shard_identity(lm_shards_at(s, 0)) };
    lm_shard_writer *w = NULL;
    CHECK_EQ(lm_shard_writer_open(&w, "old.lms", &spec), LM_EDATA);
    lm_shards_close(s);
}

/* A FIFO, a socket or a device in place of a shard is refused at once. */
static void not_files(void)
{
    lm_shards *s = NULL;
    NEED(mkdir("odd", 0777) == 0 && mkfifo("odd/shard-00000.lms", 0600) == 0);
    alarm(20);
    CHECK_EQ(lm_shards_open(&s, "odd"), LM_EIO);
    CHECK(strstr(lm_err(), "odd/shard-00000.lms: is a FIFO, not a regular file") != NULL);
    CHECK_EQ(lm_shards_open(&s, "odd/shard-00000.lms"), LM_EIO);
    CHECK_EQ(lm_shard_check("odd/shard-00000.lms", false), LM_EIO);
    CHECK_EQ(lm_shards_open(&s, "/dev/null"), LM_EIO);
    alarm(0);
}

/* Rows read by several threads at once. */
static int read_rows(void *arg, int t)
{
    const lm_shard *s = arg;
    uint32_t ids[64];
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t r = (i * 7 + (uint64_t)t) % lm_shard_rows(s);
        int rc = lm_shard_row(s, r, ids);
        if (rc) return rc;
        if (ids[63] != id_at(r, 63, 300)) return lm_fail(LM_EDATA, "row %" PRIu64, r);
    }
    return LM_OK;
}

static void threads(void)
{
    write_shard("p.lms", 2, 300, 64, 40, 0, true);
    lm_shard *s = NULL;
    NEED(lm_shard_open(&s, "p.lms") == 0);
    CHECK_OK(lm_parallel(4, read_rows, s));
    lm_shard_close(s);
}

int main(void)
{
    round_trip(2, 300, 13, 3);
    round_trip(2, 65536, 4096, 5);
    round_trip(4, 100000, 5, 4);
    round_trip(4, 0xffffffff, 5000, 2);
    round_trip(2, 32000, 7, 0);
    every_byte();
    writer_refuses();
    many_spans();
    directories();
    names();
    version_1();
    not_files();
    threads();
    CHECK_END();
}
