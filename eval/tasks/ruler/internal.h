/* internal.h -- what the files that make RULER's texts share; private to this folder. */
#ifndef EVAL_TASKS_RULER_INTERNAL_H
#define EVAL_TASKS_RULER_INTERNAL_H

#include "eval/tasks/ruler/tasks.h"

enum { RULER_TEXT_MAX = 1 << 30, RULER_NAME = 64 /* bytes of a word, a number, a UUID */ };

#define RULER_NOISE \
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."

/* What a random value is for: the second argument of lm_hash4. */
enum ruler_purpose {
    FOR_KEY,
    FOR_VALUE,
    FOR_ORDER,
    FOR_PLACE,
    FOR_LINE_KEY,
    FOR_LINE_VALUE,
    FOR_QUERY,
    FOR_NAME,
    FOR_WORD,
    FOR_EXAMPLE,
};

/* A number below n from a random word. */
size_t ruler_below(size_t n, uint64_t random);

/* `count` distinct numbers below n, in no order. */
void ruler_choose(uint64_t seed, enum ruler_purpose what, size_t n, size_t count, size_t *out);
void ruler_shuffle(uint64_t seed, enum ruler_purpose what, size_t *v, size_t n);
int ruler_rising(const void *a, const void *b); /* qsort's order of size_t */

LM_CHECKED int ruler_add(lm_buf *b, const char *text);
LM_CHECKED int ruler_reference(ruler_sample *out, const char *text);

/* A form of needle in a haystack. */
struct ruler_niah {
    enum { REPEAT, NEEDLES, PROSE } haystack;
    enum ruler_kind { WORDS, NUMBERS, UUIDS } key, value;
    size_t keys, values, queries;
};

/* The makers, `how` being the form; NULL for all others. */
LM_CHECKED int ruler_make_niah(const void *how, const struct ruler_make *m, ruler_sample *out);
LM_CHECKED int ruler_make_vt(const void *how, const struct ruler_make *m, ruler_sample *out);
LM_CHECKED int ruler_make_vt_example(const void *how, const struct ruler_make *m,
                                     ruler_sample *out);
LM_CHECKED int ruler_make_cwe(const void *how, const struct ruler_make *m, ruler_sample *out);
LM_CHECKED int ruler_make_fwe(const void *how, const struct ruler_make *m, ruler_sample *out);

#endif
