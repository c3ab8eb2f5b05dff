/* internal.h -- what the files of this module share. */
#ifndef LM_LIB_DOMAIN_INTERNAL_H
#define LM_LIB_DOMAIN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* The files of domains/, as scripts/presets.sh compiles them in. */
typedef struct lm_preset {
    const char *name, *json;
} lm_preset;
extern const lm_preset lm_presets[]; /* the last has no name */

/* Does the pattern match all n bytes at `s`? "*" is any bytes, "?" one, "[a-z]" and "[!a-z]" one of
 * a set or of all others, and a backslash takes the next byte as it is. `fold`: ASCII letters match
 * without regard to case. The locale has no part in it. */
bool lm_glob(const char *pattern, const char *s, size_t n, bool fold);

#endif
