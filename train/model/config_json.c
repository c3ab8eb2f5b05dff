/* Writing config.json. */
#include <string.h>

#include "train/model/fields.h"

/* The scaling is written as it was read: versions of transformers differ in how they treat absent
 * fields. Only the base is moved to its own field. */
static const lm_json *scaling_read(const tr_config *c)
{
    if (!c->json || c->rope.overridden || c->rope.type == TR_ROPE_PLAIN) return NULL;
    return config_rope_object(c->json);
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
    lm_json_set_str(o, "rope_type", config_rope_name(r->type));
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

static void set_class(lm_json *o, const tr_config *c)
{
    const lm_json *read = c->json ? lm_json_get(c->json, "architectures") : NULL;
    if (read && lm_json_type(read) == LM_JSON_ARRAY && lm_json_size(read)) {
        lm_json_set_copy(o, "architectures", read);
        return;
    }
    lm_json *a = lm_json_array();
    lm_json_set_str(a, NULL, tr_kinds[c->arch].class);
    lm_json_set(o, "architectures", a);
}

lm_json *tr_config_json(const tr_config *c, const char *dtype)
{
    const tr_kind *kind = &tr_kinds[c->arch];
    lm_json *o = lm_json_object();
    set_class(o, c);
    lm_json_set_str(o, "model_type", kind->name);
    lm_json_set_str(o, "hidden_act", "silu");
    if (kind->any_bias) lm_json_set_bool(o, "attention_bias", c->out_bias);
    if (c->arch == TR_LLAMA) lm_json_set_bool(o, "mlp_bias", c->mlp_bias);
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
