/* windows.h -- the windows of a text that perplexity is measured over, and means over them.
 * Arithmetic alone, no model. */
#ifndef EVAL_TASKS_WINDOWS_H
#define EVAL_TASKS_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

/* ChunkLlama's windows (ppl/test_ppl.py): `length` tokens from 0, stride, 2 stride, ... as long as
 * the start is below tokens - length; and the last of those is left out. */
uint64_t eval_windows_count(uint64_t tokens, uint64_t length, uint64_t stride);

/* The start of window i of `taken`, spread evenly over all `count` (taken <= count). */
uint64_t eval_windows_start(uint64_t count, uint64_t taken, uint64_t stride, uint64_t i);

/* Means of windows as they come. */
typedef struct eval_mean {
    uint64_t n;
    double sum, squares; /* of the values and of their squares */
} eval_mean;

void eval_mean_add(eval_mean *m, double v);
double eval_mean_value(const eval_mean *m); /* NaN where n is 0 */

/* The standard error of the mean, where `independent` <= n of the values are counted as
 * independent: windows that overlap are not. NaN below two. */
double eval_mean_error(const eval_mean *m, double independent);

/* 2.71828 ^ mean: the authors' constant, not e. */
double eval_perplexity(double mean_loss);

#endif
