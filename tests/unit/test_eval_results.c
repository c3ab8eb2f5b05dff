/* Result files: resuming, refusals, and the state after a kill. */
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "eval/data/results.h"
#include "longmix/buf.h"
#include "longmix/zio.h"

/* Overrides that of the C library. */
static int synced;
int fsync(int fd)
{
    synced += fd > 2;
    return 0;
}

static lm_json *pair(const char *key, uint64_t value)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, key, value);
    return o;
}

static eval_results *open_file(const char *path, const char *eval, uint64_t stride, size_t *torn)
{
    eval_results *r = NULL;
    lm_json *labels = lm_json_object(), *settings = pair("stride", stride);
    lm_json_set_str(labels, "model", "a/model");
    NEED(eval_results_open(&r, path, NULL, torn) == 0);
    int rc = eval_results_begin(r, eval, labels, settings);
    lm_json_free(labels);
    lm_json_free(settings);
    if (rc) {
        eval_results_close(r);
        r = NULL;
    }
    return r;
}

static void add(eval_results *r, uint64_t length, double value)
{
    CHECK_OK(eval_results_add(r, pair("length", length), value, pair("tokens", 7), 1.5));
}

static double value_at(const eval_results *r, uint64_t length)
{
    lm_json *cell = pair("length", length);
    const lm_json *line = eval_results_find(r, cell);
    double v = NAN;
    if (line) CHECK_OK(lm_json_f64(&v, line, "value"));
    lm_json_free(cell);
    return v;
}

static size_t size_of(const char *path)
{
    struct stat st;
    NEED(stat(path, &st) == 0);
    return (size_t)st.st_size;
}

static void append(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    NEED(fd >= 0 && lm_write_all(fd, text, strlen(text), path) == 0);
    close(fd);
}

static void test_resume(void)
{
    size_t torn = 9, whole;
    eval_results *r = open_file("a.jsonl", "ppl", 256, &torn);
    NEED(r);
    CHECK_EQ(torn, 0);
    add(r, 512, 2.5);
    add(r, 1024, 3.25);
    CHECK(eval_results_add(r, pair("length", 2048), 1, NULL, 0) < 0); /* no memory for it */
    int before = synced;
    add(r, 512, 99); /* exists already: unchanged */
    CHECK_OK(eval_results_sync(r));
    CHECK(synced > before);
    before = synced;
    CHECK_OK(eval_results_sync(r)); /* nothing new */
    CHECK_EQ(synced, before);
    CHECK(value_at(r, 512) == 2.5);
    CHECK_EQ(eval_results_count(r), 2);

    eval_results *second = NULL;
    CHECK(eval_results_open(&second, "a.jsonl", NULL, NULL) == LM_EUSAGE); /* locked */
    eval_results_close(r);
    whole = size_of("a.jsonl");

    r = open_file("a.jsonl", "ppl", 256, &torn);
    NEED(r);
    CHECK(value_at(r, 512) == 2.5 && value_at(r, 1024) == 3.25 && isnan(value_at(r, 2048)));
    for (uint64_t i = 0; i < 500; i++) add(r, 3000 + i, (double)i); /* the table of cells grows */
    for (uint64_t i = 0; i < 500; i++) CHECK(value_at(r, 3000 + i) == (double)i);
    eval_results_close(r);
    CHECK(truncate("a.jsonl", (off_t)whole) == 0);

    /* Killed during a write: the incomplete last line is removed and measured again. */
    CHECK(truncate("a.jsonl", (off_t)whole - 1) == 0);
    r = open_file("a.jsonl", "ppl", 256, &torn);
    NEED(r);
    CHECK(torn > 50 && size_of("a.jsonl") == whole - 1 - torn);
    CHECK(value_at(r, 512) == 2.5 && isnan(value_at(r, 1024)));
    add(r, 1024, 3.25);
    eval_results_close(r);
    CHECK_EQ(size_of("a.jsonl"), whole);
}

static void test_refusals(void)
{
    /* The file may hold another evaluation, but not other settings of the same one. */
    eval_results *r = open_file("a.jsonl", "needle", 1, NULL);
    NEED(r);
    CHECK_EQ(eval_results_count(r), 0);
    add(r, 512, 1);
    eval_results_close(r);
    CHECK(!open_file("a.jsonl", "ppl", 128, NULL));
    CHECK(strstr(lm_err(), "a.jsonl:1:") &&
          strstr(lm_err(), "\"stride\" is 256 there and 128 here"));

    append("b.jsonl", "{\"eval\":\"ppl\",\"cell\":\"00\"}\n[1]\n");
    CHECK(eval_results_open(&r, "b.jsonl", NULL, NULL) == LM_EDATA);
    CHECK(strstr(lm_err(), "b.jsonl:2"));
    append("c.jsonl", "{\"text\":\"no result\"}\n");
    CHECK(eval_results_open(&r, "c.jsonl", NULL, NULL) == LM_EDATA);
    CHECK(strstr(lm_err(), "c.jsonl:1") && strstr(lm_err(), "eval"));
    CHECK(eval_results_open(&r, ".", NULL, NULL) < 0);
}

static int to_buf(void *arg, const void *p, size_t n) { return lm_buf_add(arg, p, n); }

static void test_sink_and_load(void)
{
    lm_buf text = LM_BUF_INIT(1 << 16);
    eval_sink sink = { to_buf, &text };
    eval_results *r = NULL;
    lm_json *none = lm_json_object();
    NEED(eval_results_open(&r, NULL, &sink, NULL) == 0);
    CHECK_OK(eval_results_begin(r, "ppl", none, none));
    add(r, 8, INFINITY);
    eval_results_close(r);
    CHECK_OK(lm_buf_add(&text, "", 1));
    CHECK(strstr((char *)text.data, "{\"eval\":\"ppl\",\"length\":8,\"value\":null,\"tokens\":7,"));
    CHECK(strstr((char *)text.data, "\"seconds\":1.5}\n"));
    lm_json_free(none);

    NEED(eval_results_load(&r, "a.jsonl", "ppl") == 0);
    CHECK_EQ(eval_results_count(r), 2);
    CHECK(value_at(r, 1024) == 3.25);
    eval_results_close(r);
    append("a.jsonl", "{\"eval\"");
    CHECK(eval_results_load(&r, "a.jsonl", "ppl") == LM_EDATA);
    lm_buf_free(&text);
}

int main(void)
{
    test_resume();
    test_refusals();
    test_sink_and_load();
    CHECK_END();
}
