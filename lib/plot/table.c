/* table.c -- tables as text. */
#include <string.h>

#include "lib/plot/plot.h"

static const char *cell_of(const lm_plot_table *t, size_t row, size_t column)
{
    const char *s = row ? t->cell[(row - 1) * t->columns + column] : t->head[column];
    return s ? s : "";
}

/* One cell, with delimiters replaced or escaped. */
static int add_cell(lm_buf *out, const char *s, bool markdown)
{
    int rc = LM_OK;
    for (; !rc && *s; s++) {
        char k = *s == '\t' || *s == '\n' || *s == '\r' ? ' ' : *s;
        if (markdown && k == '|') rc = lm_buf_add(out, "\\", 1);
        if (!rc) rc = lm_buf_add(out, &k, 1);
    }
    return rc;
}

/* In characters, escapes included. */
static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++) n += (((unsigned char)*s & 0xc0) != 0x80) + (*s == '|');
    return n;
}

static int add_some(lm_buf *out, char k, size_t n)
{
    int rc = LM_OK;
    while (!rc && n--) rc = lm_buf_add(out, &k, 1);
    return rc;
}

/* Column 0 left-aligned, the others (numbers) right-aligned. */
static int add_row(lm_buf *out, const lm_plot_table *t, size_t row, const size_t *width)
{
    int rc = LM_OK;
    for (size_t k = 0; !rc && k < t->columns; k++) {
        const char *s = cell_of(t, row, k);
        size_t pad = width[k] - width_of(s);
        rc = lm_buf_add(out, k ? " " : "| ", k ? 1 : 2);
        if (!rc && k) rc = add_some(out, ' ', pad);
        if (!rc) rc = add_cell(out, s, true);
        if (!rc && !k) rc = add_some(out, ' ', pad);
        if (!rc) rc = lm_buf_add(out, " |", 2);
    }
    return rc ? rc : lm_buf_add(out, "\n", 1);
}

enum { COLUMNS_MAX = 1024 };

int lm_plot_table_markdown(lm_buf *out, const lm_plot_table *t)
{
    size_t width[COLUMNS_MAX];
    int rc = LM_OK;
    if (!t->columns || t->columns > COLUMNS_MAX)
        return lm_fail(LM_EUSAGE, "a table has 1 to %d columns, not %zu", COLUMNS_MAX, t->columns);
    for (size_t k = 0; k < t->columns; k++) {
        width[k] = 3;
        for (size_t r = 0; r <= t->rows; r++) {
            size_t w = width_of(cell_of(t, r, k));
            if (w > width[k]) width[k] = w;
        }
    }
    for (size_t r = 0; !rc && r <= t->rows; r++) {
        rc = add_row(out, t, r, width);
        for (size_t k = 0; !rc && !r && k < t->columns; k++) {
            rc = lm_buf_add(out, k ? "-" : "|-", k ? 1 : 2);
            if (!rc) rc = add_some(out, '-', width[k]);
            if (!rc) rc = lm_buf_add(out, k ? ":|" : "-|", 2);
        }
        if (!rc && !r) rc = lm_buf_add(out, "\n", 1);
    }
    if (!rc && t->caption) rc = lm_buf_printf(out, "\n%s\n", t->caption);
    return rc;
}

int lm_plot_table_tsv(lm_buf *out, const lm_plot_table *t)
{
    int rc = LM_OK;
    for (size_t r = 0; !rc && r <= t->rows; r++)
        for (size_t k = 0; !rc && k < t->columns; k++) {
            rc = add_cell(out, cell_of(t, r, k), false);
            if (!rc) rc = lm_buf_add(out, k + 1 < t->columns ? "\t" : "\n", 1);
        }
    return rc;
}
