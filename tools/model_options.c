#include "model_options.h"

#include <string.h>

#include "train/files/checksums.h"

/* A model whose files are not those that its checksums.json lists may be a mixture of two. Once. */
static void warn_of_changes(const model_options *o)
{
    static bool done;
    if (!done && checksums_compare(o->model, false, NULL) == LM_EDATA)
        cli_warn("%s (lmcheck %s)", lm_err(), o->model);
    done = true;
}

int model_open_tokenizer(model_run *r, const model_options *o)
{
    if (!o->model) return cli_usage("--model is missing");
    warn_of_changes(o);
    return tr_text_open(&r->text, o->model);
}

tr_infer_options model_infer_options(const model_options *o, size_t length)
{
    static const double mscale[] = { 0, -1, 0.05, 0.1 };
    return (tr_infer_options){ .model = o->model,
                               .attention = o->attention,
                               .scaling = o->scaling,
                               .rope_base = o->rope_base,
                               .mscale = mscale[o->mscale],
                               .no_successive = o->parts > 0,
                               .no_inter = o->parts > 1,
                               .weights = (enum tr_infer_weights)o->weights,
                               .length = length };
}

int model_open_backend(model_run *r, const model_options *o)
{
    static const char *const backends[] = { "cpu", "cuda" };
    if (!o->model) return cli_usage("--model is missing");
    if (o->parts && (!o->attention || !strncmp(o->attention, "rope", 4)))
        return cli_usage("--dca-parts needs --attention dca");
    warn_of_changes(o);
    return bk_open(&r->backend, backends[o->backend], o->threads);
}

int model_open(model_run *r, const model_options *o, size_t length)
{
    tr_infer_options options = model_infer_options(o, length);
    int rc = model_open_backend(r, o);
    if (!rc) rc = tr_infer_open(&r->infer, &options, r->backend);
    if (!rc && !o->attention && tr_infer_config(r->infer)->dual.sparse)
        cli_note("%s: " TR_SPARSE_NOTE, o->model);
    return rc ? rc : tr_text_check(r->text, tr_infer_config(r->infer)->vocab);
}

void model_close(model_run *r)
{
    tr_infer_close(r->infer);
    if (r->backend) r->backend->close(r->backend);
    tr_text_close(r->text);
    *r = (model_run){ 0 };
}
