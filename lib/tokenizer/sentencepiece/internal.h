/* internal.h -- private to lib/tokenizer/sentencepiece.
 *
 *   kind.c            the kind: the fast path where the vocabulary proves it exact, else SentencePiece
 *   sentencepiece.cc  SentencePiece behind a C interface: the reference and the slow path
 *   model.c           the model file as pieces and settings
 *   tokenizer_json.c  a model as a tokenizer.json */
#ifndef LM_LIB_TOKENIZER_SENTENCEPIECE_INTERNAL_H
#define LM_LIB_TOKENIZER_SENTENCEPIECE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sentencepiece.cc: 0 or an LM_E* with a message; no exception escapes --------- */

typedef struct lm_spm lm_spm;
int lm_spm_open(lm_spm **out, const void *model, size_t size, const char *path);
void lm_spm_free(lm_spm *s);
uint32_t lm_spm_vocab(const lm_spm *s);
int64_t lm_spm_bos(const lm_spm *s);
int64_t lm_spm_eos(const lm_spm *s);
int64_t lm_spm_unk(const lm_spm *s);
bool lm_spm_is_special(const lm_spm *s, uint32_t id); /* control, or unknown */
bool lm_spm_is_byte(const lm_spm *s, uint32_t id);    /* byte fallback */
const char *lm_spm_piece(const lm_spm *s, uint32_t id);
/* Append the ids, `width` bytes each. */
int lm_spm_encode(const lm_spm *s, const char *text, size_t n, unsigned width, lm_buf *out);
int lm_spm_decode(const lm_spm *s, const void *ids, size_t count, unsigned width, lm_buf *out);

#ifdef __cplusplus
}
#endif
#endif
