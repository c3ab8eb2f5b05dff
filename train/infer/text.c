#include "train/infer/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/tokenizer/directory.h"
#include "train/files/model_dir.h"

struct tr_text {
    lm_tokenizer *tokenizer;
    lm_encoder *encoder;
};

/* What a directory without a tokenizer lacks besides, if it is meant to be a model. */
static int say_missing(const char *dir)
{
    char config[MODEL_PATH], path[MODEL_PATH];
    struct stat st;
    int rc = model_dir_path(config, dir, MODEL_CONFIG);
    if (!rc) rc = model_dir_path(path, dir, MODEL_TOKENIZER);
    if (!rc && (stat(dir, &st) || !S_ISDIR(st.st_mode) || !access(config, F_OK)))
        rc = model_dir_usable(dir);
    if (!rc && !access(path, F_OK)) rc = model_dir_regular(path);
    return rc ? rc
              : lm_fail(LM_EDATA,
                        "%s: holds no tokenizer; put the model's tokenizer.model or tokenizer.json "
                        "there",
                        dir);
}

int tr_text_open(tr_text **out, const char *dir)
{
    *out = NULL;
    tr_text *t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    lm_tokenizer_files files = { 0 };
    struct stat st;
    int rc = stat(dir, &st) || !S_ISDIR(st.st_mode) ? say_missing(dir)
                                                    : lm_tokenizer_files_list(&files, dir);
    if (!rc && !files.n) rc = say_missing(dir);
    if (!rc) rc = model_dir_regular(files.path[0]);
    if (!rc) rc = lm_tokenizer_open(&t->tokenizer, files.path[0], NULL, 0);
    lm_tokenizer_files_free(&files);
    if (!rc) rc = lm_encoder_new(&t->encoder, t->tokenizer);
    if (rc) tr_text_close(t);
    else *out = t;
    return rc;
}

void tr_text_close(tr_text *t)
{
    if (!t) return;
    lm_encoder_free(t->encoder);
    lm_tokenizer_free(t->tokenizer);
    free(t);
}

void tr_text_parse_special(tr_text *t, bool parse) { lm_encoder_parse_special(t->encoder, parse); }

const lm_tokenizer *tr_text_tokenizer(const tr_text *t) { return t ? t->tokenizer : NULL; }

int tr_text_check(const tr_text *t, size_t vocab)
{
    if (!t || lm_tokenizer_vocab(t->tokenizer) <= vocab) return LM_OK;
    return lm_fail(LM_EDATA,
                   "%s: has %" PRIu32 " ids, more than the %zu of the model's vocabulary; put the "
                   "tokenizer that the model was trained with there",
                   lm_tokenizer_path(t->tokenizer), lm_tokenizer_vocab(t->tokenizer), vocab);
}

int tr_text_encode(tr_text *t, const char *text, size_t n, bool bos, lm_ids *out)
{
    int64_t first = lm_tokenizer_bos(t->tokenizer);
    int32_t id = (int32_t)first;
    unsigned width = lm_tokenizer_width(t->tokenizer);
    size_t before = out->n;
    lm_buf raw = LM_BUF_INIT(lm_encode_bound(t->tokenizer, n));
    int rc = n ? lm_encode(t->encoder, text, n, &raw) : LM_OK;
    bool begins = !rc && raw.size && lm_get_id(raw.data, width) == first;
    if (!rc && bos && first >= 0 && !begins) rc = lm_ids_add(out, &id, 1);
    if (!rc) rc = lm_ids_widen(out, raw.data, raw.size / width, width);
    if (rc) out->n = before;
    lm_buf_free(&raw);
    return rc;
}

int tr_text_decode(const tr_text *t, const int32_t *ids, size_t n, lm_buf *out)
{
    unsigned width = lm_tokenizer_width(t->tokenizer);
    void *raw = malloc(n * width + 1);
    if (!raw) return lm_fail_nomem(n * width + 1);
    lm_ids_narrow(raw, ids, n, width);
    int rc = lm_decode(t->tokenizer, raw, n, out);
    if (!rc) rc = lm_buf_add(out, "", 1);
    if (!rc) out->size--;
    free(raw);
    return rc;
}
