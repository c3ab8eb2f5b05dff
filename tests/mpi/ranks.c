/* Ranks over MPI: collectives; and whole runs, which equal those of one rank to rounding and are
 * bit-identical from run to run, with stops, errors and other numbers of ranks.
 *
 * Without an argument: the runs of one rank that the others are compared with. Then, under mpirun
 * and in the same folder: `ranks talk`, `ranks train`, and `ranks resume` after it. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>

#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "train/files/safetensors.h"
#include "train/run/run.h"
#include "train_shards.h"

/* Bounds on the difference from a run of one rank, whose float32 sums have another order: weights
 * after STEPS steps, norm of the difference over norm; and losses and gradient norms. */
static const double weight_bound = 1e-6, step_bound = 1e-6;

enum { STEPS = 6 };

static const char shape[] =
    "{\"model_type\":\"qwen3\",\"hidden_size\":32,\"intermediate_size\":64,\"num_hidden_layers\":3,"
    "\"head_dim\":8,\"attention_bias\":true,"
    "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"vocab_size\":48,\"rms_norm_eps\":1e-5,"
    "\"max_position_embeddings\":64,\"tie_word_embeddings\":true}";

static comm *ranks;

/* ---- runs ------------------------------------------------------------------------------- */

static tr_options options(const char *out)
{
    return (tr_options){ .init = "shape.json",
                         .data = "shards",
                         .eval_data = "held",
                         .out = out,
                         .batch = 1024,
                         .tokens = STEPS * 1024,
                         .micro = 2,
                         .slice = 256,
                         .save_every = 2048,
                         .eval_every = 4096,
                         .keep = 2,
                         .seed = 3,
                         .doc_mask = true,
                         .recompute = true,
                         .dtype = -1,
                         .ranks = ranks,
                         .optimizer = { .lr = 5e-3,
                                        .beta1 = 0.9,
                                        .beta2 = 0.95,
                                        .eps = 1e-8,
                                        .decay = 0.1,
                                        .clip = 1,
                                        .schedule = TR_COSINE,
                                        .warmup = 1024 } };
}

typedef struct record {
    double loss[STEPS + 1], norm[STEPS + 1];
    uint64_t steps;
} record;

static void after_step(void *arg, const tr_report *r)
{
    record *s = arg;
    s->loss[r->step] = r->loss;
    s->norm[r->step] = r->norm;
    s->steps++;
}

static int go(const tr_options *o, record *s)
{
    backend *b = NULL;
    tr_run *r = NULL;
    static record nobody;
    tr_watch watch = { after_step, NULL, s ? s : &nobody };
    NEED(bk_cpu_open(&b, 1 + ranks->rank) == 0); /* the result does not depend on threads */
    NEED(comm_attach(&ranks, b, COMM_AUTO) == 0);
    int rc = tr_run_open(&r, o, b, &watch);
    if (!rc) rc = tr_run_train(r);
    tr_run_close(r);
    b->close(b);
    return rc;
}

static bool equal_files(const char *a, const char *b)
{
    static char x[1 << 20], y[1 << 20];
    int f = open(a, O_RDONLY), g = open(b, O_RDONLY);
    ssize_t n = read(f, x, sizeof x), m = read(g, y, sizeof y);
    NEED(f >= 0 && g >= 0 && n > 0 && n < (ssize_t)sizeof x);
    close(f);
    close(g);
    return n == m && !memcmp(x, y, (size_t)n);
}

static bool equal_runs(const char *a, const char *b)
{
    static const char *const files[] = { "model.safetensors",
                                         "checkpoint-00000006/optimizer.safetensors" };
    bool same = true;
    for (size_t i = 0; i < 2; i++) {
        char x[256], y[256];
        snprintf(x, sizeof x, "%s/%s", a, files[i]);
        snprintf(y, sizeof y, "%s/%s", b, files[i]);
        same = same && equal_files(x, y);
    }
    return same;
}

/* All tensors of the model files of two runs: norm of the difference over norm. */
static double distance(const char *a, const char *b)
{
    st_reader *x = NULL, *y = NULL;
    static float p[1 << 16], q[1 << 16];
    double d = 0, s = 0;
    NEED(st_open(&x, a) == 0 && st_open(&y, b) == 0);
    for (size_t i = 0; i < st_count(x); i++) {
        const st_tensor *t = st_at(x, i), *u = st_find(y, t->name);
        NEED(u && u->count == t->count && t->count <= 1 << 16);
        NEED(!st_read(x, t, 0, p, t->count) && !st_read(y, u, 0, q, t->count));
        for (uint64_t k = 0; k < t->count; k++) {
            d += ((double)p[k] - (double)q[k]) * ((double)p[k] - (double)q[k]);
            s += (double)p[k] * (double)p[k];
        }
    }
    st_close(x);
    st_close(y);
    return sqrt(d / s);
}

static bool close_to(double a, double b, double bound) { return fabs(a - b) <= bound * fabs(b); }

/* ---- communication between ranks ---------------------------------------------------------- */

static float number(int rank, size_t i) { return (float)(lm_hash4(1, rank, i, 0) % 1000) / 7; }

static void test_reduce(size_t share)
{
    size_t size = (size_t)ranks->size, mine = (size_t)ranks->rank;
    float *x = malloc(share * size * sizeof *x);
    NEED(x);
    for (size_t i = 0; i < share * size; i++) x[i] = number(ranks->rank, i);
    CHECK_OK(ranks->reduce_scatter(ranks, (bk_acc *)x, share));
    bool right = true;
    for (size_t i = 0; i < share; i++) {
        double sum = 0;
        for (int r = 0; r < ranks->size; r++) sum += (double)number(r, mine * share + i);
        right = right && x[mine * share + i] == (float)sum;
    }
    CHECK(right);
    CHECK_OK(ranks->all_gather(ranks, x, share * sizeof *x));
    for (size_t i = 0; i < share * size; i += 997) {
        double sum = 0;
        for (int r = 0; r < ranks->size; r++) sum += (double)number(r, i);
        right = right && x[i] == (float)sum;
    }
    CHECK(right);
    free(x);
}

static void test_host(void)
{
    int last = ranks->size - 1;
    double x[3] = { 1, ranks->rank, 0.1 * ranks->rank };
    CHECK_OK(ranks->sum(ranks, x, 3));
    CHECK(x[0] == ranks->size && x[1] == last * (last + 1) / 2);
    char word[8] = "none";
    if (ranks->rank == last) snprintf(word, sizeof word, "last");
    CHECK_OK(ranks->broadcast(ranks, word, sizeof word, last));
    CHECK_STR(word, "last");
    snprintf(word, sizeof word, "%d", ranks->rank);
    CHECK_OK(ranks->send(ranks, word, sizeof word, last, 0));
    CHECK_EQ(atol(word), ranks->rank ? ranks->rank : last);
    CHECK(ranks->locals == ranks->size && ranks->local == ranks->rank);
}

static void test_agree(void)
{
    int last = ranks->size - 1, mine = ranks->rank;
    CHECK_EQ(comm_agree(ranks, LM_OK), LM_OK);
    int rc = mine == last ? lm_fail(LM_EDATA, "bad row") : LM_OK;
    char want[64];
    CHECK_EQ(comm_agree(ranks, rc), LM_EDATA);
    snprintf(want, sizeof want, "rank %d: bad row", last);
    CHECK_STR(lm_err(), want);
    rc = lm_fail(mine ? LM_EIO : LM_EINTR, "%d", mine); /* an error has priority over a stop */
    CHECK_EQ(comm_agree(ranks, rc), LM_EIO);
    CHECK_STR(lm_err(), "rank 1: 1");
    rc = mine == last ? lm_fail(LM_EINTR, "stopped") : LM_OK;
    CHECK_EQ(comm_agree(ranks, rc), LM_EINTR);
    CHECK_STR(lm_err(), "stopped");
    CHECK_EQ(comm_agree(ranks, lm_fail(LM_ENOMEM, "%d", mine)), LM_ENOMEM);
    CHECK_EQ(atol(lm_err()), mine);
}

/* ---- whole runs --------------------------------------------------------------------------- */

/* Each step's loss and norm in the log of one rank. */
static void read_log(record *s, const char *path)
{
    lm_in *in = NULL;
    char *text = calloc(1, 1 << 20), *at = text;
    ssize_t n = 0;
    size_t used = 0;
    NEED(text && lm_in_open(&in, path) == 0);
    while ((n = lm_in_read(in, text + used, (1 << 20) - 1 - used)) > 0) used += (size_t)n;
    lm_in_close(in);
    for (uint64_t step = 1; (at = strstr(at, "\"loss\":")); at++) {
        if (at[-1] == '{') continue; /* of a domain */
        NEED(step <= STEPS);
        s->loss[step] = strtod(at + 7, NULL);
        const char *norm = strstr(at, "\"grad_norm\":");
        NEED(norm);
        s->norm[step++] = strtod(norm + 12, NULL);
        s->steps++;
    }
    free(text);
}

/* One rank with correspondingly more accumulation gives the same to rounding. */
static void test_same(void)
{
    record one = { .steps = 0 }, both = { .steps = 0 };
    tr_options o = options("both");
    CHECK_OK(go(&o, &both));
    if (ranks->rank) return;
    read_log(&one, "one/log.jsonl");
    CHECK(one.steps == STEPS && both.steps == STEPS);
    CHECK(close_to(both.loss[1], one.loss[1], step_bound));
    CHECK(close_to(both.norm[1], one.norm[1], step_bound));
    CHECK(close_to(both.loss[STEPS], one.loss[STEPS], step_bound));
    double off = distance("one/model.safetensors", "both/model.safetensors");
    fprintf(stderr, "weights differ by %g\n", off);
    CHECK(off < weight_bound);
    record logged = { .steps = 0 };
    read_log(&logged, "both/log.jsonl");
    CHECK_EQ(logged.steps, STEPS);
}

/* The same again, with state and inputs in host memory: the same bits. */
static void test_again(void)
{
    tr_options o = options("again");
    o.offload_optimizer = o.offload_checkpoints = o.keep_attention = true;
    CHECK_OK(go(&o, NULL));
    if (!ranks->rank) CHECK(equal_runs("both", "again"));
}

/* The last rank gets a signal within a step: all save the last complete step and resume from it. */
static int (*plain_reduce)(comm *c, bk_acc *x, size_t share);
static int reductions;
static int stop_at_reduce(comm *c, bk_acc *x, size_t share)
{
    if (++reductions == 3 && c->rank == c->size - 1) lm_interrupt();
    return plain_reduce(c, x, share);
}

static void test_stop(void)
{
    tr_options o = options("stopped");
    plain_reduce = ranks->reduce_scatter;
    ranks->reduce_scatter = stop_at_reduce;
    CHECK_EQ(go(&o, NULL), LM_EINTR);
    CHECK(strstr(lm_err(), "from step 3"));
    ranks->reduce_scatter = plain_reduce;
    if (!ranks->rank) CHECK(access("stopped/checkpoint-00000003/run.json", F_OK) == 0);
    CHECK(access("stopped/model.safetensors", F_OK) != 0);
}

/* In a process that was not interrupted. */
static void test_resume(void)
{
    tr_options o = options("stopped");
    o.resume = true;
    CHECK_OK(go(&o, NULL));
    if (!ranks->rank) CHECK(equal_runs("both", "stopped"));
    /* From one rank's checkpoint of half the steps to the end of one rank's run, to rounding. */
    o = options("half");
    o.resume = true;
    CHECK_EQ(go(&o, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "ranks 1 (now 2)"));
    o.override = "ranks";
    CHECK_OK(go(&o, NULL));
    if (ranks->rank) return;
    double off = distance("one/model.safetensors", "half/model.safetensors");
    fprintf(stderr, "resumed from one rank: %g\n", off);
    CHECK(off < weight_bound);
}

/* An error on one rank ends all ranks with its message. */
static void test_faults(void)
{
    tr_options o = options("faulty");
    char message[64];
    int last = ranks->size - 1;
    if (ranks->rank == last) o.data = "nowhere";
    CHECK_EQ(go(&o, NULL), LM_EIO);
    snprintf(message, sizeof message, "rank %d: nowhere", last);
    CHECK(strstr(lm_err(), message) == lm_err());
    if (ranks->rank == last) o.data = "held";
    CHECK_EQ(go(&o, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "not the shards of rank 0"));
    o = options("faulty");
    o.batch = 128;
    CHECK_EQ(go(&o, NULL), LM_EUSAGE);
    CHECK(strstr(lm_err(), "at least one for each rank"));
    o = options("shape.json"); /* a file where the directory should be: rank 0 alone sees it */
    CHECK_EQ(go(&o, NULL), LM_EIO);
    CHECK(strstr(lm_err(), "rank 0: shape.json") == lm_err());
}

/* ---- one rank ----------------------------------------------------------------------------- */

static void stop_half(void *arg, const tr_report *r)
{
    (void)arg;
    if (r->step == STEPS / 2) lm_interrupt();
}

static void alone(void)
{
    ranks = comm_alone();
    NEED(lm_write_file("shape.json", shape, strlen(shape)) == 0);
    write_language("shards", 0, 1, 128, true, 40, false);
    write_language("shards", 1, 1, 128, true, 60, true);
    write_language("held", 0, 2, 128, true, 13, true);
    tr_options o = options("one");
    CHECK_OK(go(&o, NULL));
    o = options("half");
    backend *b = NULL;
    tr_run *r = NULL;
    tr_watch watch = { stop_half, NULL, NULL };
    NEED(bk_cpu_open(&b, 1) == 0 && tr_run_open(&r, &o, b, &watch) == 0);
    CHECK_EQ(tr_run_train(r), LM_EINTR);
    tr_run_close(r);
    b->close(b);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        alone();
        CHECK_END();
    }
    NEED(comm_open(&ranks, COMM_MPI) == 0);
    if (!strcmp(argv[1], "talk")) {
        ranks->acc_bytes = sizeof(float);
        test_reduce(64);
        test_reduce(((size_t)1 << 20) + 640);
        test_host();
        test_agree();
    } else if (!strcmp(argv[1], "train")) {
        test_same();
        test_again();
        test_faults();
        test_stop();
    } else {
        test_resume();
    }
    int failed = checks_failed > 0;
    ranks->close(ranks);
    if (failed) return 1;
    CHECK_END();
}
