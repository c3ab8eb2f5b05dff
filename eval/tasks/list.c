/* The evaluations, in the order of `lmeval --help`. A new one is a file and a line here. */
#include "eval/harness/harness.h"

/* clang-format off */
#define EVALUATIONS \
    EVALUATION(ppl) \
    EVALUATION(domains) \
    EVALUATION(compare) \
    EVALUATION(needle) \
    EVALUATION(passkey) \
    EVALUATION(ruler) \
    EVALUATION(mmlu) \
    EVALUATION(bookqa) \
    EVALUATION(fewshot) \
    EVALUATION(leval) \
    EVALUATION(score)
/* clang-format on */

#define EVALUATION(name) extern const eval_entry eval_##name;
EVALUATIONS
#undef EVALUATION

#define EVALUATION(name) &eval_##name,
const eval_entry *const eval_list[] = { EVALUATIONS NULL };
