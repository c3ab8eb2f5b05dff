#include "model_options.h"

#include <string.h>

int model_open_tokenizer(model_run *r, const model_options *o)
{
    if (!o->model) return cli_usage("--model is missing");
    return tr_text_open(&r->text, o->model);
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
        return cli_usage("--dca-parts needs --attention dca");
    return bk_open(&r->backend, backends[o->backend], o->threads);
}

int model_open(model_run *r, const model_options *o, size_t length)
{
    tr_infer_options options = model_infer_options(o, length);
    int rc = model_open_backend(r, o);
    if (!rc) rc = tr_infer_open(&r->infer, &options, r->backend);
    return rc ? rc : tr_text_check(r->text, tr_infer_config(r->infer)->vocab);
}

void model_close(model_run *r)
{
    tr_infer_close(r->infer);
    if (r->backend) r->backend->close(r->backend);
    tr_text_close(r->text);
    *r = (model_run){ 0 };
}
