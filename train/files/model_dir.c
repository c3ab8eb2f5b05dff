#include "train/files/model_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/tokenizer/directory.h"

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

/* ---- what lies there --------------------------------------------------------------------- */

/* The tokenizer's come first. */
const char *const model_dir_companions[] = { MODEL_TOKENIZER,
                                             "tokenizer.json",
                                             "tokenizer_config.json",
                                             "special_tokens_map.json",
                                             "added_tokens.json",
                                             "vocab.json",
                                             "merges.txt",
                                             "tekken.json",
                                             "chat_template.jinja",
                                             "generation_config.json",
                                             NULL };

static bool is_companion(const char *name)
{
    for (size_t i = 0; model_dir_companions[i]; i++)
        if (!strcmp(name, model_dir_companions[i])) return true;
    return false;
}

int model_dir_other_tokenizers(const char *dir, int (*each)(void *context, const char *name),
                               void *context)
{
    lm_tokenizer_files files = { 0 };
    int rc = lm_tokenizer_files_list(&files, dir);
    for (size_t i = 0; !rc && i < files.n; i++) {
        const char *slash = strrchr(files.path[i], '/');
        const char *name = slash ? slash + 1 : files.path[i];
        if (!is_companion(name)) rc = each(context, name);
    }
    lm_tokenizer_files_free(&files);
    return rc;
}

static bool begins(const char *text, ssize_t n, const char *with)
{
    size_t k = strlen(with);
    return n >= (ssize_t)k && !strncasecmp(text, with, k);
}

int model_dir_regular(const char *path)
{
    char head[64];
    int fd = lm_fd_open_regular(path), rc = LM_OK;
    if (fd < 0) return fd;
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0) rc = lm_fail_errno(errno, "%s", path);
    close(fd);
    if (!rc && begins(head, n, "version https://git-lfs"))
        rc = lm_fail(LM_EDATA,
                     "%s: a pointer of git-lfs in place of the file; `git lfs pull` there, or "
                     "download it again",
                     path);
    if (!rc && (begins(head, n, "<!doctype html") || begins(head, n, "<html")))
        rc = lm_fail(LM_EDATA, "%s: a page of HTML in place of the file; download it again", path);
    return rc;
}

/* A file of weights in another format: 1 with its name. */
static int other_weights(const char *dir, char name[MODEL_PATH])
{
    static const char *const kinds[] = { ".gguf", ".pth", ".pt", ".bin", ".ckpt" };
    int found = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && !found && (e = readdir(d));)
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (lm_has_suffix(e->d_name, kinds[i])) {
                snprintf(name, MODEL_PATH, "%s", e->d_name);
                found = 1;
            }
    if (d) closedir(d);
    return found;
}

/* How to make what is read of it. */
static int convert(const char *dir, const char *name)
{
    if (lm_has_suffix(name, ".gguf"))
        return lm_fail(LM_EDATA,
                       "%s: holds %s, and weights in safetensors are read; make a directory of it: "
                       "lmimport gguf %s/%s -o NEW",
                       dir, name, dir, name);
    if (!strncmp(name, "consolidated.", 13))
        return lm_fail(LM_EDATA,
                       "%s: holds %s, Meta's format, and a Hugging Face directory with safetensors "
                       "is read; convert it: python3 -m "
                       "transformers.models.llama.convert_llama_weights_to_hf --input_dir DIR "
                       "--output_dir NEW",
                       dir, name);
    return lm_fail(LM_EDATA,
                   "%s: holds %s, and weights in safetensors are read; convert it in Python: "
                   "transformers.AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(NEW), "
                   "and copy tokenizer.model to NEW",
                   dir, name);
}

/* A file in place of the directory. */
static int not_a_directory(const char *path)
{
    char head[8] = "";
    int rc = model_dir_regular(path);
    if (rc) return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool gguf = fd >= 0 && pread(fd, head, 4, 0) == 4 && !memcmp(head, "GGUF", 4);
    if (fd >= 0) close(fd);
    if (gguf)
        return lm_fail(LM_EDATA,
                       "%s: a GGUF file; make a model's directory of it: lmimport gguf %s -o DIR",
                       path, path);
    return lm_fail(
        LM_EDATA,
        "%s: a file, not a model's directory (config.json, safetensors, tokenizer.model)%s", path,
        lm_has_suffix(path, ".bin") ? "; lmimport makes one of llama2.c's files" : "");
}

int model_dir_usable(const char *dir)
{
    char config[MODEL_PATH], one[MODEL_PATH], index[MODEL_PATH], other[MODEL_PATH];
    struct stat st;
    if (stat(dir, &st)) return lm_fail_errno(errno, "%s", dir);
    if (!S_ISDIR(st.st_mode)) return not_a_directory(dir);
    int rc = model_dir_path(config, dir, MODEL_CONFIG);
    if (!rc) rc = model_dir_path(one, dir, MODEL_WEIGHTS);
    if (!rc) rc = model_dir_path(index, dir, MODEL_INDEX);
    if (rc) return rc;
    if (access(one, F_OK) && access(index, F_OK)) {
        if (other_weights(dir, other)) return convert(dir, other);
        if (access(config, F_OK))
            return lm_fail(
                LM_EDATA,
                "%s: not a model: neither " MODEL_CONFIG " nor " MODEL_WEIGHTS " is in it", dir);
        return lm_fail(LM_EDATA, "%s: missing, and there is no " MODEL_INDEX " either", one);
    }
    if (access(config, F_OK))
        return lm_fail(LM_EDATA,
                       "%s: missing: the model is not complete, or the program that writes it was "
                       "stopped",
                       config);
    rc = model_dir_regular(config);
    if (!rc && !access(index, F_OK)) return model_dir_regular(index);
    return rc ? rc : model_dir_regular(one);
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
    if (!rc) rc = model_dir_regular(path);
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
