/* byte_loop.h -- parts of a text to ids: table of words, vocabulary, merges. */
#ifndef LM_LIB_TOKENIZER_BPE_BYTE_LOOP_H
#define LM_LIB_TOKENIZER_BPE_BYTE_LOOP_H

#include "lib/tokenizer/bpe/byte_vocab.h"
#include "lib/tokenizer/bpe/internal.h"
#include "longmix/buf.h"

#define LM_BYTE_PARTS 1024 /* cut at a time */
#define LM_BYTE_SLACK 64   /* bytes past the ids that may be written */

/* One thread's. */
typedef struct lm_byte_loop {
    const lm_byte_vocab *v;
    int64_t unk; /* the id of a byte that is no piece; -1: none */
    bool simd;
    lm_table table;
    lm_merger merger;
} lm_byte_loop;

/* Append the ids of the `count` > 0 parts of text[n] that begin at `start`; `out` has room for an id a
 * byte and LM_BYTE_SLACK. 0 or LM_ENOMEM. */
LM_CHECKED int lm_byte_parts(lm_byte_loop *l, const unsigned char *text, size_t n, size_t start,
                             const uint32_t *ends, size_t count, lm_buf *out);

#endif
