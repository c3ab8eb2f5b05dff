/* infer.h -- a model that reads and answers: weights, a cache of keys and values, any form of
 * attention. What lmgen and lmeval use. One session per thread; nothing here is locked. */
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

typedef struct tr_infer_options {
    const char *model;     /* a Hugging Face directory */
    const char *attention; /* as attn_form_parse; NULL: rope */
    const char *scaling;   /* as tr_rope_override: "linear:F", "ntk:F", "dynamic:F", "yarn:F"; NULL:
                              the model's own */
    double rope_base;      /* 0: the model's */
    double mscale;         /* a: scores are times max(1, a ln(length / L0) + 1)^2; 0: none */
    bool no_successive, no_inter; /* the ablation's switches; see attn_form */
    size_t length; /* the longest sequence: the size of the cache. Dynamic scaling and
                              mscale are of this length from the first token on, so that decoding
                              in steps equals reading at once. */
    size_t chunk;  /* tokens read at a time, 0: 512 */
} tr_infer_options;

typedef struct tr_infer tr_infer;

/* Load a model. The backend is borrowed for its life, the strings during the call. LM_EUSAGE,
 * LM_EDATA or LM_EIO for what is wrong with options or files; LM_ENOMEM, with both numbers, where
 * weights and cache do not fit. */
LM_CHECKED int tr_infer_open(tr_infer **out, const tr_infer_options *o, backend *b);
void tr_infer_close(tr_infer *s); /* NULL is fine */

const tr_config *tr_infer_config(const tr_infer *s); /* vocab, positions (L0), ... */
size_t tr_infer_length(const tr_infer *s);           /* tokens the cache holds at most */
size_t tr_infer_kv_len(const tr_infer *s);           /* tokens in it now */

/* Change the attention (and the options beside it) of a model that is loaded; the cache is empty
 * after it. `length` may not grow. What is refused changes nothing. */
LM_CHECKED int tr_infer_set(tr_infer *s, const tr_infer_options *o);

/* Forget all tokens after the first `to` (<= past): what prompts share need not be read twice. */
void tr_infer_rewind(tr_infer *s, size_t to);

/* Read n >= 1 tokens after those in the cache; in chunks, any n. `logits` (may be NULL): [vocab]
 * of the last one. `losses` (may be NULL): [n - 1], losses[i] = -log p(ids[i + 1] | all before it).
 * `all` (may be NULL): logits of every token, [n, vocab]. LM_EUSAGE past `length`, LM_EDATA for an
 * id outside the vocabulary, LM_EINTR after lm_interrupt(); the cache then holds what it held
 * before. */
LM_CHECKED int tr_infer_eval(tr_infer *s, const int32_t *ids, size_t n, float *logits,
                             float *losses, float *all);

/* The settings as result lines carry them: attention, scaling ("model": its own), rope_base,
 * mscale, trained length, backend. A new object, NULL when out of memory. */
lm_json *tr_infer_json(const tr_infer *s);

#endif
