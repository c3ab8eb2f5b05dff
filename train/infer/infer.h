/* infer.h -- an inference session: weights, KV cache, any form of attention. One session per
 * thread; nothing here is locked. */
#ifndef TRAIN_INFER_INFER_H
#define TRAIN_INFER_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"
#include "train/model/attn_map.h"
#include "train/backend.h"
#include "train/model/config.h"

/* The type that weights have in memory. Activations, the KV cache and sums are float32 with either, on
 * the CPU; another backend has types of its own. */
enum tr_infer_weights {
    TR_INFER_MODEL,    /* bfloat16 if all of the model's files are, else float32: always exact */
    TR_INFER_FLOAT32,  /* bit-identical with TR_INFER_MODEL, and slower for bfloat16 files */
    TR_INFER_BFLOAT16, /* rounded */
};

typedef struct tr_infer_options {
    const char *model;     /* a Hugging Face directory */
    const char *attention; /* as attn_form_parse; NULL: the model's own, tr_config_attention */
    const char *scaling;   /* as tr_rope_override: "linear:F", "ntk:F", "dynamic:F", "yarn:F"; NULL:
                              the model's own */
    double rope_base;      /* 0: the model's */
    double mscale; /* a: scores are times max(1, a ln(length / L0) + 1)^2; 0: that of the model's
                              own attention, if it is used; below 0: none */
    bool no_successive, no_inter; /* for the ablation; see attn_form */
    size_t length; /* the longest sequence: the size of the KV cache. Dynamic scaling and
                              mscale are of this length from the first token on, so that decoding
                              in steps equals reading at once. */
    enum tr_infer_weights weights;
    size_t chunk; /* tokens per forward pass, 0: 512 */
} tr_infer_options;

typedef struct tr_infer tr_infer;

/* Load a model. The backend is borrowed until tr_infer_close, the strings during the call.
 * LM_EUSAGE, LM_EDATA or LM_EIO for errors in options or files; LM_ENOMEM, with both numbers, where
 * weights and KV cache do not fit. */
LM_CHECKED int tr_infer_open(tr_infer **out, const tr_infer_options *o, backend *b);
void tr_infer_close(tr_infer *s); /* NULL is allowed */

const tr_config *tr_infer_config(const tr_infer *s); /* vocab, positions (L0), ... */
bool tr_infer_by_length(const tr_infer *s);          /* does attention depend on the length? */
size_t tr_infer_length(const tr_infer *s);           /* capacity of the KV cache, in tokens */
size_t tr_infer_kv_len(const tr_infer *s);           /* tokens in it */

/* Change attention, scaling and length of a loaded model, and empty the KV cache. `length` may not
 * exceed that of tr_infer_open. On an error nothing changes. */
LM_CHECKED int tr_infer_set(tr_infer *s, const tr_infer_options *o);

/* Truncate the KV cache to its first `to` tokens (no more than it holds), to reuse a prefix that
 * prompts share. */
void tr_infer_rewind(tr_infer *s, size_t to);

/* Evaluate n >= 1 tokens after those in the KV cache, in chunks. `logits` (may be NULL): [vocab]
 * of the last one. `losses` (may be NULL): [n - 1], losses[i] = -log p(ids[i + 1] | all before it).
 * `all` (may be NULL): logits of every token, [n, vocab]. LM_EUSAGE past `length`, LM_EDATA for an
 * id outside the vocabulary, LM_EINTR after lm_interrupt(); the cache is then as before. */
LM_CHECKED int tr_infer_eval(tr_infer *s, const int32_t *ids, size_t n, float *logits,
                             float *losses, float *all);

/* The settings, for result lines: attention, scaling ("model": its own), rope_base,
 * mscale, trained length, backend; weight_type where weights were rounded. A new object, NULL when out of memory. */
lm_json *tr_infer_json(const tr_infer *s);

#endif
