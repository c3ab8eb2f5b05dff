/* Whole runs: they learn; a stopped run resumes bit-identically; after a kill at any moment the
 * next start resumes from the last complete checkpoint; other data and damage are refused. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "train/files/sealed.h"
#include "train/run/run.h"
#include "train_shards.h"

static const char shape[] =
    "{\"model_type\":\"llama\",\"hidden_size\":32,\"intermediate_size\":64,\"num_hidden_layers\":2,"
    "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"vocab_size\":48,\"rms_norm_eps\":1e-5,"
    "\"max_position_embeddings\":64,\"tie_word_embeddings\":true,\"note\":\"kept\"}";

static tr_options options(const char *out, uint64_t steps)
{
    return (tr_options){ .init = "shape.json",
                         .data = "shards",
                         .eval_data = "held",
                         .out = out,
                         .batch = 512,
                         .tokens = steps * 512,
                         .micro = 2,
                         .slice = 256,
                         .save_every = 1024,
                         .eval_every = 2048,
                         .keep = 2,
                         .seed = 3,
                         .doc_mask = true,
                         .recompute = true,
                         .dtype = -1,
                         .optimizer = { .lr = 5e-3,
                                        .beta1 = 0.9,
                                        .beta2 = 0.95,
                                        .eps = 1e-8,
                                        .decay = 0.1,
                                        .clip = 1,
                                        .schedule = TR_COSINE,
                                        .warmup = 1024 } };
}

typedef struct stopper {
    uint64_t at;
    double first, last;
} stopper;

static void after_step(void *arg, const tr_report *r)
{
    stopper *s = arg;
    if (r->step == 1) s->first = r->loss;
    s->last = r->loss;
    if (r->step == s->at) raise(SIGTERM);
}

static char warned[1024];
static void on_warning(void *arg, const char *line)
{
    (void)arg;
    snprintf(warned, sizeof warned, "%s", line);
}

static int go(const tr_options *o, int threads, stopper *s)
{
    backend *b = NULL;
    tr_run *r = NULL;
    tr_watch watch = { after_step, NULL, s, on_warning };
    NEED(bk_cpu_open(&b, threads) == 0);
    int rc = tr_run_open(&r, o, b, &watch);
    if (!rc) rc = tr_run_train(r);
    tr_run_close(r);
    b->close(b);
    return rc;
}

static char *text_of(const char *path, size_t *n)
{
    lm_in *in = NULL;
    char *p = malloc(1 << 22);
    NEED(p && lm_in_open(&in, path) == 0);
    size_t at = 0;
    ssize_t k;
    while ((k = lm_in_read(in, p + at, (1 << 22) - at)) > 0) at += (size_t)k;
    lm_in_close(in);
    *n = at;
    return p;
}

static bool equal_files(const char *a, const char *b)
{
    size_t n = 0, m = 0;
    char *x = text_of(a, &n), *y = text_of(b, &m);
    bool same = n == m && !memcmp(x, y, n);
    free(x);
    free(y);
    return same;
}

static void on_term(int sig)
{
    (void)sig;
    lm_interrupt();
}

/* Run in a child process, because an interrupt cannot be reset. Returns its exit status, -1 if it
 * was killed, after `kill_after` microseconds if that is not 0. */
static int child(const tr_options *o, int threads, uint64_t stop_at, useconds_t kill_after)
{
    pid_t pid = fork();
    NEED(pid >= 0);
    if (!pid) {
        stopper s = { stop_at, 0, 0 };
        signal(SIGTERM, on_term);
        int rc = go(o, threads, &s);
        if (rc && rc != LM_EINTR) fprintf(stderr, "child: %s\n", lm_err());
        _exit(rc == LM_EINTR ? 30 : rc ? 1 : 0);
    }
    if (kill_after) {
        usleep(kill_after);
        kill(pid, SIGKILL);
    }
    int status = 0;
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum { STEPS = 24 };

static void test_learns(void)
{
    tr_options o = options("whole", STEPS);
    stopper s = { 0, 0, 0 };
    NEED(go(&o, 1, &s) == 0); /* one thread: OpenMP's others do not survive fork() */
    CHECK(s.first > 3.5 && s.last < s.first - 0.7);
    CHECK(access("whole/model.safetensors", F_OK) == 0);
    size_t n = 0;
    char *log = text_of("whole/log.jsonl", &n);
    log[n] = 0;
    size_t lines = 0, evals = 0;
    for (char *p = log; (p = strchr(p, '\n')); p++) lines++;
    for (char *p = log; (p = strstr(p, "eval_loss")); p++) evals++;
    CHECK_EQ(evals, 1 + STEPS / 4);
    CHECK_EQ(lines, STEPS + evals);
    CHECK(strstr(log, "\"steps\":{\"loss\":") && strstr(log, "\"leaps\":{\"loss\":"));
    free(log);
    char *config = text_of("whole/config.json", &n);
    config[n] = 0;
    CHECK(strstr(config, "\"note\": \"kept\"") &&
          strstr(config, "\"max_position_embeddings\": 128") &&
          strstr(config, "\"torch_dtype\": \"float32\""));
    free(config);
    /* The checkpoints kept are the last two. */
    CHECK(access("whole/checkpoint-00000024", F_OK) == 0 &&
          access("whole/checkpoint-00000022", F_OK) == 0 &&
          access("whole/checkpoint-00000020", F_OK) != 0);
    /* A second run is refused without --resume; with it, nothing is left to do. */
    CHECK(go(&o, 1, &s) == LM_EUSAGE && strstr(lm_err(), "--resume"));
    o.resume = true;
    CHECK_OK(go(&o, 1, &s));
}

/* Losses in the log do not depend on time: everything up to the speed must be equal. */
static void check_logs(const char *a, const char *b)
{
    size_t n = 0, m = 0;
    char *x = text_of(a, &n), *y = text_of(b, &m);
    x[n] = y[m] = 0;
    char *p = x, *q = y;
    while (*p && *q) {
        size_t i = strcspn(p, "\n"), j = strcspn(q, "\n");
        char *speed = strstr(p, "\"tokens_per_second\"");
        size_t k = speed && speed < p + i ? (size_t)(speed - p) : i;
        CHECK(k <= j && !memcmp(p, q, k));
        p += i + 1;
        q += j + 1;
    }
    CHECK(!*p && !*q);
    free(x);
    free(y);
}

static void test_stopped(void)
{
    tr_options o = options("stopped", STEPS);
    CHECK_EQ(child(&o, 1, 7, 0), 30); /* SIGTERM after step 7 */
    CHECK(access("stopped/checkpoint-00000007/run.json", F_OK) == 0);
    CHECK(access("stopped/model.safetensors", F_OK) != 0);
    o.resume = true;
    CHECK_EQ(child(&o, 2, 8, 0), 30); /* step 8 is to be evaluated: stopped before */
    CHECK_EQ(child(&o, 2, 0, 0), 0);
    CHECK(equal_files("stopped/model.safetensors", "whole/model.safetensors"));
    CHECK(equal_files("stopped/checkpoint-00000024/optimizer.safetensors",
                      "whole/checkpoint-00000024/optimizer.safetensors"));
    check_logs("whole/log.jsonl", "stopped/log.jsonl");
}

/* SIGKILL at growing delays, each start resuming the previous one; every step is saved, so that
 * many kills fall into a checkpoint. */
static void test_killed(void)
{
    tr_options o = options("killed", STEPS);
    o.save_every = 512;
    o.resume = true;
    int status = -1, kills = 0;
    for (useconds_t delay = 3000; status && kills < 60; delay += 1700, kills++)
        status = child(&o, 1, 0, delay);
    if (status) status = child(&o, 1, 0, 0);
    CHECK_EQ(status, 0);
    CHECK(kills > 2);
    CHECK(equal_files("killed/model.safetensors", "whole/model.safetensors"));
    CHECK(access("killed/checkpoint-00000024.partial", F_OK) != 0);
}

/* Options that do not change the arithmetic. */
static void test_same_result(void)
{
    tr_options o = options("ways", STEPS);
    o.micro = 4; /* 128 tokens per sequence, not whole blocks: equal to rounding only */
    o.recompute = false;
    stopper s = { 0, 0, 0 }, t = { 0, 0, 0 };
    CHECK_OK(go(&o, 3, &s));
    tr_options p = options("ways2", STEPS);
    p.micro = 4;
    p.keep_attention = true;
    CHECK_OK(go(&p, 1, &t));
    CHECK(equal_files("ways/model.safetensors", "ways2/model.safetensors"));
    CHECK(s.last == t.last);
    tr_options q = options("ways3", STEPS);
    q.micro = 4;
    q.offload_optimizer = q.offload_checkpoints = true;
    CHECK_OK(go(&q, 2, &t));
    CHECK(equal_files("ways/model.safetensors", "ways3/model.safetensors"));
}

static void flip_byte(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    unsigned char c = 0;
    NEED(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c ^= 0x10;
    NEED(pwrite(fd, &c, 1, at) == 1);
    close(fd);
}

/* Rewrite run.json of the last checkpoint of stopped/: without some members, or with other options. */
static void edit_run(uint64_t form, const char *const *without, const char *options)
{
    static const char dir[] = "stopped/checkpoint-00000024";
    lm_json *all = NULL, *run = lm_json_object(), *changed = NULL;
    const lm_json *was = NULL, *value = NULL;
    const char *key = NULL;
    NEED(sealed_load(&all, &was, NULL, dir, "run.json", 3, "run") == 0);
    for (size_t i = 0; lm_json_member(was, i, &key, &value); i++) {
        bool keep = true;
        for (size_t k = 0; without && without[k]; k++) keep &= strcmp(key, without[k]) != 0;
        if (keep) lm_json_set_copy(run, key, value);
    }
    if (options) {
        NEED(lm_json_parse(&changed, options, strlen(options), "options") == 0);
        lm_json *o = lm_json_object();
        lm_json_set_all(o, lm_json_get(was, "options"));
        lm_json_set_all(o, changed);
        lm_json_set(run, "options", o);
    }
    NEED(sealed_write(dir, "run.json", form, "run", run) == 0);
    lm_json_free(all);
    lm_json_free(run);
    lm_json_free(changed);
}

/* Another processor's kernels are refused, or named; what version 0.1.0 did not record is not
 * compared, and said. */
static void test_options(void)
{
    static const char *const later[] = { "options", "overrides", "log_hash",
                                         "config",  "tokenizer", NULL };
    stopper s = { 0, 0, 0 };
    tr_options o = options("stopped", STEPS);
    o.resume = true;
    edit_run(3, NULL, "{\"blas\":\"OpenBLAS 0.1 Other\"}");
    CHECK(go(&o, 1, &s) == LM_EUSAGE &&
          strstr(lm_err(), "with blas OpenBLAS 0.1 Other (now OpenBLAS") &&
          strstr(lm_err(), "--override blas"));
    o.override = "lr,blas";
    CHECK_OK(go(&o, 1, &s));
    o.override = "seed";
    CHECK(go(&o, 1, &s) == LM_EUSAGE && strstr(lm_err(), "--override seed"));
    o.override = NULL;
    edit_run(2, later, NULL);
    o.optimizer.lr = 1;
    CHECK_OK(go(&o, 1, &s));
    CHECK(strstr(warned, "0.1.0"));
}

static void test_refusals(void)
{
    stopper s = { 0, 0, 0 };
    tr_options o = options("whole", STEPS);
    o.resume = true;
    struct stat st;
    NEED(stat("whole/checkpoint-00000024/optimizer.safetensors", &st) == 0);
    flip_byte("whole/checkpoint-00000024/optimizer.safetensors", st.st_size - 5);
    CHECK(go(&o, 1, &s) == LM_EDATA && strstr(lm_err(), "model.norm.weight.v") &&
          strstr(lm_err(), "damaged"));
    flip_byte("whole/checkpoint-00000024/optimizer.safetensors", st.st_size - 5);
    NEED(truncate("whole/checkpoint-00000024/model.safetensors", 5000) == 0);
    CHECK(go(&o, 1, &s) == LM_EDATA && strstr(lm_err(), "model.safetensors"));

    o = options("stopped", STEPS);
    o.resume = true;
    o.seed = 4;
    CHECK(go(&o, 1, &s) == LM_EUSAGE && strstr(lm_err(), "--seed 3"));
    o.seed = 3;
    o.data = "held";
    CHECK(go(&o, 1, &s) == LM_EUSAGE && strstr(lm_err(), "other data"));

    o = options("new", STEPS);
    o.init = "llama2-9b";
    CHECK(go(&o, 1, &s) == LM_EUSAGE && strstr(lm_err(), "llama2-7b"));
    o.init = NULL;
    o.model = "ways";
    o.eval_data = NULL;
    o.optimizer.lr = 1e30; /* and no clipping: weights overflow */
    o.optimizer.clip = 0;
    o.optimizer.schedule = TR_CONSTANT;
    CHECK(go(&o, 1, &s) == LM_EDATA && strstr(lm_err(), "step ") && strstr(lm_err(), "jsonl:"));
}

int main(void)
{
    NEED(lm_write_file("shape.json", shape, strlen(shape)) == 0);
    write_language("shards", 0, 1, 128, true, 40, false);
    write_language("shards", 1, 1, 128, true, 30, true);
    write_language("held", 0, 2, 128, true, 12, true);
    test_learns();
    test_stopped();
    test_killed();
    test_same_result();
    test_options();
    test_refusals();
    CHECK_END();
}
