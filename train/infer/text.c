#include "train/infer/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/files/model_dir.h"

struct tr_text {
    lm_tokenizer *tokenizer;
    lm_encoder *encoder;
    char path[MODEL_PATH]; /* for messages */
};

/* What a directory without a tokenizer lacks besides, if it is meant to be a model. */
static int say_missing(const char *path, const char *dir)
{
    char config[MODEL_PATH];
    struct stat st;
    int rc = model_dir_path(config, dir, MODEL_CONFIG);
    if (!rc && (stat(dir, &st) || !S_ISDIR(st.st_mode) || !access(config, F_OK)))
        rc = model_dir_usable(dir);
    return rc ? rc
              : lm_fail(LM_EDATA, "%s: missing; put the model's SentencePiece file there", path);
}

int tr_text_open(tr_text **out, const char *dir)
{
    *out = NULL;
    tr_text *t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    int rc = model_dir_path(t->path, dir, MODEL_TOKENIZER);
    if (!rc && access(t->path, F_OK)) rc = say_missing(t->path, dir);
    if (!rc) rc = model_dir_regular(t->path);
    if (!rc) rc = lm_tokenizer_open(&t->tokenizer, t->path, NULL, 0);
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

const lm_tokenizer *tr_text_tokenizer(const tr_text *t) { return t ? t->tokenizer : NULL; }

int tr_text_check(const tr_text *t, size_t vocab)
{
    if (!t || lm_tokenizer_vocab(t->tokenizer) <= vocab) return LM_OK;
    return lm_fail(LM_EDATA,
                   "%s: has %" PRIu32 " ids, more than the %zu of the model's vocabulary; put the "
                   "tokenizer that the model was trained with there",
                   t->path, lm_tokenizer_vocab(t->tokenizer), vocab);
}

int tr_text_encode(tr_text *t, const char *text, size_t n, bool bos, lm_ids *out)
{
    int64_t first = lm_tokenizer_bos(t->tokenizer);
    int32_t id = (int32_t)first;
    unsigned width = lm_tokenizer_width(t->tokenizer);
    size_t before = out->n;
    lm_buf raw = LM_BUF_INIT(lm_encode_bound(t->tokenizer, n));
    int rc = n ? lm_encode(t->encoder, text, n, &raw) : LM_OK;
    if (!rc && bos && first >= 0) rc = lm_ids_add(out, &id, 1);
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
