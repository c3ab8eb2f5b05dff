/* ggml_types.h -- the number formats of GGUF tensors, converted to float32. */
#ifndef TRAIN_IMPORT_GGML_TYPES_H
#define TRAIN_IMPORT_GGML_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum { GGML_F32 = 0, GGML_F16 = 1, GGML_BF16 = 30 };

/* A type that is read. Numbers are stored in blocks of `numbers`, `bytes` each. */
typedef struct ggml_type {
    const char *name;
    size_t numbers, bytes;
    void (*convert)(const unsigned char *block, float *out);
} ggml_type;

#define GGML_READ "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K"

/* NULL for an id that is not read. Its name, also where it is not read; NULL for an id that GGUF
 * does not have. */
const ggml_type *ggml_type_of(uint32_t id);
const char *ggml_type_name(uint32_t id);

/* Convert `blocks` blocks to blocks * t->numbers numbers, with the float32 operations of GGUF's
 * reference code in its order. Total: any bytes give numbers (or NaN). */
void ggml_convert(const ggml_type *t, const unsigned char *src, size_t blocks, float *dst);

#endif
