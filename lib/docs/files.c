/* files.c -- from operands to a list of files. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/text.h"
#include "longmix/docs.h"

#define FILES_MAX ((size_t)1 << 24)

typedef struct list {
    char **v; /* NULL-ended */
    size_t n, room;
} list;

/* The directories above the current one: a link back to one of them would be endless. */
typedef struct above {
    const struct above *up;
    dev_t dev;
    ino_t ino;
} above;

/* Takes `path`. */
static int add(list *l, char *path)
{
    if (!path) return lm_fail_nomem(sizeof path);
    if (l->n == FILES_MAX) {
        free(path);
        return lm_fail(LM_EUSAGE, "more than %zu input files", FILES_MAX);
    }
    if (l->n + 1 >= l->room) {
        char **v = lm_grow(l->v, &l->room, sizeof *v, FILES_MAX + 1);
        if (!v) {
            free(path);
            return LM_ENOMEM;
        }
        l->v = v;
    }
    l->v[l->n++] = path;
    l->v[l->n] = NULL;
    return LM_OK;
}

static bool is_jsonl(const char *name)
{
    static const char *const tails[] = { ".jsonl", ".jsonl.zst", ".jsonl.gz" };
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        if (lm_has_suffix(name, tails[i])) return true;
    return false;
}

static int walk(list *l, const char *dir, const struct stat *st, const above *up);

static int visit(list *l, const char *dir, const char *name, const above *here)
{
    char *path = NULL;
    struct stat st;
    const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";
    if (asprintf(&path, "%s%s%s", dir, slash, name) < 0)
        return lm_fail_nomem(strlen(dir) + strlen(name) + 2);
    int rc = LM_OK;
    if (stat(path, &st)) {
        /* A dangling link matters only where it has a name that we would read. */
        if (errno != ENOENT || is_jsonl(name)) rc = lm_fail_errno(errno, "%s: cannot open", path);
    } else if (S_ISDIR(st.st_mode)) {
        rc = walk(l, path, &st, here);
    } else if (is_jsonl(name)) {
        return add(l, path);
    }
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
    int rc = LM_OK;
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

static int expand(list *l, const char *arg)
{
    struct stat st;
    if (!strcmp(arg, "-")) return add(l, strdup(arg));
    if (stat(arg, &st)) return lm_fail_errno(errno, "%s: cannot open", arg);
    if (!S_ISDIR(st.st_mode)) return add(l, strdup(arg));
    size_t before = l->n;
    int rc = walk(l, arg, &st, NULL);
    if (rc) return rc;
    if (l->n == before)
        return lm_fail(LM_EUSAGE, "%s: holds no *.jsonl, *.jsonl.zst or *.jsonl.gz", arg);
    qsort(l->v + before, l->n - before, sizeof *l->v, lm_by_name);
    return LM_OK;
}

/* The path below the operand, or the file's own name. */
static char *name_below(const char *path, const char *arg, bool dir)
{
    const char *slash = strrchr(path, '/');
    if (!dir) return strdup(slash && slash[1] ? slash + 1 : path);
    const char *s = path + strlen(arg);
    while (*s == '/') s++;
    return strdup(s);
}

/* Add the names of the files since number `from`, which come from `arg`. */
static int add_names(list *names, const list *paths, size_t from, const char *arg)
{
    struct stat st;
    bool dir = strcmp(arg, "-") && !stat(arg, &st) && S_ISDIR(st.st_mode);
    int rc = LM_OK;
    for (size_t i = from; !rc && i < paths->n; i++)
        rc = add(names, name_below(paths->v[i], arg, dir));
    return rc;
}

int lm_files_expand(lm_files *out, char *const *args, size_t n)
{
    list paths = { NULL, 0, 0 }, names = { NULL, 0, 0 };
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < (n ? n : 1); i++) {
        const char *arg = n ? args[i] : "-";
        size_t from = paths.n;
        rc = expand(&paths, arg);
        if (!rc) rc = add_names(&names, &paths, from, arg);
    }
    *out = (lm_files){ .path = paths.v, .name = names.v, .n = paths.n };
    if (rc) lm_files_free(out);
    return rc;
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
    free_list(f->skipped);
    *f = (lm_files){ 0 };
}
