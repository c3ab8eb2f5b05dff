/* Dual Chunk Attention in a whole model, float32: equal to RoPE within a chunk, decoding equal to
 * prefill, in pieces of any size; and the options of a session. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/rng.h"
#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "train/infer/infer.h"
#include "train/model/model.h"

enum { TRAINED = 32, VOCAB = 40, LENGTH = 210 };

static backend *b;
static int32_t ids[LENGTH];

/* Query and key weights are large, so that positions matter. `wq` multiplies the queries'. */
static void write_model(const char *dir, float wq)
{
    static const char config[] =
        "{\"model_type\":\"llama\",\"hidden_size\":32,\"intermediate_size\":48,"
        "\"num_hidden_layers\":2,\"num_attention_heads\":4,\"num_key_value_heads\":2,"
        "\"vocab_size\":40,\"max_position_embeddings\":32,\"initializer_range\":0.4,"
        "\"rope_theta\":100}";
    char path[256];
    tr_config c;
    tr_model *m = NULL;
    tr_layout l = { .tokens = 1, .length = 1, .slice = BK_BLOCK };
    NEED(mkdir(dir, 0777) == 0);
    snprintf(path, sizeof path, "%s/config.json", dir);
    NEED(lm_write_file(path, config, strlen(config)) == 0 && tr_config_load(&c, path) == 0);
    NEED(tr_model_new(&m, &c, &l, b) == 0 && tr_model_init(m, 3) == 0);
    for (size_t i = 0; i < tr_model_params(m); i++) {
        tr_param *p = tr_model_param(m, i);
        float *w = (float *)p->w;
        if (strstr(p->name, "q_proj"))
            for (size_t k = 0; k < tr_param_count(p); k++) w[k] *= wq;
    }
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    NEED(tr_model_save(m, path, ST_F32) == 0);
    tr_model_free(m);
    tr_config_free(&c);
}

/* All logits of ids[0 .. n-1], evaluated `piece` at a time by a session of `chunk`; the logits of
 * the last token also in `last`, losses in `losses`. */
static float *read_all(tr_infer_options o, size_t n, size_t piece, size_t chunk, float *last,
                       float *losses)
{
    tr_infer *s = NULL;
    float *all = malloc(n * VOCAB * sizeof *all);
    o.chunk = chunk;
    NEED(all && tr_infer_open(&s, &o, b) == 0);
    for (size_t at = 0; at < n; at += piece) {
        size_t now = n - at < piece ? n - at : piece;
        NEED(tr_infer_eval(s, ids + at, now, last, piece >= n ? losses : NULL, all + at * VOCAB) ==
             0);
    }
    CHECK_EQ(tr_infer_kv_len(s), n);
    tr_infer_close(s);
    return all;
}

static double largest(const float *x, const float *y, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)x[i] - (double)y[i]);
        if (!(off <= worst)) worst = off; /* a NaN, too */
    }
    return worst;
}

static tr_infer_options with(const char *attention, size_t length)
{
    return (tr_infer_options){ .model = "model", .attention = attention, .length = length };
}

static void test_equals_rope(void)
{
    /* s = 24, c' = 31; and c' = 24, s = 20. */
    static const struct {
        const char *text;
        size_t reach;
    } forms[] = { { "dca", TRAINED },
                  { "dca:chunkllama", 3 * TRAINED / 4 },
                  { "dca:32,8", TRAINED } };
    float last[VOCAB];
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (size_t n = 1; n <= 2 * TRAINED; n++) {
            float *dca = read_all(with(forms[i].text, n), n, n, 0, last, NULL);
            float *rope = read_all(with("rope", n), n, n, 0, last, NULL);
            double off = largest(dca, rope, n * VOCAB);
            if (n <= forms[i].reach && !(off < 2e-5))
                fprintf(stderr, "%s, %zu tokens: off by %g\n", forms[i].text, n, off);
            CHECK(n > forms[i].reach || off < 2e-5);
            CHECK(n < forms[i].reach + 8 || off > 1e-3);
            free(dca);
            free(rope);
        }
}

static void test_pieces(void)
{
    static const tr_infer_options sessions[] = {
        { .attention = "rope" },
        { .attention = "dca" },
        { .attention = "dca:chunkllama" },
        { .attention = "dca:12,4" },
        { .attention = "dca", .no_successive = true },
        { .attention = "dca", .no_successive = true, .no_inter = true },
        { .attention = "dca", .scaling = "dynamic:2", .mscale = 0.1 },
        { .attention = "dca:chunkllama", .scaling = "yarn:4", .rope_base = 500 }
    };
    static const size_t pieces[] = { 1, 3, 23, 24, 25, 64, 100, LENGTH - 1 };
    float losses[LENGTH], again[LENGTH], last[VOCAB], tail[VOCAB];
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        tr_infer_options o = sessions[i];
        o.model = "model";
        o.length = LENGTH;
        float *want = read_all(o, LENGTH, LENGTH, LENGTH, last, losses);
        CHECK(largest(want + (LENGTH - 1) * VOCAB, last, VOCAB) == 0);
        for (size_t k = 0; k + 1 < LENGTH; k++) {
            double sum = 0;
            for (size_t c = 0; c < VOCAB; c++) sum += exp((double)want[k * VOCAB + c]);
            double loss = log(sum) - (double)want[k * VOCAB + (size_t)ids[k + 1]];
            CHECK(fabs(loss - (double)losses[k]) < 1e-4);
        }
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            /* Calls of this size; then one call that the session splits. */
            float *steps = read_all(o, LENGTH, pieces[k], 0, tail, NULL);
            double off = largest(steps, want, LENGTH * VOCAB);
            off = fmax(off, largest(last, tail, VOCAB));
            free(steps);
            steps = read_all(o, LENGTH, LENGTH, pieces[k], tail, again);
            off = fmax(off, largest(steps, want, LENGTH * VOCAB));
            off = fmax(off, largest(losses, again, LENGTH - 1));
            if (!(off < 2e-4))
                fprintf(stderr, "%s, %zu at a time: off by %g\n", o.attention, pieces[k], off);
            CHECK(off < 2e-4);
            free(steps);
        }
        free(want);
    }
}

/* A training model gives the results of the session, with and without recomputation. */
static void test_training_layout(void)
{
    static const uint32_t whole[] = { 0, LENGTH };
    tr_config c;
    NEED(tr_config_load(&c, "model/config.json") == 0);
    float last[VOCAB], *want = read_all(with("dca", LENGTH), LENGTH, LENGTH, 0, last, NULL);
    float *got = malloc(LENGTH * VOCAB * sizeof *got);
    NEED(got);
    for (int i = 0; i < 3; i++) {
        tr_layout l = { .tokens = LENGTH,
                        .length = LENGTH,
                        .slice = BK_BLOCK,
                        .train = true,
                        .recompute = i > 0,
                        .keep_attention = i > 1 };
        tr_model *m = NULL;
        NEED(attn_form_parse(&l.attention, "dca", c.positions) == 0);
        NEED(tr_model_new(&m, &c, &l, b) == 0 && tr_model_load(m, "model", NULL) == 0);
        tr_batch t = { .n = LENGTH, .ids = ids, .targets = ids, .count = 1, .starts = whole };
        CHECK_OK(tr_model_forward(m, &t, true, got, NULL));
        CHECK(largest(got, want, LENGTH * VOCAB) < 5e-5);
        tr_model_free(m);
    }
    free(got);
    free(want);
    tr_config_free(&c);
}

static void test_settings(void)
{
    float last[VOCAB], other[VOCAB];
    /* mscale multiplies scores by m^2: so would queries that are m^2 as large. */
    tr_infer_options o = with("dca", LENGTH);
    o.mscale = 0.1;
    double m = 0.1 * log((double)LENGTH / TRAINED) + 1;
    write_model("scaled", (float)(m * m));
    float *one = read_all(o, LENGTH, LENGTH, 0, last, NULL);
    o.model = "scaled";
    o.mscale = 0;
    float *two = read_all(o, LENGTH, LENGTH, 0, last, NULL);
    CHECK(largest(one, two, LENGTH * VOCAB) < 1e-4);
    free(two);
    o.model = "model";
    two = read_all(o, LENGTH, LENGTH, 0, last, NULL);
    CHECK(largest(one, two, LENGTH * VOCAB) > 1e-3);
    free(one);
    free(two);
    /* Dynamic scaling is NTK of the session's length. */
    o = with("rope", LENGTH);
    o.scaling = "dynamic:2";
    one = read_all(o, LENGTH, 50, 0, last, NULL);
    o.scaling = "ntk:12.125"; /* 2 * 210 / 32 - 1 */
    two = read_all(o, LENGTH, LENGTH, 0, other, NULL);
    CHECK(largest(one, two, LENGTH * VOCAB) < 5e-5);
    free(one);
    free(two);
}

static bool says(const tr_infer *s, const char *key, const char *value)
{
    const char *got = NULL;
    lm_json *o = tr_infer_json(s);
    bool same = lm_json_str(&got, o, key) == 0 && !strcmp(got, value);
    lm_json_free(o);
    return same;
}

/* A model whose configuration has a scaling: used and reported, or replaced by another. */
static void test_own_scaling(void)
{
    lm_buf text = LM_BUF_INIT(1 << 16);
    tr_config c;
    NEED(mkdir("own", 0777) == 0 && tr_config_load(&c, "model/config.json") == 0);
    NEED(tr_rope_override(&c, "linear:4") == 0);
    lm_json *o = tr_config_json(&c, "float32");
    NEED(lm_json_dump(o, 2, &text) == 0);
    NEED(lm_write_file("own/config.json", text.data, text.size) == 0);
    NEED(symlink("../model/model.safetensors", "own/model.safetensors") == 0);
    static const struct {
        const char *model, *scaling, *named;
    } as[] = { { "model", NULL, "none" },
               { "own", NULL, "model" },
               { "own", "ntk:2", "ntk:2" },
               { "model", "linear:4", "linear:4" },
               { "model", "ntk:2", "ntk:2" } };
    float logits[5][VOCAB];
    for (size_t i = 0; i < 5; i++) {
        tr_infer *s = NULL;
        tr_infer_options how = { .model = as[i].model, .scaling = as[i].scaling, .length = 60 };
        NEED(tr_infer_open(&s, &how, b) == 0);
        CHECK(says(s, "scaling", as[i].named));
        CHECK_OK(tr_infer_eval(s, ids, 60, logits[i], NULL, NULL));
        tr_infer_close(s);
    }
    CHECK(!memcmp(logits[1], logits[3], sizeof logits[1]));
    CHECK(!memcmp(logits[2], logits[4], sizeof logits[2]));
    CHECK(largest(logits[0], logits[1], VOCAB) > 1e-3);
    lm_json_free(o);
    tr_config_free(&c);
    lm_buf_free(&text);
}

/* One session: changed settings, rewinding, and refusals. */
static void test_session(void)
{
    tr_infer *s = NULL;
    float last[VOCAB], other[VOCAB];
    tr_infer_options o = with("rope", LENGTH);
    NEED(tr_infer_open(&s, &o, b) == 0);
    CHECK_OK(tr_infer_eval(s, ids, 100, last, NULL, NULL));
    o = with("dca", 150);
    o.scaling = "dynamic:2";
    CHECK_OK(tr_infer_set(s, &o));
    CHECK(tr_infer_kv_len(s) == 0 && tr_infer_length(s) == 150);
    CHECK_OK(tr_infer_eval(s, ids, 120, last, NULL, NULL));
    free(read_all(o, 120, 120, 0, other, NULL));
    CHECK(largest(last, other, VOCAB) < 5e-5);
    /* Other tokens after 30 of them, and the first ones again. */
    tr_infer_rewind(s, 30);
    CHECK(tr_infer_kv_len(s) == 30);
    CHECK_OK(tr_infer_eval(s, ids, 77, last, NULL, NULL));
    CHECK(largest(last, other, VOCAB) > 1e-3);
    tr_infer_rewind(s, 30);
    CHECK_OK(tr_infer_eval(s, ids + 30, 90, last, NULL, NULL));
    CHECK(largest(last, other, VOCAB) < 5e-5);

    int32_t wrong[] = { 1, VOCAB, 2 }, minus[] = { -1 };
    CHECK(tr_infer_eval(s, ids, 31, last, NULL, NULL) == LM_EUSAGE && strstr(lm_err(), "150"));
    CHECK(tr_infer_eval(s, wrong, 3, last, NULL, NULL) == LM_EDATA && strstr(lm_err(), "40"));
    CHECK(tr_infer_eval(s, minus, 1, last, NULL, NULL) == LM_EDATA);
    CHECK(tr_infer_kv_len(s) == 120);
    o.length = LENGTH + 1;
    CHECK(tr_infer_set(s, &o) == LM_EUSAGE);
    o = with("dca:33,8", 100);
    CHECK(tr_infer_set(s, &o) == LM_EUSAGE && strstr(lm_err(), "32"));
    o = with("rope", 100);
    o.scaling = "wobbly:2";
    CHECK(tr_infer_set(s, &o) == LM_EUSAGE && strstr(lm_err(), "wobbly"));
    /* Refused calls changed nothing. */
    CHECK(says(s, "attention", "dca") && says(s, "scaling", "dynamic:2"));
    CHECK(tr_infer_length(s) == 150 && tr_infer_kv_len(s) == 120);
    tr_infer_rewind(s, 0);
    CHECK_OK(tr_infer_eval(s, ids, 120, last, NULL, NULL));
    CHECK(largest(last, other, VOCAB) < 5e-5);
    tr_infer_close(s);

    /* Opened with chunks, then without. */
    o = with("dca:8,2", LENGTH);
    NEED(tr_infer_open(&s, &o, b) == 0);
    o = with("rope", LENGTH);
    CHECK_OK(tr_infer_set(s, &o));
    CHECK_OK(tr_infer_eval(s, ids, LENGTH, last, NULL, NULL));
    free(read_all(o, LENGTH, LENGTH, 0, other, NULL));
    CHECK(largest(last, other, VOCAB) < 5e-5);
    tr_infer_close(s);

    o = with("dca", (size_t)1 << 30);
    CHECK(tr_infer_open(&s, &o, b) == LM_ENOMEM && strstr(lm_err(), "MiB"));
    o = with("dca", 0);
    CHECK(tr_infer_open(&s, &o, b) == LM_EUSAGE);
    o = with("dca", 100);
    o.model = "nowhere";
    CHECK(tr_infer_open(&s, &o, b) == LM_EIO && strstr(lm_err(), "nowhere"));
}

/* After an interrupt a session holds what it held before the call. (Must be the last test.) */
static void test_interrupt(void)
{
    tr_infer *s = NULL;
    tr_infer_options o = with("dca", LENGTH);
    NEED(tr_infer_open(&s, &o, b) == 0);
    CHECK_OK(tr_infer_eval(s, ids, 40, NULL, NULL, NULL));
    lm_interrupt();
    CHECK(tr_infer_eval(s, ids, 40, NULL, NULL, NULL) == LM_EINTR);
    CHECK_EQ(tr_infer_kv_len(s), 40);
    tr_infer_close(s);
}

int main(void)
{
    NEED(bk_open(&b, "cpu", 2) == 0);
    for (size_t i = 0; i < LENGTH; i++) ids[i] = (int32_t)(lm_hash4(4, i, 0, 0) % VOCAB);
    write_model("model", 1);
    test_equals_rope();
    test_pieces();
    test_training_layout();
    test_settings();
    test_own_scaling();
    test_session();
    test_interrupt();
    b->close(b);
    CHECK_END();
}
