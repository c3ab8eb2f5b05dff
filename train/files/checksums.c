#include "train/files/checksums.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/threads.h"
#include "lib/base/fd.h"
#include "lib/tokenizer/directory.h"
#include "longmix/version.h"
#include "train/files/model_dir.h"
#include "train/files/sealed.h"

enum { FORM = 1, FAULTS_MAX = 900, PIECE = 1 << 20 };

/* Weights may take minutes: LM_EINTR after lm_interrupt(). */
static int hash_of(uint64_t *out, const char *path)
{
    lm_hasher *h = NULL;
    unsigned char *part = malloc(PIECE);
    ssize_t n = 1;
    int rc = part ? model_dir_regular(path) : lm_fail_nomem(PIECE);
    if (!rc) rc = lm_hasher_new(&h);
    int fd = rc ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!rc && fd < 0) rc = lm_fail_errno(errno, "%s", path);
    for (uint64_t at = 0; !rc && n > 0; at += (uint64_t)n) {
        rc = lm_check_interrupt();
        if (rc) break;
        n = lm_fd_read(fd, part, PIECE, at, path);
        if (n < 0) rc = (int)n;
        else lm_hasher_add(h, part, (size_t)n);
    }
    if (!rc) *out = lm_hasher_digest(h);
    if (fd >= 0) close(fd);
    free(part);
    lm_hasher_free(h);
    return rc;
}

/* ---- writing --------------------------------------------------------------------------- */

static void add(lm_json *files, const char *name, uint64_t bytes, uint64_t hash)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "bytes", bytes);
    lm_json_set_hex64(o, "xxh3", hash);
    lm_json_set(files, name, o);
}

static int add_file(lm_json *files, const char *dir, const char *name)
{
    char path[MODEL_PATH];
    struct stat st;
    uint64_t hash = 0;
    int rc = model_dir_path(path, dir, name);
    if (rc || stat(path, &st)) return rc;
    rc = hash_of(&hash, path);
    if (!rc) add(files, name, (uint64_t)st.st_size, hash);
    return rc;
}

typedef struct listing {
    lm_json *files;
    const char *dir;
} listing;

static int add_tokenizer(void *context, const char *name)
{
    const listing *l = context;
    return add_file(l->files, l->dir, name);
}

int checksums_write(const char *dir, const lm_buf *config, uint64_t ids)
{
    lm_json *o = lm_json_object(), *files = lm_json_object();
    add(files, MODEL_CONFIG, config->size, lm_hash64(config->data, config->size));
    int rc = add_file(files, dir, MODEL_WEIGHTS);
    for (size_t i = 0; !rc && model_dir_companions[i]; i++)
        rc = add_file(files, dir, model_dir_companions[i]);
    if (!rc) rc = model_dir_other_tokenizers(dir, add_tokenizer, &(listing){ files, dir });
    lm_json_set_str(o, "longmix", LM_VERSION);
    if (ids) lm_json_set_hex64(o, "tokenizer", ids);
    lm_json_set(o, "files", files);
    if (!rc) rc = sealed_write(dir, MODEL_CHECKSUMS, FORM, "model", o);
    lm_json_free(o);
    return rc;
}

/* ---- comparing ------------------------------------------------------------------------- */

/* Faults, with commas between them. */
static void note(lm_buf *faults, const char *name, const char *what)
{
    if (faults->size < FAULTS_MAX)
        (void)!lm_buf_printf(faults, "%s%s %s", faults->size ? ", " : "", name, what);
}

static int compare_file(const char *dir, const char *name, const lm_json *o, bool whole,
                        lm_buf *faults)
{
    char path[MODEL_PATH], what[80];
    struct stat st;
    uint64_t bytes = 0, want = 0, hash = 0;
    int rc = model_dir_path(path, dir, name);
    if (!rc && strchr(name, '/')) rc = lm_json_fail(o, "a file name was expected");
    if (!rc) rc = lm_json_u64(&bytes, o, "bytes");
    if (!rc) rc = lm_json_hex64(&want, o, "xxh3");
    if (rc) return rc;
    if (stat(path, &st)) {
        note(faults, name, "is missing");
        return LM_OK;
    }
    if ((uint64_t)st.st_size != bytes) {
        snprintf(what, sizeof what, "has %" PRIu64 " bytes and not %" PRIu64, (uint64_t)st.st_size,
                 bytes);
        note(faults, name, what);
        return LM_OK;
    }
    if (whole) rc = hash_of(&hash, path);
    if (!rc && whole && hash != want) note(faults, name, "has other bytes");
    return rc;
}

/* A tokenizer.model that was added to a model which came without one is right if it is that of
 * the training data. */
static int compare_added(const char *path, const lm_json *model, bool *right)
{
    uint64_t ids = 0, hash = 0;
    *right = false;
    if (!lm_json_get(model, "tokenizer")) return LM_OK;
    int rc = lm_json_hex64(&ids, model, "tokenizer");
    if (!rc) rc = hash_of(&hash, path);
    *right = !rc && hash == ids;
    return rc;
}

/* Files that a reader of the model would take, and that the list does not name. */
static int compare_names(const char *dir, const lm_json *model, const lm_json *files,
                         lm_buf *faults)
{
    const char *names[16] = { MODEL_INDEX, MODEL_WEIGHTS };
    char path[MODEL_PATH];
    int rc = LM_OK;
    for (size_t i = 0; model_dir_companions[i]; i++) names[i + 2] = model_dir_companions[i];
    for (size_t i = 0; !rc && names[i]; i++) {
        bool right = i > 1 && !lm_json_get(files, MODEL_TOKENIZER);
        rc = model_dir_path(path, dir, names[i]);
        if (rc || lm_json_get(files, names[i]) || access(path, F_OK)) continue;
        if (!strcmp(names[i], MODEL_TOKENIZER)) rc = compare_added(path, model, &right);
        if (!right) note(faults, names[i], "is not of this model");
    }
    return rc;
}

int checksums_compare(const char *dir, bool whole, size_t *n)
{
    char path[MODEL_PATH];
    lm_json *all = NULL;
    const lm_json *o = NULL, *files = NULL, *file = NULL;
    const char *name = NULL;
    lm_buf faults = LM_BUF_INIT(FAULTS_MAX + 4096);
    int rc = model_dir_path(path, dir, MODEL_CHECKSUMS);
    if (rc || access(path, F_OK)) return rc;
    rc = sealed_load(&all, &o, NULL, dir, MODEL_CHECKSUMS, FORM, "model");
    if (!rc) rc = lm_json_need(&files, o, "files");
    for (size_t i = 0; !rc && lm_json_member(files, i, &name, &file); i++)
        rc = compare_file(dir, name, file, whole, &faults);
    if (!rc && !lm_json_get(files, MODEL_CONFIG))
        rc = lm_json_fail(files, MODEL_CONFIG " is not listed");
    if (!rc) rc = compare_names(dir, o, files, &faults);
    if (!rc && faults.size)
        rc = lm_fail(LM_EDATA, "%s: not the model of its " MODEL_CHECKSUMS ": %.*s", dir,
                     (int)faults.size, (char *)faults.data);
    if (!rc && n) *n = lm_json_size(files);
    lm_json_free(all);
    lm_buf_free(&faults);
    return rc ? rc : 1;
}

/* ---- the tokenizer ---------------------------------------------------------------------- */

/* Member "tokenizer" of dir/name: 1, or 0 where the file or the member is absent. */
static int recorded(const char *dir, const char *name, const char *member, uint64_t *hash)
{
    char path[MODEL_PATH];
    lm_json *all = NULL;
    const lm_json *o = NULL;
    int rc = model_dir_path(path, dir, name), found = 0;
    if (rc || access(path, F_OK)) return rc;
    rc = sealed_load(&all, &o, NULL, dir, name, UINT64_MAX, member);
    if (!rc && lm_json_get(o, "tokenizer")) {
        rc = lm_json_hex64(hash, o, "tokenizer");
        found = 1;
    }
    lm_json_free(all);
    return rc ? rc : found;
}

/* Has one of the tokenizer files of a directory this hash? */
static int any_tokenizer(const char *dir, uint64_t wanted, bool *found)
{
    lm_tokenizer_files files = { 0 };
    struct stat st;
    if (stat(dir, &st) || !S_ISDIR(st.st_mode)) return LM_OK;
    int rc = lm_tokenizer_files_list(&files, dir);
    for (size_t i = 0; !rc && !*found && i < files.n; i++) {
        uint64_t hash = 0;
        rc = hash_of(&hash, files.path[i]);
        *found = !rc && hash == wanted;
    }
    lm_tokenizer_files_free(&files);
    return rc;
}

int checksums_tokenizer(const char *dir, uint64_t *hash)
{
    char path[MODEL_PATH];
    int rc = model_dir_path(path, dir, MODEL_TOKENIZER);
    if (rc) return rc;
    if (!access(path, F_OK)) {
        rc = hash_of(hash, path);
        return rc ? rc : 1;
    }
    rc = recorded(dir, MODEL_CHECKSUMS, "model", hash);
    return rc ? rc : recorded(dir, "run.json", "run", hash);
}

int checksums_ids(const char *model, const char *data, uint64_t ids, bool allow)
{
    uint64_t own = 0;
    bool found = false;
    char a[17], b[17];
    int rc = checksums_tokenizer(model, &own), known = rc;
    if (rc >= 0 && ids && (!rc || own != ids)) rc = any_tokenizer(model, ids, &found);
    if (rc < 0) return rc;
    if (ids && ((known && own == ids) || found)) return CHECKSUMS_IDS_SAME;
    /* A tokenizer.json may have the same ids as the tokenizer.model that made the data. */
    if (!ids || !known) return CHECKSUMS_IDS_UNKNOWN;
    if (allow) return CHECKSUMS_IDS_OTHER;
    lm_hex64(a, ids);
    lm_hex64(b, own);
    return lm_fail(
        LM_EDATA,
        "%s: its ids are of another tokenizer (%s) than that of %s (%s) and stand for other "
        "text; tokenize with the model's own (or "
        "--allow-tokenizer-mismatch)",
        data, a, model, b);
}
