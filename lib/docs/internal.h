/* internal.h -- what the parsers of a line share: parse.cc (simdjson: fast, says yes or
 * no), scan.c (ours: reports the position of the error, uses less memory) and docs.c. */
#ifndef LM_LIB_DOCS_INTERNAL_H
#define LM_LIB_DOCS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/docs.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LM_PATHS_MAX = 9, /* "text" and eight for the label */
    LM_STEPS_MAX = 4,
    LM_STEP_BYTES = 255,
    LM_DEPTH_MAX = 1023, /* simdjson's: containers inside one another; an empty one is free */
};

/* The members that are wanted, as paths from the line's object. path[0] is "text". A path that
 * can be read in two ways, because a key on it occurs twice, makes the line invalid. */
typedef struct lm_paths {
    unsigned count;
    struct lm_path {
        unsigned steps;
        struct {
            char s[LM_STEP_BYTES + 1];
            size_t n;
        } step[LM_STEPS_MAX];
    } path[LM_PATHS_MAX];
} lm_paths;

LM_CHECKED int lm_paths_init(lm_paths *p, const char *const *keys);

/* Where the strings at those paths lie in the line, quotes not counted; start 0: absent. */
typedef struct lm_span {
    size_t start, end;
} lm_span;

/* Read the whole line with simdjson's strictness. 0 with span[LM_PATHS_MAX] filled, or LM_EDATA
 * with the reason as message and the byte offset in *fault. */
LM_CHECKED int lm_line_scan(const char *s, size_t n, const lm_paths *paths, lm_span *span,
                            size_t *fault);

/* Undo the escapes of a string that lm_line_scan passed; `to` may be `from`. Gives the size. */
size_t lm_line_unescape(char *to, const char *from, size_t n);

/* simdjson behind a C interface. `found` (LM_PATHS_MAX of them) are borrowed until the next parse.
 * 1 for a document; 0 for none, with simdjson's message, or NULL where the JSON is valid and
 * the document is not; LM_ENOMEM. */
typedef struct lm_simd lm_simd;
typedef struct lm_string {
    const char *s; /* NULL: absent, or not a string */
    size_t n;
} lm_string;
lm_simd *lm_simd_new(void); /* NULL: no memory */
LM_CHECKED int lm_simd_parse(lm_simd *d, const char *s, size_t n, const lm_paths *paths,
                             lm_string *found, const char **why);
void lm_simd_trim(lm_simd *d);
void lm_simd_free(lm_simd *d);

#ifdef __cplusplus
}
#endif
#endif
