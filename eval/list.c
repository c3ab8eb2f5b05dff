/* The evaluations: one line each. */
#include "eval/evals.h"

#include <string.h>

const eval_entry eval_list[] = {
    { "ppl", "perplexity over sliding windows, at each length",
      "lengths text data bin bin-type stride windows bins", true, eval_ppl },
    { "domains", "held-out loss by domain, and by what stands before a token",
      "data by ranges at at-width documents bootstrap", true, eval_domains },
    { "compare", "results of domains, as differences from the first file's", "FILE bootstrap", false,
      eval_compare },
    { "needle", "a sentence in a book of essays, by length and depth",
      "lengths depths haystack needle question answer prompt new-tokens buffer bos-quirk share", true,
      eval_needle },
    { "passkey", "a number in the middle of nonsense, by length and depth",
      "lengths depths variant trials share", true, eval_passkey },
    { NULL, NULL, NULL, false, NULL },
};

const eval_entry *eval_find(const char *name)
{
    for (const eval_entry *e = eval_list; e->name; e++)
        if (!strcmp(e->name, name)) return e;
    return NULL;
}
