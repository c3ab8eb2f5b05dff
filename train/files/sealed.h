/* sealed.h -- a small JSON file that proves itself: { "form", "check", MEMBER: {...} }, where "check"
 * is the XXH3-64 of MEMBER's value, dumped without white space. */
#ifndef TRAIN_FILES_SEALED_H
#define TRAIN_FILES_SEALED_H

#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"

/* Write dir/name. `value` is borrowed. 0, LM_EIO or LM_ENOMEM. */
LM_CHECKED int sealed_write(const char *dir, const char *name, uint64_t form, const char *member,
                            const lm_json *value);

/* Read dir/name into *out, the caller's to free also on an error; *value is the member, a part of
 * it, and *form (may be NULL) its form, at most `newest`. LM_EDATA for another form or for damage. */
LM_CHECKED int sealed_load(lm_json **out, const lm_json **value, uint64_t *form, const char *dir,
                           const char *name, uint64_t newest, const char *member);

#endif
