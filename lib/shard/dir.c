/* dir.c -- the shards of a directory, or one file, as one sequence of rows. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "longmix/shard.h"
#include "lib/shard/internal.h"

enum { SHARDS_MAX = 1000000 };
#define MANIFEST_MAX ((size_t)1 << 30)

struct lm_shards {
    size_t count, room;
    lm_shard **shard; /* [count] */
    uint64_t *rows;   /* [count + 1]: rows before each, and in all */
    size_t files;     /* whose names are known */
    const char **file;
    lm_shard *lender; /* what the names are borrowed from, where it is not one of the shards: */
    lm_json *manifest;
};

/* ---- names ----------------------------------------------------------------------------- */

int lm_shard_path(char **out, const char *dir, uint64_t number)
{
    *out = NULL;
    if (asprintf(out, "%s/shard-%05" PRIu64 ".lms", dir, number) >= 0) return LM_OK;
    *out = NULL;
    return lm_fail_nomem(strlen(dir) + 32);
}

bool lm_shard_number_of(const char *name, uint64_t *number)
{
    char again[40];
    if (sscanf(name, "shard-%7" SCNu64, number) != 1) return false;
    snprintf(again, sizeof again, "shard-%05" PRIu64 ".lms", *number);
    return !strcmp(name, again);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int lm_shards_list(uint64_t **out, size_t *count, const char *dir)
{
    uint64_t *v = NULL, number;
    size_t n = 0, room = 0;
    int rc = LM_OK;
    DIR *d = opendir(dir);
    if (!d) rc = lm_fail_errno(errno, "%s", dir);
    while (!rc) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (!e) {
            if (errno) rc = lm_fail_errno(errno, "%s: reading the directory", dir);
            break;
        }
        if (!lm_shard_number_of(e->d_name, &number)) continue;
        if (n == room) {
            uint64_t *more = lm_grow(v, &room, sizeof *v, SHARDS_MAX);
            if (!more) {
                rc = LM_ENOMEM;
                break;
            }
            v = more;
        }
        v[n++] = number;
    }
    if (d) closedir(d);
    if (n) qsort(v, n, sizeof *v, by_value);
    if (rc) {
        free(v);
        v = NULL;
        n = 0;
    }
    *out = v;
    *count = n;
    return rc;
}

/* ---- shards ---------------------------------------------------------------------------- */

/* Open one more; it must be of the mixture of the first. */
static int add(lm_shards *s, const char *path)
{
    if (s->count == s->room) {
        size_t room = s->room;
        lm_shard **shard = lm_grow(s->shard, &room, sizeof(lm_shard *), SHARDS_MAX);
        if (!shard) return LM_ENOMEM;
        s->shard = shard;
        uint64_t *rows = realloc(s->rows, (room + 1) * sizeof *rows);
        if (!rows) return lm_fail_nomem((room + 1) * sizeof *rows);
        s->rows = rows;
        s->room = room;
    }
    lm_shard *one = NULL;
    int rc = shard_open_like(&one, path, s->count ? s->shard[0] : NULL);
    if (rc) return rc;
    const lm_shard *first = s->count ? s->shard[0] : one;
    if (lm_shard_identity_hash(one) != lm_shard_identity_hash(first) ||
        lm_shard_row_tokens(one) != lm_shard_row_tokens(first) ||
        lm_shard_labels(one) != lm_shard_labels(first) ||
        lm_shard_vocab(one) != lm_shard_vocab(first)) {
        rc = lm_fail(LM_EDATA, "%s: of another mixture than %s", path, lm_shard_name(first));
        lm_shard_close(one);
        return rc;
    }
    uint64_t before = s->count ? s->rows[s->count] : 0;
    s->rows[s->count] = before;
    s->shard[s->count++] = one;
    s->rows[s->count] = before + lm_shard_rows(one);
    return LM_OK;
}

/* The shard is number `i`, and the last one says so. */
static int add_numbered(lm_shards *s, const char *dir, uint64_t i, bool last)
{
    char *path = NULL;
    bool says_last = false;
    int rc = lm_shard_path(&path, dir, i);
    if (!rc) rc = add(s, path);
    if (!rc && lm_shard_number(s->shard[s->count - 1]) != i)
        rc = lm_fail(LM_EDATA, "%s: byte 32: holds shard number %" PRIu64, path,
                     lm_shard_number(s->shard[s->count - 1]));
    if (!rc) rc = lm_json_bool(&says_last, lm_shard_receipt(s->shard[s->count - 1]), "last");
    if (!rc && says_last && !last)
        rc = lm_fail(LM_EDATA, "%s: is the last of its mixture, but more follow", path);
    if (!rc && last && !says_last)
        rc = lm_fail(LM_EDATA, "%s: incomplete: the shards after number %" PRIu64 " are missing",
                     dir, i);
    free(path);
    return rc;
}

static int open_dir(lm_shards *s, const char *dir)
{
    uint64_t *number = NULL;
    size_t n = 0;
    int rc = lm_shards_list(&number, &n, dir);
    if (!rc && n == 0) rc = lm_fail(LM_EDATA, "%s: holds no shards (shard-00000.lms ...)", dir);
    for (size_t i = 0; i < n && !rc; i++) {
        if (number[i] != i)
            rc = lm_fail(LM_EDATA, "%s: incomplete: shard-%05zu.lms is missing", dir, i);
        else rc = add_numbered(s, dir, i, i == n - 1);
    }
    free(number);
    return rc;
}

/* ---- names of the input files ---------------------------------------------------------- */

/* Version 1: in the identity. */
static int names_of_identity(lm_shards *s, const lm_json *list)
{
    size_t n = lm_json_size(list);
    s->file = calloc(n + 1, sizeof *s->file);
    if (!s->file) return lm_fail_nomem((n + 1) * sizeof *s->file);
    for (size_t i = 0; i < n; i++)
        if (lm_json_str(&s->file[i], lm_json_at(list, i), NULL)) s->file[i] = NULL;
    s->files = n;
    return LM_OK;
}

static int names_of_receipts(lm_shards *s)
{
    const lm_json **lists = calloc(s->count, sizeof *lists);
    int rc = LM_OK;
    if (!lists) return lm_fail_nomem(s->count * sizeof *lists);
    for (size_t i = 0; i < s->count; i++)
        lists[i] = lm_json_get(lm_shard_receipt(s->shard[i]), "inputs");
    s->file = shard_names(lists, s->count, lm_shard_identity(s->shard[0]), &s->files, &rc);
    free(lists);
    return rc;
}

/* For a single shard: from the files of its mixture that lie next to it, if they do. */
static int names_from_mixture(lm_shards *s, const char *path)
{
    const lm_json *identity = lm_shard_identity(s->shard[0]), *list = NULL;
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 1, rc = LM_OK;
    char *dir = NULL, *other = NULL;
    if (asprintf(&dir, "%.*s", n, slash ? path : ".") < 0) return lm_fail_nomem((size_t)n);
    if (asprintf(&other, "%s/manifest.json", dir) < 0) {
        other = NULL;
        rc = lm_fail_nomem((size_t)n);
    }
    if (!rc && !lm_json_load(&s->manifest, other, MANIFEST_MAX)) {
        list = lm_json_get(s->manifest, "inputs");
        s->file = shard_names(&list, 1, identity, &s->files, &rc);
    }
    free(other);
    other = NULL;
    if (!rc && !s->file) rc = lm_shard_path(&other, dir, 0);
    if (!rc && !s->file && !lm_shard_open(&s->lender, other)) {
        list = lm_json_get(lm_shard_receipt(s->lender), "inputs");
        s->file = shard_names(&list, 1, identity, &s->files, &rc);
    }
    free(other);
    free(dir);
    return rc;
}

static int read_names(lm_shards *s, const char *path, bool whole)
{
    const lm_shard *first = s->shard[0];
    if (lm_shard_version(first) == 1)
        return names_of_identity(s, lm_json_get(lm_shard_identity(first), "files"));
    int rc = names_of_receipts(s);
    return rc || s->file || whole ? rc : names_from_mixture(s, path);
}

const char *lm_shards_file(const lm_shards *s, uint32_t file)
{
    return file < s->files ? s->file[file] : NULL;
}

/* ---- opening and closing --------------------------------------------------------------- */

int lm_shards_open(lm_shards **out, const char *path)
{
    *out = NULL;
    struct stat st;
    if (stat(path, &st)) return lm_fail_errno(errno, "%s", path);
    lm_shards *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    int rc = S_ISDIR(st.st_mode) ? open_dir(s, path) : add(s, path);
    if (!rc) rc = read_names(s, path, S_ISDIR(st.st_mode));
    if (rc) lm_shards_close(s);
    else *out = s;
    return rc;
}

void lm_shards_close(lm_shards *s)
{
    if (!s) return;
    /* The first one last: others use its identity. */
    for (size_t i = s->count; i-- > 0;) lm_shard_close(s->shard[i]);
    lm_shard_close(s->lender);
    lm_json_free(s->manifest);
    free(s->file);
    free(s->shard);
    free(s->rows);
    free(s);
}

size_t lm_shards_count(const lm_shards *s) { return s->count; }
const lm_shard *lm_shards_at(const lm_shards *s, size_t i)
{
    return i < s->count ? s->shard[i] : NULL;
}
uint64_t lm_shards_rows(const lm_shards *s) { return s->rows[s->count]; }

int lm_shards_find(const lm_shards *s, uint64_t row, const lm_shard **shard, uint64_t *at)
{
    if (row >= s->rows[s->count])
        return lm_fail(LM_EUSAGE, "row %" PRIu64 " of %" PRIu64 " (the first is 0)", row,
                       s->rows[s->count]);
    size_t low = 0, high = s->count; /* rows[low] <= row < rows[high] */
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (s->rows[mid] <= row) low = mid;
        else high = mid;
    }
    *shard = s->shard[low];
    *at = row - s->rows[low];
    return LM_OK;
}
