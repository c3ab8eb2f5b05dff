/* The evaluations: one line each. */
#include "eval/evals.h"

#include <string.h>

const eval_entry eval_list[] = {
    { "ppl", "perplexity over sliding windows, at each length",
      "lengths text data bin bin-type stride windows bins", true, eval_ppl },
    { NULL, NULL, NULL, false, NULL },
};

const eval_entry *eval_find(const char *name)
{
    for (const eval_entry *e = eval_list; e->name; e++)
        if (!strcmp(e->name, name)) return e;
    return NULL;
}
