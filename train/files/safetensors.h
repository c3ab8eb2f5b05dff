/* safetensors.h -- tensors in files, as Hugging Face models keep them: 8 bytes with the length of
 * a JSON header, the header, the numbers. */
#ifndef TRAIN_FILES_SAFETENSORS_H
#define TRAIN_FILES_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

enum st_dtype { ST_F32, ST_BF16, ST_F16 };
enum { ST_RANK_MAX = 4 };

float st_from_half(uint16_t h); /* the bits of a float16, exactly */

typedef struct st_tensor {
    const char *name; /* first, for lm_by_name */
    const char *file; /* path of the file that holds it, for messages */
    enum st_dtype dtype;
    size_t rank;
    uint64_t shape[ST_RANK_MAX];
    uint64_t count;  /* numbers in it */
    uint64_t offset; /* of its first byte in the file */
    size_t source;   /* the reader's */
} st_tensor;

/* ---- reading --------------------------------------------------------------------------- */

typedef struct st_reader st_reader;

/* The tensors of one .safetensors file; or of a model directory: its model.safetensors, or the
 * files that its model.safetensors.index.json names. Headers are checked whole: every tensor's
 * type, shape and place, no overlap, no gap, no byte past the end. 0, LM_EIO, or LM_EDATA naming
 * file and tensor. */
LM_CHECKED int st_open(st_reader **out, const char *path);
void st_close(st_reader *r); /* NULL is allowed */

size_t st_count(const st_reader *r);
const st_tensor *st_at(const st_reader *r, size_t i);
const st_tensor *st_find(const st_reader *r, const char *name); /* NULL: not there */

/* Numbers first .. first+n-1 of a tensor, widened to float32. 0, LM_EIO, or LM_EDATA. */
LM_CHECKED int st_read(const st_reader *r, const st_tensor *t, uint64_t first, float *dst,
                       size_t n);

/* ---- writing --------------------------------------------------------------------------- */

typedef struct st_spec {
    const char *name;
    size_t rank;
    uint64_t shape[ST_RANK_MAX];
    enum st_dtype dtype; /* for st_create_each */
} st_spec;

typedef struct st_writer st_writer;

/* Write `path` by a temporary name: the header now, then the numbers of each tensor in the order
 * of `specs`, in as many calls as the caller likes, then commit. */
LM_CHECKED int st_create(st_writer **out, const char *path, const st_spec *specs, size_t n,
                         enum st_dtype dtype);
/* The same, where each of the specs says its own type. */
LM_CHECKED int st_create_each(st_writer **out, const char *path, const st_spec *specs, size_t n);
LM_CHECKED int st_write(st_writer *w, const float *src, size_t n);
/* LM_EUSAGE where fewer or more numbers were written than the specs say. Frees `w` always. */
LM_CHECKED int st_commit(st_writer *w);
void st_abandon(st_writer *w); /* NULL is allowed */

const char *st_dtype_name(
    enum st_dtype d); /* "float32", "bfloat16", "float16": config.json's words */

#endif
