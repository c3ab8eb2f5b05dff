/* recognize.c -- what a file is, by its contents. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/tokenizer/internal.h"

static bool begins(const lm_tokenizer_file *f, const char *with)
{
    size_t n = strlen(with);
    return f->size >= n && !strncasecmp((const char *)f->data, with, n);
}

static bool is_object(const lm_tokenizer_file *f)
{
    lm_json_member_at m = { 0 };
    return lm_json_next_member(f, &m);
}

static bool key_is(const lm_json_member_at *m, const char *key)
{
    return strlen(key) == m->key_size && !memcmp(key, m->key, m->key_size);
}

/* ---- kinds ------------------------------------------------------------------------------- */

enum lm_file_kind lm_file_kind(const lm_tokenizer_file *f)
{
    if (is_object(f)) {
        if (lm_tekken_is(f)) return LM_FILE_TEKKEN;
        return lm_huggingface_is(f) ? LM_FILE_HUGGINGFACE : LM_FILE_OTHER;
    }
    if (lm_tiktoken_is(f)) return LM_FILE_TIKTOKEN;
    return LM_FILE_SENTENCEPIECE;
}

/* ---- what else it may be --------------------------------------------------------------- */

/* Which JSON file a model directory has with such a member. */
static int name_json(const lm_tokenizer_file *f)
{
    static const struct {
        const char *key, *what;
    } known[] = {
        { "tokenizer_class", "a tokenizer_config.json; tokenizer.json or tokenizer.model, next to "
                             "it, is the tokenizer" },
        { "model_type", "a model's config.json; the tokenizer is another file of its directory" },
        { "architectures",
          "a model's config.json; the tokenizer is another file of its directory" },
        { "weight_map", "an index of weights; the tokenizer is another file of its directory" },
        { "bos_token", "a special_tokens_map.json; tokenizer.json or tokenizer.model, next to it, "
                       "is the tokenizer" },
    };
    enum { KNOWN = sizeof known / sizeof *known };
    bool numbers = true;
    size_t count = 0, best = KNOWN; /* a tokenizer_config.json may name its bos_token first */
    for (lm_json_member_at m = { 0 }; lm_json_next_member(f, &m) && count < 100; count++) {
        for (size_t i = 0; i < best; i++)
            if (key_is(&m, known[i].key)) best = i;
        numbers = numbers && m.first >= '0' && m.first <= '9';
    }
    if (best < KNOWN)
        return lm_fail(LM_EDATA, "%s: not a tokenizer, but %s", f->path, known[best].what);
    if (count && numbers)
        return lm_fail(LM_EDATA,
                       "%s: not a tokenizer, but a list of pieces and ids (vocab.json, "
                       "added_tokens.json); tokenizer.json has the merges, too",
                       f->path);
    return lm_fail(LM_EDATA,
                   "%s: JSON, but neither a tokenizer.json (a member \"model\") nor a tekken.json "
                   "(\"config\" and \"vocab\")",
                   f->path);
}

int lm_file_name_other(const lm_tokenizer_file *f)
{
    static const struct {
        const char *begins;
        const char *what;
    } known[] = {
        { "version https://git-lfs", "a pointer of git-lfs in place of the file; `git lfs pull` "
                                     "there, or download it again" },
        { "<!doctype html", "a page of HTML in place of the file; download it again" },
        { "<html", "a page of HTML in place of the file; download it again" },
        { "#version:", "a list of merges (merges.txt); tokenizer.json has the vocabulary, too" },
        { "GGUF", "a GGUF file; lmimport gguf makes a model directory of it" },
        { "PK\x03\x04", "a zip archive or a PyTorch checkpoint, not a tokenizer" },
        { "\x80\x02", "a Python pickle, not a tokenizer" },
        { "\x80\x03", "a Python pickle, not a tokenizer" },
        { "\x80\x04", "a Python pickle, not a tokenizer" },
        { "\x1f\x8b", "compressed (gzip); decompress it" },
        { "\x28\xb5\x2f\xfd", "compressed (zstd); decompress it" },
    };
    if (!f->size) return lm_fail(LM_EDATA, "%s: empty; download it again", f->path);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (begins(f, known[i].begins)) return lm_fail(LM_EDATA, "%s: %s", f->path, known[i].what);
    return is_object(f) ? name_json(f) : LM_OK;
}
