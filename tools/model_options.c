#include "model_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/endian.h"

enum { PATH_SIZE = 4096 };

int model_open_tokenizer(model_run *r, const model_options *o)
{
    char path[PATH_SIZE];
    if (!o->model) return cli_usage("--model is missing");
    if ((size_t)snprintf(path, sizeof path, "%s/tokenizer.model", o->model) >= sizeof path)
        return lm_fail(LM_EUSAGE, "%s: the path is too long", o->model);
    if (!access(o->model, F_OK) && access(path, F_OK))
        return lm_fail(
            LM_EDATA, "%s: the model has no tokenizer; its SentencePiece file belongs there", path);
    int rc = lm_tokenizer_open(&r->tokenizer, path, 0);
    return rc ? rc : lm_encoder_new(&r->encoder, r->tokenizer);
}

tr_infer_options model_infer_options(const model_options *o, size_t length)
{
    static const double mscale[] = { 0, 0.05, 0.1 };
    return (tr_infer_options){ .model = o->model,
                               .attention = o->attention,
                               .scaling = o->scaling,
                               .rope_base = o->rope_base,
                               .mscale = mscale[o->mscale],
                               .no_successive = o->parts > 0,
                               .no_inter = o->parts > 1,
                               .length = length };
}

int model_open_backend(model_run *r, const model_options *o)
{
    static const char *const backends[] = { "cpu", "cuda" };
    if (!o->model) return cli_usage("--model is missing");
    if (o->parts && (!o->attention || !strncmp(o->attention, "rope", 4)))
        return cli_usage("--dca-parts leaves parts of --attention dca out");
    return bk_open(&r->backend, backends[o->backend], o->threads);
}

int model_open(model_run *r, const model_options *o, size_t length)
{
    tr_infer_options options = model_infer_options(o, length);
    int rc = model_open_backend(r, o);
    if (!rc) rc = tr_infer_open(&r->infer, &options, r->backend);
    if (rc) return rc;
    size_t vocab = tr_infer_config(r->infer)->vocab;
    if (r->tokenizer && lm_tokenizer_vocab(r->tokenizer) > vocab)
        return lm_fail(LM_EDATA,
                       "%s/tokenizer.model: it has %" PRIu32 " pieces, and the model's "
                       "vocabulary %zu",
                       o->model, lm_tokenizer_vocab(r->tokenizer), vocab);
    return LM_OK;
}

void model_close(model_run *r)
{
    tr_infer_close(r->infer);
    if (r->backend) r->backend->close(r->backend);
    lm_encoder_free(r->encoder);
    lm_tokenizer_free(r->tokenizer);
    *r = (model_run){ 0 };
}

int model_encode(model_run *r, const char *text, size_t n, bool bos, lm_buf *out)
{
    int64_t first = lm_tokenizer_bos(r->tokenizer);
    int32_t id = (int32_t)first;
    unsigned width = lm_tokenizer_width(r->tokenizer);
    lm_buf ids = LM_BUF_INIT(lm_encode_bound(r->tokenizer, n) + 1);
    int rc = lm_encode(r->encoder, text, n, &ids);
    if (!rc && bos && first >= 0) rc = lm_buf_add(out, &id, sizeof id);
    for (size_t at = 0; !rc && at < ids.size; at += width) {
        const unsigned char *p = (const unsigned char *)ids.data + at;
        id = (int32_t)(width == 2 ? lm_le16(p) : lm_le32(p));
        rc = lm_buf_add(out, &id, sizeof id);
    }
    lm_buf_free(&ids);
    return rc;
}
