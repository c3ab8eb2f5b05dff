#include "train/import/gguf_import.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/threads.h"
#include "lib/io/output.h"
#include "longmix/zio.h"
#include "train/files/model_dir.h"
#include "train/files/safetensors.h"
#include "train/import/gguf_config.h"
#include "train/import/gguf_tokenizer.h"

enum { PIECE = 1 << 18, NAMES = 80, PARTS_OF_A_LAYER = 16 };

/* A tensor of the model, under both names. */
typedef struct part {
    char name[NAMES], from[NAMES];
    size_t rows, cols; /* rows 0: a vector of cols */
    size_t heads;      /* of q and k where their rows are permuted, else 0 */
    const gguf_tensor *t;
} part;

typedef struct model {
    const gguf *g;
    gguf_config c;
    part *parts;
    size_t n;
    enum st_dtype dtype;
    bool vectors_f32; /* a 16-bit file, whose vectors stay as they are */
} model;

/* ---- the list of tensors -------------------------------------------------------------------- */

static void add(model *m, const char *name, const char *from, size_t layer, size_t rows,
                size_t cols, size_t heads)
{
    part *p = &m->parts[m->n++];
    *p = (part){ .rows = rows, .cols = cols, .heads = m->c.arch->permuted ? heads : 0 };
    snprintf(p->name, NAMES, name, layer);
    snprintf(p->from, NAMES, from, layer);
}

/* A matrix of the attention, and its bias. */
static void add_attention(model *m, size_t layer, const char *name, const char *from, size_t rows,
                          size_t cols, size_t heads, bool bias)
{
    char a[NAMES], b[NAMES];
    snprintf(a, sizeof a, "model.layers.%%zu.self_attn.%s.weight", name);
    snprintf(b, sizeof b, "blk.%%zu.%s.weight", from);
    add(m, a, b, layer, rows, cols, heads);
    if (!bias) return;
    snprintf(a, sizeof a, "model.layers.%%zu.self_attn.%s.bias", name);
    snprintf(b, sizeof b, "blk.%%zu.%s.bias", from);
    add(m, a, b, layer, 0, rows, heads);
}

static void add_layer(model *m, size_t i)
{
    const gguf_config *c = &m->c;
    size_t d = c->dim, q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    bool bias = c->attention_bias || c->arch->qkv_bias;
    add(m, "model.layers.%zu.input_layernorm.weight", "blk.%zu.attn_norm.weight", i, 0, d, 0);
    add_attention(m, i, "q_proj", "attn_q", q, d, c->heads, bias);
    add_attention(m, i, "k_proj", "attn_k", kv, d, c->kv_heads, bias);
    add_attention(m, i, "v_proj", "attn_v", kv, d, 0, bias);
    add_attention(m, i, "o_proj", "attn_output", d, q, 0, c->attention_bias);
    if (c->arch->qk_norm) {
        add(m, "model.layers.%zu.self_attn.q_norm.weight", "blk.%zu.attn_q_norm.weight", i, 0,
            c->head_dim, 0);
        add(m, "model.layers.%zu.self_attn.k_norm.weight", "blk.%zu.attn_k_norm.weight", i, 0,
            c->head_dim, 0);
    }
    add(m, "model.layers.%zu.post_attention_layernorm.weight", "blk.%zu.ffn_norm.weight", i, 0, d,
        0);
    add(m, "model.layers.%zu.mlp.gate_proj.weight", "blk.%zu.ffn_gate.weight", i, c->mlp, d, 0);
    add(m, "model.layers.%zu.mlp.up_proj.weight", "blk.%zu.ffn_up.weight", i, c->mlp, d, 0);
    add(m, "model.layers.%zu.mlp.down_proj.weight", "blk.%zu.ffn_down.weight", i, d, c->mlp, 0);
}

static int find_tensor(const model *m, part *p)
{
    p->t = gguf_tensor_find(m->g, p->from);
    if (!p->t) return lm_fail(LM_EDATA, "%s: tensor %s is missing", gguf_path(m->g), p->from);
    const gguf_tensor *t = p->t;
    bool same = p->rows ? t->rank == 2 && t->shape[0] == p->rows && t->shape[1] == p->cols
                        : t->rank == 1 && t->shape[0] == p->cols;
    if (same) return LM_OK;
    char is[100] = "", want[50];
    for (size_t i = 0; i < t->rank; i++)
        snprintf(is + strlen(is), sizeof is - strlen(is), "%s%" PRIu64, i ? "," : "", t->shape[i]);
    if (p->rows) snprintf(want, sizeof want, "%zu,%zu", p->rows, p->cols);
    else snprintf(want, sizeof want, "%zu", p->cols);
    return lm_fail(LM_EDATA, "%s: tensor %s has shape [%s], the metadata ask for [%s]", t->file,
                   t->name, is, want);
}

/* Every tensor of the file must be one of the model. */
static int check_extra(const model *m)
{
    bool *used = calloc(gguf_tensors(m->g), sizeof *used);
    if (!used) return lm_fail_nomem(gguf_tensors(m->g));
    for (size_t i = 0; i < m->n; i++) used[m->parts[i].t - gguf_tensor_at(m->g, 0)] = true;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < gguf_tensors(m->g); i++) {
        const gguf_tensor *t = gguf_tensor_at(m->g, i);
        if (!used[i] && strcmp(t->name, GGUF_ROPE_FREQS))
            rc = lm_fail(LM_EDATA, "%s: tensor %s is not one of a %s model with %zu layers",
                         t->file, t->name, m->c.arch->name, m->c.layers);
    }
    free(used);
    return rc;
}

static int list_parts(model *m)
{
    const gguf_config *c = &m->c;
    if (c->layers > gguf_tensors(m->g))
        return lm_fail(LM_EDATA, "%s: %zu layers, but only %zu tensors", gguf_path(m->g), c->layers,
                       gguf_tensors(m->g));
    size_t max = PARTS_OF_A_LAYER * c->layers + 3;
    m->parts = calloc(max, sizeof *m->parts);
    if (!m->parts) return lm_fail_nomem(max * sizeof *m->parts);
    add(m, "model.embed_tokens.weight", "token_embd.weight", 0, c->vocab, c->dim, 0);
    for (size_t i = 0; i < c->layers; i++) add_layer(m, i);
    add(m, "model.norm.weight", "output_norm.weight", 0, 0, c->dim, 0);
    if (!c->tied) add(m, "lm_head.weight", "output.weight", 0, c->vocab, c->dim, 0);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < m->n; i++) rc = find_tensor(m, &m->parts[i]);
    return rc ? rc : check_extra(m);
}

/* ---- types ---------------------------------------------------------------------------------- */

static bool all_matrices(const model *m, uint32_t id)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->parts[i].rows && m->parts[i].t->id != id) return false;
    return true;
}

static void choose_dtype(model *m, int asked)
{
    m->vectors_f32 = asked < 0;
    m->dtype = asked >= 0                   ? (enum st_dtype)asked
               : all_matrices(m, GGML_F16)  ? ST_F16
               : all_matrices(m, GGML_BF16) ? ST_BF16
                                            : ST_F32;
}

/* Numbers of a type that the model's type can hold keep it; others become float32. */
static enum st_dtype dtype_of(const model *m, const part *p)
{
    if (!m->vectors_f32 || p->rows) return m->dtype;
    bool same = m->dtype == ST_F16 ? p->t->id == GGML_F16 : p->t->id == GGML_BF16;
    return same ? m->dtype : ST_F32;
}

/* ---- weights -------------------------------------------------------------------------------- */

/* The row of the file from which row r of the model comes: a head has its rotary pairs (i, i + d/2)
 * there as neighbours. */
static size_t source_row(const part *p, size_t rows, size_t r)
{
    size_t d = rows / p->heads, i = r % d;
    return r - i + (i < d / 2 ? 2 * i : 2 * (i - d / 2) + 1);
}

/* float16 ends at 65,504. */
static int check_range(const part *p, enum st_dtype dtype, const float *x, size_t n)
{
    for (size_t i = 0; dtype == ST_F16 && i < n; i++)
        if (isfinite(x[i]) && fabsf(x[i]) >= 65520)
            return lm_fail(LM_EDATA, "%s: tensor %s: %g does not fit into float16", p->t->file,
                           p->t->name, (double)x[i]);
    return LM_OK;
}

static int write_numbers(st_writer *w, const part *p, enum st_dtype dtype, const float *x, size_t n)
{
    int rc = check_range(p, dtype, x, n);
    return rc ? rc : st_write(w, x, n);
}

/* A vector whole, with the order of rows of its matrix. */
static int copy_vector(const model *m, st_writer *w, const part *p, lm_buf *raw)
{
    float *x = malloc(p->cols * 2 * sizeof *x), *y = x + p->cols;
    if (!x) return lm_fail_nomem(p->cols * 2 * sizeof *x);
    int rc = gguf_rows(m->g, p->t, 0, 1, raw, x);
    for (size_t i = 0; !rc && i < p->cols; i++) y[i] = x[p->heads ? source_row(p, p->cols, i) : i];
    if (!rc) rc = write_numbers(w, p, dtype_of(m, p), y, p->cols);
    free(x);
    return rc;
}

static int copy_matrix(const model *m, st_writer *w, const part *p, lm_buf *raw)
{
    size_t step = p->heads || p->cols >= PIECE ? 1 : PIECE / p->cols;
    float *x = malloc(step * p->cols * sizeof *x);
    int rc = x ? LM_OK : lm_fail_nomem(step * p->cols * sizeof *x);
    for (size_t r = 0, n; !rc && r < p->rows; r += n) {
        n = p->rows - r < step ? p->rows - r : step;
        rc = lm_check_interrupt();
        if (!rc) rc = gguf_rows(m->g, p->t, p->heads ? source_row(p, p->rows, r) : r, n, raw, x);
        if (!rc) rc = write_numbers(w, p, dtype_of(m, p), x, n * p->cols);
    }
    free(x);
    return rc;
}

static int write_weights(const model *m, const char *path)
{
    st_writer *w = NULL;
    lm_buf raw = LM_BUF_INIT((size_t)1 << 30);
    st_spec *specs = calloc(m->n, sizeof *specs);
    int rc = specs ? LM_OK : lm_fail_nomem(m->n * sizeof *specs);
    for (size_t i = 0; !rc && i < m->n; i++) {
        const part *p = &m->parts[i];
        specs[i] = (st_spec){ .name = p->name, .rank = p->rows ? 2 : 1, .dtype = dtype_of(m, p) };
        specs[i].shape[0] = p->rows ? p->rows : p->cols;
        if (p->rows) specs[i].shape[1] = p->cols;
    }
    if (!rc) rc = st_create_each(&w, path, specs, m->n);
    for (size_t i = 0; !rc && i < m->n; i++)
        rc = m->parts[i].rows ? copy_matrix(m, w, &m->parts[i], &raw)
                              : copy_vector(m, w, &m->parts[i], &raw);
    if (!rc) {
        rc = st_commit(w);
        w = NULL;
    }
    st_abandon(w);
    free(specs);
    lm_buf_free(&raw);
    return rc;
}

/* ---- the directory -------------------------------------------------------------------------- */

/* The tokenizer of another model that lies there, and what belongs to it. */
static int remove_companions(const char *dir)
{
    char path[MODEL_PATH];
    int rc = LM_OK;
    for (size_t i = 0; !rc && model_dir_companions[i]; i++) {
        rc = model_dir_path(path, dir, model_dir_companions[i]);
        if (!rc && unlink(path) && errno != ENOENT) rc = lm_fail_errno(errno, "%s: removing", path);
    }
    return rc ? rc : lm_sync_dir(path);
}

static int write_tokenizer(gguf_tokenizer *t, const char *dir)
{
    char path[MODEL_PATH];
    if (!t->name) return LM_OK;
    int rc = model_dir_path(path, dir, t->name);
    if (!rc) rc = lm_write_file(path, t->file.data, t->file.size);
    if (rc) return rc;
    lm_json *config = t->config;
    t->config = NULL;
    return model_dir_write(dir, "tokenizer_config.json", config);
}

/* Everything that can be refused was read before the directory changes. */
static int write_dir(const model *m, gguf_tokenizer *t, const char *out, gguf_import *o)
{
    model_origin origin = { 0 };
    char path[MODEL_PATH];
    int rc = lm_make_dir(out);
    if (!rc) rc = model_dir_path(path, out, MODEL_NEW_WEIGHTS);
    if (!rc) rc = write_weights(m, path);
    if (!rc) rc = model_dir_begin(out);
    if (!rc) rc = remove_companions(out);
    if (!rc) rc = write_tokenizer(t, out);
    if (!rc) rc = model_dir_commit(out, &origin, gguf_config_json(&m->c, st_dtype_name(m->dtype)));
    if (!rc)
        snprintf(o->note, sizeof o->note, "%s%s%s", t->note, *t->note && *origin.note ? "; " : "",
                 origin.note);
    return rc;
}

/* "llama, 30 layers of width 576; Q4_1 210, F32 61, Q8_0 1; written as float32" */
static void describe(const model *m, gguf_import *o)
{
    char *s = o->about;
    size_t size = sizeof o->about, counts[64] = { 0 };
    size_t n = (size_t)snprintf(s, size, "%s, %zu layers of width %zu; tensors:", m->c.arch->name,
                                m->c.layers, m->c.dim);
    for (size_t i = 0; i < m->n; i++) counts[m->parts[i].t->id & 63]++;
    for (uint32_t id = 0; id < 64; id++)
        if (counts[id])
            n += (size_t)snprintf(s + n, size - n, " %s %zu,", ggml_type_name(id), counts[id]);
    snprintf(s + n - 1, size - n + 1, "; written as %s", st_dtype_name(m->dtype));
}

int tr_import_gguf(gguf_import *o, const char *file, const char *out)
{
    gguf *g = NULL;
    model m = { 0 };
    gguf_tokenizer t = { 0 };
    *o->note = *o->about = 0;
    int rc = gguf_open(&g, file);
    m.g = g;
    if (!rc) rc = gguf_config_read(&m.c, g);
    if (!rc) rc = list_parts(&m);
    if (!rc) choose_dtype(&m, o->dtype);
    if (!rc) rc = gguf_tokenizer_read(&t, g, &m.c);
    if (!rc) describe(&m, o);
    if (!rc) rc = write_dir(&m, &t, out, o);
    gguf_tokenizer_free(&t);
    free(m.parts);
    gguf_close(g);
    return rc;
}
