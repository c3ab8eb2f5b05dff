/* tokenizer.h -- text to ids, the ids that SentencePiece's Encode returns for the whole text,
 * by a fast path where the vocabulary proves it exact. The only user of
 * SentencePiece (lib/tokenizer/sentencepiece.cc). How it works: docs/tokenizer.md. */
#ifndef LONGMIX_TOKENIZER_H
#define LONGMIX_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded model: immutable, shared by threads. */
typedef struct lm_tokenizer lm_tokenizer;

enum lm_tokenizer_flags {
    LM_TOKENIZER_REFERENCE = 1, /* always SentencePiece itself, never the fast path */
    LM_TOKENIZER_SCALAR = 2,    /* the fast path without SIMD: for tests */
    LM_TOKENIZER_SMALL = 4,     /* tiny word tables, evicted often: for tests */
};

/* Load a SentencePiece .model file. 0, LM_EIO, or LM_EDATA for another file (the
 * message names it). */
LM_CHECKED int lm_tokenizer_open(lm_tokenizer **out, const char *path, unsigned flags);
void lm_tokenizer_free(lm_tokenizer *t); /* NULL is allowed; after all its encoders */

uint32_t lm_tokenizer_vocab(const lm_tokenizer *t); /* number of ids */
unsigned lm_tokenizer_width(
    const lm_tokenizer *t);                      /* bytes per id: 2 when vocab <= 65536, else 4 */
int64_t lm_tokenizer_bos(const lm_tokenizer *t); /* -1 where the model has none */
int64_t lm_tokenizer_eos(const lm_tokenizer *t);
uint64_t lm_tokenizer_hash(const lm_tokenizer *t); /* XXH3-64 of the model file */

/* NULL when the fast path is in use; else the first reason why not ("piece 4711 \"a▁b\" has a
 * space inside"). */
const char *lm_tokenizer_slow_reason(const lm_tokenizer *t);

/* One thread's word table and scratch memory (about 9 MB). */
typedef struct lm_encoder lm_encoder;
LM_CHECKED int lm_encoder_new(lm_encoder **out, const lm_tokenizer *t);
void lm_encoder_free(lm_encoder *e); /* NULL is allowed */

/* The maximum number of bytes that encoding n bytes of text can add to a buffer: what `out` below must be
 * allowed to grow by. */
size_t lm_encode_bound(const lm_tokenizer *t, size_t n);

/* Append the ids of n bytes of text to `out`, little-endian, lm_tokenizer_width() bytes each.
 * No BOS, no EOS. Any bytes are accepted, NUL included; invalid UTF-8 gives the ids that
 * SentencePiece gives (JSONL readers reject it earlier). n is at most 2^30. 0, LM_ENOMEM, or
 * LM_EDATA where SentencePiece itself fails, with `out` unchanged. */
LM_CHECKED int lm_encode(lm_encoder *e, const char *text, size_t n, lm_buf *out);

/* The same for a text that is large: n bytes are ALL that is left of it. Encodes a prefix of
 * about a megabyte that may be encoded apart from the rest and sets *used to its length (> 0
 * when n > 0). Calling it over the rest until nothing is left gives exactly lm_encode's ids,
 * with `first` true on the first call only. The text used so far may be released in
 * between. (Where no cut can be proven, or without the fast path, all n bytes are used.) */
LM_CHECKED int lm_encode_some(lm_encoder *e, const char *text, size_t n, bool first, lm_buf *out,
                              size_t *used);

/* The text of `count` ids (as wide as above), appended to `out`: SentencePiece's Decode. 0, or
 * LM_EDATA for an id outside the vocabulary. Not for hot paths. */
LM_CHECKED int lm_decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out);

/* The text of one id in the vocabulary (U+2581 kept); NULL outside it. */
const char *lm_tokenizer_piece(const lm_tokenizer *t, uint32_t id);

#ifdef __cplusplus
}
#endif
#endif
