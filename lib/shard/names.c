/* names.c -- the names of the input files: a hash of them in the identity, themselves in receipts. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/shard/internal.h"

/* The XXH3-64 of the names, each with a zero byte at its end. */
static int hash_names(uint64_t *out, const char *const *name, size_t n)
{
    lm_hasher *h = NULL;
    int rc = lm_hasher_new(&h);
    for (size_t i = 0; i < n && !rc; i++) lm_hasher_add(h, name[i], strlen(name[i]) + 1);
    if (!rc) *out = lm_hasher_digest(h);
    lm_hasher_free(h);
    return rc;
}

lm_json *lm_shard_files(const char *const *name, size_t n)
{
    uint64_t hash = 0;
    lm_json *j = hash_names(&hash, name, n) ? NULL : lm_json_object();
    lm_json_set_u64(j, "count", n);
    lm_json_set_hex64(j, "xxh3", hash);
    return j;
}

const char **shard_names(const lm_json *const *lists, size_t n, const lm_json *identity,
                         size_t *count, int *rc)
{
    const lm_json *files = lm_json_get(identity, "files");
    uint64_t want = 0, hash = 0, all = 0;
    size_t at = 0;
    if (!files || lm_json_u64(&all, files, "count") || lm_json_hex64(&want, files, "xxh3"))
        return NULL;
    for (size_t i = 0; i < n; i++) at += lm_json_size(lists[i]);
    if (at != all) return NULL;
    const char **name = calloc(at + 1, sizeof *name);
    if (!name) {
        *rc = lm_fail_nomem((at + 1) * sizeof *name);
        return NULL;
    }
    bool good = true;
    at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < lm_json_size(lists[i]) && good; k++)
            good = !lm_json_str(&name[at++], lm_json_at(lists[i], k), "file");
    if (good && hash_names(&hash, name, at)) {
        *rc = LM_ENOMEM;
        good = false;
    }
    if (good && hash == want) {
        *count = at;
        return name;
    }
    free(name);
    return NULL;
}
