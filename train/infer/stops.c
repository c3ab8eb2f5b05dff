#include "train/infer/stops.h"

#include <unistd.h>

#include "train/files/model_dir.h"

#define CONFIG_MAX ((size_t)1 << 20)

static int add(lm_ids *out, const lm_json *v)
{
    uint64_t id = 0;
    int rc = lm_json_u64(&id, v, NULL);
    if (!rc && id > INT32_MAX) rc = lm_json_fail(v, "no id is so large");
    return rc ? rc : lm_ids_add(out, (const int32_t[]){ (int32_t)id }, 1);
}

static int add_from(lm_ids *out, const char *dir, const char *name)
{
    char path[MODEL_PATH];
    lm_json *all = NULL;
    int rc = model_dir_path(path, dir, name);
    if (rc || access(path, F_OK)) return rc;
    rc = lm_json_load(&all, path, CONFIG_MAX);
    const lm_json *v = rc ? NULL : lm_json_get(all, "eos_token_id");
    if (v && lm_json_type(v) == LM_JSON_ARRAY)
        for (size_t i = 0; !rc && i < lm_json_size(v); i++) rc = add(out, lm_json_at(v, i));
    else if (v && lm_json_type(v) != LM_JSON_NULL) rc = add(out, v);
    lm_json_free(all);
    return rc;
}

int tr_stops_load(lm_ids *out, const char *dir)
{
    int rc = add_from(out, dir, "generation_config.json");
    return rc ? rc : add_from(out, dir, MODEL_CONFIG);
}
