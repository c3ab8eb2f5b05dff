#include "train/files/tokenizer_json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/tokenizer/sentencepiece/tokenizer_json.h"
#include "longmix/zio.h"
#include "train/files/model_dir.h"

#define JSON_MAX ((size_t)256 << 20)
#define TOKENIZER_JSON "tokenizer.json"
#define TOKENIZER_CONFIG "tokenizer_config.json"

/* The object in dir/name, NULL in *out where there is no such file. */
static int load(lm_json **out, const char *dir, const char *name)
{
    char path[MODEL_PATH];
    *out = NULL;
    int rc = model_dir_path(path, dir, name);
    if (rc || access(path, F_OK)) return rc;
    rc = model_dir_regular(path);
    return rc ? rc : lm_json_load(out, path, JSON_MAX);
}

/* Has the tokenizer.json that lies there tokens which tokenizer.model lacks? 1, 0, or an error. */
static int has_more(const char *dir, const lm_tokenizer *t)
{
    lm_json *all = NULL;
    int rc = load(&all, dir, TOKENIZER_JSON), more = 0;
    const lm_json *added = all ? lm_json_get(all, "added_tokens") : NULL;
    for (size_t i = 0; !rc && i < lm_json_size(added); i++) {
        uint64_t id = 0;
        const char *text = NULL;
        rc = lm_json_u64(&id, lm_json_at(added, i), "id");
        if (!rc) rc = lm_json_str(&text, lm_json_at(added, i), "content");
        if (rc) break;
        const char *piece = id < lm_tokenizer_vocab(t) ? lm_tokenizer_piece(t, (uint32_t)id) : NULL;
        if (!piece || strcmp(text, piece)) more = 1;
    }
    lm_json_free(all);
    return rc ? rc : more;
}

static void set_token(lm_json *o, const char *key, const lm_tokenizer *t, int64_t id)
{
    if (id >= 0 && !lm_json_get(o, key))
        lm_json_set_str(o, key, lm_tokenizer_piece(t, (uint32_t)id));
}

/* transformers 5 ignores most of tokenizer.json for LlamaTokenizer; this class takes it as it is. Like
 * SentencePiece, it takes "<s>" in a text for text. */
static int write_config(const char *dir, const lm_tokenizer *t)
{
    lm_json *was = NULL, *o = lm_json_object();
    int rc = load(&was, dir, TOKENIZER_CONFIG);
    lm_json_set_str(o, "tokenizer_class", "PreTrainedTokenizerFast");
    if (was) lm_json_set_all(o, was);
    lm_json_set_str(o, "tokenizer_class", "PreTrainedTokenizerFast");
    set_token(o, "bos_token", t, lm_tokenizer_bos(t));
    set_token(o, "eos_token", t, lm_tokenizer_eos(t));
    set_token(o, "unk_token", t, lm_tokenizer_unk(t));
    if (!lm_json_get(o, "add_bos_token"))
        lm_json_set_bool(o, "add_bos_token", lm_tokenizer_bos(t) >= 0);
    if (!lm_json_get(o, "add_eos_token")) lm_json_set_bool(o, "add_eos_token", false);
    lm_json_set_bool(o, "clean_up_tokenization_spaces", false);
    lm_json_set_bool(o, "split_special_tokens", true);
    lm_json_free(was);
    if (!rc) return model_dir_write(dir, TOKENIZER_CONFIG, o);
    lm_json_free(o);
    return rc;
}

static int write_both(const char *dir, const lm_tokenizer *t, bool keep, char *note, size_t size)
{
    char path[MODEL_PATH], why[200];
    lm_buf text = LM_BUF_INIT(JSON_MAX);
    /* A tokenizer.model of another kind, such as tiktoken's: what lies next to it is the model's. */
    if (keep && !lm_is_sentencepiece(t)) return LM_OK;
    int rc = keep ? has_more(dir, t) : 0;
    if (rc == 1)
        snprintf(note, size,
                 TOKENIZER_JSON " has tokens that " MODEL_TOKENIZER
                                " lacks, and is copied as it is");
    if (rc) return rc < 0 ? rc : LM_OK;
    rc = lm_tokenizer_json(t, &text, why, sizeof why);
    if (rc == 0)
        snprintf(note, size, "no " TOKENIZER_JSON " gives the ids of " MODEL_TOKENIZER ": %s", why);
    if (rc == 1) {
        rc = model_dir_path(path, dir, TOKENIZER_JSON);
        if (!rc) rc = lm_write_file(path, text.data, text.size);
        if (!rc) rc = write_config(dir, t);
    }
    lm_buf_free(&text);
    return rc;
}

int tokenizer_json_write(const char *dir, bool keep, char *note, size_t size)
{
    char path[MODEL_PATH];
    lm_tokenizer *t = NULL;
    *note = 0;
    int rc = model_dir_path(path, dir, MODEL_TOKENIZER);
    if (rc || access(path, F_OK)) return rc;
    rc = lm_tokenizer_open(&t, path, NULL, 0);
    if (rc == LM_EUSAGE && keep) return LM_OK; /* a rank file whose pattern is not known */
    if (rc == LM_EDATA ||
        rc == LM_EUSAGE) { /* another kind of tokenizer, which longmix only copies */
        snprintf(note, size, "no " TOKENIZER_JSON " is written: %s", lm_err());
        return LM_OK;
    }
    if (!rc) rc = write_both(dir, t, keep, note, size);
    lm_tokenizer_free(t);
    return rc;
}
