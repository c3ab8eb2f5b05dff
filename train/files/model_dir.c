#include "train/files/model_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "longmix/zio.h"

enum { CHUNK = 1 << 16 };

int model_dir_path(char path[MODEL_PATH], const char *dir, const char *name)
{
    if ((size_t)snprintf(path, MODEL_PATH, "%s/%s", dir, name) < MODEL_PATH) return LM_OK;
    return lm_fail(LM_EUSAGE, "%.100s.../%s: the path is too long", dir, name);
}

int model_dir_write(const char *dir, const char *name, lm_json *o)
{
    char path[MODEL_PATH];
    int rc = model_dir_path(path, dir, name);
    if (!rc) rc = lm_json_write(path, o);
    lm_json_free(o);
    return rc;
}

/* ---- a new model in place of another ---------------------------------------------------- */

static int copy_file(const char *from, const char *to)
{
    lm_in *in = NULL;
    lm_out *out = NULL;
    char part[CHUNK];
    ssize_t n = 0;
    int rc = lm_in_open(&in, from);
    if (!rc) rc = lm_out_open(&out, to, LM_OUT_PLAIN, 0);
    while (!rc && (n = lm_in_read(in, part, sizeof part)) > 0)
        rc = lm_out_write(out, part, (size_t)n);
    if (!rc && n < 0) rc = (int)n;
    if (!rc) {
        rc = lm_out_commit(out);
        out = NULL;
    }
    lm_out_abandon(out);
    lm_in_close(in);
    return rc;
}

static int copy_companions(const char *from, const char *to)
{
    static const char *const names[] = { MODEL_TOKENIZER,         "tokenizer.json",
                                         "tokenizer_config.json", "special_tokens_map.json",
                                         "added_tokens.json",     "generation_config.json" };
    char source[MODEL_PATH], copy[MODEL_PATH];
    struct stat a, b;
    int rc = LM_OK;
    if (!stat(from, &a) && !stat(to, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return LM_OK;
    for (size_t i = 0; !rc && i < sizeof names / sizeof *names; i++) {
        rc = model_dir_path(source, from, names[i]);
        if (!rc) rc = model_dir_path(copy, to, names[i]);
        if (!rc && !access(source, F_OK)) rc = copy_file(source, copy);
    }
    return rc;
}

/* Remove dir/name where it is there, and sync that before anything later is. */
static int remove_file(const char *dir, const char *name)
{
    char path[MODEL_PATH];
    int rc = model_dir_path(path, dir, name);
    if (rc) return rc;
    if (!unlink(path)) return lm_sync_dir(path);
    return errno == ENOENT ? LM_OK : lm_fail_errno(errno, "%s: removing", path);
}

int model_dir_begin(const char *dir) { return remove_file(dir, MODEL_CONFIG); }

int model_dir_commit(const char *dir, const char *from, lm_json *config)
{
    char new[MODEL_PATH], weights[MODEL_PATH];
    int rc = model_dir_path(new, dir, MODEL_NEW_WEIGHTS);
    if (!rc) rc = model_dir_path(weights, dir, MODEL_WEIGHTS);
    if (!rc) rc = model_dir_begin(dir);
    if (!rc && rename(new, weights))
        rc = lm_fail_errno(errno, "%s: renaming to %s", new, MODEL_WEIGHTS);
    if (!rc) rc = lm_sync_dir(weights);
    if (!rc && from) rc = copy_companions(from, dir);
    /* After the weights: a resumed run reads their type from one or the other. */
    if (!rc) rc = remove_file(dir, MODEL_INDEX);
    if (!rc) return model_dir_write(dir, MODEL_CONFIG, config);
    lm_json_free(config);
    return rc;
}

/* ---- hash ------------------------------------------------------------------------------- */

static int is_weights(const struct dirent *e) { return lm_has_suffix(e->d_name, ".safetensors"); }

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int hash_file(lm_hasher *h, const char *dir, const char *name)
{
    char path[MODEL_PATH];
    int rc = model_dir_path(path, dir, name);
    return rc ? rc : lm_hasher_add_file(h, path);
}

int model_dir_hash(const char *dir, uint64_t *out)
{
    struct dirent **files = NULL;
    lm_hasher *h = NULL;
    int n = scandir(dir, &files, is_weights, by_bytes);
    int rc = n < 0 ? lm_fail_errno(errno, "%s", dir) : lm_hasher_new(&h);
    if (!rc) rc = hash_file(h, dir, MODEL_CONFIG);
    for (int i = 0; !rc && i < n; i++) rc = hash_file(h, dir, files[i]->d_name);
    if (!rc) *out = lm_hasher_digest(h);
    lm_hasher_free(h);
    for (int i = 0; i < n; i++) free(files[i]);
    free(files);
    return rc;
}
