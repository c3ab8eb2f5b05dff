/* internal.h -- what the parsers of a line share: parse.cc (simdjson: fast, says yes or
 * no), scan.c (ours: reports the position of the error, uses less memory), repair.c and docs.c. */
#ifndef LM_LIB_DOCS_INTERNAL_H
#define LM_LIB_DOCS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/docs.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LM_PATHS_MAX = 1 + LM_LABELS_MAX,
    LM_STEPS_MAX = 4,
    LM_STEP_BYTES = 255,
    LM_DEPTH_MAX = 1023, /* simdjson's: containers inside one another; an empty one is free */
};

/* The members that are wanted, as paths from the line's object. path[0] is the text's. A path that
 * can be read in two ways, because a key on it occurs twice, makes the line invalid. */
typedef struct lm_paths {
    unsigned count;
    char text[LM_STEPS_MAX * (LM_STEP_BYTES + 1)]; /* path[0], for messages */
    struct lm_path {
        unsigned steps;
        struct {
            char s[LM_STEP_BYTES + 1];
            size_t n;
        } step[LM_STEPS_MAX];
    } path[LM_PATHS_MAX];
} lm_paths;

LM_CHECKED int lm_paths_init(lm_paths *p, const lm_schema *schema);

/* Where the strings at those paths lie in the line, quotes not counted; start 0: absent. */
typedef struct lm_span {
    size_t start, end;
} lm_span;

/* Read the whole line with simdjson's strictness. 0 with span[LM_PATHS_MAX] filled, or LM_EDATA
 * with the reason as message and the byte offset in *fault. */
LM_CHECKED int lm_line_scan(const char *s, size_t n, const lm_paths *paths, lm_span *span,
                            size_t *fault);

#define LM_NO_MEMBER "the object has no member" /* how the reason begins where the text is absent */

/* Undo the escapes of a string that lm_line_scan passed; `to` may be `from`. Gives the size. */
size_t lm_line_unescape(char *to, const char *from, size_t n);

/* ---- invalid characters and numbers (repair.c) ---- */

/* The code unit of the \uXXXX escape that the n bytes at `s` begin with, or -1. */
int lm_escape_unit(const char *s, size_t n);
static inline bool lm_is_high(int unit) { return (unit & 0xfc00) == 0xd800; }
static inline bool lm_is_low(int unit) { return (unit & 0xfc00) == 0xdc00; }

/* Append the line to `out` with U+FFFD for each lone surrogate and each maximal part of bytes inside
 * a string that is not UTF-8, and null for NaN, Infinity and -Infinity outside strings. 1 where that
 * changed it, 0 where it did not, or LM_ENOMEM. */
LM_CHECKED int lm_line_repair(lm_buf *out, const char *s, size_t n);

/* Which byte of the line became byte `at` of the repaired one. */
size_t lm_line_repaired_from(const char *s, size_t n, size_t at);

/* ---- what a folder holds (sniff.c) ---- */

/* Is this file of a folder to be read? Its name says so, or its content. 1 with *why unset, 0 with
 * the reason (and *help, NULL where there is none), or an error. *parser, of the schema, is made when
 * it is first needed. */
LM_CHECKED int lm_sniff(const char *path, const lm_schema *schema, lm_line_parser **parser,
                        const char **why, const char **help);

/* ---- names (names.c) ---- */

/* A file that an operand stands for, or holds. */
typedef struct lm_item {
    char *path;       /* as to open it */
    size_t below;     /* where in `path` what is below the operand begins; 0: it is the operand */
    size_t operand;   /* its number */
    const char *why;  /* it is skipped, or NULL */
    char *full;       /* absolute */
    size_t top;       /* of lm_files */
    const char *tail; /* of `full`: the name, before escapes */
} lm_item;

/* Set full, top and tail of n items, in the order of their operands. 0 or LM_ENOMEM. */
LM_CHECKED int lm_items_name(lm_item *v, size_t n, char *const *args);

/* A name as UTF-8, to be freed, or NULL without memory. */
char *lm_name_escape(const char *s);

/* ---- simdjson (parse.cc) ---- */

/* simdjson behind a C interface. `found` (LM_PATHS_MAX of them) are borrowed until the next parse.
 * 1 for a document; 0 for none, with simdjson's message, or NULL where the JSON is valid and
 * the document is not; LM_ENOMEM. */
typedef struct lm_simd lm_simd;
lm_simd *lm_simd_new(void); /* NULL: no memory */
LM_CHECKED int lm_simd_parse(lm_simd *d, const char *s, size_t n, const lm_paths *paths,
                             lm_string *found, const char **why);
void lm_simd_trim(lm_simd *d);
void lm_simd_free(lm_simd *d);

#ifdef __cplusplus
}
#endif
#endif
