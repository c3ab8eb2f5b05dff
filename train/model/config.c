#include "train/model/config.h"

#include <string.h>

#include "train/model/fields.h"

/* ---- reading --------------------------------------------------------------------------- */

static int read_arch(tr_config *c, const lm_json *o)
{
    const char *name = NULL;
    const lm_json *v = NULL;
    int rc = lm_json_need(&v, o, "model_type");
    if (!rc) rc = lm_json_str(&name, v, NULL);
    size_t i = 0;
    while (!rc && i < TR_ARCHITECTURES && strcmp(name, tr_kinds[i].name)) i++;
    if (!rc && i == TR_ARCHITECTURES)
        rc = lm_json_fail(v, "\"%s\" is not supported, only llama, qwen2, qwen3 and mistral", name);
    if (!rc) c->arch = (enum tr_arch)i;
    return rc;
}

static int read_biases(tr_config *c, const lm_json *o)
{
    const tr_kind *kind = &tr_kinds[c->arch];
    bool attention = kind->qkv_bias;
    int rc = field_bool_or(&attention, o, "attention_bias", kind->qkv_bias);
    if (!rc) rc = field_bool_or(&c->mlp_bias, o, "mlp_bias", false);
    if (rc) return rc;
    if (!kind->any_bias && attention != kind->qkv_bias)
        return lm_json_fail(lm_json_get(o, "attention_bias"), "a model of type %s has %s",
                            kind->name, kind->qkv_bias ? "biases of q, k and v" : "no biases");
    if (c->mlp_bias && c->arch != TR_LLAMA)
        return lm_json_fail(lm_json_get(o, "mlp_bias"), "a model of type %s has no such biases",
                            kind->name);
    c->qkv_bias = attention;
    c->out_bias = attention && kind->any_bias;
    c->head_norm = kind->head_norm;
    return LM_OK;
}

/* null: all heads have keys of their own, and their size follows from the width. */
static int read_heads(tr_config *c, const lm_json *o)
{
    const tr_kind *kind = &tr_kinds[c->arch];
    bool grouped = kind->kv_heads && !lm_json_get(o, "num_key_value_heads");
    bool sized = kind->head_dim && !lm_json_get(o, "head_dim");
    int rc = field_size(&c->heads, o, "num_attention_heads", 65536);
    if (!rc)
        rc = field_size_or(&c->kv_heads, o, "num_key_value_heads", c->heads,
                           grouped ? kind->kv_heads : c->heads);
    if (rc) return rc;
    if (c->kv_heads > c->heads || c->heads % c->kv_heads)
        return lm_json_fail(grouped ? o : lm_json_get(o, "num_key_value_heads"),
                            "%s%zu heads of keys do not divide %zu heads",
                            grouped ? "num_key_value_heads is absent: " : "", c->kv_heads,
                            c->heads);
    if (!sized && !field_present(o, "head_dim") && c->dim % c->heads)
        return lm_json_fail(lm_json_get(o, "num_attention_heads"),
                            "does not divide hidden_size %zu", c->dim);
    rc =
        field_size_or(&c->head_dim, o, "head_dim", 256, sized ? kind->head_dim : c->dim / c->heads);
    if (!rc && (c->head_dim % 2 || c->head_dim > 256 || c->head_dim < 2))
        return lm_json_fail(o, "a head of %zu numbers: must be even and at most 256", c->head_dim);
    return rc;
}

static int read_config(tr_config *c, const lm_json *o)
{
    int rc = read_arch(c, o);
    if (!rc) rc = field_is_text(o, "hidden_act", "silu");
    if (!rc) rc = field_size(&c->dim, o, "hidden_size", 1 << 20);
    if (!rc) rc = field_size(&c->mlp, o, "intermediate_size", 1 << 22);
    if (!rc) rc = field_size(&c->layers, o, "num_hidden_layers", 4096);
    if (!rc) rc = field_size(&c->vocab, o, "vocab_size", INT32_MAX);
    if (!rc) rc = read_heads(c, o);
    if (!rc) rc = read_biases(c, o);
    if (!rc)
        rc = field_size_or(&c->positions, o, "max_position_embeddings", INT32_MAX,
                           tr_kinds[c->arch].positions);
    if (!rc) rc = field_real_or(&c->norm_eps, o, "rms_norm_eps", 1e-6);
    if (!rc) rc = field_real_or(&c->init_std, o, "initializer_range", 0.02);
    if (!rc) rc = field_bool_or(&c->tied, o, "tie_word_embeddings", false);
    if (!rc) rc = config_read_rope(c, o);
    if (!rc) rc = config_read_attention(c, o);
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
