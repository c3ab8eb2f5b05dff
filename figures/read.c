/* read.c -- result lines, read and selected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "longmix/zio.h"

enum { LINE_BYTES_MAX = 1 << 24 };
#define FILE_BYTES_MAX ((size_t)1 << 30)

/* ---- reading ----------------------------------------------------------------------------- */

static bool listed(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' ')) return true;
    return false;
}

/* FIELD=VALUE; numbers are compared as numbers, so that 4096 is also 4096.0. */
static int agrees(fig *f, const fig_line *l, const char *condition, bool *out)
{
    const char *equals = strchr(condition, '=');
    if (!equals || equals == condition)
        return lm_fail(LM_EUSAGE, "--where %s: expected FIELD=VALUE", condition);
    const char *key = fig_text(f, "%.*s", (int)(equals - condition), condition);
    const char *value = fig_field(f, l, key), *want = equals + 1;
    *out = value && !strcmp(value, want);
    if (value && !*out) {
        char *end, *want_end;
        double a = strtod(value, &end), b = strtod(want, &want_end);
        *out = *value && *want && !*end && !*want_end && a == b;
    }
    return f->rc;
}

/* Takes `json`. *others counts lines of other evaluations, *left those excluded by --where. */
static int keep(fig *f, lm_json *json, const char *file, size_t number, const char *eval,
                size_t *others, size_t *left)
{
    fig_line l = { .json = json, .file = file, .number = number };
    const char *name;
    bool wanted = true;
    int rc = LM_OK;
    if (lm_json_type(json) != LM_JSON_OBJECT) rc = fig_fail(&l, "not a JSON object");
    if (!rc && eval) {
        rc = lm_json_str(&name, json, "eval");
        if (!rc) wanted = listed(eval, name);
        if (!wanted) ++*others;
        for (size_t i = 0; !rc && wanted && i < f->o->where.n; i++) {
            rc = agrees(f, &l, f->o->where.v[i], &wanted);
            if (!wanted) ++*left;
        }
    }
    if (!rc && wanted && f->lines == f->room) {
        fig_line *v = lm_grow(f->line, &f->room, sizeof *v, FIG_LINES_MAX);
        if (v) f->line = v;
        else rc = LM_ENOMEM;
    }
    if (!rc && wanted) f->line[f->lines++] = l;
    else lm_json_free(json);
    return rc;
}

static int read_whole(const char *path, lm_buf *out)
{
    lm_in *in = NULL;
    int rc = lm_in_open(&in, path);
    if (!rc) rc = lm_in_all(in, out);
    lm_in_close(in);
    return rc;
}

int fig_read(fig *f, const char *eval)
{
    size_t others = 0, left = 0;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < f->o->files.n; i++) {
        lm_buf text = LM_BUF_INIT(FILE_BYTES_MAX);
        const char *path = f->o->files.v[i], *file = strcmp(path, "-") ? path : "stdin";
        size_t number = 1;
        rc = read_whole(path, &text);
        for (size_t at = 0; !rc && at < text.size; number++) {
            unsigned char *from = text.data + at, *end = memchr(from, '\n', text.size - at);
            size_t n = end ? (size_t)(end - from) : text.size - at;
            lm_json *json = NULL;
            if (n > LINE_BYTES_MAX)
                rc = lm_fail(LM_EDATA, "%s:%zu: a line of %zu bytes", file, number, n);
            if (!rc) rc = lm_json_parse(&json, from, n, fig_text(f, "%s:%zu", file, number));
            if (!rc) rc = keep(f, json, file, number, eval, &others, &left);
            at += n + 1;
        }
        lm_buf_free(&text);
    }
    if (rc || f->rc) return rc ? rc : f->rc;
    if (f->lines && others)
        fig_note(f, "%zu lines of other evaluations are not in this figure", others);
    if (f->lines || !eval) return LM_OK;
    const char *first = f->o->files.v[0];
    return left ? lm_fail(LM_EUSAGE, "nothing to draw: --where excludes all %zu lines (%s)", left,
                          eval)
                : lm_fail(LM_EUSAGE, "nothing to draw: no line of %s in %s%s", eval, first,
                          f->o->files.n > 1 ? " and the others" : "");
}

static bool names_field(const fig_words *w, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < w->n; i++)
        if (!strncmp(w->v[i], key, n) && (!w->v[i][n] || w->v[i][n] == '=')) return true;
    return false;
}

int fig_only(fig *f, const char *key, const char *value)
{
    size_t kept = 0, all = f->lines;
    if (names_field(&f->o->where, key) || names_field(&f->o->by, key) ||
        names_field(&f->o->over, key))
        return LM_OK;
    for (size_t i = 0; i < all; i++) {
        const char *v = fig_field(f, &f->line[i], key);
        fig_line l = f->line[i];
        if (v && strcmp(v, value)) lm_json_free(l.json);
        else f->line[kept++] = l;
    }
    f->lines = kept;
    if (!kept) return lm_fail(LM_EUSAGE, "nothing to draw: no line with \"%s\" %s", key, value);
    return f->rc;
}
