/* recipe.h -- the description of a mixture, independent of any data. One page of JSON; each field
 * is explained in recipes/README.md. */
#ifndef LONGMIX_RECIPE_H
#define LONGMIX_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lm_when_short { LM_SHORT_ERROR, LM_SHORT_REPEAT, LM_SHORT_SHRINK };
enum lm_long_scope { LM_LONG_NONE, LM_LONG_DOMAIN, LM_LONG_GLOBAL };

typedef struct lm_weight {
    const char *domain; /* borrowed from the recipe */
    double weight;
} lm_weight;

typedef struct lm_recipe {
    lm_json *json; /* the recipe as read, owned */
    const char *name;
    uint64_t tokens;          /* "tokens": of the mixture; 0: all available */
    uint64_t cut;             /* "cut": units are at most this long; 0: whole documents */
    enum lm_long_scope scope; /* "long": {"scope": "domain" | "global", ... } */
    uint64_t threshold;       /* "long.threshold": longer documents are long; a power of two */
    double long_share;        /* "long.share", or -1 with "long.short_keep" */
    bool only_raise;          /* "long.only_raise": a higher natural share is kept */
    double short_keep;        /* "long.short_keep": the authors' script; or -1 */
    bool natural;             /* "weights": "natural", or a table of weights, which */
    bool only;                /*     with "only": true excludes all other domains, else */
    size_t weights;           /*     replaces the natural shares of these domains; then all */
    lm_weight *weight;        /*     are normalised to 1. [weights], owned */
    unsigned max_copies;      /* "max_copies": how often one document may be used, 1 to 255 */
    enum lm_when_short when_short;
    uint64_t seed;
} lm_recipe;

/* Read a recipe; unknown fields are errors. 0, LM_EIO or LM_EDATA (file and field). */
LM_CHECKED int lm_recipe_load(lm_recipe *out, const char *path);
/* The same from JSON that the recipe then owns (also on failure). */
LM_CHECKED int lm_recipe_from_json(lm_recipe *out, lm_json *json);
void lm_recipe_free(lm_recipe *r);

/* "error" | "repeat" | "shrink": 0 or LM_EUSAGE. */
LM_CHECKED int lm_when_short_parse(const char *s, enum lm_when_short *out);
const char *lm_when_short_name(enum lm_when_short w);

#ifdef __cplusplus
}
#endif
#endif
