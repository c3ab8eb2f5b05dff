/* must.h -- what holds for any input of a fuzz target. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#include "longmix/err.h"

#define MUST(x)                                                                    \
    do {                                                                           \
        if (!(x)) {                                                                \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #x, lm_err()); \
            abort();                                                               \
        }                                                                          \
    } while (0)

#endif
