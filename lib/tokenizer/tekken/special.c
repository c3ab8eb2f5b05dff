#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/tekken/internal.h"

void lm_tekken_free(lm_tekken *k)
{
    for (size_t i = 0; i < k->specials; i++) free(k->special[i].text);
    free(k->special);
    free(k->pattern);
    lm_ranks_free(&k->ranks);
}

int lm_tekken_add_special(lm_tekken *k, const char *text, size_t n, uint64_t rank)
{
    if (k->specials == k->specials_cap) {
        void *p = lm_grow(k->special, &k->specials_cap, sizeof *k->special, LM_RANKS_MAX);
        if (!p) return LM_ENOMEM;
        k->special = p;
    }
    char *own = strndup(text, n);
    if (!own) return lm_fail_nomem(n);
    k->special[k->specials++] = (lm_tekken_special){ own, rank };
    return LM_OK;
}
