#include "train/model/config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* By enum tr_rope_type, less NTK. */
static const char *const rope_names[] = { "default", "linear", "dynamic", "yarn", "llama3" };

/* ---- reading --------------------------------------------------------------------------- */

static int size_field(size_t *out, const lm_json *o, const char *key, uint64_t max)
{
    uint64_t v = 0;
    int rc = lm_json_u64(&v, o, key);
    if (rc) return rc;
    if (v < 1 || v > max)
        return lm_json_fail(lm_json_get(o, key), "%" PRIu64 " is not within 1..%" PRIu64, v, max);
    *out = (size_t)v;
    return LM_OK;
}

/* `fallback` for a field that is absent or null. */
static bool present(const lm_json *o, const char *key)
{
    const lm_json *v = lm_json_get(o, key);
    return v && lm_json_type(v) != LM_JSON_NULL;
}

static int real_field(double *out, const lm_json *o, const char *key, double fallback)
{
    *out = fallback;
    if (!present(o, key)) return LM_OK;
    int rc = lm_json_f64(out, o, key);
    if (!rc && !(*out > 0 && isfinite(*out)))
        return lm_json_fail(lm_json_get(o, key), "must be above 0");
    return rc;
}

static int bool_field(bool *out, const lm_json *o, const char *key)
{
    *out = false;
    return present(o, key) ? lm_json_bool(out, o, key) : LM_OK;
}

static int refuse_true(const lm_json *o, const char *key)
{
    bool v = false;
    int rc = bool_field(&v, o, key);
    if (!rc && v) return lm_json_fail(lm_json_get(o, key), "true is not supported");
    return rc;
}

static int need_string(const lm_json *o, const char *key, const char *value)
{
    const char *s = NULL;
    if (!present(o, key)) return LM_OK;
    int rc = lm_json_str(&s, o, key);
    if (!rc && strcmp(s, value))
        return lm_json_fail(lm_json_get(o, key), "\"%s\" is not supported, only \"%s\"", s, value);
    return rc;
}

static int read_yarn(tr_rope *r, const lm_json *o, double positions)
{
    static const char *const keys[] = { "type",
                                        "rope_type",
                                        "rope_theta",
                                        "factor",
                                        "attention_factor",
                                        "beta_fast",
                                        "beta_slow",
                                        "original_max_position_embeddings",
                                        "finetuned",
                                        NULL };
    int rc = lm_json_only(o, keys);
    if (!rc) rc = real_field(&r->beta_fast, o, "beta_fast", 32);
    if (!rc) rc = real_field(&r->beta_slow, o, "beta_slow", 1);
    if (!rc) rc = real_field(&r->original, o, "original_max_position_embeddings", positions);
    double fallback = r->factor > 1 ? 0.1 * log(r->factor) + 1 : 1;
    if (!rc) rc = real_field(&r->attention_factor, o, "attention_factor", fallback);
    return rc;
}

static int read_llama3(tr_rope *r, const lm_json *o)
{
    static const char *const keys[] = { "type",
                                        "rope_type",
                                        "rope_theta",
                                        "factor",
                                        "low_freq_factor",
                                        "high_freq_factor",
                                        "original_max_position_embeddings",
                                        NULL };
    const lm_json *v = NULL;
    int rc = lm_json_only(o, keys);
    for (size_t i = 4; !rc && keys[i]; i++) rc = lm_json_need(&v, o, keys[i]);
    if (!rc) rc = real_field(&r->low_freq, o, "low_freq_factor", 1);
    if (!rc) rc = real_field(&r->high_freq, o, "high_freq_factor", 4);
    if (!rc) rc = real_field(&r->original, o, "original_max_position_embeddings", 8192);
    if (!rc && r->high_freq <= r->low_freq)
        return lm_json_fail(lm_json_get(o, "high_freq_factor"), "must be above low_freq_factor");
    return rc;
}

/* "rope_scaling", or "rope_parameters" of later versions, which also holds the base. */
static int read_rope(tr_rope *r, const lm_json *root, double positions)
{
    const char *key = present(root, "rope_parameters") ? "rope_parameters" : "rope_scaling";
    *r = (tr_rope){ .attention_factor = 1 };
    int rc = real_field(&r->theta, root, "rope_theta", 10000);
    if (rc || !present(root, key)) return rc;
    const lm_json *o = lm_json_get(root, key);
    rc = real_field(&r->theta, o, "rope_theta", r->theta);
    const char *name = NULL;
    if (!rc) rc = lm_json_str(&name, o, lm_json_get(o, "rope_type") ? "rope_type" : "type");
    if (rc) return rc;
    size_t type = 0;
    while (type < sizeof rope_names / sizeof *rope_names && strcmp(name, rope_names[type])) type++;
    if (type == sizeof rope_names / sizeof *rope_names)
        return lm_json_fail(o, "RoPE scaling \"%s\" is not known (linear, dynamic, yarn, llama3)",
                            name);
    r->type = (enum tr_rope_type)type;
    if (r->type == TR_ROPE_PLAIN) return LM_OK;
    const lm_json *v = NULL;
    rc = lm_json_need(&v, o, "factor");
    if (!rc) rc = real_field(&r->factor, o, "factor", 1);
    if (!rc && r->factor < 1) return lm_json_fail(v, "must not be below 1");
    if (!rc && r->type == TR_ROPE_YARN) rc = read_yarn(r, o, positions);
    if (!rc && r->type == TR_ROPE_LLAMA3) rc = read_llama3(r, o);
    return rc;
}

static int read_config(tr_config *c, const lm_json *o)
{
    const lm_json *type = NULL;
    int rc = lm_json_need(&type, o, "model_type");
    if (!rc) rc = need_string(o, "model_type", "llama");
    if (!rc) rc = need_string(o, "hidden_act", "silu");
    if (!rc) rc = refuse_true(o, "attention_bias");
    if (!rc) rc = refuse_true(o, "mlp_bias");
    if (!rc && present(o, "quantization_config"))
        rc = lm_json_fail(lm_json_get(o, "quantization_config"),
                          "quantized weights are not supported");
    if (!rc) rc = size_field(&c->dim, o, "hidden_size", 1 << 20);
    if (!rc) rc = size_field(&c->mlp, o, "intermediate_size", 1 << 22);
    if (!rc) rc = size_field(&c->layers, o, "num_hidden_layers", 4096);
    if (!rc) rc = size_field(&c->heads, o, "num_attention_heads", 65536);
    if (!rc) rc = size_field(&c->vocab, o, "vocab_size", INT32_MAX);
    c->kv_heads = c->heads;
    if (!rc && present(o, "num_key_value_heads"))
        rc = size_field(&c->kv_heads, o, "num_key_value_heads", c->heads);
    if (rc) return rc;
    if (c->heads % c->kv_heads)
        return lm_json_fail(lm_json_get(o, "num_key_value_heads"), "does not divide %zu heads",
                            c->heads);
    c->head_dim = c->dim / c->heads;
    if (present(o, "head_dim")) rc = size_field(&c->head_dim, o, "head_dim", 256);
    else if (c->dim % c->heads)
        rc = lm_json_fail(lm_json_get(o, "num_attention_heads"), "does not divide hidden_size %zu",
                          c->dim);
    if (rc) return rc;
    if (c->head_dim % 2 || c->head_dim > 256 || c->head_dim < 2)
        return lm_json_fail(o, "a head of %zu numbers: must be even and at most 256", c->head_dim);
    c->positions = 2048;
    if (present(o, "max_position_embeddings"))
        rc = size_field(&c->positions, o, "max_position_embeddings", INT32_MAX);
    if (!rc) rc = real_field(&c->norm_eps, o, "rms_norm_eps", 1e-6);
    if (!rc) rc = real_field(&c->init_std, o, "initializer_range", 0.02);
    if (!rc) rc = bool_field(&c->tied, o, "tie_word_embeddings");
    if (!rc) rc = read_rope(&c->rope, o, (double)c->positions);
    return rc;
}

int tr_config_load(tr_config *c, const char *path)
{
    *c = (tr_config){ 0 };
    int rc = lm_json_load(&c->json, path, 1 << 20);
    if (!rc) rc = read_config(c, c->json);
    if (rc) tr_config_free(c);
    return rc;
}

int tr_config_preset(tr_config *c, const char *name)
{
    static const struct {
        const char *name;
        size_t dim, mlp, layers, heads, kv_heads;
    } known[] = {
        { "llama2-7b", 4096, 11008, 32, 32, 32 },
        { "llama2-13b", 5120, 13824, 40, 40, 40 },
        { "llama2-70b", 8192, 28672, 80, 64, 8 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) {
            *c = (tr_config){ .dim = known[i].dim,
                              .mlp = known[i].mlp,
                              .layers = known[i].layers,
                              .heads = known[i].heads,
                              .kv_heads = known[i].kv_heads,
                              .head_dim = known[i].dim / known[i].heads,
                              .vocab = 32000,
                              .positions = 4096,
                              .norm_eps = 1e-5,
                              .init_std = 0.02,
                              .rope = { .theta = 10000, .attention_factor = 1 } };
            return LM_OK;
        }
    return lm_fail(LM_EUSAGE, "%s: no shape of this name (llama2-7b, llama2-13b, llama2-70b)",
                   name);
}

void tr_config_free(tr_config *c)
{
    lm_json_free(c->json);
    *c = (tr_config){ 0 };
}

/* ---- writing --------------------------------------------------------------------------- */

/* The scaling is written as it was read: versions of transformers differ in how they treat absent
 * fields. Only the base is moved to its own field. */
static const lm_json *scaling_read(const tr_config *c)
{
    if (!c->json || c->rope.overridden || c->rope.type == TR_ROPE_PLAIN) return NULL;
    return lm_json_get(c->json,
                       present(c->json, "rope_parameters") ? "rope_parameters" : "rope_scaling");
}

static lm_json *scaling_json(const lm_json *from)
{
    lm_json *o = lm_json_object();
    const char *key = NULL;
    const lm_json *value = NULL;
    for (size_t i = 0; lm_json_member(from, i, &key, &value); i++)
        if (strcmp(key, "rope_theta")) lm_json_set_copy(o, key, value);
    return o;
}

static lm_json *override_json(const tr_rope *r)
{
    lm_json *o = lm_json_object();
    lm_json_set_str(o, "rope_type", rope_names[r->type]);
    lm_json_set_f64(o, "factor", r->factor);
    if (r->type == TR_ROPE_YARN)
        lm_json_set_f64(o, "original_max_position_embeddings", r->original);
    return o;
}

static bool is_ours(const char *key)
{
    static const char *const ours[] = {
        "architectures",           "model_type",        "hidden_act",
        "attention_bias",          "mlp_bias",          "hidden_size",
        "intermediate_size",       "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads",     "head_dim",          "vocab_size",
        "max_position_embeddings", "rms_norm_eps",      "initializer_range",
        "tie_word_embeddings",     "rope_theta",        "rope_scaling",
        "rope_parameters",         "torch_dtype",       "dtype"
    };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(key, ours[i])) return true;
    return false;
}

lm_json *tr_config_json(const tr_config *c, const char *dtype)
{
    lm_json *o = lm_json_object(), *a = lm_json_array();
    lm_json_set_str(a, NULL, "LlamaForCausalLM");
    lm_json_set(o, "architectures", a);
    lm_json_set_str(o, "model_type", "llama");
    lm_json_set_str(o, "hidden_act", "silu");
    lm_json_set_bool(o, "attention_bias", false);
    lm_json_set_bool(o, "mlp_bias", false);
    lm_json_set_u64(o, "hidden_size", c->dim);
    lm_json_set_u64(o, "intermediate_size", c->mlp);
    lm_json_set_u64(o, "num_hidden_layers", c->layers);
    lm_json_set_u64(o, "num_attention_heads", c->heads);
    lm_json_set_u64(o, "num_key_value_heads", c->kv_heads);
    lm_json_set_u64(o, "head_dim", c->head_dim);
    lm_json_set_u64(o, "vocab_size", c->vocab);
    lm_json_set_u64(o, "max_position_embeddings", c->positions);
    lm_json_set_f64(o, "rms_norm_eps", c->norm_eps);
    lm_json_set_f64(o, "initializer_range", c->init_std);
    lm_json_set_bool(o, "tie_word_embeddings", c->tied);
    lm_json_set_f64(o, "rope_theta", tr_rope_base(c));
    const lm_json *scaling = scaling_read(c);
    if (scaling) lm_json_set(o, "rope_scaling", scaling_json(scaling));
    if (c->rope.overridden && c->rope.type != TR_ROPE_NTK)
        lm_json_set(o, "rope_scaling", override_json(&c->rope));
    lm_json_set_str(o, "torch_dtype", dtype);
    if (!c->json) {
        lm_json_set_u64(o, "bos_token_id", 1);
        lm_json_set_u64(o, "eos_token_id", 2);
    }
    const char *key = NULL;
    const lm_json *value = NULL;
    for (size_t i = 0; c->json && lm_json_member(c->json, i, &key, &value); i++)
        if (!is_ours(key)) lm_json_set_copy(o, key, value);
    return o;
}

/* ---- sizes ----------------------------------------------------------------------------- */

static double layer_weights(const tr_config *c)
{
    double q = (double)c->heads * (double)c->head_dim,
           kv = (double)c->kv_heads * (double)c->head_dim;
    return (double)c->dim * (2 * q + 2 * kv + 3 * (double)c->mlp);
}

/* Norms and biases of a layer. */
static double layer_vectors(const tr_config *c)
{
    double d = (double)c->dim, q = (double)c->heads * (double)c->head_dim,
           kv = (double)c->kv_heads * (double)c->head_dim;
    return 2 * d + (c->qkv_bias ? q + 2 * kv : 0) + (c->out_bias ? d : 0) +
           (c->mlp_bias ? 2 * (double)c->mlp + d : 0) +
           (c->head_norm ? 2 * (double)c->head_dim : 0);
}

double tr_config_weights(const tr_config *c)
{
    double table = (double)c->vocab * (double)c->dim;
    return (double)c->layers * (layer_weights(c) + layer_vectors(c)) + (double)c->dim +
           table * (c->tied ? 1 : 2);
}

double tr_config_flops(const tr_config *c, double context)
{
    double products = (double)c->layers * layer_weights(c) + (double)c->vocab * (double)c->dim;
    /* Two products of 2 d FLOP per pair, half of the pairs, times 3 for forward and backward. */
    double pairs = 6 * context * (double)c->heads * (double)c->head_dim * (double)c->layers;
    return 6 * products + pairs;
}
