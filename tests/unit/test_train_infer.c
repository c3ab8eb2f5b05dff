/* A session gives the logits of a full forward pass in chunks of any size, token by token, and
 * after a rewind, bit for bit; for every form of attention. Weights that are kept in bfloat16. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/rng.h"
#include "longmix/zio.h"
#include "train/infer/infer.h"
#include "train/model/model.h"

enum { N = 150, V = 40, TRAINED = 64 };
static int32_t ids[N];

static void write_text(const char *path, const char *text)
{
    lm_out *out = NULL;
    NEED(lm_out_open(&out, path, LM_OUT_PLAIN, 0) == 0);
    NEED(lm_out_write(out, text, strlen(text)) == 0);
    NEED(lm_out_commit(out) == 0);
}

static void save_model(tr_model *m, const char *dir, enum st_dtype dtype)
{
    char path[100];
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    NEED(tr_model_save(m, path, dtype) == 0);
}

/* The same model in directories model (float32), half (bfloat16), and half32, whose float32 file has
 * the values of half. */
static void make_model(backend *b)
{
    tr_config c;
    tr_model *m = NULL;
    static const char *const dirs[] = { "model", "half", "half32" };
    static const char text[] =
        "{\"model_type\":\"llama\",\"hidden_size\":32,\"intermediate_size\":48,"
        "\"num_hidden_layers\":3,\"num_attention_heads\":4,\"num_key_value_heads\":2,"
        "\"vocab_size\":40,\"max_position_embeddings\":64,\"initializer_range\":0.3}";
    for (size_t i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/config.json", dirs[i]);
        mkdir(dirs[i], 0777);
        write_text(path, text);
    }
    NEED(tr_config_load(&c, "model/config.json") == 0);
    tr_layout l = { .tokens = 1, .length = 1, .slice = BK_BLOCK };
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    NEED(tr_model_init(m, 3) == 0);
    save_model(m, "model", ST_F32);
    save_model(m, "half", ST_BF16);
    NEED(tr_model_load(m, "half", NULL) == 0);
    save_model(m, "half32", ST_F32);
    tr_model_free(m);
    tr_config_free(&c);
}

static double furthest(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)a[i] - (double)b[i]);
        if (!(off <= most)) most = off; /* a NaN, too */
    }
    return most;
}

static void check_form(backend *b, tr_infer_options o, const float *other)
{
    static float whole[N * V], part[N * V], losses[N], again[N], last[V];
    tr_infer *s = NULL;
    o.chunk = N;
    NEED(tr_infer_open(&s, &o, b) == 0);
    CHECK_OK(tr_infer_eval(s, ids, N, last, losses, whole));
    CHECK(!memcmp(last, whole + (N - 1) * V, sizeof last));
    for (size_t i = 0; i + 1 < N; i++) {
        double sum = 0, top = (double)whole[i * V + (size_t)ids[i + 1]];
        for (size_t k = 0; k < V; k++) sum += exp((double)whole[i * V + k] - top);
        CHECK(fabs(log(sum) - (double)losses[i]) < 1e-4);
    }
    if (other) CHECK(furthest(whole, other, N * V) > 1e-2);
    CHECK(tr_infer_eval(s, ids, 1, NULL, NULL, NULL) == LM_EUSAGE); /* full */
    tr_infer_rewind(s, 70);
    CHECK_EQ(tr_infer_kv_len(s), 70);
    for (size_t i = 70; i < N; i++)
        CHECK_OK(tr_infer_eval(s, ids + i, 1, part + i * V, NULL, NULL));
    CHECK(!memcmp(part + 70 * V, whole + 70 * V, (N - 70) * V * sizeof *part));
    tr_infer_close(s);
    static const size_t chunks[] = { 1, 7, 48, 64 };
    for (size_t i = 0; i < 4; i++) {
        o.chunk = chunks[i];
        NEED(tr_infer_open(&s, &o, b) == 0);
        CHECK_OK(tr_infer_eval(s, ids, N, NULL, again, part));
        CHECK(!memcmp(part, whole, sizeof whole));
        CHECK(!memcmp(again, losses, (N - 1) * sizeof *again));
        tr_infer_close(s);
    }
}

/* One session switches between forms of attention. */
static void check_set(backend *b)
{
    static float whole[N * V], part[N * V];
    tr_infer *s = NULL;
    tr_infer_options rope = { .model = "model", .length = N }, dca = rope;
    dca.attention = "dca";
    dca.mscale = 0.1;
    dca.scaling = "linear:2";
    NEED(tr_infer_open(&s, &dca, b) == 0);
    CHECK_OK(tr_infer_eval(s, ids, N, NULL, NULL, whole));
    CHECK_OK(tr_infer_set(s, &rope));
    CHECK_OK(tr_infer_eval(s, ids, N, NULL, NULL, part));
    CHECK(furthest(part, whole, N * V) > 1e-2);
    CHECK_OK(tr_infer_set(s, &dca));
    CHECK_OK(tr_infer_eval(s, ids, N, NULL, NULL, part));
    CHECK(!memcmp(part, whole, sizeof whole));
    dca.attention = "dca:65,8";
    CHECK(tr_infer_set(s, &dca) == LM_EUSAGE && strstr(lm_err(), "65"));
    rope.length = N + 1;
    CHECK(tr_infer_set(s, &rope) == LM_EUSAGE);
    tr_infer_close(s);
}

/* Logits of all tokens; whether the settings say that weights were rounded. */
static bool logits_of(backend *b, const char *model, enum tr_infer_weights weights, float *out)
{
    tr_infer *s = NULL;
    tr_infer_options o = { .model = model, .length = N, .weights = weights };
    NEED(tr_infer_open(&s, &o, b) == 0);
    CHECK_OK(tr_infer_eval(s, ids, N, NULL, NULL, out));
    lm_json *settings = tr_infer_json(s);
    const char *type = NULL;
    bool rounded = lm_json_get(settings, "weight_type") != NULL;
    if (rounded) CHECK(!lm_json_str(&type, settings, "weight_type") && !strcmp(type, "bfloat16"));
    lm_json_free(settings);
    tr_infer_close(s);
    return rounded;
}

/* bfloat16 in memory is exact for files in bfloat16 and the default there; for others it is asked for,
 * and rounds. Neither threads nor the type in memory change a bit. */
static void check_weights(backend *b, backend *alone)
{
    static float whole[N * V], half[N * V], other[N * V];
    CHECK(!logits_of(b, "model", TR_INFER_MODEL, whole));
    CHECK(!logits_of(b, "model", TR_INFER_FLOAT32, other));
    CHECK(!memcmp(whole, other, sizeof whole));
    CHECK(!logits_of(alone, "model", TR_INFER_MODEL, other));
    CHECK(!memcmp(whole, other, sizeof whole));
    CHECK(!logits_of(b, "half", TR_INFER_MODEL, half));
    CHECK(furthest(whole, half, N * V) > 1e-3);
    CHECK(!logits_of(b, "half", TR_INFER_FLOAT32, other));
    CHECK(!memcmp(half, other, sizeof half));
    CHECK(!logits_of(b, "half", TR_INFER_BFLOAT16, other));
    CHECK(!memcmp(half, other, sizeof half));
    CHECK(!logits_of(alone, "half", TR_INFER_MODEL, other));
    CHECK(!memcmp(half, other, sizeof half));
    CHECK(!logits_of(b, "half32", TR_INFER_MODEL, other));
    CHECK(!memcmp(half, other, sizeof half));
    CHECK(logits_of(b, "model", TR_INFER_BFLOAT16, other));
    CHECK(!memcmp(half, other, sizeof half));
}

/* The plan counts what is allocated: half as much for matrices in bfloat16. Packed weights are
 * neither trained nor written. */
static void check_layouts(backend *b)
{
    tr_config c;
    tr_model *m = NULL;
    tr_plan plain, whole, half;
    NEED(tr_config_load(&c, "model/config.json") == 0);
    tr_layout l = { .tokens = N, .length = N, .slice = BK_BLOCK };
    NEED(tr_model_plan(&plain, &c, &l, b) == 0);
    l.weights = TR_WEIGHTS_FLOAT32;
    NEED(tr_model_plan(&whole, &c, &l, b) == 0);
    l.weights = TR_WEIGHTS_BFLOAT16;
    NEED(tr_model_plan(&half, &c, &l, b) == 0);
    size_t norms = 7 * 32 * sizeof(float), w = whole.bytes[TR_MEM_WEIGHTS];
    CHECK_EQ(half.bytes[TR_MEM_WEIGHTS] - norms, (w - norms) / 2);
    CHECK(w >= plain.bytes[TR_MEM_WEIGHTS] && w < 2 * plain.bytes[TR_MEM_WEIGHTS]);
    CHECK_EQ(whole.total - w, plain.total - plain.bytes[TR_MEM_WEIGHTS]);
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    CHECK(tr_model_save(m, "no.safetensors", ST_F32) == LM_EUSAGE);
    CHECK(access("no.safetensors", F_OK));
    tr_model_free(m);
    l.train = true;
    CHECK(tr_model_new(&m, &c, &l, b) == LM_EUSAGE);
    tr_config_free(&c);
}

int main(void)
{
    static float rope[N * V];
    backend *b = NULL;
    tr_infer *s = NULL;
    NEED(bk_cpu_open(&b, 2) == 0);
    make_model(b);
    for (size_t i = 0; i < N; i++) ids[i] = (int32_t)(lm_hash4(4, i, 0, 0) % V);
    tr_infer_options o = { .model = "model", .length = N };
    check_form(b, o, NULL);
    NEED(tr_infer_open(&s, &o, b) == 0);
    CHECK_OK(tr_infer_eval(s, ids, N, NULL, NULL, rope));
    ids[9] = V;
    CHECK_OK(tr_infer_set(s, &o));
    CHECK(tr_infer_eval(s, ids, N, NULL, NULL, NULL) == LM_EDATA && tr_infer_kv_len(s) == 0);
    ids[9] = 1;
    tr_infer_close(s);
    for (size_t i = 0; i < N; i++) ids[i] = (int32_t)(lm_hash4(4, i, 0, 0) % V);
    static const char *const forms[] = { "dca", "dca:chunkllama", "dca:40,10", "dca:64,16" };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        o.attention = forms[i];
        check_form(b, o, rope);
    }
    o.no_successive = true;
    check_form(b, o, rope);
    o.no_inter = true;
    check_form(b, o, rope);
    o = (tr_infer_options){ .model = "model", .length = N, .scaling = "yarn:4", .mscale = 0.05 };
    check_form(b, o, rope);
    check_set(b);
    backend *alone = NULL;
    NEED(bk_cpu_open(&alone, 1) == 0);
    check_weights(b, alone);
    check_layouts(b);
    alone->close(alone);
    b->close(b);
    CHECK_END();
}
