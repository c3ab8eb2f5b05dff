/* The evaluations: one line each. */
#include "eval/tasks/evals.h"

#include <string.h>

const eval_entry eval_list[] = {
    { "ppl", "perplexity over sliding windows, at each length",
      "lengths text data bin bin-type stride windows bins", true, eval_ppl },
    { "domains", "held-out loss by domain, and by what stands before a token",
      "data by ranges at at-width documents bootstrap", true, eval_domains },
    { "compare", "results of domains, as differences from the first file's", "FILE bootstrap",
      false, eval_compare },
    { "needle", "a sentence in a book of essays, by length and depth",
      "lengths depths haystack needle question answer prompt new-tokens buffer bos-quirk "
      "print-prompts share",
      true, eval_needle },
    { "passkey", "a number in the middle of nonsense, by length and depth",
      "lengths depths variant trials print-prompts share", true, eval_passkey },
    { "ruler", "RULER's retrieval, tracing and counting in made-up texts, at each length",
      "FILE lengths haystack samples print-prompts share", true, eval_ruler },
    { "mmlu", "multiple choice questions of 57 subjects",
      "FILE shots max-prompt one-space print-prompts share", true, eval_mmlu },
    { "bookqa", "questions about whole books", "FILE max-prompt print-prompts share", true,
      eval_bookqa },
    { "fewshot", "NarrativeQA, Qasper, QuALITY, QMSum after examples",
      "FILE max-prompt shots exemplars pool print-prompts share", true, eval_fewshot },
    { "leval", "L-Eval's closed tasks: Coursera, QuALITY, TOEFL, SFiction",
      "FILE max-prompt print-prompts share", true, eval_leval },
    { "score", "predictions made elsewhere, by the measures of all these", "FILE", false,
      eval_score },
    { NULL, NULL, NULL, false, NULL },
};

const eval_entry *eval_find(const char *name)
{
    for (const eval_entry *e = eval_list; e->name; e++)
        if (!strcmp(e->name, name)) return e;
    return NULL;
}
