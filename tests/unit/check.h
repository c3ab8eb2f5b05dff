/* check.h -- for unit tests: CHECK(condition) counts and continues; CHECK_END() is main's return
 * value. A test program exits 0 if every check passed, 77 to be skipped (with a line that says
 * why). */
#ifndef LM_TEST_CHECK_H
#define LM_TEST_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/err.h"

static unsigned long checks_passed, checks_failed;

static inline void check_at(int ok, const char *what, const char *file, int line)
{
    if (ok) {
        checks_passed++;
    } else if (checks_failed++ < 20) {
        fprintf(stderr, "%s:%d: failed: %s (last message: %s)\n", file, line, what, lm_err());
    }
}

#define CHECK(x) check_at(!!(x), #x, __FILE__, __LINE__)
#define CHECK_OK(x) CHECK((x) == 0)
#define CHECK_EQ(a, b)                                                                 \
    do {                                                                               \
        unsigned long long a_ = (unsigned long long)(a), b_ = (unsigned long long)(b); \
        if (a_ != b_) fprintf(stderr, "  %s = %llu, %s = %llu\n", #a, a_, #b, b_);     \
        check_at(a_ == b_, #a " == " #b, __FILE__, __LINE__);                          \
    } while (0)
#define CHECK_STR(a, b)                                                          \
    do {                                                                         \
        const char *a_ = (a), *b_ = (b);                                         \
        if (strcmp(a_, b_)) fprintf(stderr, "  \"%s\" is not \"%s\"\n", a_, b_); \
        check_at(!strcmp(a_, b_), #a " == " #b, __FILE__, __LINE__);             \
    } while (0)
/* A check whose failure ends the test program. */
#define NEED(x)                                                                            \
    do {                                                                                   \
        if (!(x)) {                                                                        \
            fprintf(stderr, "%s:%d: needed: %s (%s)\n", __FILE__, __LINE__, #x, lm_err()); \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* The path of a file in tests/data (tests/run.sh sets LM_SRC). */
static inline const char *own_data(char path[4096], const char *name)
{
    const char *d = getenv("LM_SRC");
    snprintf(path, 4096, "%s/tests/data/%s", d && *d ? d : ".", name);
    return path;
}

/* The path of a published model or text, which is not part of the project; NULL if it is not
 * installed (tests/run.sh sets LM_DATA). */
static inline const char *real_data(char path[4096], const char *name)
{
    const char *d = getenv("LM_DATA");
    if (!d || !*d) return NULL;
    snprintf(path, 4096, "%s/%s", d, name);
    return path;
}

static inline int check_end(void)
{
    printf("%lu checks, %lu failed\n", checks_passed + checks_failed, checks_failed);
    return checks_failed ? 1 : 0;
}
#define CHECK_END() return check_end()

#endif
