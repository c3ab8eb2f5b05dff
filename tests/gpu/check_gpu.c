/* check_gpu.c -- the CUDA backend compared with the CPU backend: every operation, training steps,
 * forms of attention, the KV cache; and bit-identity. `make check-gpu` runs it. Exits 77 if there
 * is no GPU.
 *
 * usage: check_gpu [WORD]    only the parts whose name contains WORD */
#include "gpu.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "train/run/run.h"
#include "train_shards.h"

void gpu_check(bool good, const char *what, const char *file, int line)
{
    check_at(good, what, file, line);
}

/* ---- pairs ----------------------------------------------------------------------------- */

static size_t width(const backend *b, const pair *p)
{
    return p->act ? b->act_bytes : b->acc_bytes;
}

pair pair_new(const two *b, size_t n, bool act)
{
    pair p = { NULL, NULL, n, act };
    NEED(b->cpu->alloc(b->cpu, &p.cpu, n * width(b->cpu, &p)) == 0);
    NEED(b->gpu->alloc(b->gpu, &p.gpu, n * width(b->gpu, &p)) == 0);
    return p;
}

void pair_free(const two *b, pair *p)
{
    b->cpu->free(b->cpu, p->cpu, p->n * width(b->cpu, p));
    b->gpu->free(b->gpu, p->gpu, p->n * width(b->gpu, p));
}

static float *numbers(backend *b, const void *p, size_t n, bool act)
{
    float *x = malloc((n ? n : 1) * sizeof *x);
    NEED(x);
    if (act) b->get_act(b, x, p, n);
    else b->get_acc(b, x, p, n);
    return x;
}

float *gpu_numbers(const two *b, const pair *p) { return numbers(b->gpu, p->gpu, p->n, p->act); }
float *cpu_numbers(const two *b, const pair *p) { return numbers(b->cpu, p->cpu, p->n, p->act); }

static void put(backend *b, void *to, const float *x, size_t n, bool act)
{
    if (act) b->put_act(b, to, x, n);
    else b->put_acc(b, to, x, n);
}

pair pair_random(const two *b, size_t n, bool act, double size, uint64_t seed)
{
    pair p = pair_new(b, n, act);
    float *x = malloc((n ? n : 1) * sizeof *x);
    NEED(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(size * (2 * lm_unit(lm_hash4(seed, i, 0, 0)) - 1));
    put(b->gpu, p.gpu, x, n, act);
    free(x);
    x = gpu_numbers(b, &p);
    put(b->cpu, p.cpu, x, n, act);
    free(x);
    return p;
}

void pair_poison(const two *b, const pair *p)
{
    float *x = malloc(p->n * sizeof *x);
    NEED(x);
    for (size_t i = 0; i < p->n; i++) x[i] = NAN;
    put(b->gpu, p->gpu, x, p->n, p->act);
    put(b->cpu, p->cpu, x, p->n, p->act);
    free(x);
}

void pair_from_cpu(const two *b, const pair *p)
{
    float *x = cpu_numbers(b, p);
    put(b->gpu, p->gpu, x, p->n, p->act);
    free(x);
    x = gpu_numbers(b, p);
    put(b->cpu, p->cpu, x, p->n, p->act);
    free(x);
}

double distance(const float *got, const float *want, size_t n, double least)
{
    double d = 0, s = 0;
    for (size_t i = 0; i < n; i++) {
        if (isinf(want[i]) && got[i] == want[i]) continue;
        double x = (double)got[i] - (double)want[i];
        if (!isfinite(x)) return INFINITY;
        d += x * x;
        s += (double)want[i] * (double)want[i];
    }
    return d == 0 ? 0 : sqrt(d / fmax(s, least * least * (double)n));
}

void compare_least(const two *b, const pair *p, double bound, double least, const char *what)
{
    float *got = gpu_numbers(b, p), *want = cpu_numbers(b, p);
    double d = distance(got, want, p->n, least);
    if (!(d <= bound)) printf("  FAR %s: %.3g\n", what, d);
    else if (getenv("LM_GPU_VERBOSE")) printf("  %-48s %.3g\n", what, d);
    CHECK(d <= bound);
    free(got);
    free(want);
}

void compare(const two *b, const pair *p, double bound, const char *what)
{
    compare_least(b, p, bound, 0, what);
}

bool same_bits(const float *a, const float *b, size_t n) { return !memcmp(a, b, n * sizeof *a); }

/* ---- runs that resume ------------------------------------------------------------------ */

static const char shape[] =
    "{\"model_type\":\"llama\",\"hidden_size\":32,\"intermediate_size\":64,\"num_hidden_layers\":4,"
    "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"vocab_size\":48,\"rms_norm_eps\":1e-5,"
    "\"max_position_embeddings\":64,\"tie_word_embeddings\":true}";

static uint64_t stop_at;

static void after_step(void *arg, const tr_report *r)
{
    (void)arg;
    if (r->step == stop_at) raise(SIGTERM);
}

static void on_term(int sig)
{
    (void)sig;
    lm_interrupt();
}

/* A run in its own process, stopped after a step (0: not), with or without offloading. 0: done,
 * 30: stopped, 77: no GPU. */
static int run(const char *out, uint64_t stop, bool resume, bool offload)
{
    fflush(stdout);
    pid_t pid = fork();
    NEED(pid >= 0);
    if (!pid) {
        tr_options o = { .init = "shape.json",
                         .data = "shards",
                         .out = out,
                         .batch = 512,
                         .tokens = 6 * 512,
                         .micro = 2,
                         .slice = 2048,
                         .save_every = 512,
                         .keep = 2,
                         .seed = 3,
                         .doc_mask = true,
                         .recompute = true,
                         .dtype = -1,
                         .resume = resume,
                         .offload_optimizer = offload,
                         .offload_checkpoints = offload,
                         .optimizer = { .lr = 5e-3,
                                        .beta1 = 0.9,
                                        .beta2 = 0.95,
                                        .eps = 1e-8,
                                        .decay = 0.1,
                                        .clip = 1,
                                        .schedule = TR_COSINE } };
        tr_watch watch = { after_step, NULL, NULL };
        backend *b = NULL;
        tr_run *r = NULL;
        stop_at = stop;
        signal(SIGTERM, on_term);
        int rc = bk_open(&b, "cuda", 1);
        if (rc == LM_EUSAGE) {
            printf("skipped: %s\n", lm_err());
            fflush(stdout);
            _exit(77);
        }
        if (!rc) rc = tr_run_open(&r, &o, b, &watch);
        if (!rc) rc = tr_run_train(r);
        if (rc && rc != LM_EINTR) fprintf(stderr, "run: %s\n", lm_err());
        tr_run_close(r);
        if (b) b->close(b);
        _exit(rc == LM_EINTR ? 30 : rc ? 1 : 0);
    }
    int status = 0;
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *text_of(const char *path, size_t *n)
{
    enum { MOST = 1 << 22 };
    lm_in *in = NULL;
    char *p = malloc(MOST);
    ssize_t k = 0;
    NEED(p && lm_in_open(&in, path) == 0);
    *n = 0;
    while ((k = lm_in_read(in, p + *n, MOST - *n)) > 0) *n += (size_t)k;
    lm_in_close(in);
    return p;
}

static void check_resume(void)
{
    FILE *f = fopen("shape.json", "w");
    NEED(f && fputs(shape, f) >= 0 && fclose(f) == 0);
    write_language("shards", 0, 1, 128, false, 40, true);
    CHECK_EQ(run("whole", 0, false, false), 0);
    CHECK_EQ(run("stopped", 2, false, true), 30);
    CHECK_EQ(run("stopped", 0, true, true), 0);
    static const char *const files[] = { "model.safetensors",
                                         "checkpoint-00000006/optimizer.safetensors" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char a[256], b[256];
        size_t n = 0, m = 0;
        snprintf(a, sizeof a, "whole/%s", files[i]);
        snprintf(b, sizeof b, "stopped/%s", files[i]);
        char *x = text_of(a, &n), *y = text_of(b, &m);
        CHECK(n == m && !memcmp(x, y, n));
        free(x);
        free(y);
    }
}

/* ---- all ------------------------------------------------------------------------------- */

/* Run one part and report it. */
static void part(const char *name, const char *word, void (*check)(const two *, const char *),
                 const two *b, const char *kind)
{
    if (!strstr(name, word)) return;
    unsigned long failed = checks_failed, before = checks_passed;
    check(b, kind);
    CHECK_OK(b->gpu->finish(b->gpu));
    printf("%-28s %lu held, %lu failed\n", name, checks_passed - before, checks_failed - failed);
    fflush(stdout);
}

static void operations(const two *b, const char *kind)
{
    (void)kind;
    check_operations(b);
}

static void check_kind(const char *kind, const char *word)
{
    two b = { NULL, NULL };
    char name[64];
    setenv("LM_CUDA_ATTENTION", kind, 1);
    NEED(bk_open(&b.cpu, "cpu", 4) == 0);
    NEED(bk_open(&b.gpu, "cuda", 4) == 0);
    if (!strcmp(kind, "auto")) part("operations", word, operations, &b, kind);
    snprintf(name, sizeof name, "attention, %s", kind);
    part(name, word, check_attention, &b, kind);
    snprintf(name, sizeof name, "models, %s", kind);
    part(name, word, check_models, &b, kind);
    b.gpu->close(b.gpu);
    b.cpu->close(b.cpu);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    char folder[] = "/tmp/check_gpu.XXXXXX";
    NEED(mkdtemp(folder) && chdir(folder) == 0);
    /* First, and in their own processes: CUDA cannot be used after fork(). */
    FILE *f = fopen("shape.json", "w");
    NEED(f && fputs(shape, f) >= 0 && fclose(f) == 0);
    write_language("shards", 0, 1, 128, false, 40, true);
    int status = run("probe", 1, false, false);
    if (status != 77) {
        if (strstr("resume", word)) {
            check_resume();
            printf("%-28s %lu held, %lu failed\n", "resume", checks_passed, checks_failed);
        }
        check_kind("auto", word);
        check_kind("own", word);
    }
    char clean[128];
    snprintf(clean, sizeof clean, "rm -rf %s", folder);
    if (chdir("/") || system(clean)) return 1;
    if (status == 77) return 77;
    CHECK_END();
}
