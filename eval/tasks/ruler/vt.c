/* vt.c -- variable tracking: which names stand for a value, through a chain of
 * assignments. */
#include "eval/tasks/ruler/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

enum { HOPS = 4, VARIABLES = HOPS + 1, NAME = 5, EXAMPLE_NAME = 3, STATEMENT = 32 };

struct chain {
    char name[VARIABLES][NAME + 1];
    char statement[VARIABLES][STATEMENT];
    size_t value;
};

static void make_chain(struct chain *c, uint64_t seed, size_t letters)
{
    for (size_t i = 0; i < VARIABLES; i++)
        for (uint64_t try = 0;; try++) {
            uint64_t r = lm_hash4(seed, FOR_NAME, i, try);
            bool again = false;
            for (size_t k = 0; k < letters; k++, r = lm_mix64(r))
                c->name[i][k] = (char)('A' + ruler_below(26, r));
            c->name[i][letters] = 0;
            for (size_t k = 0; k < i; k++) again |= !strcmp(c->name[k], c->name[i]);
            if (!again) break;
        }
    c->value = 10000 + ruler_below(89999, lm_hash4(seed, FOR_VALUE, 0, 0));
    snprintf(c->statement[0], STATEMENT, "VAR %s = %zu", c->name[0], c->value);
    for (size_t i = 1; i < VARIABLES; i++)
        snprintf(c->statement[i], STATEMENT, "VAR %s = VAR %s ", c->name[i], c->name[i - 1]);
}

/* The i-th piece of the noise: a line of it each, or where lines are too few for the chain, its
 * sentences and line ends. */
static const char *noise_piece(bool sentences, size_t i)
{
    static const char *const PIECES[] = { "The grass is green.", "The sky is blue.",
                                          "The sun is yellow.", "Here we go.",
                                          "There and back again.\n" };
    return sentences ? PIECES[i % 5] : RULER_NOISE "\n";
}

/* The noise with the statements in their order between its pieces. */
static int add_tracking(lm_buf *b, const struct chain *c, uint64_t seed, size_t size)
{
    size_t place[VARIABLES], next = 0;
    bool sentences = size <= VARIABLES;
    size_t pieces = sentences ? 5 * size : size;
    ruler_choose(seed, FOR_PLACE, pieces, VARIABLES, place);
    qsort(place, VARIABLES, sizeof *place, ruler_rising);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < pieces; i++) {
        for (; !rc && next < VARIABLES && place[next] == i; next++) {
            if (i) rc = ruler_add(b, " ");
            if (!rc) rc = ruler_add(b, c->statement[next]);
            if (!rc && !i) rc = ruler_add(b, " ");
        }
        if (!rc && i) rc = ruler_add(b, " ");
        if (!rc) rc = ruler_add(b, noise_piece(sentences, i));
    }
    return rc;
}

static int add_tracking_task(lm_buf *b, const struct chain *c, uint64_t seed, size_t size)
{
    static const char BEFORE[] = "Memorize and track the chain(s) of variable assignment hidden in "
                                 "the following text.\n\n";
    /* "assgined" is RULER's */
    static const char AFTER[] =
        "\nQuestion: Find all variables that are assigned the value %zu in the text above. Answer: "
        "According to the chain(s) of variable assignment in the text above, %d variables are "
        "assgined the value %zu, they are: ";
    int rc = ruler_add(b, BEFORE);
    if (!rc) rc = add_tracking(b, c, seed, size);
    return rc ? rc : lm_buf_printf(b, AFTER, c->value, VARIABLES, c->value);
}

/* A solved case of short names. */
int ruler_make_vt_example(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    struct chain c;
    (void)how;
    make_chain(&c, m->example, EXAMPLE_NAME);
    int rc = add_tracking_task(&out->prompt, &c, m->example, m->example_size);
    for (size_t i = 0; !rc && i < VARIABLES; i++)
        rc = lm_buf_printf(&out->prompt, "%s%s", i ? " " : "", c.name[i]);
    return rc;
}

int ruler_make_vt(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    struct chain c;
    int rc = ruler_make_vt_example(how, m, out);
    if (!rc) rc = ruler_add(&out->prompt, "\n\n\n\n");
    make_chain(&c, m->seed, NAME);
    if (!rc) rc = add_tracking_task(&out->prompt, &c, m->seed, m->size);
    for (size_t i = 0; !rc && i < VARIABLES; i++) rc = ruler_reference(out, c.name[i]);
    return rc;
}
