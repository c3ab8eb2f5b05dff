#include "train/import/gguf_config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 128, HEAD_MAX = 4096, ORIGINAL_BITS = 20 };

static const gguf_arch archs[] = {
    { "llama", "llama", "LlamaForCausalLM", true, false, false },
    { "qwen2", "qwen2", "Qwen2ForCausalLM", false, true, false },
    { "qwen3", "qwen3", "Qwen3ForCausalLM", false, false, true },
};

/* ---- keys of the architecture --------------------------------------------------------------- */

static const char *key_of(const gguf_config *c, char key[KEY], const char *name)
{
    snprintf(key, KEY, "%s.%s", c->arch->name, name);
    return key;
}

static bool has(const gguf *g, const gguf_config *c, const char *name)
{
    char key[KEY];
    return gguf_find(g, key_of(c, key, name));
}

static int size_key(size_t *out, const gguf *g, const gguf_config *c, const char *name,
                    uint64_t max)
{
    char key[KEY];
    uint64_t v = 0;
    int rc = gguf_u64(g, key_of(c, key, name), &v);
    if (!rc && (v < 1 || v > max))
        return gguf_fail(g, key, "%" PRIu64 " is not within 1..%" PRIu64, v, max);
    if (!rc) *out = (size_t)v;
    return rc;
}

static int real_key(double *out, const gguf *g, const gguf_config *c, const char *name)
{
    char key[KEY];
    int rc = gguf_f64(g, key_of(c, key, name), out);
    if (!rc && !(*out > 0 && isfinite(*out))) return gguf_fail(g, key, "must be above 0");
    return rc;
}

/* A key that is allowed with one value only. */
static int only_value(const gguf *g, const gguf_config *c, const char *name, double value)
{
    char key[KEY];
    double v = 0;
    if (!gguf_find(g, key_of(c, key, name))) return LM_OK;
    int rc = gguf_f64(g, key, &v);
    if (!rc && v != value) return gguf_fail(g, key, "%g is not supported, only %g", v, value);
    return rc;
}

static int only_known(const gguf *g, const gguf_config *c)
{
    static const char *const known[] = { "context_length",
                                         "embedding_length",
                                         "block_count",
                                         "feed_forward_length",
                                         "vocab_size",
                                         "attention.head_count",
                                         "attention.head_count_kv",
                                         "attention.key_length",
                                         "attention.value_length",
                                         "attention.layer_norm_rms_epsilon",
                                         "attention.sliding_window",
                                         "expert_count",
                                         "expert_used_count",
                                         "rope.dimension_count",
                                         "rope.freq_base",
                                         "rope.scale_linear",
                                         "rope.scaling.type",
                                         "rope.scaling.factor",
                                         "rope.scaling.attn_factor",
                                         "rope.scaling.original_context_length",
                                         "rope.scaling.finetuned",
                                         NULL };
    size_t n = strlen(c->arch->name);
    for (size_t i = 0; i < gguf_values(g); i++) {
        const char *key = gguf_value_at(g, i)->key;
        if (strncmp(key, c->arch->name, n) || key[n] != '.') continue;
        size_t k = 0;
        while (known[k] && strcmp(known[k], key + n + 1)) k++;
        if (!known[k]) return gguf_fail(g, key, "no such property of a model is known here");
    }
    return LM_OK;
}

/* ---- RoPE ----------------------------------------------------------------------------------- */

/* LLaMA 3.1's scaling is stored as divisors of the frequencies: from 1 for short wavelengths to the
 * factor for long ones. */
static double divisor(const gguf_config *c, double original, double wavelength)
{
    if (wavelength < original / c->high_freq) return 1;
    if (wavelength > original / c->low_freq) return c->factor;
    double smooth = (original / wavelength - c->low_freq) / (c->high_freq - c->low_freq);
    return 1 / ((1 - smooth) / c->factor + smooth);
}

static bool explains(const gguf_config *c, double original, const float *found)
{
    const double pi = 3.14159265358979323846;
    for (size_t i = 0; i < c->head_dim / 2; i++) {
        double length = 2 * pi * pow(c->rope_theta, 2 * (double)i / (double)c->head_dim);
        double want = divisor(c, original, length), is = (double)found[i];
        if (!(fabs(is - want) <= 1e-4 * want)) return false;
    }
    return true;
}

/* Positions of the pretraining: 8,192 in LLaMA's models, or another power of two. */
static int read_divisors(gguf_config *c, const gguf *g, const gguf_tensor *t)
{
    size_t n = c->head_dim / 2;
    float found[HEAD_MAX / 2];
    lm_buf raw = LM_BUF_INIT(HEAD_MAX * 8);
    if (t->rank != 1 || t->count != n || t->id != GGML_F32)
        return lm_fail(LM_EDATA, "%s: tensor %s must be %zu numbers of type F32", t->file, t->name,
                       n);
    int rc = gguf_rows(g, t, 0, 1, &raw, found);
    lm_buf_free(&raw);
    if (rc) return rc;
    c->rope = GGUF_ROPE_LLAMA3;
    c->factor = (double)found[n - 1];
    c->low_freq = 1;
    c->high_freq = 4;
    for (unsigned i = 0; c->factor >= 1 && i <= ORIGINAL_BITS - 7; i++) {
        c->original = (uint64_t)1 << (i ? 7 + i : 13);
        if (explains(c, (double)c->original, found)) return LM_OK;
    }
    return lm_fail(LM_EDATA,
                   "%s: tensor %s: these divisors of frequencies are not those of the scaling "
                   "\"llama3\" with low_freq_factor 1 and high_freq_factor 4",
                   t->file, t->name);
}

static bool is_text(lm_string s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.s, text, s.n);
}

static int read_scaling_type(gguf_config *c, const gguf *g)
{
    char key[KEY];
    lm_string type = { "none", 4 };
    int rc = LM_OK;
    if (has(g, c, "rope.scaling.type"))
        rc = gguf_string(g, key_of(c, key, "rope.scaling.type"), &type);
    if (rc || is_text(type, "none")) return rc;
    if (is_text(type, "linear")) c->rope = GGUF_ROPE_LINEAR;
    else if (is_text(type, "yarn")) c->rope = GGUF_ROPE_YARN;
    else
        return gguf_fail(g, key, "RoPE scaling \"%.*s\" is not supported (none, linear, yarn)",
                         (int)(type.n < 40 ? type.n : 40), type.s);
    return real_key(&c->factor, g, c, "rope.scaling.factor");
}

static int read_rope(gguf_config *c, const gguf *g)
{
    size_t width = c->head_dim, original = 0;
    c->rope_theta = 10000;
    int rc = LM_OK;
    if (has(g, c, "rope.freq_base")) rc = real_key(&c->rope_theta, g, c, "rope.freq_base");
    if (!rc && has(g, c, "rope.dimension_count"))
        rc = size_key(&width, g, c, "rope.dimension_count", HEAD_MAX);
    if (!rc && width != c->head_dim) {
        char key[KEY];
        return gguf_fail(g, key_of(c, key, "rope.dimension_count"),
                         "a rotary embedding of %zu of the %zu numbers of a head is not supported",
                         width, c->head_dim);
    }
    if (!rc) rc = read_scaling_type(c, g);
    if (!rc && has(g, c, "rope.scale_linear") && c->rope == GGUF_ROPE_PLAIN) {
        rc = real_key(&c->factor, g, c, "rope.scale_linear");
        if (!rc && c->factor != 1) c->rope = GGUF_ROPE_LINEAR;
    }
    if (!rc) rc = only_value(g, c, "rope.scaling.attn_factor", 1);
    if (!rc && c->rope != GGUF_ROPE_PLAIN && has(g, c, "rope.scaling.original_context_length"))
        rc = size_key(&original, g, c, "rope.scaling.original_context_length", INT32_MAX);
    c->original = original;
    const gguf_tensor *t = gguf_tensor_find(g, GGUF_ROPE_FREQS);
    if (!rc && t && c->rope != GGUF_ROPE_PLAIN)
        rc = lm_fail(LM_EDATA, "%s: tensor %s and rope.scaling.type are two scalings", t->file,
                     t->name);
    if (!rc && t) rc = read_divisors(c, g, t);
    return rc;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int read_arch(gguf_config *c, const gguf *g)
{
    lm_string s, type = { "model", 5 };
    int rc = gguf_string(g, "general.architecture", &s);
    if (!rc && gguf_find(g, "general.type")) rc = gguf_string(g, "general.type", &type);
    if (!rc && !is_text(type, "model"))
        return gguf_fail(g, "general.type", "\"%.*s\": only models are read",
                         (int)(type.n < 40 ? type.n : 40), type.s);
    for (size_t i = 0; !rc && i < sizeof archs / sizeof *archs; i++)
        if (is_text(s, archs[i].name)) c->arch = &archs[i];
    if (!rc && !c->arch)
        return gguf_fail(g, "general.architecture",
                         "\"%.*s\" is not supported (llama, qwen2 and qwen3 are)",
                         (int)(s.n < 40 ? s.n : 40), s.s);
    return rc;
}

static int read_heads(gguf_config *c, const gguf *g)
{
    char key[KEY];
    size_t value = 0;
    int rc = size_key(&c->heads, g, c, "attention.head_count", 65536);
    c->kv_heads = c->heads;
    if (!rc && has(g, c, "attention.head_count_kv"))
        rc = size_key(&c->kv_heads, g, c, "attention.head_count_kv", c->heads);
    if (!rc && c->heads % c->kv_heads)
        return gguf_fail(g, key_of(c, key, "attention.head_count_kv"),
                         "%zu does not divide %zu heads", c->kv_heads, c->heads);
    if (!rc && has(g, c, "attention.key_length"))
        rc = size_key(&c->head_dim, g, c, "attention.key_length", HEAD_MAX);
    else if (!rc && c->dim % c->heads)
        return gguf_fail(g, key_of(c, key, "attention.head_count"),
                         "%zu does not divide the embedding length %zu", c->heads, c->dim);
    else if (!rc) c->head_dim = c->dim / c->heads;
    if (!rc && (c->head_dim % 2 || c->head_dim > HEAD_MAX))
        return gguf_fail(g, key_of(c, key, "attention.head_count"),
                         "a head of %zu numbers: must be even and at most %d", c->head_dim,
                         HEAD_MAX);
    value = c->head_dim;
    if (!rc && has(g, c, "attention.value_length"))
        rc = size_key(&value, g, c, "attention.value_length", HEAD_MAX);
    if (!rc && value != c->head_dim)
        return gguf_fail(g, key_of(c, key, "attention.value_length"),
                         "%zu is not the length of a key, %zu", value, c->head_dim);
    return rc;
}

/* The embedding's rows are the vocabulary. */
static int read_vocab(gguf_config *c, const gguf *g)
{
    char key[KEY];
    size_t said = 0;
    const gguf_tensor *t = gguf_tensor_find(g, "token_embd.weight");
    if (!t) return lm_fail(LM_EDATA, "%s: tensor token_embd.weight is missing", gguf_path(g));
    if (t->rank != 2 || t->shape[0] > INT32_MAX)
        return lm_fail(LM_EDATA, "%s: tensor %s is not a table of a vocabulary", t->file, t->name);
    c->vocab = (size_t)t->shape[0];
    if (!has(g, c, "vocab_size")) return LM_OK;
    int rc = size_key(&said, g, c, "vocab_size", INT32_MAX);
    if (!rc && said != c->vocab)
        return gguf_fail(g, key_of(c, key, "vocab_size"), "%zu, but token_embd.weight has %zu rows",
                         said, c->vocab);
    return rc;
}

static int read_id(int64_t *out, const gguf *g, const gguf_config *c, const char *key)
{
    uint64_t id = 0;
    *out = -1;
    if (!gguf_find(g, key)) return LM_OK;
    int rc = gguf_u64(g, key, &id);
    if (!rc && id >= c->vocab)
        return gguf_fail(g, key, "%" PRIu64 " is not in the vocabulary of %zu", id, c->vocab);
    if (!rc) *out = (int64_t)id;
    return rc;
}

static int read_window(const gguf *g, const gguf_config *c)
{
    char key[KEY];
    uint64_t window = 0;
    if (!gguf_find(g, key_of(c, key, "attention.sliding_window"))) return LM_OK;
    int rc = gguf_u64(g, key, &window);
    if (!rc && window && window < c->positions)
        return gguf_fail(
            g, key, "a sliding window of %" PRIu64 " tokens in a context of %zu is not supported",
            window, c->positions);
    return rc;
}

int gguf_config_read(gguf_config *c, const gguf *g)
{
    *c = (gguf_config){ 0 };
    int rc = read_arch(c, g);
    if (!rc) rc = only_known(g, c);
    if (!rc) rc = only_value(g, c, "expert_count", 0);
    if (!rc) rc = only_value(g, c, "expert_used_count", 0);
    if (!rc) rc = size_key(&c->dim, g, c, "embedding_length", 1 << 20);
    if (!rc) rc = size_key(&c->mlp, g, c, "feed_forward_length", 1 << 22);
    if (!rc) rc = size_key(&c->layers, g, c, "block_count", 4096);
    if (!rc) rc = size_key(&c->positions, g, c, "context_length", INT32_MAX);
    if (!rc) rc = real_key(&c->norm_eps, g, c, "attention.layer_norm_rms_epsilon");
    if (!rc) rc = read_heads(c, g);
    if (!rc) rc = read_rope(c, g);
    if (!rc) rc = read_vocab(c, g);
    if (!rc) rc = read_window(g, c);
    if (!rc) rc = read_id(&c->bos, g, c, "tokenizer.ggml.bos_token_id");
    if (!rc) rc = read_id(&c->eos, g, c, "tokenizer.ggml.eos_token_id");
    if (!rc) rc = read_id(&c->pad, g, c, "tokenizer.ggml.padding_token_id");
    c->tied = !gguf_tensor_find(g, "output.weight");
    c->attention_bias = !rc && !c->arch->qkv_bias && gguf_tensor_find(g, "blk.0.attn_q.bias");
    return rc;
}

/* ---- writing -------------------------------------------------------------------------------- */

static lm_json *scaling_json(const gguf_config *c)
{
    static const char *const names[] = { "default", "linear", "yarn", "llama3" };
    lm_json *o = lm_json_object();
    lm_json_set_str(o, "rope_type", names[c->rope]);
    lm_json_set_f64(o, "factor", c->factor);
    if (c->rope == GGUF_ROPE_LLAMA3) {
        lm_json_set_f64(o, "low_freq_factor", c->low_freq);
        lm_json_set_f64(o, "high_freq_factor", c->high_freq);
    }
    if (c->rope != GGUF_ROPE_LINEAR && c->original)
        lm_json_set_u64(o, "original_max_position_embeddings", c->original);
    return o;
}

static void set_id(lm_json *o, const char *key, int64_t id)
{
    if (id >= 0) lm_json_set_u64(o, key, (uint64_t)id);
    else lm_json_set_null(o, key); /* transformers has ids of its own for absent ones */
}

lm_json *gguf_config_json(const gguf_config *c, const char *dtype)
{
    lm_json *o = lm_json_object(), *a = lm_json_array();
    lm_json_set_str(a, NULL, c->arch->class);
    lm_json_set(o, "architectures", a);
    lm_json_set_str(o, "model_type", c->arch->model_type);
    lm_json_set_str(o, "hidden_act", "silu");
    if (!c->arch->qkv_bias) lm_json_set_bool(o, "attention_bias", c->attention_bias);
    if (c->arch->permuted) lm_json_set_bool(o, "mlp_bias", false);
    else lm_json_set_bool(o, "use_sliding_window", false);
    lm_json_set_u64(o, "hidden_size", c->dim);
    lm_json_set_u64(o, "intermediate_size", c->mlp);
    lm_json_set_u64(o, "num_hidden_layers", c->layers);
    lm_json_set_u64(o, "num_attention_heads", c->heads);
    lm_json_set_u64(o, "num_key_value_heads", c->kv_heads);
    lm_json_set_u64(o, "head_dim", c->head_dim);
    lm_json_set_u64(o, "vocab_size", c->vocab);
    lm_json_set_u64(o, "max_position_embeddings", c->positions);
    lm_json_set_f64(o, "rms_norm_eps", c->norm_eps);
    lm_json_set_bool(o, "tie_word_embeddings", c->tied);
    lm_json_set_f64(o, "rope_theta", c->rope_theta);
    if (c->rope != GGUF_ROPE_PLAIN) lm_json_set(o, "rope_scaling", scaling_json(c));
    set_id(o, "bos_token_id", c->bos);
    set_id(o, "eos_token_id", c->eos);
    set_id(o, "pad_token_id", c->pad);
    lm_json_set_str(o, "torch_dtype", dtype);
    return o;
}
