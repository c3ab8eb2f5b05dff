/* byte_loop.h -- parts of a text to ids: table of words, vocabulary, merges. */
#ifndef LM_LIB_TOKENIZER_BPE_BYTE_LOOP_H
#define LM_LIB_TOKENIZER_BPE_BYTE_LOOP_H

#include "lib/tokenizer/bpe/byte_vocab.h"
#include "lib/tokenizer/bpe/internal.h"
#include "longmix/buf.h"

#define LM_BYTE_PARTS 1024 /* cut at a time */
#define LM_BYTE_SLACK 64   /* bytes past the ids that may be written */

/* Words that merge at the same time, so that the waits for memory of one are used by the others. */
#define LM_MERGES 64

typedef struct lm_byte_merges_word {
    uint32_t size, count;       /* bytes; ids, when it is done */
    uint32_t at[LM_MEDIUM + 2]; /* symbol i is at[i + 1]; when it is done, the ids */
    uint32_t
        lane[LM_MEDIUM + 8];  /* symbol << 6 | i: what symbol i and the next one make, at i + 1 */
    uint64_t alive;           /* bit i: symbol i */
    uint32_t i, h, j, k, sym; /* the merge that is being made */
} lm_byte_merges_word;

typedef struct lm_byte_merges {
    size_t count;
    lm_byte_merges_word words[LM_MERGES];
} lm_byte_merges;

/* Add a word of up to LM_MEDIUM bytes, whose id may be known. Returns its number. */
uint32_t lm_merges_add(lm_byte_merges *m, const lm_byte_vocab *v, const unsigned char *p, size_t n,
                       uint32_t id);
void lm_merges_run_avx2(lm_byte_merges *m, const lm_byte_vocab *v);

/* One thread's. */
typedef struct lm_byte_loop {
    const lm_byte_vocab *v;
    int64_t unk; /* the id of a byte that is no piece; -1: none */
    bool simd;
    lm_table table;
    lm_merger merger;
    lm_byte_merges *merges; /* NULL without SIMD, and where a byte is no piece */
} lm_byte_loop;

/* Append the ids of the `count` > 0 parts of text[n] that begin at `start`; `out` has room for an id a
 * byte and LM_BYTE_SLACK. 0 or LM_ENOMEM. */
LM_CHECKED int lm_byte_parts(lm_byte_loop *l, const unsigned char *text, size_t n, size_t start,
                             const uint32_t *ends, size_t count, lm_buf *out);

#endif
