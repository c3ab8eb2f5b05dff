/* tasks.c -- the list of RULER's tasks. */
#include "eval/tasks/ruler/internal.h"

#include <stddef.h>

#include "lib/base/rng.h"

static const struct ruler_niah SINGLE_1 = { REPEAT, WORDS, NUMBERS, 1, 1, 1 },
                               SINGLE_2 = { PROSE, WORDS, NUMBERS, 1, 1, 1 },
                               SINGLE_3 = { PROSE, WORDS, UUIDS, 1, 1, 1 },
                               MULTIKEY_1 = { PROSE, WORDS, NUMBERS, 4, 1, 1 },
                               MULTIKEY_2 = { NEEDLES, WORDS, NUMBERS, 1, 1, 1 },
                               MULTIKEY_3 = { NEEDLES, UUIDS, UUIDS, 1, 1, 1 },
                               MULTIVALUE = { PROSE, WORDS, NUMBERS, 1, 4, 1 },
                               MULTIQUERY = { PROSE, WORDS, NUMBERS, 4, 1, 4 };

/* In this order, which samples depend on: new tasks go to the end. Sixty words put the fourth rank
 * of fwe into the text two times, and the fifth once. */
const ruler_task ruler_tasks[] = {
    { "niah_single_1", 128, false, 1, 0, &SINGLE_1, ruler_make_niah, NULL },
    { "niah_single_2", 128, true, 8, 0, &SINGLE_2, ruler_make_niah, NULL },
    { "niah_single_3", 128, true, 8, 0, &SINGLE_3, ruler_make_niah, NULL },
    { "niah_multikey_1", 128, true, 8, 0, &MULTIKEY_1, ruler_make_niah, NULL },
    { "niah_multikey_2", 128, false, 1, 0, &MULTIKEY_2, ruler_make_niah, NULL },
    { "niah_multikey_3", 128, false, 1, 0, &MULTIKEY_3, ruler_make_niah, NULL },
    { "niah_multivalue", 128, true, 8, 0, &MULTIVALUE, ruler_make_niah, NULL },
    { "niah_multiquery", 128, true, 8, 0, &MULTIQUERY, ruler_make_niah, NULL },
    { "vt", 30, false, 1, 0, NULL, ruler_make_vt, ruler_make_vt_example },
    { "cwe", 120, false, 20, 20000, NULL, ruler_make_cwe, NULL },
    { "fwe", 50, false, 60, 0, NULL, ruler_make_fwe, NULL },
    { NULL, 0, false, 0, 0, NULL, NULL, NULL },
};

uint64_t ruler_seed(uint64_t seed, const ruler_task *task, size_t length, size_t sample)
{
    return lm_hash4(seed, (uint64_t)(task - ruler_tasks), length, sample);
}

static int make_with(int (*make)(const void *, const struct ruler_make *, ruler_sample *),
                     const ruler_task *task, const struct ruler_make *m, ruler_sample *out)
{
    lm_buf_reset(&out->prompt, out->prompt.cap);
    lm_buf_reset(&out->references, out->references.cap);
    out->prompt.max = out->references.max = RULER_TEXT_MAX;
    out->n = out->needles = 0;
    int rc = make(task->how, m, out);
    return rc ? rc : lm_buf_add(&out->prompt, "", 1);
}

int ruler_make_sample(const ruler_task *task, const struct ruler_make *m, ruler_sample *out)
{
    return make_with(task->make, task, m, out);
}

int ruler_make_example(const ruler_task *task, const struct ruler_make *m, ruler_sample *out)
{
    return make_with(task->make_example, task, m, out);
}
