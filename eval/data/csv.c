#include "eval/data/csv.h"

#include <stdlib.h>
#include <string.h>

#include "longmix/buf.h"

enum { ROW_MAX = 1 << 26 };

typedef struct table {
    const char *path, *s, *end;
    size_t line, columns;
    lm_buf row;    /* the fields, NUL-ended, one after the other */
    size_t *start; /* [columns] */
    const char **field;
} table;

/* One field into t->row; afterwards t->s is at the comma, line end or end of text behind it. */
static int read_field(table *t)
{
    size_t opened = 0; /* the line of the quote that is open */
    int rc = LM_OK;
    if (t->s < t->end && *t->s == '"') {
        opened = t->line;
        t->s++;
    }
    for (; !rc && t->s < t->end; t->s++) {
        char ch = *t->s;
        if (opened && ch == '"') {
            if (t->s + 1 == t->end || t->s[1] != '"') {
                opened = 0;
                continue;
            }
            t->s++;
        } else if (!opened && (ch == ',' || ch == '\n' ||
                               (ch == '\r' && t->s + 1 < t->end && t->s[1] == '\n'))) {
            break;
        }
        t->line += ch == '\n';
        rc = ch ? lm_buf_add(&t->row, &ch, 1)
                : lm_fail(LM_EDATA, "%s:%zu: a NUL byte", t->path, t->line);
    }
    if (!rc && opened)
        rc = lm_fail(LM_EDATA, "%s:%zu: this quote is never closed", t->path, opened);
    return rc ? rc : lm_buf_add(&t->row, "", 1);
}

static int read_row(table *t)
{
    size_t n = 0, line = t->line;
    lm_buf_reset(&t->row, t->row.cap);
    for (;;) {
        if (n < t->columns) t->start[n] = t->row.size;
        n++;
        int rc = read_field(t);
        if (rc) return rc;
        if (t->s == t->end || *t->s != ',') break;
        t->s++;
    }
    if (n != t->columns)
        return lm_fail(LM_EDATA, "%s:%zu: %zu fields; %zu are expected", t->path, line, n,
                       t->columns);
    for (size_t i = 0; i < n; i++) t->field[i] = (char *)t->row.data + t->start[i];
    return LM_OK;
}

/* Past the end of the line at t->s. */
static void end_line(table *t)
{
    if (t->s < t->end && *t->s == '\r') t->s++;
    if (t->s < t->end && *t->s == '\n') {
        t->s++;
        t->line++;
    }
}

int eval_csv(const char *path, const char *text, size_t n, size_t columns,
             int (*each)(void *arg, const char *const *field, size_t row), void *arg)
{
    table t = { path,
                text,
                text + n,
                1,
                columns,
                LM_BUF_INIT(ROW_MAX),
                calloc(columns, sizeof *t.start),
                calloc(columns, sizeof *t.field) };
    int rc = t.start && t.field ? LM_OK : lm_fail_nomem(columns * sizeof *t.start);
    if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) t.s += 3;
    for (size_t row = 0; !rc && t.s < t.end; end_line(&t)) {
        if (*t.s == '\n' || (*t.s == '\r' && t.s + 1 < t.end && t.s[1] == '\n')) continue;
        rc = read_row(&t);
        if (!rc) rc = each(arg, t.field, row++);
    }
    lm_buf_free(&t.row);
    free(t.start);
    free(t.field);
    return rc;
}
