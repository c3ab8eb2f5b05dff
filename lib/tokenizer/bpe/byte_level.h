/* byte_level.h -- byte-level BPE: text is split by a pattern, and the bytes of each part are merged.
 * What tokenizer.json (ByteLevel), tiktoken and tekken have in common. */
#ifndef LM_LIB_TOKENIZER_BPE_BYTE_LEVEL_H
#define LM_LIB_TOKENIZER_BPE_BYTE_LEVEL_H

#include "lib/tokenizer/kind.h"
#include "lib/tokenizer/pattern/pattern.h"

/* The bytes of an id; size 0: no piece has this id. */
typedef struct lm_byte_piece {
    const unsigned char *bytes;
    uint32_t size;
} lm_byte_piece;

typedef struct lm_byte_merge {
    uint32_t left, right, merged; /* ids */
} lm_byte_merge;

/* A vocabulary and how it encodes. Borrowed during the call that takes it. */
typedef struct lm_byte_spec {
    const lm_byte_piece *pieces; /* [count], by id; ids of added tokens have size 0, or no entry */
    uint32_t count;
    /* Merges in order of their rank: of all adjacent pairs the one with the smallest rank merges, the
     * leftmost of equals. NULL: any two adjacent parts merge whose concatenation is a piece, the
     * smallest id first (tiktoken, where the id is the rank). */
    const lm_byte_merge *merges; /* [merge_count] */
    size_t merge_count;
    bool whole;        /* a part that is a piece is that piece, without merging ("ignore_merges") */
    enum lm_nfc nfc;   /* text is normalized to this form C first */
    bool prefix_space; /* a space is put before a text that does not begin with one */
    const lm_step *steps; /* [step_count] of the pre-tokenizer; 0: the text is one part */
    size_t step_count;
    const char *steps_field; /* where they come from, for messages: "pre_tokenizer" */
} lm_byte_spec;

/* Set kind, impl, why_slow and, at least to spec->count, vocab of *t, whose other members the caller
 * sets. A byte that is no piece becomes t->unk, or nothing where that is -1. 0; LM_ENOMEM; LM_EDATA
 * with `path` for pieces or merges that disagree with themselves (a piece twice, a merge whose parts
 * do not make it), or a pattern that does not compile. */
LM_CHECKED int lm_byte_level_open(lm_tokenizer *t, const lm_byte_spec *spec, const char *path);

#endif
