/* directory.c -- the tokenizer files of a directory.
 *
 * Model directories hold the same tokenizer in several forms. A SentencePiece model comes first: it is
 * what LLaMA-2's family is defined by, and has the fastest path. Then tokenizer.json, which transformers
 * reads; then the forms of Mistral and of tiktoken. */
#include "lib/tokenizer/directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/tokenizer/internal.h"

enum { HEAD = 8192, FILES_MAX = 1000, NEVER = 100 };

static bool begins(const char *s, const char *with) { return !strncmp(s, with, strlen(with)); }

/* Is the file one of tiktoken's ranks? */
static bool is_ranks(const char *path)
{
    unsigned char head[HEAD];
    int fd = lm_fd_open_regular(path);
    ssize_t n = fd < 0 ? -1 : lm_fd_read(fd, head, sizeof head, 0, path);
    if (fd >= 0) close(fd);
    lm_tokenizer_file f = { path, head, n > 0 ? (size_t)n : 0 };
    return lm_tiktoken_is(&f);
}

/* The place of a name in the order; NEVER: it is not a tokenizer's. */
static int order(const char *name, const char *path)
{
    if (!strcmp(name, "tokenizer.model")) return is_ranks(path) ? 3 : 0;
    if (!strcmp(name, "tokenizer.json")) return 1;
    if (!strcmp(name, "tekken.json")) return 2;
    if (begins(name, "tekken_") && lm_has_suffix(name, ".json")) return 4;
    if (lm_has_suffix(name, ".tiktoken")) return 5;
    if (strstr(name, "tokenizer") && strstr(name, ".model.v")) return 6;
    if (!strcmp(name, "spiece.model") || !strcmp(name, "sentencepiece.bpe.model")) return 7;
    return NEVER;
}

typedef struct entry {
    char *path;
    int place;
} entry;

static int by_place(const void *x, const void *y)
{
    const entry *a = x, *b = y;
    return a->place != b->place ? a->place - b->place : strcmp(a->path, b->path);
}

static char *join(const char *dir, const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);
    bool slash = *dir && dir[strlen(dir) - 1] == '/';
    if (path) snprintf(path, n, "%s%s%s", dir, slash ? "" : "/", name);
    return path;
}

/* 0 with the entry of a file, or with path NULL where it is not a tokenizer's. */
static int look(entry *e, const char *dir, const char *name)
{
    e->path = join(dir, name);
    if (!e->path) return lm_fail_nomem(strlen(dir) + strlen(name) + 2);
    e->place = order(name, e->path);
    if (e->place != NEVER) return LM_OK;
    free(e->path);
    e->path = NULL;
    return LM_OK;
}

static int keep(lm_tokenizer_files *out, entry *all, size_t n)
{
    if (!n) return LM_OK;
    qsort(all, n, sizeof *all, by_place);
    out->path = calloc(n, sizeof *out->path);
    if (!out->path) return lm_fail_nomem(n * sizeof *out->path);
    out->cap = n;
    for (size_t i = 0; i < n; i++) {
        out->path[out->n++] = all[i].path;
        all[i].path = NULL;
    }
    return LM_OK;
}

int lm_tokenizer_files_list(lm_tokenizer_files *out, const char *dir)
{
    *out = (lm_tokenizer_files){ 0 };
    entry *all = calloc(FILES_MAX, sizeof *all);
    size_t n = 0;
    int rc = all ? LM_OK : lm_fail_nomem(FILES_MAX * sizeof *all);
    DIR *d = rc ? NULL : opendir(dir);
    if (!rc && !d) rc = lm_fail_errno(errno, "%s", dir);
    for (const struct dirent *e; !rc && n < FILES_MAX && (e = readdir(d));) {
        rc = look(&all[n], dir, e->d_name);
        n += !rc && all[n].path;
    }
    if (d) closedir(d);
    if (!rc) rc = keep(out, all, n);
    for (size_t i = 0; all && i < n; i++) free(all[i].path);
    free(all);
    return rc;
}

void lm_tokenizer_files_free(lm_tokenizer_files *f)
{
    for (size_t i = 0; i < f->n; i++) free(f->path[i]);
    free(f->path);
    *f = (lm_tokenizer_files){ 0 };
}
