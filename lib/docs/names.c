/* names.c -- how inputs are called: by what is below the operand, so that the place of a corpus and
 * the way in which it was given have no part in the bytes of a store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/text.h"
#include "lib/docs/internal.h"

char *lm_name_escape(const char *s)
{
    size_t n = strlen(s);
    char *name = malloc(4 * n + 1), *o = name;
    for (size_t i = 0; name && i < n;) {
        uint32_t c;
        size_t k = lm_utf8_decode((const unsigned char *)s + i, n - i, &c);
        if (k == 0) o += sprintf(o, "\\x%02x", (unsigned)(unsigned char)s[i]);
        else if (s[i] == '\\') o = (char *)memcpy(o, "\\\\", 2) + 2;
        else o = (char *)memcpy(o, s + i, k) + k;
        i += k ? k : 1;
    }
    if (name) *o = 0;
    return name;
}

/* The real path of the folder that holds `own`, the last component of `path`, with it; NULL where
 * there is none. */
static char *real_above(const char *path, const char *own)
{
    char *full = NULL, *above = own > path ? strndup(path, (size_t)(own - path)) : strdup(".");
    char *real = above ? realpath(above, NULL) : NULL;
    if (real && asprintf(&full, "%s/%s", strcmp(real, "/") ? real : "", own) < 0) full = NULL;
    int e = !above || (real && !full) ? ENOMEM : errno;
    free(real);
    free(above);
    errno = e;
    return full;
}

/* The absolute path of an operand, and where its own name begins. Links above it are resolved; the
 * operand keeps its name. What has no such path (standard input, pipes) is as it was given. */
static char *place(const char *arg, size_t *top)
{
    struct stat st;
    size_t n = strlen(arg);
    while (n > 1 && arg[n - 1] == '/') n--;
    char *full = NULL, *path = strndup(arg, n);
    if (!path) return NULL;
    const char *slash = strrchr(path, '/'), *own = slash ? slash + 1 : path;
    if (strcmp(arg, "-") && !stat(arg, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        bool named = *own && strcmp(own, ".") && strcmp(own, "..");
        full = named ? real_above(path, own) : realpath(arg, NULL);
        if (!full && errno != ENOMEM) full = strdup(path);
    } else {
        full = strdup(path);
    }
    free(path);
    slash = full ? strrchr(full, '/') : NULL;
    *top = slash ? (size_t)(slash + 1 - full) : 0;
    return full;
}

static int set_full(lm_item *m, const char *operand, size_t top)
{
    const char *rest = m->path + m->below;
    bool root = !strcmp(operand, "/");
    if (!m->below) m->full = strdup(operand);
    else if (asprintf(&m->full, "%s/%s", root ? "" : operand, rest) < 0) m->full = NULL;
    if (!m->full) return lm_fail_nomem(strlen(operand) + strlen(rest) + 2);
    m->top = top;
    m->tail = m->full + (m->below ? strlen(m->full) - strlen(rest) : top);
    return LM_OK;
}

/* Put one more component before the name; false where there is none. */
static bool extend(lm_item *m)
{
    if (m->tail < m->full + 2) return false;
    const char *s = m->tail - 1; /* the slash */
    while (s > m->full && s[-1] != '/') s--;
    if (s == m->tail - 1) return false;
    m->tail = s;
    return true;
}

static int by_tail(const void *a, const void *b)
{
    const lm_item *x = *(lm_item *const *)a, *y = *(lm_item *const *)b;
    int order = strcmp(x->tail, y->tail);
    return order ? order : strcmp(x->full, y->full);
}

/* Mark the operands of different files with the same name. */
static bool mark(lm_item *const *sorted, size_t n, bool *marked)
{
    bool any = false;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && !strcmp(sorted[i]->tail, sorted[end]->tail); end++) {}
        if (!strcmp(sorted[i]->full, sorted[end - 1]->full)) continue; /* one file, given twice */
        for (size_t k = i; k < end; k++) marked[sorted[k]->operand] = true;
        any = true;
    }
    return any;
}

/* Extend the names of operands until they differ. */
static int tell_apart(lm_item *v, size_t n, size_t operands)
{
    lm_item **sorted = calloc(n + 1, sizeof *sorted);
    bool *marked = calloc(operands, sizeof *marked), more = sorted && marked;
    int rc = more ? LM_OK : lm_fail_nomem(n * sizeof *sorted);
    while (more) {
        size_t taken = 0;
        for (size_t i = 0; i < n; i++)
            if (!v[i].why) sorted[taken++] = &v[i];
        qsort(sorted, taken, sizeof *sorted, by_tail);
        memset(marked, 0, operands * sizeof *marked);
        if (!mark(sorted, taken, marked)) break;
        more = false;
        for (size_t i = 0; i < n; i++)
            if (marked[v[i].operand]) more |= extend(&v[i]);
    }
    free(sorted);
    free(marked);
    return rc;
}

int lm_items_name(lm_item *v, size_t n, char *const *args)
{
    char *operand = NULL;
    size_t top = 0;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        if (i == 0 || v[i].operand != v[i - 1].operand) {
            free(operand);
            operand = place(args[v[i].operand], &top);
            if (!operand) rc = lm_fail_nomem(strlen(args[v[i].operand]));
        }
        if (!rc) rc = set_full(&v[i], operand, top);
    }
    free(operand);
    size_t operands = n ? v[n - 1].operand + 1 : 0;
    return rc || operands < 2 ? rc : tell_apart(v, n, operands);
}
