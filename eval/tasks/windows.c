#include "eval/tasks/windows.h"

#include <math.h>

uint64_t eval_windows_count(uint64_t tokens, uint64_t length, uint64_t stride)
{
    if (tokens <= length || !stride) return 0;
    return (tokens - length - 1) / stride; /* one less than the starts below tokens - length */
}

uint64_t eval_windows_start(uint64_t count, uint64_t taken, uint64_t stride, uint64_t i)
{
    return (count / taken * i + count % taken * i / taken) * stride;
}

void eval_mean_add(eval_mean *m, double v)
{
    m->n++;
    m->sum += v;
    m->squares += v * v;
}

double eval_mean_value(const eval_mean *m) { return m->n ? m->sum / (double)m->n : NAN; }

double eval_mean_error(const eval_mean *m, double independent)
{
    double n = (double)m->n, mean = eval_mean_value(m);
    if (m->n < 2 || independent < 2) return NAN;
    double variance = (m->squares - n * mean * mean) / (n - 1);
    return sqrt((variance > 0 ? variance : 0) / independent);
}

double eval_perplexity(double mean_loss) { return pow(2.71828, mean_loss); }
