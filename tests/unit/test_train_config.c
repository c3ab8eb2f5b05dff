/* config.json and .safetensors: reading, writing, and the messages of refusals. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/endian.h"
#include "longmix/zio.h"
#include "train/model/config.h"
#include "train/model/optimizer.h"
#include "train/files/safetensors.h"

#define SHAPE                                                               \
    "\"model_type\":\"llama\",\"hidden_size\":32,\"intermediate_size\":64," \
    "\"num_hidden_layers\":2,\"num_attention_heads\":4,\"vocab_size\":48"

#define REST                                                                                  \
    ",\"hidden_size\":32,\"intermediate_size\":64,\"num_hidden_layers\":2,\"vocab_size\":48," \
    "\"num_attention_heads\":4"
#define QWEN2 "\"model_type\":\"qwen2\"" REST
#define QWEN3 "\"model_type\":\"qwen3\"" REST
#define MISTRAL "\"model_type\":\"mistral\"" REST
#define DUAL                                                                                  \
    QWEN2 ",\"num_key_value_heads\":2,\"max_position_embeddings\":96,\"dual_chunk_attention_" \
          "config\":{"

static int load(tr_config *c, const char *text)
{
    NEED(lm_write_file("config.json", text, strlen(text)) == 0);
    return tr_config_load(c, "config.json");
}

/* The model after writing and reading it again. */
static void check_again(const tr_config *c)
{
    lm_buf text = LM_BUF_INIT(1 << 20);
    lm_json *o = tr_config_json(c, "bfloat16");
    tr_config d;
    NEED(lm_json_dump(o, 2, &text) == 0 && lm_write_file("again.json", text.data, text.size) == 0);
    NEED(tr_config_load(&d, "again.json") == 0);
    CHECK(c->dim == d.dim && c->mlp == d.mlp && c->layers == d.layers && c->heads == d.heads &&
          c->kv_heads == d.kv_heads && c->head_dim == d.head_dim && c->vocab == d.vocab &&
          c->positions == d.positions && c->norm_eps == d.norm_eps && c->tied == d.tied);
    CHECK(c->arch == d.arch && c->qkv_bias == d.qkv_bias && c->out_bias == d.out_bias &&
          c->mlp_bias == d.mlp_bias && c->head_norm == d.head_norm && c->window == d.window &&
          !memcmp(&c->dual, &d.dual, sizeof c->dual));
    CHECK(!memcmp(&c->rope, &d.rope, sizeof c->rope));
    tr_config_free(&d);
    lm_json_free(o);
    lm_buf_free(&text);
}

static void test_configs(void)
{
    static const char *const good[] = {
        "{" SHAPE "}",
        "{" SHAPE ",\"num_key_value_heads\":2,\"head_dim\":16,\"tie_word_embeddings\":true,"
        "\"rope_scaling\":null}",
        "{" SHAPE ",\"rope_theta\":5e5,\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}}",
        "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2.5}}",
        "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":8,"
        "\"original_max_position_embeddings\":64}}",
        "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
        "\"high_freq_factor\":4,\"original_max_position_embeddings\":8192}}",
        "{" SHAPE ",\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4,"
        "\"rope_theta\":1234}}",
        "{" SHAPE ",\"rope_theta\":99,\"rope_parameters\":{\"rope_theta\":1234}}",
        "{" SHAPE ",\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":8,\"mscale\":0.5,"
        "\"mscale_all_dim\":2,\"truncate\":false,\"original_max_position_embeddings\":64}}",
        "{" SHAPE ",\"original_max_position_embeddings\":32,\"rope_scaling\":{\"type\":\"yarn\","
        "\"factor\":4,\"original_max_position_embeddings\":64}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        tr_config c;
        NEED(load(&c, good[i]) == 0);
        check_again(&c);
        if (i == 0)
            CHECK(c.kv_heads == 4 && c.head_dim == 8 && c.rope.theta == 10000 &&
                  c.positions == 2048);
        if (i == 1) CHECK(c.kv_heads == 2 && c.head_dim == 16 && c.tied);
        if (i == 4)
            CHECK(fabs(c.rope.attention_factor - (0.1 * log(8) + 1)) < 1e-15 &&
                  c.rope.original == 64);
        if (i == 6) CHECK(c.rope.theta == 1234 && c.rope.factor == 4);
        if (i == 7) CHECK(c.rope.type == TR_ROPE_PLAIN && c.rope.theta == 1234);
        if (i == 8)
            CHECK(c.rope.exact_ramp &&
                  fabs(c.rope.attention_factor - (0.05 * log(8) + 1) / (0.2 * log(8) + 1)) < 1e-15);
        if (i == 9) CHECK(c.rope.original == 32 && c.rope.factor == 4);
        tr_config_free(&c);
    }
    tr_config c;
    CHECK_OK(tr_config_preset(&c, "llama2-7b"));
    CHECK(tr_config_weights(&c) == 6738415616.0);
    check_again(&c);
    CHECK_OK(tr_config_preset(&c, "llama2-70b"));
    CHECK(tr_config_weights(&c) == 68976648192.0);
}

/* What each architecture has, and that it is kept. */
static void test_architectures(void)
{
    static const struct {
        const char *text, *class;
        tr_config c;
    } good[] = {
        { "{" SHAPE ",\"attention_bias\":true,\"architectures\":[\"LlamaModel\"]}",
          "LlamaModel",
          { .arch = TR_LLAMA, .qkv_bias = true, .out_bias = true, .kv_heads = 4, .head_dim = 8 } },
        { "{" SHAPE ",\"mlp_bias\":true,\"pretraining_tp\":1,\"attention_dropout\":0.0}",
          "LlamaForCausalLM",
          { .arch = TR_LLAMA, .mlp_bias = true, .kv_heads = 4, .head_dim = 8 } },
        { "{" QWEN2 ",\"num_key_value_heads\":2,\"use_sliding_window\":false,"
          "\"sliding_window\":16,\"max_window_layers\":1}",
          "Qwen2ForCausalLM",
          { .arch = TR_QWEN2, .qkv_bias = true, .kv_heads = 2, .head_dim = 8 } },
        { "{" QWEN2 ",\"num_key_value_heads\":2,\"use_sliding_window\":true,"
          "\"sliding_window\":16,\"max_window_layers\":1}",
          "Qwen2ForCausalLM",
          { .arch = TR_QWEN2, .qkv_bias = true, .kv_heads = 2, .head_dim = 8, .window = 16 } },
        { "{" QWEN2 ",\"num_key_value_heads\":2,\"use_sliding_window\":true,"
          "\"sliding_window\":16,\"max_window_layers\":2}",
          "Qwen2ForCausalLM",
          { .arch = TR_QWEN2, .qkv_bias = true, .kv_heads = 2, .head_dim = 8 } },
        { "{" QWEN3 ",\"num_key_value_heads\":null,\"use_sliding_window\":true,"
          "\"max_window_layers\":1,\"layer_types\":[\"full_attention\",\"full_attention\"]}",
          "Qwen3ForCausalLM",
          { .arch = TR_QWEN3, .head_norm = true, .kv_heads = 4, .head_dim = 128 } },
        { "{" QWEN3 ",\"num_key_value_heads\":1,\"head_dim\":null,\"attention_bias\":true,"
          "\"use_sliding_window\":true,\"layer_types\":[\"full_attention\","
          "\"sliding_attention\"]}",
          "Qwen3ForCausalLM",
          { .arch = TR_QWEN3,
            .head_norm = true,
            .qkv_bias = true,
            .out_bias = true,
            .kv_heads = 1,
            .head_dim = 8,
            .window = 4096 } },
        { "{" MISTRAL ",\"num_key_value_heads\":2,\"head_dim\":16}",
          "MistralForCausalLM",
          { .arch = TR_MISTRAL, .kv_heads = 2, .head_dim = 16, .window = 4096 } },
        { "{" MISTRAL ",\"num_key_value_heads\":2,\"sliding_window\":null}",
          "MistralForCausalLM",
          { .arch = TR_MISTRAL, .kv_heads = 2, .head_dim = 8 } },
        { "{" DUAL "\"chunk_size\":48,\"local_size\":8,\"sparse_attention_config\":[{}],"
          "\"original_max_position_embeddings\":64}}",
          "Qwen2ForCausalLM",
          { .arch = TR_QWEN2,
            .qkv_bias = true,
            .kv_heads = 2,
            .head_dim = 8,
            .dual = { 48, 8, 64, true } } },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        tr_config c;
        const tr_config *w = &good[i].c;
        NEED(load(&c, good[i].text) == 0);
        CHECK(c.arch == w->arch && c.kv_heads == w->kv_heads && c.head_dim == w->head_dim);
        CHECK(c.qkv_bias == w->qkv_bias && c.out_bias == w->out_bias && c.mlp_bias == w->mlp_bias &&
              c.head_norm == w->head_norm);
        CHECK(c.window == w->window && !memcmp(&c.dual, &w->dual, sizeof c.dual));
        check_again(&c);
        lm_json *o = tr_config_json(&c, "float32");
        const char *class = NULL;
        NEED(lm_json_str(&class, lm_json_at(lm_json_get(o, "architectures"), 0), NULL) == 0);
        CHECK_STR(class, good[i].class);
        lm_json_free(o);
        CHECK_OK(tr_config_check_length(&c, c.window ? c.window : 1 << 20));
        if (c.window) {
            char says[64];
            snprintf(says, sizeof says, "a context of %zu", c.window + 1);
            CHECK(tr_config_check_length(&c, c.window + 1) == LM_EDATA &&
                  strstr(lm_err(), "sliding_window") && strstr(lm_err(), says));
        }
        char form[TR_FORM];
        double mscale = tr_config_attention(&c, form);
        CHECK_STR(form, c.dual.chunk ? "dca:48,8" : "rope");
        CHECK(mscale == (c.dual.original ? 0.1 : 0));
        CHECK_EQ(tr_config_trained(&c), c.dual.original ? 64 : c.positions);
        tr_config_free(&c);
    }
}

static void test_refused_configs(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "{" SHAPE ",\"rope_scaling\":{\"type\":\"wobbly\",\"factor\":2}}", "wobbly" },
        { "{" SHAPE ",\"rope_scaling\":{\"type\":\"linear\"}}", "factor" },
        { "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2,\"mscale\":-1}}",
          "mscale" },
        { "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2,\"scale\":1}}",
          "scale" },
        { "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"default\",\"mrope_section\":[1]}}",
          "mrope_section" },
        { "{" SHAPE ",\"rope_parameters\":{\"rope_theta\":1,\"partial_rotary_factor\":0.5}}",
          "partial_rotary_factor" },
        { "{" SHAPE ",\"rope_parameters\":{\"full_attention\":{\"rope_theta\":1}}}",
          "full_attention" },
        { "{" SHAPE ",\"rope_parameters\":{\"rope_theta\":1},\"rope_scaling\":{\"type\":"
          "\"default\"}}",
          "remove one" },
        { "{" SHAPE ",\"rope_scaling\":{\"factor\":2}}", "type" },
        { "{" SHAPE ",\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2,"
          "\"original_max_position_embeddings\":64}}",
          "original_max_position_embeddings" },
        { "{" SHAPE ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}}",
          "low_freq_factor" },
        { "{" SHAPE ",\"num_key_value_heads\":3}", "num_key_value_heads" },
        { "{" SHAPE ",\"hidden_act\":\"gelu\"}", "hidden_act" },
        { "{" SHAPE ",\"rms_norm_eps\":-1}", "rms_norm_eps" },
        { "{" SHAPE ",\"quantization_config\":{}}", "quantization_config" },
        { "{" SHAPE ",\"attention_dropout\":0.1}", "attention_dropout" },
        { "{" SHAPE ",\"pretraining_tp\":2}", "pretraining_tp" },
        { "{" SHAPE ",\"partial_rotary_factor\":0.5}", "partial_rotary_factor" },
        { "{" SHAPE ",\"attn_logit_softcapping\":50}", "attn_logit_softcapping" },
        { "{" SHAPE ",\"attention_multiplier\":1}", "attention_multiplier" },
        { "{" SHAPE ",\"logits_scaling\":8}", "logits_scaling" },
        { "{" SHAPE ",\"num_experts\":8}", "num_experts" },
        { "{" SHAPE ",\"is_causal\":false}", "is_causal" },
        { "{" SHAPE ",\"layer_types\":[\"full_attention\"]}", "layer_types" },
        { "{" SHAPE ",\"layer_types\":[\"full_attention\",\"chunked_attention\"]}",
          "layer_types[1]" },
        { "{" SHAPE ",\"layer_types\":[\"full_attention\",\"sliding_attention\"]}",
          "layer_types[1]" },
        { "{" QWEN2 ",\"num_key_value_heads\":2,\"attention_bias\":false}", "attention_bias" },
        { "{" QWEN2 ",\"num_key_value_heads\":2,\"mlp_bias\":true}", "mlp_bias" },
        { "{" QWEN2 ",\"num_key_value_heads\":8}", "num_key_value_heads" },
        { "{" MISTRAL ",\"num_key_value_heads\":2,\"attention_bias\":true}", "attention_bias" },
        { "{" MISTRAL "}", "num_key_value_heads is absent" }, /* 8 */
        { "{" DUAL "\"local_size\":8}}", "chunk_size" },
        { "{" DUAL "\"chunk_size\":48}}", "local_size" },
        { "{" DUAL "\"chunk_size\":48,\"local_size\":25}}", "local_size" },
        { "{" DUAL "\"chunk_size\":99,\"local_size\":8}}", "chunk_size" },
        { "{" DUAL "\"chunk_size\":65,\"local_size\":8,"
          "\"original_max_position_embeddings\":64}}",
          "chunk_size" },
        { "{" DUAL "\"chunk_size\":48,\"local_size\":8,\"local\":1}}", "local" },
        { "{" DUAL "\"chunk_size\":48,\"local_size\":8},\"rope_scaling\":{\"type\":"
          "\"linear\",\"factor\":2}}",
          "dual_chunk_attention_config" },
        { "{\"model_type\":\"gpt2\"}", "model_type" },
        { "{\"hidden_size\":32}", "model_type" },
        { "{\"model_type\":\"llama\",\"hidden_size\":\"32\"}", "hidden_size" },
        { "{\"model_type\":\"llama\",\"hidden_size\":32", "config.json" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tr_config c;
        int rc = load(&c, bad[i].text);
        if (!rc) fprintf(stderr, "taken: %s\n", bad[i].text);
        CHECK(rc == LM_EDATA);
        if (!strstr(lm_err(), bad[i].says)) fprintf(stderr, "%s\n", lm_err());
        CHECK(strstr(lm_err(), bad[i].says) && strstr(lm_err(), "config.json"));
    }
}

/* A scaling that replaces the model's: its effect, and how it is written. */
static void test_rope_overrides(void)
{
    static const char model[] =
        "{" SHAPE ",\"max_position_embeddings\":128,\"rope_theta\":5000,"
        "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
        "\"high_freq_factor\":4,\"original_max_position_embeddings\":64}}";
    static const char *const good[] = { "linear:4", "dynamic:2.5", "yarn:8", "yarn:1", "ntk:4e0" };
    static const char *const bad[] = { "",           "linear",     "linear:",     "linear:0.5",
                                       "linear:-4",  "linear:4x",  "linear: 4",   "linear:nan",
                                       "linear:inf", "linear:0x4", "linear:1e10", "wobbly:4",
                                       "llama3:8",   "line:4",     "ntk:4,8" };
    tr_config c, d;
    NEED(load(&c, model) == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(tr_rope_override(&c, bad[i]) == LM_EUSAGE);
        CHECK(strstr(lm_err(), "RoPE scaling") && strstr(lm_err(), bad[i]));
        CHECK(c.rope.type == TR_ROPE_LLAMA3);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_OK(tr_rope_override(&c, good[i]));
        CHECK(c.rope.theta == 5000 && c.positions == 128);
        lm_buf text = LM_BUF_INIT(1 << 20);
        lm_json *o = tr_config_json(&c, "float32");
        NEED(lm_json_dump(o, 2, &text) == 0);
        NEED(lm_write_file("over.json", text.data, text.size) == 0);
        NEED(tr_config_load(&d, "over.json") == 0);
        float one[16 * 8], two[16 * 8];
        tr_rope_table(&c, 512, one, 16);
        tr_rope_table(&d, 512, two, 16);
        CHECK(!memcmp(one, two, sizeof one));
        if (c.rope.type == TR_ROPE_NTK)
            CHECK(d.rope.type == TR_ROPE_PLAIN &&
                  fabs(d.rope.theta - 5000 * pow(4, 8.0 / 6)) < 1e-9);
        else CHECK(d.rope.type == c.rope.type && d.rope.original == c.rope.original);
        tr_config_free(&d);
        lm_json_free(o);
        lm_buf_free(&text);
    }
    c.head_dim = 2;
    CHECK(tr_rope_override(&c, "ntk:4") == LM_EUSAGE && tr_rope_override(&c, "linear:4") == 0);
    tr_config_free(&c);
}

/* Cosines and sines of large positions compared with long double. */
static void test_rope_far(void)
{
    enum { P = 131072 };
    tr_config c;
    NEED(tr_config_preset(&c, "llama2-7b") == 0);
    c.head_dim = 8;
    float *table = malloc((size_t)P * 8 * sizeof *table);
    NEED(table);
    tr_rope_table(&c, P, table, P);
    double worst = 0;
    for (size_t p = P - 100; p < P; p++)
        for (size_t i = 0; i < 4; i++) {
            long double angle = (long double)p * powl(10000, -2.0L * (long double)i / 8);
            worst = fmax(worst, fabs((double)cosl(angle) - (double)table[p * 8 + i]));
            worst = fmax(worst, fabs((double)sinl(angle) - (double)table[p * 8 + 4 + i]));
        }
    CHECK(worst < 1e-7);
    free(table);
}

static void test_schedule(void)
{
    tr_optimizer o = { .lr = 1, .min_lr = 0.1, .warmup = 100, .total = 1100 };
    CHECK(tr_learning_rate(&o, 0, 10) == 0.1 && tr_learning_rate(&o, 90, 10) == 1);
    CHECK(tr_learning_rate(&o, 1090, 10) == 1);
    o.schedule = TR_LINEAR;
    CHECK(fabs(tr_learning_rate(&o, 600, 10) - 0.55) < 1e-12 &&
          fabs(tr_learning_rate(&o, 1100, 10) - 0.1) < 1e-12);
    o.schedule = TR_COSINE;
    CHECK(fabs(tr_learning_rate(&o, 600, 10) - 0.55) < 1e-12 &&
          tr_learning_rate(&o, 200, 10) > 0.97);
}

/* ---- safetensors ----------------------------------------------------------------------- */

static void write_tensors(const char *path, enum st_dtype dtype)
{
    static const st_spec specs[] = { { "b", 2, { 3, 4 } }, { "a", 1, { 5 } } };
    float x[17];
    for (int i = 0; i < 17; i++) x[i] = (float)i - 8;
    st_writer *w = NULL;
    NEED(st_create(&w, path, specs, 2, dtype) == 0);
    CHECK_OK(st_write(w, x, 10));
    CHECK_OK(st_write(w, x + 10, 7));
    CHECK(access(path, F_OK) != 0);
    CHECK_OK(st_commit(w));
    w = NULL;
    NEED(st_create(&w, "short.safetensors", specs, 2, dtype) == 0);
    CHECK_OK(st_write(w, x, 10));
    CHECK(st_commit(w) == LM_EUSAGE && access("short.safetensors", F_OK) != 0);
}

static void test_round_trip(enum st_dtype dtype)
{
    unlink("t.safetensors");
    write_tensors("t.safetensors", dtype);
    st_reader *r = NULL;
    float x[12];
    NEED(st_open(&r, "t.safetensors") == 0);
    CHECK_EQ(st_count(r), 2);
    const st_tensor *b = st_find(r, "b"), *a = st_find(r, "a");
    NEED(a && b && !st_find(r, "c"));
    CHECK(b->rank == 2 && b->shape[0] == 3 && b->shape[1] == 4 && b->dtype == dtype &&
          a->count == 5);
    CHECK_OK(st_read(r, b, 2, x, 10));
    CHECK(x[0] == -6 && x[9] == 3);
    CHECK_OK(st_read(r, a, 0, x, 5));
    CHECK(x[0] == 4 && x[4] == 8);
    CHECK(st_read(r, a, 1, x, 5) == LM_EUSAGE);
    st_close(r);
}

/* Every kind of float16 and bfloat16 number: reading and writing preserves it. */
static void test_halves(enum st_dtype dtype)
{
    enum { ALL = 65536 };
    static float x[ALL], y[ALL];
    const char *code = dtype == ST_BF16 ? "BF16" : "F16";
    char head[256];
    int n = snprintf(head + 8, sizeof head - 8,
                     "{\"t\":{\"dtype\":\"%s\",\"shape\":[65536],"
                     "\"data_offsets\":[0,131072]}}",
                     code);
    lm_put64(head, (uint64_t)n);
    unsigned char *file = malloc((size_t)n + 8 + 2 * ALL);
    NEED(file);
    memcpy(file, head, (size_t)n + 8);
    for (unsigned i = 0; i < ALL; i++) lm_put16(file + n + 8 + 2 * i, (uint16_t)i);
    NEED(lm_write_file("h.safetensors", file, (size_t)n + 8 + 2 * ALL) == 0);
    st_reader *r = NULL;
    NEED(st_open(&r, "h.safetensors") == 0 && st_read(r, st_at(r, 0), 0, x, ALL) == 0);
    st_close(r);
    CHECK(x[0] == 0 && signbit(x[0x8000]));
    if (dtype == ST_F16)
        CHECK(x[0x3c00] == 1 && x[0x7bff] == 65504 && x[1] == 0x1p-24f && isinf(x[0x7c00]) &&
              isnan(x[0x7e01]) && x[0xc100] == -2.5f && x[0x03ff] == 1023 * 0x1p-24f);
    else CHECK(x[0x3f80] == 1 && isinf(x[0xff80]) && isnan(x[0x7fc1]) && x[0x4049] == 3.140625f);
    static const st_spec spec = { "t", 1, { ALL } };
    st_writer *w = NULL;
    NEED(st_create(&w, "h2.safetensors", &spec, 1, dtype) == 0 && st_write(w, x, ALL) == 0 &&
         st_commit(w) == 0);
    NEED(st_open(&r, "h2.safetensors") == 0 && st_read(r, st_at(r, 0), 0, y, ALL) == 0);
    st_close(r);
    size_t wrong = 0;
    for (unsigned i = 0; i < ALL; i++)
        wrong += isnan(x[i]) ? !isnan(y[i]) : memcmp(&x[i], &y[i], 4) != 0;
    CHECK_EQ(wrong, 0);
    /* Halfway between two neighbours: to even; above it: up. */
    float between[4];
    if (dtype == ST_F16)
        memcpy(between, (float[]){ 1 + 0x1p-11f, 1 + 0x3p-11f, 1 + 0x1.1p-11f, 65520 },
               sizeof between);
    else
        memcpy(between, (float[]){ 1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.1p-8f, 3.4e38f },
               sizeof between);
    static const st_spec four = { "t", 1, { 4 } };
    NEED(st_create(&w, "h3.safetensors", &four, 1, dtype) == 0 && st_write(w, between, 4) == 0 &&
         st_commit(w) == 0);
    NEED(st_open(&r, "h3.safetensors") == 0 && st_read(r, st_at(r, 0), 0, y, 4) == 0);
    st_close(r);
    float step = dtype == ST_F16 ? 0x1p-10f : 0x1p-7f;
    CHECK(y[0] == 1 && y[1] == 1 + 2 * step && y[2] == 1 + step);
    CHECK(dtype == ST_F16 ? isinf(y[3]) : y[3] > 3.38e38f);
    free(file);
}

static void refused(const char *header, size_t data, const char *says)
{
    unsigned char file[1024] = { 0 };
    size_t n = strlen(header);
    lm_put64(file, n);
    memcpy(file + 8, header, n);
    NEED(lm_write_file("bad.safetensors", file, 8 + n + data) == 0);
    st_reader *r = NULL;
    CHECK(st_open(&r, "bad.safetensors") == LM_EDATA && strstr(lm_err(), "bad.safetensors"));
    if (!strstr(lm_err(), says)) fprintf(stderr, "%s\n", lm_err());
    CHECK(strstr(lm_err(), says));
}

static void test_refused_files(void)
{
    refused("{\"one\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "one");
    refused("{\"one\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 12,
            "cut short or not whole");
    refused("{\"one\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "I64");
    refused("{\"one\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "one");
    refused("{\"one\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "one");
    refused("{\"one\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            "\"two\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            4, "two");
    refused(
        "{\"one\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4,
        "one");
    refused("{\"one\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape");
    refused("{}", 0, "no tensors");
    unsigned char odd[16] = { 255, 255, 255, 255, 255, 255, 255, 127 };
    st_reader *r = NULL;
    NEED(lm_write_file("odd.safetensors", odd, 16) == 0);
    CHECK(st_open(&r, "odd.safetensors") == LM_EDATA && strstr(lm_err(), "header"));
    NEED(lm_write_file("odd.safetensors", odd, 3) == 0);
    CHECK(st_open(&r, "odd.safetensors") == LM_EDATA);
}

/* A model in several files, by its index. */
static void test_index(void)
{
    static const st_spec one[] = { { "x", 1, { 2 } } }, two[] = { { "y", 1, { 3 } } };
    float v[3] = { 1, 2, 3 };
    st_writer *w = NULL;
    mkdir("model", 0777);
    NEED(st_create(&w, "model/m-1.safetensors", one, 1, ST_F32) == 0 && st_write(w, v, 2) == 0 &&
         st_commit(w) == 0);
    NEED(st_create(&w, "model/m-2.safetensors", two, 1, ST_F32) == 0 && st_write(w, v, 3) == 0 &&
         st_commit(w) == 0);
    static const char index[] =
        "{\"weight_map\":{\"x\":\"m-1.safetensors\",\"y\":\"m-2.safetensors\"}}";
    static const char wrong[] =
        "{\"weight_map\":{\"x\":\"m-1.safetensors\",\"z\":\"m-2.safetensors\"}}";
    static const char away[] = "{\"weight_map\":{\"x\":\"../m-1.safetensors\"}}";
    st_reader *r = NULL;
    NEED(lm_write_file("model/model.safetensors.index.json", index, strlen(index)) == 0);
    NEED(st_open(&r, "model") == 0);
    CHECK(st_count(r) == 2 && st_find(r, "y") && strstr(st_find(r, "y")->file, "m-2"));
    st_close(r);
    NEED(lm_write_file("model/model.safetensors.index.json", wrong, strlen(wrong)) == 0);
    CHECK(st_open(&r, "model") == LM_EDATA && strstr(lm_err(), "z"));
    NEED(lm_write_file("model/model.safetensors.index.json", away, strlen(away)) == 0);
    CHECK(st_open(&r, "model") == LM_EDATA);
}

int main(void)
{
    test_configs();
    test_architectures();
    test_refused_configs();
    test_rope_overrides();
    test_rope_far();
    test_schedule();
    test_round_trip(ST_F32);
    test_round_trip(ST_BF16);
    test_round_trip(ST_F16);
    test_halves(ST_BF16);
    test_halves(ST_F16);
    test_refused_files();
    test_index();
    CHECK_END();
}
