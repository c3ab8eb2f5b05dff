/* pairs.c -- filling the table of pairs. */
#include "lib/tokenizer/bpe/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/tokenizer/bpe/table.h"

/* Put a slot into one of its two positions, moving out what is there, which has another position
 * as well. False after too many moves. */
static bool place_slot(const lm_pairs *p, uint64_t slot)
{
    unsigned low = p->narrow ? 32 : LM_WIDE_BITS;
    int place = 0;
    for (unsigned moves = 0; moves < 200 && slot != LM_EMPTY_MERGE; moves++) {
        uint64_t *at = lm_pairs_slot(p, slot >> low, place), out = *at;
        *at = slot;
        slot = out;
        if (slot != LM_EMPTY_MERGE) place = lm_pairs_slot(p, slot >> low, 0) == at;
    }
    return slot == LM_EMPTY_MERGE;
}

/* At most half full: other multipliers until all have a position, and sometimes a larger table. */
int lm_pairs_place(lm_pairs *p, const uint64_t *slots, size_t count)
{
    size_t size = 16;
    p->shift = 60;
    for (; size < 2 * count; size *= 2) p->shift--;
    for (uint64_t attempt = 0;; attempt++) {
        if (attempt % 16 == 0) {
            if (attempt) size *= 2, p->shift--;
            free(p->slots);
            p->slots = lm_huge_alloc(size * sizeof *p->slots);
            if (!p->slots) return lm_fail_nomem(size * sizeof *p->slots);
        }
        memset(p->slots, 0xff, size * sizeof *p->slots);
        p->hash[0] = lm_mix64(2 * attempt + 1) | 1;
        p->hash[1] = lm_mix64(2 * attempt + 2) | 1;
        size_t i = 0;
        while (i < count && place_slot(p, slots[i])) i++;
        if (i == count) return LM_OK;
    }
}

void lm_pairs_free(lm_pairs *p)
{
    free(p->slots);
    free(p->ranks);
    *p = (lm_pairs){ 0 };
}
