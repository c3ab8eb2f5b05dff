/* The model at the end of a run. */
#include "train/run/internal.h"

int tr_write_model(const tr_run *r)
{
    char path[MODEL_PATH];
    enum st_dtype dtype = r->o.dtype < 0 ? r->read : (enum st_dtype)r->o.dtype;
    int rc = model_dir_path(path, r->o.out, MODEL_NEW_WEIGHTS);
    if (!rc) rc = tr_model_save(r->pass.m, path, dtype);
    if (rc || r->ranks->rank) return rc;
    model_origin origin = { r->o.model, r->other_tokenizer, r->ids, "" };
    rc = model_dir_commit(r->o.out, &origin, tr_config_json(&r->c, st_dtype_name(dtype)));
    if (!rc && *origin.note) tr_note(r, "%s: %s", r->o.out, origin.note);
    if (!rc) tr_note(r, "wrote the model to %s", r->o.out);
    return rc;
}
