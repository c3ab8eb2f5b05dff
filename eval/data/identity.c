#include "eval/data/identity.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

enum { PATH_SIZE = 4096, FILES_MAX = 1 << 20 };

/* ---- lists of files -------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***list, size_t *n, const char *dir, const char *name)
{
    char path[PATH_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
        return lm_fail(LM_EUSAGE, "%s/%s: the path is too long", dir, name);
    if (*n == FILES_MAX) return lm_fail(LM_EUSAGE, "%s: more than %d files", dir, (int)FILES_MAX);
    char **more = realloc(*list, (*n + 1) * sizeof *more);
    if (more) *list = more;
    if (!more || !(more[*n] = strdup(path))) return lm_fail_nomem(sizeof path);
    ++*n;
    return LM_OK;
}

int eval_dir_files(const char *dir, const char *suffix, char ***out, size_t *n)
{
    int rc = LM_OK;
    *out = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d) return lm_fail_errno(errno, "%s", dir);
    struct dirent *e;
    errno = 0;
    while (!rc && (e = readdir(d))) {
        if (lm_has_suffix(e->d_name, suffix)) rc = add_name(out, n, dir, e->d_name);
        errno = 0;
    }
    if (!rc && errno) rc = lm_fail_errno(errno, "%s", dir);
    closedir(d);
    if (rc) {
        eval_dir_free(*out, *n);
        *out = NULL;
        *n = 0;
    } else if (*n) {
        qsort(*out, *n, sizeof **out, by_name);
    }
    return rc;
}

void eval_dir_free(char **files, size_t n)
{
    for (size_t i = 0; i < n; i++) free(files[i]);
    free(files);
}

/* ---- hashes ---------------------------------------------------------------------------- */

int eval_shards_hash(const lm_shards *shards, uint64_t *out)
{
    lm_hasher *h = NULL;
    int rc = lm_hasher_new(&h);
    for (size_t i = 0; !rc && i < lm_shards_count(shards); i++) {
        unsigned char seal[8];
        lm_put64(seal, lm_shard_hash(lm_shards_at(shards, i)));
        lm_hasher_add(h, seal, sizeof seal);
    }
    if (!rc) *out = lm_hasher_digest(h);
    lm_hasher_free(h);
    return rc;
}

int eval_shards_tokenizer(const lm_shards *shards, uint64_t *out)
{
    const lm_json *t = lm_json_get(lm_shard_identity(lm_shards_at(shards, 0)), "tokenizer");
    *out = 0;
    return t ? lm_json_hex64(out, t, "xxh3") : LM_OK;
}
