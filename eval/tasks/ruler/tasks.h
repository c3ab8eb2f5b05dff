/* tasks.h -- the texts of RULER (Hsieh et al. 2024): the hidden facts, the question,
 * the expected answers. No tokenizer and no model here: a text is made for a size (lines, words,
 * noise), and ruler.c finds the size that fills a length.
 *
 * A sample is a pure function of (seed, task, length, number of the sample, size). */
#ifndef EVAL_TASKS_RULER_TASKS_H
#define EVAL_TASKS_RULER_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

enum { RULER_NEEDLES_MAX = 4 };

/* Essays as words, for tasks that hide their needles in prose. */
typedef struct ruler_prose {
    lm_buf text;  /* words, NUL-ended, one after the other */
    size_t *word; /* [words] where each begins */
    bool *ends;   /* [words] does a sentence end with it? */
    size_t words;
} ruler_prose;

/* The words of a text. 0, LM_ENOMEM, or LM_EDATA where it has none. */
LM_CHECKED int ruler_prose_make(ruler_prose *p, const char *text, size_t n);
void ruler_prose_free(ruler_prose *p); /* a zeroed one is allowed */

typedef struct ruler_sample {
    lm_buf prompt;     /* NUL-ended; the beginning of the answer is its end */
    lm_buf references; /* NUL-ended strings */
    size_t n;          /* how many */
    /* Where the needles are, in percent of the bytes of the text around them, rising. */
    double needle[RULER_NEEDLES_MAX];
    size_t needles;
} ruler_sample;

void ruler_sample_free(ruler_sample *s); /* a zeroed one is allowed */

struct ruler_make {
    uint64_t seed; /* of (seed, task, length, sample): ruler_seed */
    uint64_t
        example;   /* of (seed, task): the example before the question is the same in all samples */
    size_t length; /* tokens: some tasks have other parameters where it is small */
    size_t size, example_size;
    const ruler_prose *prose; /* where the task wants it */
};

typedef struct ruler_task {
    const char *name;
    size_t new_tokens;
    bool prose;
    size_t least, most; /* sizes that make sense; most 0: no bound */
    const void *how;
    int (*make)(const void *how, const struct ruler_make *m, ruler_sample *out);
    /* The solved example before the question, alone; NULL where example_size has no meaning. */
    int (*make_example)(const void *how, const struct ruler_make *m, ruler_sample *out);
} ruler_task;

extern const ruler_task ruler_tasks[]; /* ends with a name of NULL */

uint64_t ruler_seed(uint64_t seed, const ruler_task *task, size_t length, size_t sample);

/* Make a sample; or its example alone. `out` is emptied. 0 or LM_ENOMEM. */
LM_CHECKED int ruler_make_sample(const ruler_task *task, const struct ruler_make *m,
                                 ruler_sample *out);
LM_CHECKED int ruler_make_example(const ruler_task *task, const struct ruler_make *m,
                                  ruler_sample *out);

extern const char *const ruler_adjectives[], *const ruler_nouns[];
extern const size_t ruler_adjectives_n, ruler_nouns_n;

#endif
