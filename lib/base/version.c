/* version.c -- see version.h. The only file that is compiled again for a new commit. */
#include "longmix/version.h"

#ifndef LM_COMMIT /* the Makefile sets it */
#define LM_COMMIT LM_VERSION
#endif

const char *lm_version(void) { return LM_VERSION; }

const char *lm_commit(void) { return LM_COMMIT; }
