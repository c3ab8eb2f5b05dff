#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "longmix/buf.h"
#include "lib/base/hash.h"
#include "longmix/zio.h"

/* "hello\n" as gzip makes it. */
static const unsigned char hello_gz[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                          0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00,
                                          0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00 };
/* The same as bzip2 and xz make it. */
static const unsigned char hello_bz2[] = { 0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53,
                                           0x59, 0xc1, 0xc0, 0x80, 0xe2, 0x00, 0x00, 0x01, 0x41,
                                           0x00, 0x00, 0x10, 0x02, 0x44, 0xa0, 0x00, 0x30, 0xcd,
                                           0x00, 0xc3, 0x46, 0x29, 0x97, 0x17, 0x72, 0x45, 0x38,
                                           0x50, 0x90, 0xc1, 0xc0, 0x80, 0xe2 };
static const unsigned char hello_xz[] = {
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
    0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
    0x0a, 0x00, 0x00, 0x00, 0xa5, 0x60, 0x97, 0xf1, 0x94, 0xf6, 0xfd, 0xe0, 0x00, 0x01, 0x1e, 0x06,
    0xc1, 0x2f, 0xa4, 0x1d, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a
};
static const unsigned char skippable[] = { 0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };

static void put(const char *path, const void *p, size_t n) { NEED(!lm_write_file(path, p, n)); }
static bool exists(const char *path) { return access(path, F_OK) == 0; }

/* All of a file in reads of `step` bytes: 0 or the code. */
static int slurp(const char *path, size_t step, lm_buf *out)
{
    lm_in *in = NULL;
    out->max = (size_t)1 << 26;
    out->size = 0;
    int rc = lm_in_open(&in, path);
    while (!rc) {
        NEED(!lm_buf_reserve(out, step));
        ssize_t got = lm_in_read(in, out->data + out->size, step);
        if (got < 0) rc = (int)got;
        if (got <= 0) break;
        CHECK((size_t)got <= step);
        out->size += (size_t)got;
    }
    if (!rc) {
        struct stat st;
        lm_buf raw = LM_BUF_INIT((size_t)1 << 26);
        NEED(!stat(path, &st) && !lm_buf_reserve(&raw, (size_t)st.st_size + 1));
        int fd = open(path, O_RDONLY);
        NEED(!lm_pread_all(fd, raw.data, (size_t)st.st_size, 0, path));
        close(fd);
        CHECK_EQ(lm_in_raw_offset(in), st.st_size);
        CHECK_EQ(lm_in_raw_hash(in), lm_hash64(raw.data, (size_t)st.st_size));
        CHECK_STR(lm_in_name(in), path);
        CHECK_EQ(lm_in_read(in, raw.data, 1), 0); /* end of file again */
        lm_buf_free(&raw);
    }
    lm_in_close(in);
    return rc;
}

static void expect(const char *path, const void *want, size_t n)
{
    static const size_t steps[] = { 1, 7, 4096, 1 << 20 };
    lm_buf got = { NULL, 0, 0, 0 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (n > 100000 && steps[i] < 4096) continue;
        CHECK_OK(slurp(path, steps[i], &got));
        CHECK_EQ(got.size, n);
        CHECK(got.size == n && (n == 0 || !memcmp(got.data, want, n)));
    }
    lm_buf_free(&got);
}

static int fails(const char *path)
{
    lm_buf got = { NULL, 0, 0, 0 };
    int rc = slurp(path, 1000, &got);
    lm_buf_free(&got);
    return rc;
}

static void put_zstd(const char *path, const void *p, size_t n)
{
    lm_out *o = NULL;
    NEED(!lm_out_open(&o, path, LM_OUT_ZSTD, 3));
    for (size_t at = 0; at < n; at += 12345)
        NEED(!lm_out_write(o, (const char *)p + at, n - at < 12345 ? n - at : 12345));
    CHECK_EQ(lm_out_offset(o), n);
    NEED(!lm_out_commit(o));
}

/* n bytes that compress about two to one. */
static unsigned char *sample(size_t n)
{
    unsigned char *p = malloc(n ? n : 1);
    NEED(p);
    uint64_t z = 1;
    for (size_t i = 0; i < n; i++) {
        z = z * 6364136223846793005u + 1442695040888963407u;
        p[i] = (unsigned char)('a' + (z >> 60));
    }
    return p;
}

static void formats(void)
{
    static const size_t sizes[] = { 0, 1, 100, 131072, 1 << 20, 3000001 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];
        unsigned char *p = sample(n);
        put("plain", p, n);
        expect("plain", p, n);
        put_zstd("z", p, n);
        expect("z", p, n);
        CHECK(!exists("z.longmix.tmp") && !exists("plain.longmix.tmp"));
        free(p);
    }
    put("h.gz", hello_gz, sizeof hello_gz);
    expect("h.gz", "hello\n", 6);
    put("h.zst", hello_gz, sizeof hello_gz); /* the content decides which, not the name */
    expect("h.zst", "hello\n", 6);
    put("h.gz", hello_bz2, sizeof hello_bz2);
    expect("h.gz", "hello\n", 6);
    put("h", hello_xz, sizeof hello_xz);
    expect("h", "hello\n", 6);
}

/* A name that promises compression, with other content: an error that names what it is. */
static void misnamed(void)
{
    static const struct {
        const char *path, *content, *message;
    } cases[] = {
        { "a.zst", "{\"text\":\"plain\"}\n", "a.zst: its name says zstd, but the content" },
        { "a.jsonl.GZ", "BZh9 is no bz2", "a.jsonl.GZ: its name says gzip, but" },
        { "a.zstd", "not compressed", "its name says zstd" },
        { "a.bz2", "version https://git-lfs.github.com/spec/v1\n", "git lfs pull" },
        { "a.xz", "\n <!DOCTYPE html>\n", "an HTML page" },
        { "a.gz", "PAR1\x15\x04", "duckdb" },
        { "b.gz", "abc", "b.gz: truncated" },
        { "b.bz2", "BZh91AY&S", "b.bz2: truncated" },
        { "b.xz",
          "\xfd"
          "7zX",
          "b.xz: truncated" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].path, cases[i].content, strlen(cases[i].content));
        CHECK(fails(cases[i].path) == LM_EDATA);
        CHECK(strstr(lm_err(), cases[i].message) != NULL);
    }
    put("BZh9.txt", "BZh9 is no bz2", 14);
    expect("BZh9.txt", "BZh9 is no bz2", 14);
}

/* Concatenated compressed files. */
static void join(const char *to, const void *const *p, const size_t *n, size_t count)
{
    lm_buf b = LM_BUF_INIT((size_t)1 << 26);
    for (size_t i = 0; i < count; i++) NEED(!lm_buf_add(&b, p[i], n[i]));
    put(to, b.data, b.size);
    lm_buf_free(&b);
}

static lm_buf raw_of(const char *path)
{
    struct stat st;
    lm_buf b = LM_BUF_INIT((size_t)1 << 26);
    int fd = open(path, O_RDONLY);
    NEED(fd >= 0 && !fstat(fd, &st) && !lm_buf_reserve(&b, (size_t)st.st_size + 1));
    NEED(!lm_pread_all(fd, b.data, (size_t)st.st_size, 0, path));
    close(fd);
    b.size = (size_t)st.st_size;
    return b;
}

static void frames_and_members(void)
{
    unsigned char *p = sample(200000);
    put_zstd("one", p, 100000);
    put_zstd("two", p + 100000, 100000);
    put_zstd("none", p, 0);
    lm_buf one = raw_of("one"), two = raw_of("two"), none = raw_of("none");

    const void *parts[] = { skippable, one.data, skippable, none.data, two.data, skippable };
    const size_t sizes[] = { sizeof skippable, one.size, sizeof skippable,
                             none.size,        two.size, sizeof skippable };
    join("frames", parts, sizes, 6);
    expect("frames", p, 200000);

    const void *garbage[] = { one.data, "garbage" };
    join("garbage", garbage, (size_t[]){ one.size, 7 }, 2);
    CHECK(fails("garbage") == LM_EDATA);
    char where[64];
    snprintf(where, sizeof where, "garbage: damaged at compressed byte %zu", one.size);
    CHECK(strstr(lm_err(), where) != NULL);
    join("garbage", garbage, (size_t[]){ one.size, 2 }, 2); /* too short even for a magic number */
    CHECK(fails("garbage") == LM_EDATA);

    const void *members[] = { hello_gz, hello_gz, "x" };
    const size_t g = sizeof hello_gz;
    join("members", members, (size_t[]){ g, g }, 2);
    expect("members", "hello\nhello\n", 12);
    join("members", members, (size_t[]){ g, g, 1 }, 3);
    CHECK(fails("members") == LM_EDATA);
    lm_buf_free(&one);
    lm_buf_free(&two);
    lm_buf_free(&none);
    free(p);
}

/* What may follow the data of each format, and what may not. */
static void padding(void)
{
    static const char zeros[8192] = "";
    const struct {
        const void *p;
        size_t n;
        bool zeros, one, more; /* accepted: 8,192 zero bytes; one; zeros and then data */
    } cases[] = { { hello_gz, sizeof hello_gz, true, true, false },
                  { hello_bz2, sizeof hello_bz2, false, false, false },
                  { hello_xz, sizeof hello_xz, true, false, true } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const void *p = cases[i].p;
        size_t n = cases[i].n;
        const void *parts[] = { p, p, zeros, p };
        join("twice", parts, (size_t[]){ n, n }, 2);
        expect("twice", "hello\nhello\n", 12);
        join("pad", parts, (size_t[]){ n, 0, sizeof zeros }, 3);
        if (cases[i].zeros) expect("pad", "hello\n", 6);
        CHECK(fails("pad") == (cases[i].zeros ? LM_OK : LM_EDATA));
        join("pad", parts, (size_t[]){ n, 0, 1 }, 3);
        CHECK(fails("pad") == (cases[i].one ? LM_OK : LM_EDATA));
        join("pad", parts, (size_t[]){ n, 0, 4, n }, 4);
        CHECK(fails("pad") == (cases[i].more ? LM_OK : LM_EDATA));
        const void *garbage[] = { p, "garbage, garbage", zeros, "x" };
        join("pad", garbage, (size_t[]){ n, 16 }, 2);
        CHECK(fails("pad") == LM_EDATA && strstr(lm_err(), "pad: damaged at compressed byte"));
        join("pad", garbage, (size_t[]){ n, 0, sizeof zeros, 1 }, 4);
        CHECK(fails("pad") == LM_EDATA);
    }
}

static void truncation(void)
{
    unsigned char *p = sample(300);
    put_zstd("t.zst", p, 300);
    lm_buf z = raw_of("t.zst");
    for (size_t n = 0; n < z.size; n++) {
        put("cut.zst", z.data, n);
        CHECK(fails("cut.zst") == LM_EDATA);
        CHECK(strstr(lm_err(), "cut.zst") != NULL);
    }
    for (size_t n = 0; n < sizeof hello_gz; n++) {
        put("cut.gz", hello_gz, n);
        CHECK(fails("cut.gz") == LM_EDATA);
    }
    for (size_t n = 0; n < sizeof hello_bz2; n++) {
        put("cut.bz2", hello_bz2, n);
        CHECK(fails("cut.bz2") == LM_EDATA && strstr(lm_err(), "cut.bz2: truncated"));
    }
    for (size_t n = 0; n < sizeof hello_xz; n++) {
        put("cut.xz", hello_xz, n);
        CHECK(fails("cut.xz") == LM_EDATA && strstr(lm_err(), "cut.xz: truncated"));
    }
    lm_buf_free(&z);
    free(p);
}

/* A changed byte is found or has no effect. */
static void damage(void)
{
    unsigned char *p = sample(300);
    lm_buf got = { NULL, 0, 0, 0 };
    put_zstd("d.zst", p, 300);
    lm_buf z = raw_of("d.zst");
    unsigned found = 0;
    for (size_t i = 4; i < z.size; i++) { /* the first four are the magic number */
        z.data[i] ^= 0x10;
        put("d", z.data, z.size);
        int rc = slurp("d", 1000, &got);
        CHECK(rc == LM_EDATA || (rc == 0 && got.size == 300 && !memcmp(got.data, p, 300)));
        found += rc == LM_EDATA;
        z.data[i] ^= 0x10;
    }
    CHECK(found > z.size - 10);
    unsigned char x[sizeof hello_xz], b[sizeof hello_bz2];
    memcpy(x, hello_xz, sizeof x);
    memcpy(b, hello_bz2, sizeof b);
    for (size_t i = 12; i < sizeof x; i++) {
        x[i] ^= 0x10;
        put("d.xz", x, sizeof x);
        CHECK(fails("d.xz") == LM_EDATA && strstr(lm_err(), "d.xz: "));
        x[i] ^= 0x10;
    }
    for (size_t i = 10; i < sizeof b - 1; i++) { /* the last byte holds padding bits */
        b[i] ^= 0x10;
        put("d.bz2", b, sizeof b);
        CHECK(fails("d.bz2") == LM_EDATA && strstr(lm_err(), "d.bz2: "));
        b[i] ^= 0x10;
    }
    lm_buf_free(&z);
    lm_buf_free(&got);
    free(p);
}

static void refusals(void)
{
    lm_in *in = NULL;
    CHECK(lm_in_open(&in, "absent") == LM_EIO && in == NULL);
    CHECK_STR(lm_err(), "absent: cannot open: No such file or directory");
    CHECK(lm_in_open(&in, ".") == LM_EIO && strstr(lm_err(), "directory"));
    put("empty", "", 0);
    expect("empty", "", 0);
    lm_in_close(NULL);
}

static void exact(void)
{
    char b[8];
    lm_in *in = NULL;
    put("ten", "0123456789", 10);
    NEED(!lm_in_open(&in, "ten"));
    CHECK_EQ(lm_in_exact(in, b, 5), 1);
    CHECK(!memcmp(b, "01234", 5));
    CHECK_EQ(lm_in_exact(in, b, 0), 1);
    CHECK_EQ(lm_in_exact(in, b, 5), 1);
    CHECK_EQ(lm_in_exact(in, b, 5), 0);
    lm_in_close(in);
    NEED(!lm_in_open(&in, "ten"));
    CHECK_EQ(lm_in_exact(in, b, 8), 1);
    CHECK(lm_in_exact(in, b, 5) == LM_EDATA);
    CHECK_STR(lm_err(), "ten: truncated: ends at byte 10, 3 bytes too early");
    lm_in_close(in);
}

static void whole_inputs(void)
{
    lm_in *in = NULL;
    put("ten", "0123456789", 10);
    for (size_t max = 8; max <= 11; max++) {
        lm_buf b = LM_BUF_INIT(max);
        NEED(!lm_in_open(&in, "ten"));
        int rc = lm_in_all(in, &b);
        CHECK_EQ(rc, max < 10 ? LM_EDATA : 0);
        if (rc) CHECK(strstr(lm_err(), "ten: larger than "));
        else CHECK(b.size == 10 && !memcmp(b.data, "0123456789", 10));
        lm_in_close(in);
        lm_buf_free(&b);
    }
}

static void names_appear_when_complete(void)
{
    lm_out *o = NULL;
    put("kept", "old", 3);
    NEED(!lm_out_open(&o, "kept", LM_OUT_PLAIN, 0));
    CHECK_OK(lm_out_write(o, "new", 3));
    CHECK(exists("kept.longmix.tmp"));
    lm_out_abandon(o);
    CHECK(!exists("kept.longmix.tmp"));
    expect("kept", "old", 3);
    NEED(!lm_out_open(&o, "kept", LM_OUT_PLAIN, 0));
    CHECK_OK(lm_out_write(o, "new", 3));
    CHECK_OK(lm_out_write(o, NULL, 0));
    CHECK_OK(lm_out_commit(o));
    CHECK(!exists("kept.longmix.tmp"));
    expect("kept", "new", 3);
    lm_out_abandon(NULL);

    CHECK(lm_out_open(&o, "no/such/folder", LM_OUT_PLAIN, 0) == LM_EIO && o == NULL);
    CHECK(lm_out_open(&o, ".", LM_OUT_PLAIN, 0) == LM_EIO);
    CHECK(lm_write_file("no/such/folder", "x", 1) == LM_EIO);

    /* A directory at the path: the rename fails, and no file is left. */
    NEED(!mkdir("taken", 0777));
    CHECK(lm_write_file("taken", "x", 1) == LM_EIO);
    CHECK(!exists("taken.longmix.tmp"));
}

static void failed_writes(void)
{
    if (!exists("/dev/full")) return;
    unsigned char *p = sample(3 << 20);
    for (int format = LM_OUT_PLAIN; format <= LM_OUT_ZSTD; format++) {
        lm_out *o = NULL;
        NEED(!lm_out_open(&o, "/dev/full", (enum lm_out_format)format, 1));
        CHECK(lm_out_write(o, p, 3 << 20) == LM_EIO);
        CHECK(strstr(lm_err(), "/dev/full") && strstr(lm_err(), "No space left"));
        CHECK(lm_out_commit(o) == LM_EIO); /* the failure persists */
        NEED(!lm_out_open(&o, "/dev/full", (enum lm_out_format)format, 1));
        CHECK_OK(lm_out_write(o, p, 10)); /* staged */
        CHECK(lm_out_commit(o) == LM_EIO);
    }
    free(p);
    int ends[2];
    NEED(!pipe(ends));
    close(ends[0]);
    CHECK(lm_write_all(ends[1], "x", 1, "pipe") == LM_EPIPE);
    close(ends[1]);
}

/* Concurrent writers of one path: the file is always complete. */
enum { WRITERS = 4, ROUNDS = 25, BYTES = 20000 };

static void *writer(void *arg)
{
    unsigned char *mine = arg; /* its letter; set to 0 if a write failed */
    char *p = malloc(BYTES);
    NEED(p);
    memset(p, *mine, BYTES);
    for (int i = 0; i < ROUNDS; i++)
        if (lm_write_file("shared", p, BYTES)) *mine = 0;
    free(p);
    return NULL;
}

static bool is_whole(const char *path)
{
    static unsigned char b[BYTES];
    lm_in *in = NULL;
    NEED(!lm_in_open(&in, path));
    bool whole = lm_in_exact(in, b, BYTES) == 1 && lm_in_read(in, b, 1) == 0;
    for (size_t k = 2; whole && k < BYTES; k++) whole = b[k] == b[1];
    lm_in_close(in);
    return whole;
}

static void writers_follow_one_another(void)
{
    pthread_t t[WRITERS];
    unsigned char letters[WRITERS], *first = sample(BYTES);
    memset(first, 'z', BYTES);
    put("shared", first, BYTES);
    free(first);
    for (int i = 0; i < WRITERS; i++) {
        letters[i] = (unsigned char)('a' + i);
        NEED(!pthread_create(&t[i], NULL, writer, &letters[i]));
    }
    for (int i = 0; i < 50; i++) CHECK(is_whole("shared"));
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(t[i], NULL);
        CHECK(letters[i] != 0);
    }
    CHECK(!exists("shared.longmix.tmp"));
}

static void small_helpers(void)
{
    char b[4];
    put("four", "abcd", 4);
    int fd = open("four", O_RDONLY);
    CHECK_OK(lm_pread_all(fd, b, 2, 2, "four"));
    CHECK(!memcmp(b, "cd", 2));
    CHECK(lm_pread_all(fd, b, 4, 2, "four") == LM_EDATA);
    CHECK_STR(lm_err(), "four: truncated: ends at byte 4, 2 bytes too early");
    close(fd);
    CHECK(lm_pread_all(fd, b, 1, 0, "closed") == LM_EIO);
    CHECK_OK(lm_sync_dir("four"));
    CHECK_OK(lm_sync_dir("./four"));
    CHECK(lm_sync_dir("no/such") == LM_EIO);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    formats();
    misnamed();
    frames_and_members();
    padding();
    truncation();
    damage();
    refusals();
    exact();
    whole_inputs();
    names_appear_when_complete();
    failed_writes();
    writers_follow_one_another();
    small_helpers();
    CHECK_END();
}
