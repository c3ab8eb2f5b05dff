/* scale.c -- scales, ticks, labels without overlap, palettes. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/plot/internal.h"

double pl_position(const pl_scale *s, double value)
{
    double low = s->log ? log(s->low) : s->low, high = s->log ? log(s->high) : s->high;
    double v = s->log ? log(value) : value;
    return s->from + (v - low) / (high - low) * (s->to - s->from);
}

/* ---- numbers ---------------------------------------------------------------------------- */

/* Without trailing zeros of a fraction. */
static void plain(double value, const char *suffix, char out[16])
{
    char text[32];
    snprintf(text, sizeof text, fabs(value) < 1e5 ? "%.6f" : "%.0f", value);
    if (strchr(text, '.')) {
        size_t n = strlen(text);
        while (text[n - 1] == '0') text[--n] = 0;
        if (text[n - 1] == '.') text[--n] = 0;
    }
    if (!strcmp(text, "-0")) strcpy(text, "0");
    snprintf(out, 16, "%.10s%s", text, suffix);
}

void pl_number(enum lm_plot_unit unit, double value, char out[16])
{
    static const struct {
        double one;
        const char *suffix;
    } counts[] = { { 1e12, "T" }, { 1e9, "B" }, { 1e6, "M" }, { 1e3, "K" } };
    double size = fabs(value);
    if (unit == LM_PLOT_LENGTH && size >= 1024 && fmod(size, 1024) == 0) {
        bool mega = size >= 1048576 && fmod(size, 1048576) == 0;
        plain(value / (mega ? 1048576 : 1024), mega ? "M" : "K", out);
        return;
    }
    if (unit == LM_PLOT_COUNT)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            if (size >= counts[i].one) {
                plain(value / counts[i].one, counts[i].suffix, out);
                return;
            }
    if (size > 0 && (size < 1e-4 || size >= 1e7)) snprintf(out, 16, "%.0e", value);
    else plain(value, "", out);
}

/* ---- ticks ------------------------------------------------------------------------------ */

static void add(pl_ticks *t, enum lm_plot_unit unit, double at)
{
    if (t->n == PL_TICKS_MAX) return;
    t->at[t->n] = at;
    pl_number(unit, at, t->text[t->n++]);
}

/* 1, 2 or 5 times a power of ten, or a power of two, with at most `want` steps in `span`. */
static double find_step(enum lm_plot_unit unit, double span, size_t want)
{
    double min_step = span / (double)want;
    if (unit == LM_PLOT_LENGTH && min_step > 1) return exp2(ceil(log2(min_step) - 1e-9));
    double ten = pow(10, floor(log10(min_step)));
    static const double times[] = { 1, 2, 5, 10 };
    size_t i = 0;
    while (i < 3 && times[i] * ten < min_step * (1 - 1e-9)) i++;
    return times[i] * ten;
}

static void linear_ticks(pl_ticks *t, enum lm_plot_unit unit, double low, double high, size_t want)
{
    double step = find_step(unit, high - low, want), slack = step * 1e-6;
    double k = ceil((low - slack) / step);
    for (; k * step <= high + slack && t->n < PL_TICKS_MAX; k++) add(t, unit, k * step);
}

static void power_ticks(pl_ticks *t, double low, double high, size_t want)
{
    int first = (int)ceil(log2(low) - 1e-9), last = (int)floor(log2(high) + 1e-9);
    int step = (last - first) / (int)want + 1;
    /* Counted from the upper end, so that the longest length always has a tick. */
    for (int k = last - (last - first) / step * step; k <= last; k += step)
        add(t, LM_PLOT_LENGTH, exp2(k));
}

static void decade_ticks(pl_ticks *t, enum lm_plot_unit unit, double low, double high, size_t want)
{
    static const double fine[] = { 1, 2, 5 };
    double decades = log10(fmin(high / low, DBL_MAX));
    if (decades < 0.7) {
        linear_ticks(t, unit, low, high, want);
        return;
    }
    int step = (int)ceil(decades / (double)want);
    size_t parts = decades * 3 <= (double)want + 1 ? 3 : 1;
    for (int k = (int)floor(log10(low)); k <= (int)ceil(log10(high)); k++)
        for (size_t i = 0; i < parts; i++) {
            double at = fine[i] * pow(10, k);
            bool within = at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9);
            if (k % step == 0 && within) add(t, unit, at);
        }
}

void pl_ticks_make(pl_ticks *out, enum lm_plot_unit unit, bool log, double low, double high,
                   size_t want)
{
    out->n = 0;
    if (!(high > low) || !want) return;
    if (log && unit == LM_PLOT_LENGTH && high / low >= 2) power_ticks(out, low, high, want);
    else if (log) decade_ticks(out, unit, low, high, want);
    else linear_ticks(out, unit, low, high, want);
}

void pl_enclose(enum lm_plot_unit unit, bool log, double *low, double *high, size_t want)
{
    if (log) {
        double edge = pow(fmin(*high / *low, DBL_MAX), 0.05);
        if (edge < 1.01) edge = 1.01;
        *low = fmax(*low / edge, DBL_MIN);
        *high = fmin(*high * edge, DBL_MAX);
        return;
    }
    if (!(*high > *low)) {
        double by = *low != 0 ? fabs(*low) * 0.1 : 1;
        *low -= by;
        *high += by;
    }
    double step = find_step(unit, *high - *low, want);
    *low = floor(*low / step + 1e-6) * step;
    *high = ceil(*high / step - 1e-6) * step;
}

/* ---- labels ----------------------------------------------------------------------------- */

void pl_spread(double *y, size_t n, double gap, double low, double high)
{
    /* A group of touching labels is centred on the mean of its members' positions; a group that
     * touches the one before is merged into it. size[] counts the members of a group. */
    enum { MOST = 256 };
    double middle[MOST];
    size_t size[MOST], groups = 0;
    if (n > MOST) return;
    for (size_t i = 0; i < n; i++) {
        middle[groups] = y[i];
        size[groups++] = 1;
        for (;;) {
            double *m = &middle[groups - 1], half = (double)(size[groups - 1] - 1) * gap / 2;
            if (*m + half > high) *m = high - half;
            if (*m - half < low) *m = low + half;
            if (groups < 2) break;
            size_t a = size[groups - 2], b = size[groups - 1];
            if (*m - m[-1] >= (double)(a + b) * gap / 2 - 1e-9) break;
            m[-1] = ((double)a * m[-1] + (double)b * *m) / (double)(a + b);
            size[--groups - 1] = a + b;
        }
    }
    size_t i = 0;
    for (size_t g = 0; g < groups; g++)
        for (size_t k = 0; k < size[g]; k++)
            y[i++] = middle[g] + ((double)k - (double)(size[g] - 1) / 2) * gap;
}

/* ---- palettes --------------------------------------------------------------------------- */

pl_colour pl_palette(enum lm_plot_palette palette, double at)
{
    static const pl_colour stops[][3] = {
        { { 240 / 255.0, 73 / 255.0, 110 / 255.0 },
          { 235 / 255.0, 184 / 255.0, 57 / 255.0 },
          { 12 / 255.0, 215 / 255.0, 159 / 255.0 } },
        { { 0.13, 0.45, 0.71 }, { 0.98, 0.98, 0.98 }, { 0.90, 0.47, 0.0 } },
    };
    if (!(at > 0)) at = 0;
    if (at > 1) at = 1;
    const pl_colour *a = &stops[palette][at < 0.5 ? 0 : 1], *b = a + 1;
    double t = at < 0.5 ? 2 * at : 2 * at - 1;
    return (pl_colour){ a->r + t * (b->r - a->r), a->g + t * (b->g - a->g),
                        a->b + t * (b->b - a->b) };
}
