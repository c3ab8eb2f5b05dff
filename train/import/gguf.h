/* gguf.h -- reader of GGUF files, version 2 and 3, little-endian: metadata and tensors.
 *
 * Every count, length and offset is checked against the file before it is used, so that no file can
 * make the reader allocate more than a small multiple of its own size. Messages name the file, the
 * key or tensor, and the byte where it lies. */
#ifndef TRAIN_IMPORT_GGUF_H
#define TRAIN_IMPORT_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"
#include "train/import/ggml_types.h"

enum { GGUF_RANK_MAX = 4 };

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPES
};

typedef struct gguf gguf;

/* An entry of the metadata. */
typedef struct gguf_value {
    const char *key;     /* first, for lm_by_name */
    enum gguf_type type; /* of an array: that of its elements, never GGUF_ARRAY */
    bool array;
    uint64_t count; /* of elements; 1 where it is no array */
    uint64_t at;    /* the byte of the file where the first element begins */
} gguf_value;

typedef struct gguf_tensor {
    const char *name; /* first, for lm_by_name */
    const char *file; /* path of the file that holds it, for messages */
    const ggml_type *type;
    uint32_t id; /* of the type */
    size_t rank;
    uint64_t shape
        [GGUF_RANK_MAX]; /* the last one is that of a row, as in PyTorch: GGUF has them reversed */
    uint64_t count;      /* numbers in it */
    uint64_t offset;     /* of its first byte in the file */
    size_t part;         /* the reader's */
} gguf_tensor;

/* Open a file, or all files of a split model by the first of them ("-00001-of-00003.gguf"). Duplicate
 * keys, tensors of types that are not read, and tensors that overlap or lie past the end are LM_EDATA.
 * 0, LM_EIO, LM_EDATA or LM_ENOMEM. */
LM_CHECKED int gguf_open(gguf **out, const char *path);
void gguf_close(gguf *g); /* NULL is allowed */

const char *gguf_path(const gguf *g);

/* ---- metadata: all entries in the order of their keys --------------------------------------- */

size_t gguf_values(const gguf *g);
const gguf_value *gguf_value_at(const gguf *g, size_t i);
const gguf_value *gguf_find(const gguf *g, const char *key); /* NULL: not there */

/* The value of `key`: LM_EDATA where it is absent or of another type. u64 takes every integer type,
 * and an array of one number repeated, but nothing negative. Strings are UTF-8 without NUL, and
 * borrowed from the reader; they are not NUL-ended. */
LM_CHECKED int gguf_u64(const gguf *g, const char *key, uint64_t *out);
LM_CHECKED int gguf_f64(const gguf *g, const char *key, double *out);
LM_CHECKED int gguf_bool(const gguf *g, const char *key, bool *out);
LM_CHECKED int gguf_string(const gguf *g, const char *key, lm_string *out);

/* An array in new memory, which the caller frees. `floats` takes F32. */
LM_CHECKED int gguf_strings(const gguf *g, const char *key, lm_string **out, size_t *n);
LM_CHECKED int gguf_floats(const gguf *g, const char *key, float **out, size_t *n);
LM_CHECKED int gguf_u64s(const gguf *g, const char *key, uint64_t **out, size_t *n);

/* LM_EDATA with "FILE: KEY at byte N: " and the text. */
int gguf_fail(const gguf *g, const char *key, const char *fmt, ...) LM_PRINTF(3, 4);

/* ---- tensors: in the order of their names --------------------------------------------------- */

size_t gguf_tensors(const gguf *g);
const gguf_tensor *gguf_tensor_at(const gguf *g, size_t i);
const gguf_tensor *gguf_tensor_find(const gguf *g, const char *name); /* NULL: not there */

/* Rows first .. first+n-1 (a row is the last size of the shape) as float32. `raw` is memory for the
 * bytes of the rows, reused between calls. 0, LM_EIO, LM_EDATA or LM_ENOMEM. */
LM_CHECKED int gguf_rows(const gguf *g, const gguf_tensor *t, uint64_t first, size_t n, lm_buf *raw,
                         float *dst);

#endif
