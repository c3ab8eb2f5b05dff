/* files.c -- from operands to a list of files. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "lib/docs/internal.h"
#include "longmix/docs.h"

#define FILES_MAX ((size_t)1 << 24)

typedef struct list {
    lm_item *v;
    size_t n, room;
    size_t operand, below; /* of the next item */
    const lm_schema *schema;
    lm_line_parser *parser;    /* for lm_sniff */
    const char *format, *help; /* of the first item in another format that is known */
} list;

/* The directories above the current one: a link back to one of them would be endless. */
typedef struct above {
    const struct above *up;
    dev_t dev;
    ino_t ino;
} above;

/* Takes `path`. `why`: it is skipped. */
static int add(list *l, char *path, const char *why)
{
    if (!path) return lm_fail_nomem(sizeof path);
    int rc = LM_OK;
    if (l->n == FILES_MAX) rc = lm_fail(LM_EUSAGE, "more than %zu input files", FILES_MAX);
    if (!rc && l->n == l->room) {
        lm_item *v = lm_grow(l->v, &l->room, sizeof *v, FILES_MAX);
        if (v) l->v = v;
        else rc = LM_ENOMEM;
    }
    if (rc) free(path);
    else
        l->v[l->n++] =
            (lm_item){ .path = path, .below = l->below, .operand = l->operand, .why = why };
    return rc;
}

/* ---- folders --------------------------------------------------------------------------- */

static int walk(list *l, const char *dir, const struct stat *st, const above *up);

static const char *type_name(mode_t mode)
{
    if (S_ISFIFO(mode)) return "FIFO";
    return S_ISSOCK(mode) ? "socket" : "device";
}

/* A regular file. Takes `path`. */
static int visit_file(list *l, char *path)
{
    const char *why = NULL, *help = NULL;
    int rc = lm_sniff(path, l->schema, &l->parser, &why, &help);
    if (rc < 0) {
        free(path);
        return rc;
    }
    if (rc == 0 && help && !l->help) {
        l->format = why;
        l->help = help;
    }
    return add(l, path, rc ? NULL : why);
}

static int visit(list *l, const char *dir, const char *name, const above *here)
{
    char *path = NULL;
    struct stat st;
    const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";
    if (asprintf(&path, "%s%s%s", dir, slash, name) < 0)
        return lm_fail_nomem(strlen(dir) + strlen(name) + 2);
    if (*name == '.') return add(l, path, "hidden");
    if (stat(path, &st)) {
        if (errno == ENOENT || errno == ELOOP) return add(l, path, "dangling link");
        int rc = lm_fail_errno(errno, "%s: cannot open", path);
        free(path);
        return rc;
    }
    if (S_ISREG(st.st_mode)) return visit_file(l, path);
    if (!S_ISDIR(st.st_mode)) return add(l, path, type_name(st.st_mode));
    int rc = walk(l, path, &st, here);
    free(path);
    return rc;
}

static int walk(list *l, const char *dir, const struct stat *st, const above *up)
{
    above here = { up, st->st_dev, st->st_ino };
    for (const above *a = up; a; a = a->up)
        if (a->dev == here.dev && a->ino == here.ino)
            return lm_fail(LM_EIO, "%s: a link to a folder that it lies in", dir);
    DIR *d = opendir(dir);
    if (!d) return lm_fail_errno(errno, "%s: cannot open", dir);
    int rc = lm_check_interrupt();
    while (!rc) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (!e && errno) rc = lm_fail_errno(errno, "%s: cannot read", dir);
        if (!e) break;
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) rc = visit(l, dir, e->d_name, &here);
    }
    closedir(d);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    const lm_item *x = a, *y = b;
    return strcmp(x->path, y->path);
}

/* Append "2 Parquet, 1 hidden": items by reason, in the order in which the reasons come first. */
static int add_reasons(lm_buf *out, const char *const *why, size_t n)
{
    const char *seen[64]; /* more than there are reasons */
    size_t count[64] = { 0 }, kinds = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kinds && strcmp(seen[k], why[i])) k++;
        if (k == sizeof seen / sizeof *seen) k--;
        if (k == kinds) seen[kinds++] = why[i];
        count[k]++;
    }
    int rc = LM_OK;
    for (size_t k = 0; !rc && k < kinds; k++)
        rc = lm_buf_printf(out, "%s%zu %s", k ? ", " : "", count[k], seen[k]);
    return rc;
}

/* A folder that holds nothing to read: what it holds, n items that are skipped, and what would help. */
static int fail_empty(const list *l, const char *dir, const lm_item *v, size_t n)
{
    if (n == 0) return lm_fail(LM_EUSAGE, "%s: holds no files", dir);
    lm_buf text = LM_BUF_INIT(65536);
    const char **why = calloc(n, sizeof *why);
    int rc = why ? LM_OK : lm_fail_nomem(n * sizeof *why);
    for (size_t i = 0; !rc && i < n; i++) why[i] = v[i].why;
    if (!rc) rc = add_reasons(&text, why, n);
    if (!rc)
        rc = lm_fail(LM_EUSAGE, "%s: holds no JSON lines, but %s%s%s%s%s", dir, text.data,
                     l->help ? "; " : "", l->help ? l->format : "", l->help ? ": " : "",
                     l->help ? l->help : "");
    free(why);
    lm_buf_free(&text);
    return rc;
}

static int expand(list *l, const char *arg)
{
    struct stat st;
    l->below = 0;
    if (!strcmp(arg, "-")) return add(l, strdup(arg), NULL);
    if (stat(arg, &st)) return lm_fail_errno(errno, "%s: cannot open", arg);
    if (!S_ISDIR(st.st_mode)) return add(l, strdup(arg), NULL);
    size_t before = l->n, taken = 0, k = strlen(arg);
    l->below = k + (arg[k - 1] != '/');
    l->help = NULL;
    int rc = walk(l, arg, &st, NULL);
    if (rc) return rc;
    if (l->n > before) qsort(l->v + before, l->n - before, sizeof *l->v, by_path);
    for (size_t i = before; i < l->n; i++) taken += !l->v[i].why;
    if (taken) return LM_OK;
    return fail_empty(l, arg, l->v ? l->v + before : NULL, l->n - before);
}

/* ---- the list -------------------------------------------------------------------------- */

/* Hand the items over: arrays of the files, and of what is skipped. */
static int hand_over(lm_files *out, list *l)
{
    size_t skips = 0, n = l->n;
    for (size_t i = 0; i < n; i++) skips += l->v[i].why != NULL;
    out->path = calloc(n + 1, sizeof *out->path);
    out->name = calloc(n + 1, sizeof *out->name);
    out->full = calloc(n + 1, sizeof *out->full);
    out->top = calloc(n + 1, sizeof *out->top);
    out->skipped = calloc(skips + 1, sizeof *out->skipped);
    out->why = calloc(skips + 1, sizeof *out->why);
    if (!out->path || !out->name || !out->full || !out->top || !out->skipped || !out->why)
        return lm_fail_nomem(n * sizeof *out->path);
    for (size_t i = 0; i < n; i++) {
        lm_item *m = &l->v[i];
        char *name = lm_name_escape(m->tail);
        if (!name) return lm_fail_nomem(strlen(m->tail));
        if (m->why) {
            out->why[out->skips] = m->why;
            out->skipped[out->skips++] = name;
            continue;
        }
        out->top[out->n] = m->top;
        out->full[out->n] = m->full;
        out->path[out->n] = m->path;
        out->name[out->n++] = name;
        m->full = m->path = NULL;
    }
    return LM_OK;
}

int lm_files_expand(lm_files *out, char *const *args, size_t n, const lm_schema *schema)
{
    static char *const standard[] = { (char *)"-" };
    list l = { .schema = schema };
    *out = (lm_files){ 0 };
    if (n == 0) {
        args = standard;
        n = 1;
    }
    int rc = LM_OK;
    for (; !rc && l.operand < n; l.operand++) rc = expand(&l, args[l.operand]);
    if (!rc) rc = lm_items_name(l.v, l.n, args);
    if (!rc) rc = hand_over(out, &l);
    if (rc) lm_files_free(out);
    for (size_t i = 0; i < l.n; i++) {
        free(l.v[i].path);
        free(l.v[i].full);
    }
    free(l.v);
    lm_line_parser_free(l.parser);
    return rc;
}

int lm_files_summary(lm_buf *out, const lm_files *f)
{
    if (!f->skips) return LM_OK;
    int rc = lm_buf_printf(out, "%zu file%s in the folders %s not read (", f->skips,
                           f->skips == 1 ? "" : "s", f->skips == 1 ? "is" : "are");
    if (!rc) rc = add_reasons(out, f->why, f->skips);
    return rc ? rc : lm_buf_printf(out, ")");
}

static void free_list(char **v)
{
    for (char **s = v; s && *s; s++) free(*s);
    free(v);
}

void lm_files_free(lm_files *f)
{
    free_list(f->path);
    free_list(f->name);
    free_list(f->full);
    free_list(f->skipped);
    free(f->top);
    free(f->why);
    *f = (lm_files){ 0 };
}
