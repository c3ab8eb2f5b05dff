/* kernels.h -- private to train/cpu: the inner loops of reading, compiled for several instruction
 * sets from kernels_body.h and chosen at run time.
 *
 * What they compute for one token is a chain of operations that depends on nothing else: not on the
 * other tokens of the call, not on the tile. The kernels of x86-64-v3 and v4 agree in every bit, as
 * both have fused multiply-add. */
#ifndef TRAIN_CPU_KERNELS_H
#define TRAIN_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packed weights are panels of PANEL outputs, input by input: [outputs / PANEL][inputs][PANEL], the
 * last panel filled with zeros. Outputs j and j + PANEL/2 of a panel share a 32-bit word in bfloat16
 * (the first in its low half), so that a shift and a mask widen it. */
enum { PANEL = 32, HALF_PANEL = PANEL / 2 };
enum { TILE_KEYS = 64, TILE_ROWS = 64, HEAD_MAX = 256 };

/* One or two panels times n tokens: y[t * stride + o] for o < outs, of x[n, in]. */
typedef struct cpu_panels {
    const void *w;
    size_t in, outs; /* outs <= PANEL * count */
    int count;       /* 1 or 2 */
    bool bfloat16;
} cpu_panels;

/* Rows of queries that attend to `cols` keys of one head, transposed: row r is column r of each
 * array. `rows` is 8 or a multiple of 16, at most TILE_ROWS; what is past the caller's rows is
 * padding, whose q is 0 and which sees all keys. */
typedef struct cpu_part {
    size_t d, rows, cols, stride; /* stride: of k and v, from key to key */
    const float *q;               /* [d, rows], times the scale and log2(e) */
    const float *k, *v;
    const int32_t *seen; /* [rows]: keys that each attends to, the first ones; may be <= 0 */
    int32_t least;       /* of them */
} cpu_part;

/* The softmax of a part: acc = sum 2^(s - top) v, sum = sum 2^(s - top). A row that sees nothing has
 * sum 0 and a very low top. */
typedef struct cpu_softmax {
    float *acc, *top, *sum; /* [d, rows], [rows], [rows] */
} cpu_softmax;

typedef struct cpu_kernel_set {
    void (*panels)(float *y, size_t stride, const float *x, size_t n, const cpu_panels *w,
                   bool add);
    void (*attend)(const cpu_softmax *out, const cpu_part *part);
    /* to = the softmax of the keys of both. */
    void (*merge)(const cpu_softmax *to, const cpu_softmax *other, size_t d, size_t rows);
} cpu_kernel_set;

extern const cpu_kernel_set cpu_kernels_plain;
#ifdef __x86_64__
extern const cpu_kernel_set cpu_kernels_v3, cpu_kernels_v4;
#endif

#endif
