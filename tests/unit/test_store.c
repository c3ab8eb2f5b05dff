/* The store's format: the written bytes follow docs/format-store.md (a golden file),
 * reading returns what was written, and all damage is found. */
#include <sys/socket.h>
#include <sys/un.h>

#include "tiny_store.h"

enum { FILE_MAX = 8192 };

static const char *golden_path(int version)
{
    static char path[4096];
    const char *src = getenv("LM_SRC");
    snprintf(path, sizeof path, "%s/tests/golden/store-v%d/tiny.lmt", src ? src : ".", version);
    return path;
}

static void golden(void)
{
    static unsigned char want[FILE_MAX], have[FILE_MAX];
    const char *path = golden_path(2);
    tiny_write("tiny.lmt", 32000, 0, TINY_FILES, 1, 1);
    if (getenv("LM_TEST_UPDATE")) tiny_write(path, 32000, 0, TINY_FILES, 1, 1);
    size_t n = tiny_load("tiny.lmt", have, FILE_MAX);
    CHECK_EQ(tiny_load(path, want, FILE_MAX), n);
    CHECK(!memcmp(want, have, n));
    CHECK_OK(lm_store_check(path, false));
    CHECK_OK(lm_store_check(path, true));
    CHECK(access("tiny.lmt.partial", F_OK) != 0);
    CHECK_OK(lm_store_check(golden_path(1), false));
    CHECK_OK(lm_store_check(golden_path(1), true));
}

/* Records that version 1 does not have are damage in it. */
static void old_version(void)
{
    static unsigned char p[FILE_MAX];
    uint64_t docs = 0;
    size_t n = tiny_load(golden_path(1), p, FILE_MAX);
    size_t at = 32 + ((size_t)lm_le64(p + 16) + 7) / 8 * 8;
    lm_buf b = LM_BUF_INIT(4096);
    tiny_chunk(&b, 0, 2);
    CHECK(b.size == 48 && at + b.size < n);
    memcpy(p + at, b.data, b.size);
    tiny_save("old.lmt", p, n);
    CHECK_EQ(tiny_drain("old.lmt", &docs), LM_EDATA);
    CHECK(strstr(lm_err(), "version 1 has no such record"));
    lm_buf_free(&b);
    /* A version that its "format" does not have. */
    n = tiny_load("tiny.lmt", p, FILE_MAX);
    p[8] = 1;
    tiny_save("old.lmt", p, n);
    CHECK_EQ(tiny_drain("old.lmt", &docs), LM_EDATA);
    /* A writer does not write it. */
    lm_json *header = tiny_header(32000, 0, 1, 1, 1);
    lm_store_writer *w = NULL;
    lm_json *v1 = lm_json_object();
    const char *key = NULL;
    const lm_json *value = NULL;
    for (size_t i = 0; lm_json_member(header, i, &key, &value); i++)
        if (strcmp(key, "format")) lm_json_set_copy(v1, key, value);
        else lm_json_set_str(v1, key, "longmix store 1");
    CHECK_EQ(lm_store_writer_open(&w, "old.lmt", v1, LM_STORE_ONCE, NULL, NULL), LM_EUSAGE);
    lm_json_free(header);
    lm_json_free(v1);
}

static void check_doc(const lm_record *r, unsigned i, uint32_t file, unsigned width)
{
    lm_doc d = tiny_doc(i);
    CHECK_EQ(r->kind, LM_REC_DOC);
    CHECK_EQ(r->doc.key, d.key);
    CHECK_EQ(r->doc.tokens, tiny_tokens[i]);
    CHECK_EQ(r->doc.doc_tokens, tiny_tokens[i]);
    CHECK_EQ(r->doc.unit_tokens, tiny_tokens[i]);
    CHECK_EQ(r->doc.start, 0);
    CHECK_EQ(r->doc.line, d.line);
    CHECK_EQ(r->doc.file, file);
    CHECK_EQ(r->doc.domain, d.domain);
    for (uint64_t k = 0; k < r->doc.tokens; k++) {
        const unsigned char *p = (const unsigned char *)r->tokens + k * width;
        CHECK_EQ(width == 2 ? lm_le16(p) : lm_le32(p), lm_hash4(2, i, k, 0) % 32000);
    }
}

static void in_order(const char *path, unsigned version, unsigned width)
{
    lm_stream *s = NULL;
    lm_record r;
    unsigned docs = 0, files = 0, bad = 0;
    NEED(lm_stream_open(&s, path) == 0);
    const lm_meta *m = lm_stream_meta(s);
    CHECK_EQ(m->version, version);
    CHECK_EQ(m->width, width);
    CHECK_EQ(m->files, TINY_FILES);
    CHECK_STR(m->file[1], "b/b.jsonl.zst");
    CHECK_STR(m->domain[1], "unknown");
    CHECK_EQ(m->tokenizer, 0x0123456789abcdef);
    CHECK(m->bos == 1 && m->eos == -1 && !m->plan);
    CHECK(m->part == 1 && m->parts == 1);
    int rc = 0;
    while ((rc = lm_stream_next(s, &r)) == 1) {
        if (r.kind == LM_REC_DOC) {
            NEED(docs < TINY_DOCS);
            check_doc(&r, docs, tiny_file[docs], width);
            docs++;
        } else if (r.kind == LM_REC_FILE) {
            CHECK_EQ(r.file.file, files);
            CHECK_EQ(r.file.raw_bytes, 100 + files);
            CHECK_EQ(r.file.raw_hash, lm_hash4(3, files, 0, 0));
            files++;
        } else {
            CHECK(r.kind == LM_REC_BAD && r.bad.file == 1 && r.bad.line == 7 &&
                  r.bad.offset == 70 && r.bad.bytes == 9);
            bad++;
        }
    }
    CHECK_EQ(rc, 0);
    CHECK(docs == TINY_DOCS && files == TINY_FILES && bad == 1);
    CHECK_EQ(lm_stream_next(s, &r), 0); /* and again */
    lm_stream_close(s);
}

static int take_file(void *arg, const lm_file_end *f)
{
    unsigned *n = arg;
    CHECK_EQ(f->file, *n);
    CHECK_EQ(f->raw_hash, lm_hash4(3, *n, 0, 0));
    ++*n;
    return 0;
}

typedef struct walk {
    uint64_t next, stop; /* number expected next, number to stop at */
} walk;

static int take_entry(void *arg, uint64_t number, const lm_entry *e)
{
    walk *w = arg;
    CHECK_EQ(number, w->next++);
    CHECK_EQ(e->key, tiny_doc((unsigned)number).key);
    return number == w->stop ? 7 : 0;
}

/* Every entry once and in order, over all parts, until fn returns something. */
static void each_entry(lm_store *s)
{
    walk all = { 0, TINY_DOCS }, some = { 0, 1 };
    CHECK_OK(lm_store_each(s, take_entry, &all));
    CHECK_EQ(all.next, TINY_DOCS);
    CHECK_EQ(lm_store_each(s, take_entry, &some), 7);
    CHECK_EQ(some.next, 2);
}

/* lm_store_copy appends what lm_record_add does. */
static void check_copy(lm_store *s, const lm_entry *e, const lm_record *doc, unsigned width)
{
    lm_buf want = LM_BUF_INIT(1 << 16), got = LM_BUF_INIT(1 << 16);
    lm_record piece = *doc;
    piece.doc.copy = 3;
    piece.doc.flags = LM_DOC_OVERLAP;
    NEED(lm_buf_add(&want, "12345678", 8) == 0 && lm_buf_add(&got, "12345678", 8) == 0);
    NEED(lm_record_add(&want, width, &piece) == 0);
    CHECK_OK(lm_store_copy(s, e, 3, LM_DOC_OVERLAP, &got));
    CHECK(got.size == want.size && !memcmp(got.data, want.data, want.size));
    lm_buf_free(&want);
    lm_buf_free(&got);
}

static void by_index(const char *path, unsigned width)
{
    lm_store *s = NULL;
    lm_entry e[TINY_DOCS];
    lm_record r;
    lm_buf b = LM_BUF_INIT(1 << 16);
    unsigned files = 0;
    NEED(lm_store_open(&s, path) == 0);
    CHECK_EQ(lm_store_documents(s), TINY_DOCS);
    CHECK_EQ(lm_store_tokens(s), 18);
    NEED(lm_store_entries(s, 0, TINY_DOCS, e) == 0);
    for (unsigned i = TINY_DOCS; i--;) {
        CHECK_EQ(e[i].key, tiny_doc(i).key);
        CHECK_EQ(e[i].tokens, tiny_tokens[i]);
        CHECK_EQ(e[i].domain, tiny_doc(i).domain);
        lm_store_prefetch(s, &e[i]);
        NEED(lm_store_read(s, &e[i], &b, &r) == 0);
        check_doc(&r, i, tiny_file[i], width);
        check_copy(s, &e[i], &r, width);
    }
    CHECK_OK(lm_store_entries(s, TINY_DOCS, 0, e));
    CHECK_EQ(lm_store_entries(s, TINY_DOCS, 1, e), LM_EUSAGE);
    each_entry(s);
    CHECK_OK(lm_store_files(s, take_file, &files));
    CHECK_EQ(files, TINY_FILES);
    e[0].where++;
    CHECK_EQ(lm_store_read(s, &e[0], &b, &r), LM_EDATA);
    b.size = 16;
    CHECK_EQ(lm_store_copy(s, &e[0], 0, 0, &b), LM_EDATA);
    CHECK_EQ(b.size, 16); /* nothing was appended */
    e[0].where = UINT64_C(1) << 47;
    CHECK_EQ(lm_store_read(s, &e[0], &b, &r), LM_EDATA);
    lm_buf_free(&b);
    lm_store_close(s);
}

/* Every changed byte and every truncation is found. */
static void damage(void)
{
    static unsigned char p[FILE_MAX];
    uint64_t docs = 0;
    size_t n = tiny_load("tiny.lmt", p, FILE_MAX);
    for (size_t i = 0; i < n; i++) {
        p[i] ^= (unsigned char)(1 << i % 8);
        tiny_save("bad.lmt", p, n);
        CHECK_EQ(lm_store_check("bad.lmt", false), LM_EDATA);
        CHECK(strstr(lm_err(), "bad.lmt"));
        CHECK_EQ(tiny_drain("bad.lmt", &docs), LM_EDATA);
        p[i] ^= (unsigned char)(1 << i % 8);
    }
    for (size_t i = 0; i < n; i++) {
        tiny_save("short.lmt", p, i);
        CHECK_EQ(lm_store_check("short.lmt", false), LM_EDATA);
        CHECK_EQ(lm_store_check("short.lmt", true), LM_EDATA);
        CHECK_EQ(tiny_drain("short.lmt", &docs), LM_EDATA);
    }
    p[n] = 0;
    tiny_save("long.lmt", p, n + 1);
    CHECK_EQ(lm_store_check("long.lmt", false), LM_EDATA);
    CHECK_EQ(lm_store_check("long.lmt", true), LM_EDATA);
    p[8] = 3;
    tiny_save("new.lmt", p, n);
    CHECK_EQ(tiny_drain("new.lmt", &docs), LM_EDATA);
    CHECK(strstr(lm_err(), "version 3"));
}

/* Write a store of one quarantined file; its record, as read, in *out with the reason in `reason`. */
static int write_quarantined(const char *path, const char *why, lm_file_end *out, char *reason)
{
    lm_json *header = tiny_header(32000, 0, 2, 1, 1), *names = lm_json_array();
    lm_json_set_str(names, NULL, "notes.txt");
    lm_json_set(header, "not_read", names);
    lm_store_writer *w = NULL;
    lm_stream *s = NULL;
    lm_buf b = LM_BUF_INIT(65536);
    lm_record r = { .kind = LM_REC_FILE,
                    .file = { .file = 1,
                              .raw_bytes = 50,
                              .raw_hash = 3,
                              .raw_read = 40,
                              .fault = 30,
                              .set_aside = why } };
    tiny_add(&b, 0, 0, 2);
    NEED(lm_record_add(&b, 2, &r) == 0);
    NEED(lm_store_writer_open(&w, path, header, LM_STORE_ONCE, NULL, NULL) == 0);
    NEED(lm_store_append(w, b.data, b.size) == 0 && lm_store_finish(w) == 0);
    lm_buf_free(&b);
    lm_json_free(header);
    NEED(lm_stream_open(&s, path) == 0);
    const lm_json *not_read = lm_stream_meta(s)->not_read;
    CHECK(not_read && lm_json_size(not_read) == 1);
    int rc = lm_stream_next(s, &r);
    CHECK(rc == 1 && r.kind == LM_REC_DOC);
    rc = lm_stream_next(s, &r);
    if (rc == 1 && r.kind == LM_REC_FILE && r.file.set_aside) {
        *out = r.file;
        snprintf(reason, LM_REASON_MAX + 1, "%s", r.file.set_aside);
        rc = lm_stream_next(s, &r);
    }
    lm_stream_close(s);
    return rc;
}

static int same_end(void *arg, const lm_file_end *f)
{
    const lm_file_end *want = arg;
    CHECK(f->file == want->file && f->raw_bytes == want->raw_bytes && f->fault == want->fault);
    CHECK(f->set_aside && strlen(f->set_aside) <= LM_REASON_MAX);
    return 5;
}

static void quarantined(void)
{
    static char why[3000], reason[LM_REASON_MAX + 1];
    lm_file_end end = { 0 };
    lm_store *s = NULL;
    for (size_t n = 1; n < 30; n++) {
        snprintf(why, sizeof why, "%.*s", (int)n, "truncated: it breaks off at byte 30");
        CHECK_OK(write_quarantined("q.lmt", why, &end, reason));
        CHECK_STR(reason, why);
        CHECK(end.file == 1 && end.raw_bytes == 50 && end.raw_hash == 3 && end.raw_read == 40 &&
              end.fault == 30 && end.lines == 0 && end.documents == 0);
        NEED(lm_store_open(&s, "q.lmt") == 0);
        CHECK_EQ(lm_store_files(s, same_end, &end), 5);
        lm_store_close(s);
    }
    /* A reason that is too long is cut, one that is not text becomes text. */
    memset(why, 'x', sizeof why - 1);
    memcpy(why + 998, "\xe2\x82\xac", 3);
    CHECK_OK(write_quarantined("q.lmt", why, &end, reason));
    CHECK_EQ(strlen(reason), 1000);
    CHECK_STR(reason + 996, "xx\?\?");
    CHECK_OK(write_quarantined("q.lmt", "a\xff\xc3\xa4", &end, reason));
    CHECK_STR(reason, "a?\xc3\xa4");
    CHECK_OK(write_quarantined("q.lmt", "", &end, reason));
    CHECK_STR(reason, "?");
    CHECK_OK(lm_store_check("q.lmt", false));
}

static void impossible_counts(void)
{
    /* A record that claims 8 GiB fails because bytes are missing, not memory; one that claims
     * more is invalid. */
    static unsigned char p[FILE_MAX];
    uint64_t docs = 0;
    size_t n = tiny_load("tiny.lmt", p, FILE_MAX),
           first = 32 + ((size_t)lm_le64(p + 16) + 7) / 8 * 8;
    CHECK_EQ(lm_le32(p + first + 8), 0x20434f44); /* "DOC " */
    lm_put64(p + first + 24, UINT64_C(1) << 32);
    tiny_save("liar.lmt", p, n);
    CHECK_EQ(tiny_drain("liar.lmt", &docs), LM_EDATA);
    CHECK(strstr(lm_err(), "truncated inside a record"));
    lm_put64(p + first + 24, UINT64_MAX);
    tiny_save("liar.lmt", p, n);
    CHECK_EQ(tiny_drain("liar.lmt", &docs), LM_EDATA);
    CHECK(strstr(lm_err(), "not a record"));
}

static void pieces(void)
{
    lm_json *header = tiny_header(70000, 0, 1, 1, 1);
    lm_json_set(header, "plan", lm_json_object());
    lm_store_writer *w = NULL;
    lm_store *s = NULL;
    lm_stream *in = NULL;
    lm_entry e;
    lm_buf b = LM_BUF_INIT(1 << 16);
    const unsigned char ids[12] = { 1, 0, 0, 0, 2, 1, 2, 0, 3 };
    lm_record doc = { .kind = LM_REC_DOC,
                      .tokens = ids,
                      .doc = { .key = 9,
                               .tokens = 3,
                               .doc_tokens = 100,
                               .start = 10,
                               .unit_tokens = 50,
                               .line = 4,
                               .copy = 2,
                               .domain = 1,
                               .flags = LM_DOC_TRIMMED } };
    lm_record mark = { .kind = LM_REC_SHARD, .shard = { .shard = 3, .start = 1000 } }, r;
    NEED(lm_record_add(&b, 4, &mark) == 0 && lm_record_add(&b, 4, &doc) == 0);
    NEED(lm_store_writer_open(&w, "mix.lmt", header, LM_STORE_ONCE, NULL, NULL) == 0);
    NEED(lm_store_append(w, b.data, b.size) == 0);
    CHECK_EQ(lm_store_append(w, b.data, b.size - 8), LM_EUSAGE);
    NEED(lm_store_finish(w) == 0);
    CHECK(lm_store_check("mix.lmt", false) == LM_EDATA &&
          strstr(lm_err(), "vocabulary")); /* id 131,330 */
    CHECK_OK(lm_store_check("mix.lmt", true));
    NEED(lm_stream_open(&in, "mix.lmt") == 0);
    CHECK(lm_stream_meta(in)->plan && lm_stream_meta(in)->width == 4);
    CHECK(lm_stream_next(in, &r) == 1 && r.kind == LM_REC_SHARD && r.shard.shard == 3 &&
          r.shard.start == 1000);
    CHECK(lm_stream_next(in, &r) == 1 && !memcmp(&r.doc, &doc.doc, sizeof r.doc) &&
          !memcmp(r.tokens, ids, 12));
    CHECK_EQ(lm_stream_next(in, &r), 0);
    lm_stream_close(in);
    NEED(lm_store_open(&s, "mix.lmt") == 0);
    CHECK_OK(lm_store_entries(s, 0, 1, &e));
    CHECK(lm_store_read(s, &e, &b, &r) == 0 && !memcmp(&r.doc, &doc.doc, sizeof r.doc));
    lm_buf copy = LM_BUF_INIT(1 << 16); /* a piece, whose tokens lie elsewhere in its record */
    CHECK_OK(lm_store_copy(s, &e, 0, 0, &copy));
    CHECK(copy.size == b.size && !memcmp(copy.data + 72, r.tokens, 12));
    lm_buf_free(&copy);
    CHECK_OK(lm_store_files(s, take_file, NULL)); /* none */
    lm_store_close(s);
    lm_buf_free(&b);
    lm_json_free(header);
}

static void parts(void)
{
    static unsigned char whole[FILE_MAX], part[FILE_MAX];
    lm_store *one = NULL, *three = NULL;
    lm_buf a = LM_BUF_INIT(FILE_MAX), b = LM_BUF_INIT(FILE_MAX);
    char name[LM_PART_NAME];
    lm_entry e;
    NEED(mkdir("parts", 0777) == 0);
    CHECK_EQ(lm_store_open(&three, "parts"), LM_EDATA); /* empty */
    tiny_write("parts/part-00001-of-00003.lmt", 32000, 0, 1, 1, 3);
    tiny_write("parts/part-00003-of-00003.lmt", 32000, 2, 1, 3, 3);
    CHECK_EQ(lm_store_open(&three, "parts"), LM_EIO);
    CHECK(strstr(lm_err(), "part 2 of 3 is missing"));
    tiny_write("parts/part-00002-of-00003.lmt", 32000, 1, 1, 2, 3);
    in_order("parts", 2, 2);
    by_index("parts", 2);
    NEED(lm_store_open(&one, "tiny.lmt") == 0 && lm_store_open(&three, "parts") == 0);
    CHECK_EQ(lm_store_hash(one), lm_store_hash(three));
    CHECK(lm_json_dump(lm_store_meta(one)->json, 0, &a) == 0 &&
          lm_json_dump(lm_store_meta(three)->json, 0, &b) == 0);
    CHECK(a.size == b.size && !memcmp(a.data, b.data, a.size));
    CHECK(lm_store_entries(three, 2, 1, &e) == 0 && e.key == tiny_doc(2).key);
    lm_store_close(one);
    lm_store_close(three);

    /* The hash depends on the order. */
    tiny_write("other.lmt", 32000, 0, 2, 1, 1);
    NEED(lm_store_open(&one, "other.lmt") == 0 && lm_store_open(&three, "parts") == 0);
    CHECK(lm_store_hash(one) != lm_store_hash(three));
    lm_store_close(one);
    lm_store_close(three);

    size_t n = tiny_load("parts/part-00002-of-00003.lmt", part, FILE_MAX);
    tiny_write("parts/part-00002-of-00003.lmt", 32001, 1, 1, 2, 3);
    CHECK_EQ(lm_store_open(&three, "parts"), LM_EDATA);
    CHECK(strstr(lm_err(), "another tokenizer"));
    /* A part that was made from other inputs. */
    lm_json *header = tiny_header(32000, 1, 1, 2, 3);
    lm_store_writer *w = NULL;
    tiny_inputs(header, 5);
    NEED(lm_store_writer_open(&w, "parts/part-00002-of-00003.lmt", header, LM_STORE_ONCE, NULL,
                              NULL) == 0);
    NEED(lm_store_finish(w) == 0);
    lm_json_free(header);
    CHECK_EQ(lm_store_open(&three, "parts"), LM_EDATA);
    CHECK(strstr(lm_err(), "part-00002-of-00003.lmt") && strstr(lm_err(), "names or sizes"));
    tiny_save("parts/part-00002-of-00003.lmt", whole,
              tiny_load("parts/part-00001-of-00003.lmt", whole, FILE_MAX));
    CHECK_EQ(lm_store_open(&three, "parts"), LM_EDATA);
    tiny_save("parts/part-00002-of-00003.lmt", part, n);
    lm_part_name(name, 1, 2);
    CHECK_STR(name, "part-00001-of-00002.lmt");
    tiny_write("parts/part-00001-of-00002.lmt", 32000, 0, 1, 1, 2);
    CHECK_EQ(lm_store_open(&three, "parts"), LM_EDATA);
    CHECK(strstr(lm_err(), "two stores"));
    lm_buf_free(&a);
    lm_buf_free(&b);
}

static void refused(void)
{
    lm_store *s = NULL;
    lm_stream *in = NULL;
    CHECK_EQ(lm_store_open(&s, "absent"), LM_EIO);
    CHECK_EQ(lm_stream_open(&in, "absent"), LM_EIO);
    CHECK_EQ(lm_store_open(&s, "-"), LM_EUSAGE);
    tiny_save("empty", "", 0);
    CHECK_EQ(lm_stream_open(&in, "empty"), LM_EDATA);
    tiny_save("text", "{\"text\": \"this is not a store, it is a document\"}\n", 50);
    CHECK_EQ(lm_store_open(&s, "text"), LM_EDATA);
    CHECK(strstr(lm_err(), "not a token stream"));

    /* What would block is refused at once. */
    struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "socket" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && mkfifo("fifo", 0666) == 0);
    NEED(mkdir("folder.lmt", 0777) == 0 && mkdir("some", 0777) == 0);
    CHECK_EQ(lm_store_open(&s, "fifo"), LM_EUSAGE);
    CHECK_EQ(lm_store_open(&s, "socket"), LM_EUSAGE);
    CHECK_EQ(lm_stream_open(&in, "socket"), LM_EUSAGE);
    CHECK(strstr(lm_err(), "is a socket"));
    CHECK_EQ(lm_store_open(&s, "/dev/zero"), LM_EUSAGE);
    CHECK_EQ(lm_stream_open(&in, "/dev/zero"), LM_EUSAGE);
    CHECK_EQ(lm_stream_open(&in, "folder.lmt"), LM_EDATA);
    NEED(mkfifo("some/part-00001-of-00001.lmt", 0666) == 0);
    CHECK_EQ(lm_store_open(&s, "some"), LM_EUSAGE);
    close(fd);

    NEED(lm_store_open(&s, "tiny.lmt") == 0);
    NEED(link("tiny.lmt", "link.lmt") == 0);
    CHECK(lm_store_is(s, "link.lmt") && lm_store_is(s, "./tiny.lmt"));
    CHECK(!lm_store_is(s, "wide.lmt") && !lm_store_is(s, "absent"));
    lm_store_close(s);

    lm_store_writer *w = NULL;
    lm_json *header = tiny_header(32000, 0, 1, 1, 1);
    CHECK_EQ(lm_store_writer_open(&w, "no/such/folder.lmt", header, LM_STORE_RESUME, NULL, NULL),
             LM_EIO);
    lm_buf b = LM_BUF_INIT(4096);
    tiny_records(&b, 2, 1, 2); /* good */
    NEED(lm_store_writer_open(&w, "w.lmt", header, LM_STORE_RESUME, NULL, NULL) == 0);
    CHECK_OK(lm_store_append(w, b.data, b.size));
    CHECK_EQ(lm_store_writer_documents(w), 1);
    CHECK_EQ(lm_store_writer_tokens(w), 6);
    b.size = 0;
    tiny_add(&b, 2, 0, 2); /* of file 1, which the header lacks */
    CHECK_EQ(lm_store_append(w, b.data, b.size), LM_EUSAGE);
    lm_store_leave(w);
    CHECK(access("w.lmt", F_OK) != 0 && access("w.lmt.partial", F_OK) == 0);
    lm_json_free(header);
    header = tiny_header(1, 0, 1, 1, 1); /* "bos": 1 is outside the vocabulary */
    CHECK_EQ(lm_store_writer_open(&w, "w.lmt", header, LM_STORE_ONCE, NULL, NULL), LM_EDATA);
    lm_json_free(header);
    lm_buf_free(&b);
    lm_store_leave(NULL);
    lm_store_close(NULL);
    lm_stream_close(NULL);
}

int main(void)
{
    golden();
    in_order("tiny.lmt", 2, 2);
    by_index("tiny.lmt", 2);
    in_order(golden_path(1), 1, 2);
    by_index(golden_path(1), 2);
    old_version();
    quarantined();
    tiny_write("wide.lmt", 65537, 0, TINY_FILES, 1, 1);
    in_order("wide.lmt", 2, 4);
    by_index("wide.lmt", 4);
    damage();
    impossible_counts();
    pieces();
    parts();
    refused();
    CHECK_END();
}
