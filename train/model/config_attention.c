/* What config.json says about attention, and the fields of relatives of these models that change
 * the computation. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/model/fields.h"

/* ---- refused --------------------------------------------------------------------------- */

/* Fields that other models have, with the number that changes nothing; NONE: there is none. null,
 * false and what is empty change nothing in any. */
enum { NONE = -1 };
static const struct {
    const char *name;
    int harmless;
} refused[] = {
    { "attention_dropout", 0 },
    { "hidden_dropout", 0 },
    { "resid_pdrop", 0 },
    { "embd_pdrop", 0 },
    { "pretraining_tp", 1 },
    { "partial_rotary_factor", 1 },
    { "rotary_pct", 1 },
    { "rope_interleaved", NONE },
    { "use_mrope", NONE },
    { "alibi", NONE },
    { "no_rope_layers", NONE },
    { "no_rope_layer_interval", NONE },
    { "attention_multiplier", NONE },
    { "query_pre_attn_scalar", NONE },
    { "embedding_multiplier", 1 },
    { "residual_multiplier", 1 },
    { "logits_scaling", 1 },
    { "logit_scale", 1 },
    { "scale_emb", 1 },
    { "scale_depth", NONE },
    { "attn_logit_softcapping", NONE },
    { "final_logit_softcapping", NONE },
    { "clip_qkv", NONE },
    { "qk_norm", NONE },
    { "use_qk_norm", NONE },
    { "qk_layernorm", NONE },
    { "attention_chunk_size", NONE },
    { "attn_temperature_tuning", NONE },
    { "use_bidirectional_attention", NONE },
    { "parallel_attn", NONE },
    { "use_parallel_residual", NONE },
    { "num_experts", 0 },
    { "num_local_experts", 0 },
    { "n_routed_experts", 0 },
    { "is_encoder_decoder", NONE },
    { "add_cross_attention", NONE },
    { "per_layer_config", NONE },
};

static bool is_harmless(const lm_json *v, int number)
{
    bool yes = false;
    double x = 0;
    switch (lm_json_type(v)) {
    case LM_JSON_NULL: return true;
    case LM_JSON_BOOL: return !lm_json_bool(&yes, v, NULL) && !yes;
    case LM_JSON_INT:
    case LM_JSON_REAL: return number != NONE && !lm_json_f64(&x, v, NULL) && x == number;
    case LM_JSON_STRING: return false;
    default: return lm_json_size(v) == 0;
    }
}

static int refuse_fields(const lm_json *o)
{
    bool causal = true;
    if (field_present(o, "quantization_config"))
        return lm_json_fail(lm_json_get(o, "quantization_config"),
                            "quantized weights are not supported");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const lm_json *v = lm_json_get(o, refused[i].name);
        if (!v || is_harmless(v, refused[i].harmless)) continue;
        if (refused[i].harmless == NONE)
            return lm_json_fail(v, "this field changes the computation and is not supported");
        return lm_json_fail(v, "only %d is supported", refused[i].harmless);
    }
    int rc = field_bool_or(&causal, o, "is_causal", true);
    if (!rc && !causal) return lm_json_fail(lm_json_get(o, "is_causal"), "false is not supported");
    return rc;
}

/* ---- sliding windows ------------------------------------------------------------------- */

/* *sliding: the first layer with a sliding window, or NULL; *typed: the types are given. */
static int read_layer_types(const lm_json **sliding, bool *typed, const tr_config *c,
                            const lm_json *o)
{
    const lm_json *types = lm_json_get(o, "layer_types");
    *sliding = NULL;
    *typed = field_present(o, "layer_types");
    if (!*typed) return LM_OK;
    if (lm_json_type(types) != LM_JSON_ARRAY || lm_json_size(types) != c->layers)
        return lm_json_fail(types, "not a list of %zu layers", c->layers);
    for (size_t i = 0; i < c->layers; i++) {
        const lm_json *v = lm_json_at(types, i);
        const char *name = NULL;
        int rc = lm_json_str(&name, v, NULL);
        if (rc) return rc;
        if (!strcmp(name, "full_attention") || !strcmp(name, "attention")) continue;
        if (strcmp(name, "sliding_attention"))
            return lm_json_fail(v, "\"%s\" is not supported, only \"full_attention\"", name);
        if (!*sliding) *sliding = v;
    }
    return LM_OK;
}

static int read_window(tr_config *c, const lm_json *o)
{
    const tr_kind *kind = &tr_kinds[c->arch];
    const lm_json *sliding = NULL;
    bool typed = false, used = true;
    size_t from = 0, width = 0;
    int rc = read_layer_types(&sliding, &typed, c, o);
    if (!rc && kind->windows) rc = field_bool_or(&used, o, "use_sliding_window", false);
    if (!rc && used)
        rc = field_size_or(&width, o, "sliding_window", SIZE_MAX,
                           lm_json_get(o, "sliding_window") ? 0
                           : kind->window || kind->windows  ? 4096
                                                            : 0);
    /* Layers from max_window_layers on have the window, unless each has a type. */
    uint64_t first = 28;
    if (!rc && kind->windows && field_present(o, "max_window_layers"))
        rc = lm_json_u64(&first, o, "max_window_layers");
    if (rc) return rc;
    from = first < c->layers ? (size_t)first : c->layers;
    if (sliding && !width)
        return lm_json_fail(sliding, "\"sliding_attention\", and there is no sliding_window");
    bool somewhere = !kind->windows || (typed ? sliding != NULL : from < c->layers);
    c->window = somewhere ? width : 0;
    return LM_OK;
}

int tr_config_check_length(const tr_config *c, size_t length)
{
    if (!c->window || length <= c->window) return LM_OK;
    const lm_json *v = c->json ? lm_json_get(c->json, "sliding_window") : NULL;
    return lm_json_fail(v ? v : c->json,
                        "%sa window of %zu tokens, and a context of %zu: sliding windows are not "
                        "supported, only contexts that fit into them; null would mean full "
                        "attention",
                        v ? "" : "sliding_window is absent, which means ", c->window, length);
}

/* ---- Dual Chunk Attention -------------------------------------------------------------- */

static int read_dual(tr_config *c, const lm_json *root)
{
    static const char *const keys[] = { "chunk_size",
                                        "local_size",
                                        "original_max_position_embeddings",
                                        "sparse_attention_enabled",
                                        "sparse_attention_config",
                                        "sparse_attention_threshold",
                                        "sparse_attention_last_q",
                                        NULL };
    const lm_json *o = lm_json_get(root, "dual_chunk_attention_config"), *v = NULL;
    tr_dual *d = &c->dual;
    uint64_t original = 0;
    if (!field_present(root, "dual_chunk_attention_config")) return LM_OK;
    int rc = lm_json_need(&v, o, "chunk_size");
    if (!rc) rc = lm_json_only(o, keys);
    if (!rc) rc = field_size(&d->chunk, o, "chunk_size", INT32_MAX);
    if (!rc) rc = field_size(&d->local, o, "local_size", INT32_MAX);
    if (!rc && field_present(o, keys[2])) rc = lm_json_u64(&original, o, keys[2]);
    if (!rc && original > INT32_MAX)
        rc = lm_json_fail(lm_json_get(o, keys[2]), "%" PRIu64 " is too many", original);
    if (!rc)
        rc = field_bool_or(&d->sparse, o, "sparse_attention_enabled",
                           field_present(o, "sparse_attention_config"));
    if (rc) return rc;
    d->original = (size_t)original;
    size_t trained = tr_config_trained(c);
    if (d->chunk > trained)
        return lm_json_fail(v, "longer than the %zu tokens the model was pretrained at", trained);
    if (d->local >= d->chunk || d->local > d->chunk - d->local)
        return lm_json_fail(lm_json_get(o, "local_size"),
                            "%zu is more than half of the chunk of %zu", d->local, d->chunk);
    if (c->rope.type != TR_ROPE_PLAIN)
        return lm_json_fail(o, "not supported together with a RoPE scaling");
    return LM_OK;
}

size_t tr_config_trained(const tr_config *c)
{
    return c->dual.original ? c->dual.original : c->positions;
}

double tr_config_attention(const tr_config *c, char form[TR_FORM])
{
    if (!c->dual.chunk) {
        snprintf(form, TR_FORM, "rope");
        return 0;
    }
    snprintf(form, TR_FORM, "dca:%zu,%zu", c->dual.chunk, c->dual.local);
    return c->dual.original ? 0.1 : 0;
}

int config_read_attention(tr_config *c, const lm_json *root)
{
    int rc = refuse_fields(root);
    if (!rc) rc = read_window(c, root);
    if (!rc) rc = read_dual(c, root);
    return rc;
}
