/* vocab.h -- vocabularies of characters: what they prove about the encoding of every text.
 * docs/tokenizer.md says why it is exact. */
#ifndef LM_LIB_TOKENIZER_BPE_VOCAB_H
#define LM_LIB_TOKENIZER_BPE_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/bpe/pairs.h"
#include "lib/tokenizer/bpe/table.h"
#include "longmix/err.h"

#define LM_MEDIUM 64 /* symbols of which the best merge is found by linear search */

/* ---- pieces and settings -------------------------------------------------------------- */

/* Types of pieces, as SentencePiece numbers them. */
enum lm_piece_type { LM_NORMAL = 1, LM_UNKNOWN = 2, LM_CONTROL = 3, LM_BYTE = 6 };

typedef struct lm_piece {
    const char *text; /* into the model's bytes */
    size_t size;
    float score;
    uint32_t type;
} lm_piece;

typedef struct lm_model {
    lm_piece *pieces;
    size_t count, cap;
    uint64_t model_type; /* 2 is BPE */
    size_t charsmap_size;
    bool byte_fallback, space_as_suffix, dummy_prefix, squeeze_spaces, escape_spaces;
    /* [count] of a vocabulary with a list of merges: the two pieces whose merge makes each piece. NULL:
     * any two merge whose union is a piece. */
    const uint32_t (*formed)[2];
} lm_model;

void lm_model_free(lm_model *m);

/* ---- what a vocabulary proves (proof.c) ------------------------------------------------ */

#define LM_SPACE_MARK 0x2581 /* SentencePiece's replacement for a space */

/* The six classes of bytes. Which may be adjacent inside a piece is read from the
 * vocabulary; between the others the text is cut. */
enum lm_byte_class {
    LM_SPACE,
    LM_LETTER, /* A-Z a-z */
    LM_DIGIT,
    LM_OTHER, /* the control characters, but for the two below */
    LM_HIGH,  /* a byte of a character past ASCII */
    LM_PUNCT, /* the rest of ASCII, with CR (pieces join it to punctuation), 0x1D and DEL */
    LM_CLASSES,
};
extern const uint8_t lm_byte_classes[256];

/* A text, U+2581 as a space, that encodes to the one id. */
typedef struct lm_known {
    unsigned char text[LM_SHORT];
    uint32_t id, size;
} lm_known;

/* A BPE vocabulary that the fast path may use. A symbol is the id of a piece. */
typedef struct lm_vocab {
    bool join[LM_CLASSES][LM_CLASSES]; /* false: no merge crosses this boundary */
    bool runs_last; /* runs of spaces merge after all else: cut before a run's last space */
    bool cut_f;     /* join is that of the LLaMA vocabularies, which has its own code */
    bool dummy_prefix;
    uint32_t space;   /* the piece U+2581 */
    uint32_t longest; /* characters of the longest piece */
    uint32_t byte_ids[256];
    uint32_t ascii_ids[128];    /* the id of a lone character: a piece or its byte */
    uint32_t *ascii_merges;     /* [128 * 128], narrow only: rank << 16 | symbol */
    uint16_t char_page[0x1100]; /* code point >> 8 -> page of `chars`; page 0 is empty */
    uint32_t *chars;            /* symbol, or LM_NO_SYM */
    lm_pairs pairs;
    uint64_t *neighbours;   /* a set of pairs of characters that occur in a piece: a Bloom filter */
    struct lm_known *known; /* short texts that are one id */
    size_t known_count;
    size_t count;
} lm_vocab;

/* Build it. 1; 0 with `why` set where the vocabulary does not prove what the fast path needs;
 * or LM_ENOMEM. */
int lm_vocab_prove(lm_vocab *v, const lm_model *m, char *why, size_t why_size);
void lm_vocab_free(lm_vocab *v);

#define LM_NEIGHBOUR_BITS 18
static inline size_t lm_neighbour_bit(uint32_t a, uint32_t b)
{
    return (size_t)(((uint64_t)a << 21 | b) * UINT64_C(0x9e3779b97f4a7c15) >>
                    (64 - LM_NEIGHBOUR_BITS));
}

/* May the characters a and b be adjacent in a piece? True may be wrong, false is not. */
static inline bool lm_may_join(const lm_vocab *v, uint32_t a, uint32_t b)
{
    size_t bit = lm_neighbour_bit(a, b);
    return v->neighbours[bit >> 6] >> (bit & 63) & 1;
}

static inline uint32_t lm_char_sym(const lm_vocab *v, uint32_t c)
{
    return v->chars[(uint32_t)v->char_page[c >> 8] << 8 | (c & 255)];
}

#endif
