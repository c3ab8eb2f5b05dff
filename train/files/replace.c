/* replace.c -- a new model in place of another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "longmix/zio.h"
#include "train/files/checksums.h"
#include "train/files/model_dir.h"
#include "train/files/tokenizer_json.h"

enum { CHUNK = 1 << 16 };

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

enum { TOKENIZER_FILES = 9 }; /* the first of model_dir_companions */

typedef struct copying {
    const char *from, *to; /* directories */
} copying;

/* A callback of model_dir_other_tokenizers. A file that is not there is none to copy. */
static int copy_companion(void *context, const char *name)
{
    const copying *c = context;
    char source[MODEL_PATH], copy[MODEL_PATH];
    int rc = model_dir_path(source, c->from, name);
    if (!rc) rc = model_dir_path(copy, c->to, name);
    if (rc || access(source, F_OK)) return rc;
    rc = model_dir_regular(source);
    return rc ? rc : copy_file(source, copy);
}

static int copy_companions(const model_origin *origin, const char *to)
{
    copying c = { origin->from, to };
    struct stat a, b;
    int rc = LM_OK;
    if (!stat(origin->from, &a) && !stat(to, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return LM_OK;
    for (size_t i = origin->other_tokenizer ? TOKENIZER_FILES : 0; !rc && model_dir_companions[i];
         i++)
        rc = copy_companion(&c, model_dir_companions[i]);
    if (rc || origin->other_tokenizer) return rc;
    return model_dir_other_tokenizers(origin->from, copy_companion, &c);
}

static int write_tokenizer_json(const char *dir, model_origin *origin)
{
    char own[MODEL_PATH] = "";
    int rc = origin->from ? model_dir_path(own, origin->from, "tokenizer.json") : LM_OK;
    /* What lies in `dir` of another model is replaced. */
    bool keep = !rc && *own && !access(own, F_OK);
    return rc ? rc : tokenizer_json_write(dir, keep, origin->note, sizeof origin->note);
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

int model_dir_begin(const char *dir)
{
    int rc = remove_file(dir, MODEL_CHECKSUMS);
    return rc ? rc : remove_file(dir, MODEL_CONFIG);
}

/* The last two files. */
static int complete(const char *dir, uint64_t ids, const lm_json *config)
{
    char path[MODEL_PATH];
    lm_buf text = LM_BUF_INIT((size_t)64 << 20);
    int rc = model_dir_path(path, dir, MODEL_CONFIG);
    if (!rc) rc = lm_json_print(config, 2, &text);
    if (!rc) rc = checksums_write(dir, &text, ids);
    if (!rc) rc = lm_write_file(path, text.data, text.size);
    lm_buf_free(&text);
    return rc;
}

int model_dir_commit(const char *dir, model_origin *origin, lm_json *config)
{
    char new[MODEL_PATH], weights[MODEL_PATH];
    int rc = model_dir_path(new, dir, MODEL_NEW_WEIGHTS);
    if (!rc) rc = model_dir_path(weights, dir, MODEL_WEIGHTS);
    if (!rc) rc = model_dir_begin(dir);
    if (!rc && rename(new, weights))
        rc = lm_fail_errno(errno, "%s: renaming to %s", new, MODEL_WEIGHTS);
    if (!rc) rc = lm_sync_dir(weights);
    if (!rc && origin->from) rc = copy_companions(origin, dir);
    if (!rc) rc = write_tokenizer_json(dir, origin);
    /* After the weights: a resumed run reads their type from one or the other. */
    if (!rc) rc = remove_file(dir, MODEL_INDEX);
    if (!rc) rc = complete(dir, origin->ids, config);
    lm_json_free(config);
    return rc;
}
