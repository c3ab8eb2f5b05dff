#include "train/import/llama2c.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "longmix/buf.h"
#include "lib/base/endian.h"
#include "lib/base/fd.h"
#include "lib/io/output.h"
#include "longmix/zio.h"
#include "train/model/config.h"
#include "train/files/model_dir.h"
#include "train/files/safetensors.h"
#include "train/import/proto.h"

/* The file: seven int32, then float32 matrices, each kind of all layers together. Rotary pairs are
 * neighbours (2i, 2i + 1) there and halves of a head (i, i + d/2) in Hugging Face's models, so the
 * rows of the query and key matrices are permuted. */

enum { HEADER = 28, PIECE_MAX = 4096 };

typedef struct source {
    const char *path;
    int fd;
    tr_config c;
} source;

/* ---- the model ------------------------------------------------------------------------- */

static int read_shape(source *s)
{
    static const char *const names[7] = { "dim",        "hidden_dim", "n_layers", "n_heads",
                                          "n_kv_heads", "vocab_size", "seq_len" };
    unsigned char head[HEADER];
    uint32_t v[7];
    int rc = lm_pread_all(s->fd, head, HEADER, 0, s->path);
    if (rc) return rc;
    for (size_t i = 0; i < 7; i++) {
        int32_t x = (int32_t)lm_le32(head + 4 * i);
        /* A negative vocabulary size: the head is not tied to the embedding. */
        if (i == 5) s->c.tied = x > 0;
        if (i == 5 && x < 0 && x > -INT32_MAX) x = -x;
        if (x < 1 || x > 1 << 24)
            return lm_fail(LM_EDATA,
                           "%s: %s at byte %zu is %" PRId32 ": not a checkpoint of llama2.c",
                           s->path, names[i], 4 * i, x);
        v[i] = (uint32_t)x;
    }
    s->c.dim = v[0];
    s->c.mlp = v[1];
    s->c.layers = v[2];
    s->c.heads = v[3];
    s->c.kv_heads = v[4];
    s->c.vocab = v[5];
    s->c.positions = v[6];
    s->c.head_dim = s->c.dim / s->c.heads;
    s->c.norm_eps = 1e-5;
    s->c.init_std = 0.02;
    s->c.rope = (tr_rope){ .theta = 10000, .attention_factor = 1 };
    if (s->c.dim % s->c.heads || s->c.heads % s->c.kv_heads || s->c.head_dim % 2)
        return lm_fail(LM_EDATA, "%s: %zu numbers in %zu heads, %zu of keys: no such shape",
                       s->path, s->c.dim, s->c.heads, s->c.kv_heads);
    return LM_OK;
}

/* Offsets of the kinds of matrices, in floats after the header. */
typedef struct places {
    uint64_t embed, attn_norm, wq, wk, wv, wo, mlp_norm, gate, down, up, norm, head, end;
} places;

static places find_places(const tr_config *c)
{
    uint64_t l = c->layers, d = c->dim, kv = (uint64_t)c->kv_heads * c->head_dim;
    places p = { 0 };
    p.attn_norm = p.embed + c->vocab * d;
    p.wq = p.attn_norm + l * d;
    p.wk = p.wq + l * d * d;
    p.wv = p.wk + l * kv * d;
    p.wo = p.wv + l * kv * d;
    p.mlp_norm = p.wo + l * d * d;
    p.gate = p.mlp_norm + l * d;
    p.down = p.gate + l * c->mlp * d;
    p.up = p.down + l * c->mlp * d;
    p.norm = p.up + l * c->mlp * d;
    p.head = p.norm + d + (uint64_t)c->positions * c->head_dim; /* past the rotary tables */
    p.end = p.head + (c->tied ? 0 : c->vocab * d);
    if (c->tied) p.head = p.embed;
    return p;
}

/* Copy `rows` rows; with `heads` the rows of each head are permuted. */
static int copy_rows(const source *s, st_writer *w, uint64_t at, size_t rows, size_t cols,
                     size_t heads)
{
    unsigned char *raw = malloc(cols * 4);
    float *row = malloc(cols * sizeof *row);
    int rc = raw && row ? LM_OK : lm_fail_nomem(cols * 8);
    size_t d = heads ? rows / heads : 0;
    for (size_t r = 0; !rc && r < rows; r++) {
        size_t from = r;
        if (heads) from = r / d * d + (r % d < d / 2 ? 2 * (r % d) : 2 * (r % d - d / 2) + 1);
        rc = lm_pread_all(s->fd, raw, cols * 4, HEADER + 4 * (at + (uint64_t)from * cols), s->path);
        for (size_t i = 0; !rc && i < cols; i++) {
            uint32_t u = lm_le32(raw + 4 * i);
            memcpy(&row[i], &u, 4);
        }
        if (!rc) rc = st_write(w, row, cols);
    }
    free(raw);
    free(row);
    return rc;
}

typedef struct part {
    char name[80];
    uint64_t at;
    size_t rows, cols, heads; /* rows 1: a vector */
} part;

static void add(part **p, const char *fmt, size_t layer, uint64_t at, size_t rows, size_t cols,
                size_t heads)
{
    snprintf((*p)->name, sizeof(*p)->name, fmt, layer);
    (*p)->at = at + layer * (uint64_t)rows * cols;
    (*p)->rows = rows;
    (*p)->cols = cols;
    (*p)++->heads = heads;
}

static size_t list_parts(part *list, const tr_config *c)
{
    places p = find_places(c);
    part *x = list;
    size_t kv = c->kv_heads * c->head_dim;
    add(&x, "model.embed_tokens.weight", 0, p.embed, c->vocab, c->dim, 0);
    for (size_t i = 0; i < c->layers; i++) {
        add(&x, "model.layers.%zu.input_layernorm.weight", i, p.attn_norm, 1, c->dim, 0);
        add(&x, "model.layers.%zu.self_attn.q_proj.weight", i, p.wq, c->dim, c->dim, c->heads);
        add(&x, "model.layers.%zu.self_attn.k_proj.weight", i, p.wk, kv, c->dim, c->kv_heads);
        add(&x, "model.layers.%zu.self_attn.v_proj.weight", i, p.wv, kv, c->dim, 0);
        add(&x, "model.layers.%zu.self_attn.o_proj.weight", i, p.wo, c->dim, c->dim, 0);
        add(&x, "model.layers.%zu.post_attention_layernorm.weight", i, p.mlp_norm, 1, c->dim, 0);
        add(&x, "model.layers.%zu.mlp.gate_proj.weight", i, p.gate, c->mlp, c->dim, 0);
        add(&x, "model.layers.%zu.mlp.up_proj.weight", i, p.up, c->mlp, c->dim, 0);
        add(&x, "model.layers.%zu.mlp.down_proj.weight", i, p.down, c->dim, c->mlp, 0);
    }
    add(&x, "model.norm.weight", 0, p.norm, 1, c->dim, 0);
    if (!c->tied) add(&x, "lm_head.weight", 0, p.head, c->vocab, c->dim, 0);
    return (size_t)(x - list);
}

static int write_weights(const source *s, const char *path)
{
    size_t max = 9 * s->c.layers + 3;
    part *list = calloc(max, sizeof *list);
    st_spec *specs = calloc(max, sizeof *specs);
    st_writer *w = NULL;
    int rc = list && specs ? LM_OK : lm_fail_nomem(max * sizeof *list);
    size_t n = rc ? 0 : list_parts(list, &s->c);
    for (size_t i = 0; i < n; i++) {
        bool vector = list[i].rows == 1;
        specs[i] = (st_spec){ list[i].name,
                              vector ? 1 : 2,
                              { vector ? list[i].cols : list[i].rows, list[i].cols } };
    }
    if (!rc) rc = st_create(&w, path, specs, n, ST_F32);
    for (size_t i = 0; !rc && i < n; i++)
        rc = copy_rows(s, w, list[i].at, list[i].rows, list[i].cols, list[i].heads);
    if (!rc) {
        rc = st_commit(w);
        w = NULL;
    }
    st_abandon(w);
    free(list);
    free(specs);
    return rc;
}

static int open_source(source *s, const char *path)
{
    struct stat st;
    *s = (source){ .path = path, .fd = lm_fd_open_regular(path) };
    if (s->fd < 0) return s->fd;
    if (fstat(s->fd, &st)) return lm_fail_errno(errno, "%s", path);
    int rc = read_shape(s);
    if (rc) return rc;
    uint64_t want = HEADER + 4 * find_places(&s->c).end;
    if ((uint64_t)st.st_size != want)
        return lm_fail(LM_EDATA,
                       "%s: has %" PRIu64 " bytes, its shape asks for %" PRIu64
                       ": cut short, or not of "
                       "llama2.c's first format",
                       path, (uint64_t)st.st_size, want);
    return LM_OK;
}

/* ---- the tokenizer ----------------------------------------------------------------------- */

/* A piece as SentencePiece writes it: the mark U+2581 for a space, and the three special names,
 * which llama2.c spells with line feeds around. */
static int piece_text(lm_buf *out, const unsigned char *p, size_t n, uint64_t id)
{
    static const char *const special[] = { "<unk>", "<s>", "</s>" };
    out->size = 0;
    if (id < 3) return lm_buf_add(out, special[id], strlen(special[id]));
    for (size_t i = 0; i < n; i++) {
        int rc = p[i] == ' ' ? lm_buf_add(out, "\xe2\x96\x81", 3) : lm_buf_add(out, p + i, 1);
        if (rc) return rc;
    }
    return LM_OK;
}

static int piece_type(const lm_buf *text, uint64_t id)
{
    const char *s = (const char *)text->data;
    unsigned v = 0;
    int used = 0;
    if (id == 0) return PIECE_UNKNOWN;
    if (id < 3) return PIECE_CONTROL;
    bool byte = text->size == 6 && sscanf(s, "<0x%2X>%n", &v, &used) == 1 && used == 6;
    return byte ? PIECE_BYTE : PIECE_NORMAL;
}

static int read_pieces(lm_buf *model, lm_in *in, const char *path, uint64_t vocab)
{
    unsigned char head[8], raw[PIECE_MAX];
    lm_buf text = LM_BUF_INIT(3 * PIECE_MAX + 1);
    int rc = lm_in_exact(in, head, 4);
    for (uint64_t id = 0; rc == 1 && id < vocab; id++) {
        rc = lm_in_exact(in, head, 8);
        uint32_t n = rc == 1 ? lm_le32(head + 4) : 0;
        if (rc == 1 && n > PIECE_MAX / 4)
            rc = lm_fail(LM_EDATA,
                         "%s: piece %" PRIu64 " of %" PRIu32 " bytes: not a tokenizer of llama2.c",
                         path, id, n);
        if (rc == 1 && n) rc = lm_in_exact(in, raw, n);
        if (rc != 1) break;
        int bad = piece_text(&text, raw, n, id);
        if (!bad) bad = lm_buf_reserve(&text, 1);
        if (!bad) text.data[text.size] = 0;
        uint32_t bits = lm_le32(head);
        float score;
        memcpy(&score, &bits, 4);
        lm_string piece = { (const char *)text.data, text.size };
        if (!bad) bad = proto_piece(model, piece, score, piece_type(&text, id));
        if (bad) rc = bad;
    }
    lm_buf_free(&text);
    if (rc == 0)
        rc = lm_fail(LM_EDATA,
                     "%s: ends before piece %" PRIu64 ", which the model's vocabulary asks for",
                     path, vocab - 1);
    if (rc < 0) return rc;
    ssize_t more = lm_in_read(in, raw, 1);
    if (more < 0) return (int)more;
    return more ? lm_fail(LM_EDATA,
                          "%s: holds more than the %" PRIu64 " pieces of the model's vocabulary",
                          path, vocab)
                : LM_OK;
}

static int make_tokenizer(lm_buf *model, const char *from, uint64_t vocab)
{
    lm_in *in = NULL;
    int rc = lm_in_open(&in, from);
    if (!rc) rc = read_pieces(model, in, from, vocab);
    /* llama2.c removes no spaces. */
    proto_specs specs = { .vocab = vocab, .prefix = true };
    if (!rc) rc = proto_settings(model, &specs);
    lm_in_close(in);
    return rc;
}

/* ---- the directory --------------------------------------------------------------------- */

/* Everything that can be refused is read before the directory changes. */
static int write_dir(const source *s, const char *tokenizer, const char *out, char *note,
                     size_t size)
{
    model_origin origin = { 0 };
    char path[MODEL_PATH];
    lm_buf text = LM_BUF_INIT((size_t)1 << 30);
    int rc = make_tokenizer(&text, tokenizer, s->c.vocab);
    if (!rc) rc = lm_make_dir(out);
    if (!rc) rc = model_dir_path(path, out, MODEL_NEW_WEIGHTS);
    if (!rc) rc = write_weights(s, path);
    if (!rc) rc = model_dir_begin(out);
    if (!rc) rc = model_dir_path(path, out, MODEL_TOKENIZER);
    if (!rc) rc = lm_write_file(path, text.data, text.size);
    if (!rc) rc = model_dir_commit(out, &origin, tr_config_json(&s->c, "float32"));
    if (!rc) snprintf(note, size, "%s", origin.note);
    lm_buf_free(&text);
    return rc;
}

int tr_import_llama2c(const char *model, const char *tokenizer, const char *out, char *note,
                      size_t size)
{
    source s = { .fd = -1 };
    int rc = model_dir_regular(model);
    if (!rc) rc = model_dir_regular(tokenizer);
    if (!rc) rc = open_source(&s, model);
    if (!rc) rc = write_dir(&s, tokenizer, out, note, size);
    if (s.fd >= 0) close(s.fd);
    return rc;
}
