/* A store truncated at any byte and resumed is identical to an uninterrupted one; what was appended
 * after a file's end can be taken back. */
#include <fcntl.h>
#include <sys/file.h>

#include "tiny_store.h"

enum { FILE_MAX = 8192 };

static lm_json *header;
static unsigned char want[FILE_MAX]; /* the whole store */
static size_t want_size;
static lm_buf records; /* all of its records */

/* What a resumed run sees, in bytes of records: all, and up to the end of a chunk or file. */
typedef struct tally {
    size_t all, kept, stop; /* stop: no chunk that ends past it is wanted */
} tally;

static int count_kept(void *arg, const lm_record *r)
{
    tally *t = arg;
    lm_buf one = LM_BUF_INIT(4096);
    if (r->kind == LM_REC_DOC) t->all += 48 + (r->doc.tokens * 2 + 7) / 8 * 8;
    else if (lm_record_add(&one, 2, r) == 0) t->all += one.size;
    lm_buf_free(&one);
    if (r->kind == LM_REC_CHUNK && t->all > t->stop) return 1;
    if (r->kind == LM_REC_CHUNK || r->kind == LM_REC_FILE) t->kept = t->all;
    return 0;
}

/* Resume r.lmt.partial and write what is missing. */
static void resume_before(size_t stop, size_t *kept)
{
    static unsigned char have[FILE_MAX];
    lm_store_writer *w = NULL;
    tally t = { .stop = stop };
    NEED(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, count_kept, &t) == 0);
    *kept = t.kept;
    NEED(*kept <= records.size);
    NEED(lm_store_append(w, records.data + *kept, records.size - *kept) == 0);
    NEED(lm_store_finish(w) == 0);
    CHECK_EQ(tiny_load("r.lmt", have, FILE_MAX), want_size);
    CHECK(!memcmp(have, want, want_size));
    unlink("r.lmt");
}

static void resume(size_t *kept) { resume_before(SIZE_MAX, kept); }

static void at_every_byte(void)
{
    size_t kept = 0, last = 0;
    for (size_t n = 0; n <= want_size; n++) {
        tiny_save("r.lmt.partial", want, n);
        resume(&kept);
        CHECK(kept >= last); /* no finished chunk is discarded */
        last = kept;
    }
    CHECK_EQ(last, records.size);
    /* Nor is one kept that the caller does not want, nor what follows it. */
    size_t least = records.size, most = 0;
    for (size_t stop = 0; stop < records.size + 20; stop += 20) {
        tiny_save("r.lmt.partial", want, want_size);
        resume_before(stop, &kept);
        CHECK(kept <= stop + 56); /* a chunk is followed by the end of its file */
        if (kept < least) least = kept;
        if (kept > most) most = kept;
    }
    CHECK(least == 0 && most == records.size);
}

static void after_a_power_cut(void)
{
    /* The file has its length, but not the data. */
    static unsigned char p[FILE_MAX];
    size_t kept = 0;
    for (size_t n = want_size - records.size; n < want_size; n += 13) {
        memcpy(p, want, n);
        memset(p + n, 0, sizeof p - n);
        tiny_save("r.lmt.partial", p, sizeof p);
        resume(&kept);
    }
}

static void finished_already(void)
{
    lm_store_writer *w = NULL;
    tiny_save("r.lmt", want, want_size);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, NULL, NULL), 1);
    CHECK(!w);
    want[want_size - 70] ^= 1; /* in the index */
    tiny_save("r.lmt", want, want_size);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, NULL, NULL), LM_EDATA);
    want[want_size - 70] ^= 1;
    unlink("r.lmt");
}

static void another_header(void)
{
    lm_store_writer *w = NULL;
    lm_json *other = tiny_header(32000, 0, 2, 1, 1);
    size_t kept = 0;
    tiny_save("r.lmt", want, want_size);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", other, LM_STORE_RESUME, NULL, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "r.lmt: ") && strstr(lm_err(), "\"files\""));
    unlink("r.lmt");
    tiny_save("r.lmt.partial", want, want_size / 2);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", other, LM_STORE_RESUME, NULL, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "r.lmt.partial"));
    tiny_save("r.lmt.partial", "something else altogether, with no header", 41);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, NULL, NULL), LM_EDATA);
    /* Without resume it is overwritten. */
    NEED(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_AGAIN, NULL, NULL) == 0);
    lm_store_leave(w);
    resume(&kept);
    CHECK_EQ(kept, 0);
    lm_json_free(other);
}

static void one_writer(void)
{
    lm_store_writer *w = NULL;
    size_t kept = 0;
    tiny_save("r.lmt.partial", want, want_size / 2);
    int fd = open("r.lmt.partial", O_RDONLY);
    NEED(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, NULL, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "another process"));
    close(fd);
    resume(&kept);
}

static int refuse(void *arg, const lm_record *r)
{
    (void)arg;
    return r->kind == LM_REC_FILE ? lm_fail(LM_ESHORT, "enough") : 0;
}

static void callback_fails(void)
{
    lm_store_writer *w = NULL;
    size_t kept = 0;
    tiny_save("r.lmt.partial", want, want_size);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, refuse, NULL), LM_ESHORT);
    CHECK_STR(lm_err(), "enough");
    resume(&kept);
    CHECK_EQ(kept, records.size);
}

/* A writer closed without commit keeps what it was given, up to the end of a chunk. */
static void left(void)
{
    lm_store_writer *w = NULL;
    size_t kept = 0, part = 0;
    lm_buf first = LM_BUF_INIT(FILE_MAX);
    tiny_add(&first, 0, 0, 2);
    tiny_add(&first, 1, 0, 2);
    tiny_chunk(&first, 0, 2);
    part = first.size;
    NEED(part < records.size && !memcmp(first.data, records.data, part));
    tiny_add(&first, 2, 0, 2);
    NEED(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, NULL, NULL) == 0);
    NEED(lm_store_append(w, first.data, first.size) == 0);
    lm_store_leave(w);
    resume(&kept);
    CHECK_EQ(kept, part);
    lm_buf_free(&first);
}

/* Take back what was appended to a store of so many documents in finished files, and append it again:
 * in memory, in the file, in the spooled index. */
static void taken_back(size_t before, size_t after)
{
    lm_store_writer *w = NULL;
    lm_buf end = LM_BUF_INIT(FILE_MAX), one = LM_BUF_INIT(FILE_MAX);
    static unsigned char have[1 << 24], plain[1 << 24];
    size_t n[2];
    lm_record file = { .kind = LM_REC_FILE, .file = { .documents = before } };
    NEED(lm_record_add(&end, 2, &file) == 0);
    tiny_add(&one, 0, 0, 2);
    for (int with = 0; with < 2; with++) {
        NEED(lm_store_writer_open(&w, "t.lmt", header, LM_STORE_AGAIN, NULL, NULL) == 0);
        for (size_t i = 0; i < before; i++) NEED(lm_store_append(w, one.data, one.size) == 0);
        NEED(lm_store_append(w, end.data, end.size) == 0);
        for (size_t i = 0; with && i < after; i++)
            NEED(lm_store_append(w, one.data, one.size) == 0);
        if (with && after % 2) CHECK_OK(lm_store_sync(w));
        if (with) CHECK_OK(lm_store_take_back(w));
        CHECK_EQ(lm_store_writer_documents(w), before);
        NEED(lm_store_append(w, one.data, one.size) == 0);
        NEED(lm_store_finish(w) == 0);
        n[with] = tiny_load("t.lmt", with ? have : plain, sizeof have);
    }
    CHECK(n[0] == n[1] && !memcmp(have, plain, n[0]));
    CHECK_OK(lm_store_check("t.lmt", false));
    lm_buf_free(&end);
    lm_buf_free(&one);
}

/* A store that is written once leaves nothing when it fails, and no unfinished one is touched. */
static void once(void)
{
    lm_store_writer *w = NULL;
    static unsigned char have[FILE_MAX];
    tiny_save("r.lmt.partial", want, want_size / 2);
    NEED(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_ONCE, NULL, NULL) == 0);
    lm_store_leave(w);
    CHECK(access("r.lmt", F_OK) && access("r.lmt.longmix.tmp", F_OK));
    CHECK_EQ(tiny_load("r.lmt.partial", have, FILE_MAX), want_size / 2);
    unlink("r.lmt.partial");
}

/* Where the other inputs differ in size only, the header becomes that of the run that resumes. */
static void other_inputs(void)
{
    lm_store_writer *w = NULL;
    static unsigned char have[FILE_MAX];
    lm_json *other = tiny_header(32000, 0, TINY_FILES, 1, 1);
    tally t = { .stop = SIZE_MAX };
    tiny_inputs(other, 77);
    NEED(lm_store_writer_open(&w, "r.lmt", other, LM_STORE_AGAIN, NULL, NULL) == 0);
    NEED(lm_store_append(w, records.data, records.size) == 0);
    lm_store_leave(w);
    NEED(lm_store_writer_open(&w, "r.lmt", header, LM_STORE_RESUME, count_kept, &t) == 0);
    CHECK_EQ(t.kept, records.size);
    NEED(lm_store_finish(w) == 0);
    CHECK_EQ(tiny_load("r.lmt", have, FILE_MAX), want_size);
    CHECK(!memcmp(have, want, want_size));
    unlink("r.lmt");
    lm_json_free(other);
}

int main(void)
{
    header = tiny_header(32000, 0, TINY_FILES, 1, 1);
    records = (lm_buf)LM_BUF_INIT(FILE_MAX);
    tiny_records(&records, 0, TINY_FILES, 2);
    tiny_write("whole.lmt", 32000, 0, TINY_FILES, 1, 1);
    want_size = tiny_load("whole.lmt", want, FILE_MAX);
    at_every_byte();
    after_a_power_cut();
    finished_already();
    another_header();
    one_writer();
    callback_fails();
    left();
    once();
    other_inputs();
    taken_back(0, 3);
    taken_back(2000, 0);
    taken_back(2000, 100);
    taken_back(1500, 40001);  /* past what is gathered in memory */
    taken_back(1500, 200000); /* ... and past the index in memory */
    taken_back(60000, 60001);
    lm_json_free(header);
    lm_buf_free(&records);
    CHECK_END();
}
