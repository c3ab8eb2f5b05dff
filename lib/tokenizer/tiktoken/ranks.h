/* ranks.h -- pieces with ranks, as tiktoken and tekken have them. */
#ifndef LM_LIB_TOKENIZER_TIKTOKEN_RANKS_H
#define LM_LIB_TOKENIZER_TIKTOKEN_RANKS_H

#include "lib/tokenizer/bpe/byte_level.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LM_RANKS_MAX (UINT32_C(1) << 20)

/* The piece of id r + `base` has rank r. */
typedef struct lm_ranks {
    lm_byte_piece *pieces; /* [base + LM_RANKS_MAX at most] */
    uint32_t *places;      /* of each: a line, or an index, for messages */
    unsigned char *bytes;  /* of all pieces: it does not move */
    size_t size, room, cap;
    uint32_t base, count; /* ids below `count` may have a piece */
} lm_ranks;

/* `base64`: how many characters all pieces have at most. 0 or LM_ENOMEM. */
LM_CHECKED int lm_ranks_new(lm_ranks *r, uint32_t base, size_t base64);
void lm_ranks_free(lm_ranks *r);

/* Add a piece. 0; LM_ENOMEM; LM_EDATA without a message and with *why, for text that is not base64 or
 * empty, or a rank that is too large or that another piece has. */
LM_CHECKED int lm_ranks_put(lm_ranks *r, uint64_t rank, const char *text, size_t n, uint32_t place,
                            const char **why);

/* Has every rank up to the largest a piece, and every byte one of its own? LM_EDATA with a message,
 * which begins "PATH:PLACE: " where `lines`. */
LM_CHECKED int lm_ranks_check(const lm_ranks *r, const char *path, bool lines);

/* Open `t` with these pieces and one pattern of `steps`; `end`: the number of ids, special ones
 * included. */
LM_CHECKED int lm_ranks_open(lm_tokenizer *t, const lm_ranks *r, const lm_step *steps, size_t count,
                             uint32_t end, enum lm_nfc nfc, const char *path);

#ifdef __cplusplus
}
#endif
#endif
