/* Models of every architecture and option: tests/parity/models.{json,safetensors}, which
 * tests/parity/models.py writes with transformers, as directories. Logits are equal to 1e-5, read at
 * once and in pieces; and again from the directory that is written back. */
#include <math.h>
#include <sys/stat.h>

#include "check.h"
#include "lib/base/rng.h"
#include "longmix/zio.h"
#include "train/infer/infer.h"
#include "train/model/optimizer.h"

enum { TOKENS = 60, EVERY = 4, VOCAB = 64, TENSORS = 64 };

static backend *b;
static int32_t ids[TOKENS];
static double worst;

static const char *path_of(char path[256], const char *dir, const char *name)
{
    snprintf(path, 256, "%s/%s", dir, name);
    return path;
}

static void write_config(const char *dir, const lm_json *config)
{
    char path[256];
    mkdir(dir, 0777);
    NEED(lm_json_write(path_of(path, dir, "config.json"), config) == 0);
}

/* The weights of models.py, under the names that transformers gave them: how many. */
static double write_weights(const char *dir, const lm_json *tensors)
{
    char path[256];
    static st_spec specs[TENSORS];
    static float x[65536];
    st_writer *w = NULL;
    size_t count = lm_json_size(tensors);
    double all = 0;
    NEED(count && count <= TENSORS);
    for (size_t i = 0; i < count; i++) {
        const lm_json *t = lm_json_at(tensors, i), *shape = lm_json_at(t, 1);
        specs[i] = (st_spec){ .rank = lm_json_size(shape) };
        NEED(lm_json_str(&specs[i].name, lm_json_at(t, 0), NULL) == 0);
        for (size_t k = 0; k < specs[i].rank; k++)
            NEED(lm_json_u64(&specs[i].shape[k], lm_json_at(shape, k), NULL) == 0);
    }
    NEED(st_create(&w, path_of(path, dir, "model.safetensors"), specs, count, ST_F32) == 0);
    for (size_t i = 0; i < count; i++) {
        size_t n = (size_t)(specs[i].shape[0] * (specs[i].rank > 1 ? specs[i].shape[1] : 1));
        bool norm = strstr(specs[i].name, "norm") != NULL;
        NEED(n <= sizeof x / sizeof *x);
        for (size_t k = 0; k < n; k++) {
            float u = (float)lm_unit(lm_hash4(11, i, k, 0));
            x[k] = norm ? 1 + (u - 0.5f) / 2 : u - 0.5f;
        }
        NEED(st_write(w, x, n) == 0);
        all += (double)n;
    }
    NEED(st_commit(w) == 0);
    return all;
}

/* Logits of all tokens, in pieces of at most `piece`. */
static void read_with(tr_infer_options o, size_t piece, float *logits)
{
    tr_infer *s = NULL;
    o.length = TOKENS;
    NEED(tr_infer_open(&s, &o, b) == 0);
    for (size_t at = 0, n; at < TOKENS; at += n) {
        n = TOKENS - at < piece ? TOKENS - at : piece;
        NEED(tr_infer_eval(s, ids + at, n, NULL, NULL, logits + at * VOCAB) == 0);
    }
    tr_infer_close(s);
}

static double distance(const float *got, const float *want)
{
    double d = 0, s = 0;
    for (size_t i = 0; i < TOKENS / EVERY; i++)
        for (size_t c = 0; c < VOCAB; c++) {
            double x = (double)want[i * VOCAB + c],
                   y = (double)got[(i * EVERY + EVERY - 1) * VOCAB + c];
            d += (x - y) * (x - y);
            s += x * x;
        }
    return sqrt(d / s);
}

static void check_near(const char *name, size_t piece, const float *got, const float *want)
{
    double error = distance(got, want);
    if (error > worst) worst = error;
    if (!(error < 1e-5)) fprintf(stderr, "%s, %zu at a time: error %g\n", name, piece, error);
    CHECK(error < 1e-5);
}

/* Read it as lmtrain does, and write it: the same tensors, a config.json of the same meaning. */
static void write_again(const char *from, const char *to, double weights)
{
    char path[256];
    tr_config c;
    tr_model *m = NULL;
    NEED(tr_config_load(&c, path_of(path, from, "config.json")) == 0);
    CHECK(tr_config_weights(&c) == weights);
    tr_layout l = { .tokens = TOKENS, .length = TOKENS, .slice = BK_BLOCK, .train = true };
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    NEED(tr_model_load(m, from, NULL) == 0);
    lm_json *o = tr_config_json(&c, "float32");
    write_config(to, o);
    NEED(tr_model_save(m, path_of(path, to, "model.safetensors"), ST_F32) == 0);
    lm_json_free(o);
    tr_model_free(m);
    tr_config_free(&c);
}

static void check_model(const char *name, const lm_json *about, const st_reader *golden)
{
    static float got[TOKENS * VOCAB], want[TOKENS / EVERY * VOCAB], again[TOKENS * VOCAB];
    static const size_t pieces[] = { TOKENS, 1, 17 };
    char other[128];
    const st_tensor *t = st_find(golden, name);
    NEED(t && t->count == TOKENS / EVERY * VOCAB);
    NEED(st_read(golden, t, 0, want, TOKENS / EVERY * VOCAB) == 0);
    write_config(name, lm_json_get(about, "config"));
    double weights = write_weights(name, lm_json_get(about, "tensors"));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        read_with((tr_infer_options){ .model = name }, pieces[i], got);
        check_near(name, pieces[i], got, want);
    }
    snprintf(other, sizeof other, "%s-again", name);
    write_again(name, other, weights);
    read_with((tr_infer_options){ .model = name }, TOKENS, got);
    read_with((tr_infer_options){ .model = other }, TOKENS, again);
    CHECK(!memcmp(got, again, sizeof got));
}

/* Options replace the attention that config.json asks for, and its scale. */
static void check_dual(void)
{
    static float own[TOKENS * VOCAB], other[TOKENS * VOCAB];
    tr_infer_options o = { .model = "dual-qwen2" };
    read_with(o, TOKENS, own);
    o.attention = "dca:16,4";
    o.mscale = 0.1;
    read_with(o, TOKENS, other);
    CHECK(!memcmp(own, other, sizeof own));
    o.mscale = 0;
    read_with(o, TOKENS, other);
    CHECK(memcmp(own, other, sizeof own));
    o = (tr_infer_options){ .model = "dual-qwen2", .mscale = -1 };
    static float bare[TOKENS * VOCAB];
    read_with(o, TOKENS, bare);
    CHECK(!memcmp(bare, other, sizeof bare));
    o.attention = "rope";
    read_with(o, TOKENS, other);
    CHECK(memcmp(own, other, sizeof own) && memcmp(bare, other, sizeof bare));
    /* "dca" is that of the trained length, 16, not of max_position_embeddings. */
    o.attention = "dca:17,4";
    o.length = TOKENS;
    tr_infer *s = NULL;
    CHECK(tr_infer_open(&s, &o, b) == LM_EUSAGE && strstr(lm_err(), "the 16 the model"));
}

static void check_windows(void)
{
    static const char *const names[] = { "qwen2-window", "mistral-tied-window" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tr_infer *s = NULL;
        tr_infer_options o = { .model = names[i], .length = TOKENS + 1 };
        CHECK(tr_infer_open(&s, &o, b) == LM_EDATA && strstr(lm_err(), "sliding_window") &&
              strstr(lm_err(), "61"));
        o.length = TOKENS;
        NEED(tr_infer_open(&s, &o, b) == 0);
        o.length = TOKENS - 1;
        CHECK_OK(tr_infer_set(s, &o));
        tr_infer_close(s);
    }
}

/* A tensor that config.json does not ask for, and one that is missing. */
static void check_tensors(void)
{
    static const struct {
        const char *config, *weights, *says;
    } bad[] = { { "llama", "llama-tied-biases", "_proj.bias is not part of" },
                { "qwen2", "llama", "q_proj.bias is missing" },
                { "qwen3", "qwen3-tied-biases", "_proj.bias is not part of" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[256];
        tr_config c;
        tr_model *m = NULL;
        tr_layout l = { .tokens = 1, .length = 1, .slice = BK_BLOCK };
        NEED(tr_config_load(&c, path_of(path, bad[i].config, "config.json")) == 0);
        NEED(tr_model_new(&m, &c, &l, b) == 0);
        CHECK(tr_model_load(m, bad[i].weights, NULL) == LM_EDATA);
        if (!strstr(lm_err(), bad[i].says)) fprintf(stderr, "%s\n", lm_err());
        CHECK(strstr(lm_err(), bad[i].says));
        tr_model_free(m);
        tr_config_free(&c);
    }
}

/* Random weights: norms are 1, biases 0. Weight decay is of matrices only. */
static void check_vectors(void)
{
    tr_config c;
    tr_model *m = NULL;
    tr_layout l = { .tokens = 1, .length = 1, .slice = BK_BLOCK, .train = true };
    tr_optimizer o = { .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.5 };
    NEED(tr_config_load(&c, "qwen3-tied-biases/config.json") == 0);
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    NEED(tr_model_init(m, 1) == 0);
    size_t biases = 0, norms = 0;
    for (int step = 0; step < 2; step++) {
        for (size_t i = 0; i < tr_model_params(m); i++) {
            tr_param *p = tr_model_param(m, i);
            float x[16], want = p->bias ? 0 : 1;
            CHECK_EQ(p->vector, p->bias || strstr(p->name, "norm"));
            if (!p->vector) continue;
            biases += p->bias;
            norms += !p->bias;
            b->get_act(b, x, p->w, p->cols < 16 ? p->cols : 16);
            for (size_t k = 0; k < p->cols && k < 16; k++) CHECK(x[k] == want);
        }
        if (step) break;
        float before, after; /* the gradient is 0 */
        b->get_act(b, &before, tr_model_param(m, 0)->w, 1);
        CHECK_OK(tr_step(m, &o, 1, 0.1, 0));
        b->get_act(b, &after, tr_model_param(m, 0)->w, 1);
        CHECK(fabs((double)after - 0.95 * (double)before) < 1e-9);
    }
    CHECK_EQ(biases, 2 * 2 * 4);
    CHECK_EQ(norms, 2 * (2 * 4 + 1));
    tr_model_free(m);
    tr_config_free(&c);
}

int main(void)
{
    const char *source = getenv("LM_SRC");
    char path[4096];
    lm_json *about = NULL;
    st_reader *golden = NULL;
    snprintf(path, sizeof path, "%s/tests/parity/models.json", source ? source : ".");
    NEED(lm_json_load(&about, path, 1 << 20) == 0);
    snprintf(path, sizeof path, "%s/tests/parity/models.safetensors", source ? source : ".");
    NEED(st_open(&golden, path) == 0);
    NEED(bk_cpu_open(&b, 2) == 0);
    for (size_t i = 0; i < TOKENS; i++) ids[i] = (int32_t)(lm_hash4(12, 0, i, 0) % VOCAB);
    const char *name = NULL;
    const lm_json *of = NULL;
    size_t count = 0;
    for (; lm_json_member(about, count, &name, &of); count++) check_model(name, of, golden);
    CHECK(count == st_count(golden) && count > 20);
    check_dual();
    check_windows();
    check_tensors();
    check_vectors();
    printf("%zu models, largest error %.2g\n", count, worst);
    b->close(b);
    st_close(golden);
    lm_json_free(about);
    CHECK_END();
}
