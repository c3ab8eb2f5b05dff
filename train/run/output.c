/* The model that a run ends with. */
#include <unistd.h>

#include "longmix/zio.h"
#include "train/run/internal.h"

static int copy_file(const char *from, const char *to)
{
    lm_in *in = NULL;
    lm_out *out = NULL;
    char part[65536];
    ssize_t n = 0;
    int rc = lm_in_open(&in, from);
    if (!rc) rc = lm_out_open(&out, to, LM_OUT_PLAIN, 0);
    while (!rc && (n = lm_in_read(in, part, sizeof part)) > 0)
        rc = lm_out_write(out, part, (size_t)n);
    if (!rc && n < 0) rc = (int)n;
    if (!rc) {
        rc = lm_out_commit(out);
        out = NULL;
    }
    lm_out_abandon(out);
    lm_in_close(in);
    return rc;
}

/* The tokenizer and its like go with the model. */
static int copy_companions(const tr_run *r)
{
    static const char *const names[] = { "tokenizer.model",       "tokenizer.json",
                                         "tokenizer_config.json", "special_tokens_map.json",
                                         "added_tokens.json",     "generation_config.json" };
    char from[RUN_PATH], to[RUN_PATH];
    int rc = LM_OK;
    for (size_t i = 0; !rc && r->o.model && i < sizeof names / sizeof *names; i++) {
        rc = tr_path(from, r->o.model, names[i]);
        if (!rc) rc = tr_path(to, r->o.out, names[i]);
        if (!rc && !access(from, F_OK)) rc = copy_file(from, to);
    }
    return rc;
}

static int write_config(const tr_run *r, enum st_dtype dtype)
{
    char path[RUN_PATH];
    lm_buf text = LM_BUF_INIT((size_t)1 << 20);
    lm_json *config = tr_config_json(&r->c, st_dtype_name(dtype));
    int rc = lm_json_dump(config, 2, &text);
    if (!rc) rc = lm_buf_add(&text, "\n", 1);
    if (!rc) rc = tr_path(path, r->o.out, "config.json");
    if (!rc) rc = lm_write_file(path, text.data, text.size);
    lm_buf_free(&text);
    lm_json_free(config);
    return rc;
}

int tr_write_model(const tr_run *r)
{
    char path[RUN_PATH];
    enum st_dtype dtype = r->o.dtype < 0 ? r->read : (enum st_dtype)r->o.dtype;
    int rc = tr_path(path, r->o.out, "model.safetensors");
    if (!rc) rc = tr_model_save(r->m, path, dtype);
    if (rc || r->ranks->rank) return rc;
    rc = copy_companions(r);
    if (!rc) rc = write_config(r, dtype);
    if (!rc) tr_note(r, "wrote the model to %s", r->o.out);
    return rc;
}
