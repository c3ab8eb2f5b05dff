/* base.c -- what every figure uses: its memory, the fields of its lines, its table. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "lib/base/text.h"
#include "longmix/zio.h"

enum { FIELD_BYTES_MAX = 1 << 24 };

/* ---- memory ------------------------------------------------------------------------------ */

void *fig_new(fig *f, size_t n, size_t size)
{
    if (f->chunks == f->chunk_room) {
        void **chunk = lm_grow(f->chunk, &f->chunk_room, sizeof *chunk, SIZE_MAX);
        if (!chunk) {
            f->rc = LM_ENOMEM;
            return NULL;
        }
        f->chunk = chunk;
    }
    void *p = calloc(n ? n : 1, size);
    if (p) f->chunk[f->chunks++] = p;
    else f->rc = lm_fail_nomem(n * size);
    return p;
}

const char *fig_text(fig *f, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *text = n < 0 ? NULL : fig_new(f, (size_t)n + 1, 1);
    if (text) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return text ? text : "";
}

void fig_note(const fig *f, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (f->o->note) f->o->note(f->o->arg, line);
}

/* ---- tables --------------------------------------------------------------------------------- */

bool fig_is_table(const char *out)
{
    return !strcmp(out, "-") || lm_has_suffix(out, ".md") || lm_has_suffix(out, ".tsv");
}

bool fig_wants_table(const fig *f) { return fig_is_table(f->o->out); }

int fig_table(fig *f, const lm_plot_table *t)
{
    lm_buf text = LM_BUF_INIT((size_t)1 << 28);
    lm_out *out = NULL;
    int rc = f->rc;
    if (!rc && lm_has_suffix(f->o->out, ".tsv")) rc = lm_plot_table_tsv(&text, t);
    else if (!rc) rc = lm_plot_table_markdown(&text, t);
    if (!rc) rc = lm_out_open(&out, f->o->out, LM_OUT_PLAIN, 0);
    if (!rc) rc = lm_out_write(out, text.data, text.size);
    if (!rc) rc = lm_out_commit(out);
    else lm_out_abandon(out);
    lm_buf_free(&text);
    return rc;
}

/* ---- fields ------------------------------------------------------------------------------ */

int fig_fail(const fig_line *l, const char *fmt, ...)
{
    char text[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return lm_fail(LM_EDATA, "%s:%zu: %s", l->file, l->number, text);
}

int fig_number(const fig_line *l, const char *key, double *out)
{
    const lm_json *v = lm_json_get(l->json, key);
    if (!v) return fig_fail(l, "\"%s\" is missing", key);
    if (lm_json_type(v) == LM_JSON_NULL) {
        *out = INFINITY;
        return LM_OK;
    }
    if (lm_json_type(v) != LM_JSON_INT && lm_json_type(v) != LM_JSON_REAL)
        return fig_fail(l, "\"%s\": a number is expected", key);
    return lm_json_f64(out, v, NULL);
}

int fig_number_or(const fig_line *l, const char *key, double *out)
{
    *out = NAN;
    return lm_json_get(l->json, key) ? fig_number(l, key, out) : LM_OK;
}

const char *fig_field(fig *f, const fig_line *l, const char *key)
{
    const lm_json *v = lm_json_get(l->json, key);
    const char *s = NULL;
    if (!v) return NULL;
    if (lm_json_type(v) == LM_JSON_STRING) return lm_json_str(&s, v, NULL) ? NULL : s;
    lm_buf text = LM_BUF_INIT(FIELD_BYTES_MAX);
    if (lm_json_dump(v, 0, &text) || lm_buf_add(&text, "", 1)) f->rc = LM_ENOMEM;
    else s = fig_text(f, "%s", (char *)text.data);
    lm_buf_free(&text);
    return s;
}
