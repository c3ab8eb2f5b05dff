/* added.c -- tokens that are found in a text before anything else is done with it. */
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/kind.h"

int lm_added_put(lm_tokenizer *t, const lm_added *token)
{
    if (t->added_count == t->added_cap) {
        void *p = lm_grow(t->added, &t->added_cap, sizeof *t->added, UINT32_MAX);
        if (!p) return LM_ENOMEM;
        t->added = p;
    }
    lm_added *a = &t->added[t->added_count];
    *a = *token;
    a->text = malloc(a->size + 1);
    if (!a->text) return lm_fail_nomem(a->size + 1);
    memcpy(a->text, token->text, a->size);
    a->text[a->size] = 0;
    t->added_count++;
    return LM_OK;
}
