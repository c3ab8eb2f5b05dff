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

/* ---- the members of a JSON object ------------------------------------------------------ */

static size_t blank(const lm_tokenizer_file *f, size_t i)
{
    while (i < f->size && strchr(" \t\r\n", f->data[i]) && f->data[i]) i++;
    return i;
}

/* Past the string whose quote is at i. */
static size_t string_end(const lm_tokenizer_file *f, size_t i)
{
    for (i++; i < f->size && f->data[i] != '"'; i++)
        if (f->data[i] == '\\') i++;
    return i < f->size ? i + 1 : f->size;
}

/* Past the value at i. The syntax is not checked. */
static size_t value_end(const lm_tokenizer_file *f, size_t i)
{
    size_t depth = 0;
    while (i < f->size) {
        unsigned char c = f->data[i];
        if (c == '"') {
            i = string_end(f, i);
            if (!depth) return i;
            continue;
        }
        if (c == '{' || c == '[') depth++;
        else if ((c == '}' || c == ']') && depth <= 1) return depth ? i + 1 : i;
        else if (c == '}' || c == ']') depth--;
        else if (c == ',' && !depth) return i;
        i++;
    }
    return i;
}

static size_t object_start(const lm_tokenizer_file *f)
{
    size_t i = blank(f, f->size >= 3 && !memcmp(f->data, "\xef\xbb\xbf", 3) ? 3 : 0);
    return i < f->size && f->data[i] == '{' ? i + 1 : 0;
}

bool lm_json_next_member(const lm_tokenizer_file *f, lm_json_member_at *m)
{
    size_t i = m->end ? blank(f, m->end) : blank(f, object_start(f));
    if (!m->end && !object_start(f)) return false;
    if (m->end && i < f->size && f->data[i] == ',') i = blank(f, i + 1);
    if (i >= f->size || f->data[i] != '"') return false;
    size_t end = string_end(f, i);
    m->key = (const char *)f->data + i + 1;
    m->key_size = end - i > 2 ? end - i - 2 : 0;
    i = blank(f, end);
    if (i >= f->size || f->data[i] != ':') return false;
    i = blank(f, i + 1);
    if (i >= f->size) return false;
    m->first = (char)f->data[i];
    m->end = value_end(f, i);
    return true;
}

static bool key_is(const lm_json_member_at *m, const char *key)
{
    return strlen(key) == m->key_size && !memcmp(key, m->key, m->key_size);
}

bool lm_json_has(const lm_tokenizer_file *f, const char *key, char first)
{
    for (lm_json_member_at m = { 0 }; lm_json_next_member(f, &m);)
        if (key_is(&m, key)) return m.first == first;
    return false;
}

/* ---- kinds ------------------------------------------------------------------------------- */

enum lm_file_kind lm_file_kind(const lm_tokenizer_file *f)
{
    if (object_start(f)) {
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
    bool numbers = true;
    size_t count = 0;
    for (lm_json_member_at m = { 0 }; lm_json_next_member(f, &m) && count < 100; count++) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (key_is(&m, known[i].key))
                return lm_fail(LM_EDATA, "%s: not a tokenizer, but %s", f->path, known[i].what);
        numbers = numbers && m.first >= '0' && m.first <= '9';
    }
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
    return object_start(f) ? name_json(f) : LM_OK;
}
