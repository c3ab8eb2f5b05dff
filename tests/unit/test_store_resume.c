/* A store truncated at any byte and resumed is identical to an uninterrupted one. */
#include <fcntl.h>
#include <sys/file.h>

#include "tiny_store.h"

enum { FILE_MAX = 8192 };

static lm_json *header;
static unsigned char want[FILE_MAX]; /* the whole store */
static size_t want_size;
static lm_buf records; /* all of its records */

/* Count what was kept, in bytes of records. */
static int count_kept(void *arg, const lm_record *r)
{
    size_t *kept = arg;
    lm_buf one = LM_BUF_INIT(4096);
    if (r->kind == LM_REC_DOC) *kept += 48 + (r->doc.tokens * 2 + 7) / 8 * 8;
    else if (lm_record_add(&one, 2, r) == 0) *kept += one.size;
    lm_buf_free(&one);
    return 0;
}

/* Resume r.lmt.partial and write what is missing. */
static void resume(size_t *kept)
{
    static unsigned char have[FILE_MAX];
    lm_store_writer *w = NULL;
    *kept = 0;
    NEED(lm_store_writer_open(&w, "r.lmt", header, true, count_kept, kept) == 0);
    NEED(*kept <= records.size);
    NEED(lm_store_append(w, records.data + *kept, records.size - *kept) == 0);
    NEED(lm_store_finish(w) == 0);
    CHECK_EQ(tiny_load("r.lmt", have, FILE_MAX), want_size);
    CHECK(!memcmp(have, want, want_size));
    unlink("r.lmt");
}

static void at_every_byte(void)
{
    size_t kept = 0, last = 0;
    for (size_t n = 0; n <= want_size; n++) {
        tiny_save("r.lmt.partial", want, n);
        resume(&kept);
        CHECK(kept >= last); /* no complete record is discarded */
        last = kept;
    }
    CHECK_EQ(last, records.size);
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
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, true, NULL, NULL), 1);
    CHECK(!w);
    want[want_size - 70] ^= 1; /* in the index */
    tiny_save("r.lmt", want, want_size);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, true, NULL, NULL), LM_EDATA);
    want[want_size - 70] ^= 1;
    unlink("r.lmt");
}

static void another_header(void)
{
    lm_store_writer *w = NULL;
    lm_json *other = tiny_header(32000, 0, 2, 1, 1);
    size_t kept = 0;
    tiny_save("r.lmt", want, want_size);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", other, true, NULL, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "r.lmt: ") && strstr(lm_err(), "\"files\""));
    unlink("r.lmt");
    tiny_save("r.lmt.partial", want, want_size / 2);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", other, true, NULL, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "r.lmt.partial"));
    tiny_save("r.lmt.partial", "something else altogether, with no header", 41);
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, true, NULL, NULL), LM_EDATA);
    /* Without resume it is overwritten. */
    NEED(lm_store_writer_open(&w, "r.lmt", header, false, NULL, NULL) == 0);
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
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, true, NULL, NULL), LM_EUSAGE);
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
    CHECK_EQ(lm_store_writer_open(&w, "r.lmt", header, true, refuse, NULL), LM_ESHORT);
    CHECK_STR(lm_err(), "enough");
    resume(&kept);
    CHECK_EQ(kept, records.size);
}

/* A writer closed without commit keeps what it was given. */
static void left(void)
{
    lm_store_writer *w = NULL;
    size_t kept = 0, part = 0;
    lm_buf first = LM_BUF_INIT(FILE_MAX);
    tiny_add(&first, 0, 0, 2);
    part = first.size;
    NEED(lm_store_writer_open(&w, "r.lmt", header, true, NULL, NULL) == 0);
    NEED(lm_store_append(w, first.data, first.size) == 0);
    lm_store_leave(w);
    resume(&kept);
    CHECK_EQ(kept, part);
    lm_buf_free(&first);
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
    lm_json_free(header);
    lm_buf_free(&records);
    CHECK_END();
}
