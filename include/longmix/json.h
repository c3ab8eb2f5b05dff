/* json.h -- recipes, plans, manifests, configs: small JSON. The only user of jansson.
 *
 * Values form a tree owned by its root; lm_json_free() frees a root. A getter that is asked
 * for something absent or of another type fails with LM_EDATA and a message with the name of
 * the document and the path of the field ("per-source.json: long.share: expected a number").
 * Output keeps insertion order, so equal trees give equal bytes. */
#ifndef LONGMIX_JSON_H
#define LONGMIX_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_json lm_json;

/* ---- reading ------------------------------------------------------------------------- */

/* Parse n bytes; `name` is kept for messages. Duplicate keys, depth over 64 and anything
 * after the value are refused. 0 or LM_EDATA (with line and column). */
LM_CHECKED int lm_json_parse(lm_json **out, const void *p, size_t n, const char *name);

/* The same from a file ("-" is standard input) of at most `max` bytes. A FIFO, a socket or a device is
 * LM_EIO, unless its name is that of a descriptor (/dev/fd/63). */
LM_CHECKED int lm_json_load(lm_json **out, const char *path, size_t max);

void lm_json_free(lm_json *root); /* NULL is allowed */

/* Walk. Children are borrowed from the root and live as long as it. lm_json_get gives NULL
 * where `key` is absent; lm_json_need fails instead. Index and size are of arrays. */
const lm_json *lm_json_get(const lm_json *o, const char *key);
LM_CHECKED int lm_json_need(const lm_json **out, const lm_json *o, const char *key);
size_t lm_json_size(const lm_json *v);                     /* array or object, else 0 */
const lm_json *lm_json_at(const lm_json *array, size_t i); /* NULL past the end */

/* The i-th member of an object in insertion order: false past the end. */
bool lm_json_member(const lm_json *o, size_t i, const char **key, const lm_json **value);

enum lm_json_type {
    LM_JSON_NULL,
    LM_JSON_BOOL,
    LM_JSON_INT,
    LM_JSON_REAL,
    LM_JSON_STRING,
    LM_JSON_ARRAY,
    LM_JSON_OBJECT,
};
enum lm_json_type lm_json_type(const lm_json *v);

/* The value itself, of member `key` of `o`, or of `o` itself when key is NULL. Strings are
 * borrowed. u64 refuses negative numbers; f64 takes integers too; hex64 reads lm_hex64's
 * form; size reads a number or a string such as "5B" (lm_parse_size). */
LM_CHECKED int lm_json_str(const char **out, const lm_json *o, const char *key);
LM_CHECKED int lm_json_u64(uint64_t *out, const lm_json *o, const char *key);
LM_CHECKED int lm_json_f64(double *out, const lm_json *o, const char *key);
LM_CHECKED int lm_json_bool(bool *out, const lm_json *o, const char *key);
LM_CHECKED int lm_json_hex64(uint64_t *out, const lm_json *o, const char *key);
LM_CHECKED int lm_json_tokens(uint64_t *out, const lm_json *o, const char *key);

/* LM_EDATA naming the first member of `o` whose key is not in the NULL-ended list: a
 * misspelt field must not be ignored. */
LM_CHECKED int lm_json_only(const lm_json *o, const char *const *keys);

/* Fail with LM_EDATA and the message "NAME: PATH: " and the text, where PATH is that of `v`. */
int lm_json_fail(const lm_json *v, const char *fmt, ...) LM_PRINTF(2, 3);

/* ---- writing ------------------------------------------------------------------------- */

/* New roots. Out of memory is remembered in the tree and reported by lm_json_dump, so
 * no call needs a check: every setter accepts NULL and does nothing then. */
lm_json *lm_json_object(void);
lm_json *lm_json_array(void);
void lm_json_set(lm_json *o, const char *key, lm_json *child); /* takes child; key NULL: append */
void lm_json_set_copy(lm_json *o, const char *key, const lm_json *child);
void lm_json_set_all(lm_json *o, const lm_json *from); /* a copy of each member of `from` */
void lm_json_set_str(lm_json *o, const char *key, const char *s);
void lm_json_set_u64(lm_json *o, const char *key, uint64_t v);
void lm_json_set_f64(lm_json *o, const char *key, double v); /* shortest form that reads back */
void lm_json_set_bool(lm_json *o, const char *key, bool v);
void lm_json_set_null(lm_json *o, const char *key);
void lm_json_set_hex64(lm_json *o, const char *key, uint64_t v);

/* Append the text to `out`: indent 0 gives one line, else that many spaces per level. No
 * newline at the end. */
LM_CHECKED int lm_json_dump(const lm_json *v, int indent, lm_buf *out);

/* The same with a newline at the end. */
LM_CHECKED int lm_json_print(const lm_json *v, int indent, lm_buf *out);

/* Write that text, indented by 2, to `path` as lm_write_file does. */
LM_CHECKED int lm_json_write(const char *path, const lm_json *v);

/* ---- strict numbers ------------------------------------------------------------------ */

/* A whole string as a count: digits, an optional fraction, an optional suffix. K M G T B are
 * 10^3 10^6 10^9 10^12 10^9 (tokens: "5B", "1.5M", lower case too); Ki Mi Gi Ti are powers
 * of 1024. Refuses signs, blanks, remainders ("1.5" without suffix) and overflow.
 * 0, or LM_EUSAGE with a message that quotes s. */
LM_CHECKED int lm_parse_size(const char *s, uint64_t *out);

#ifdef __cplusplus
}
#endif
#endif
