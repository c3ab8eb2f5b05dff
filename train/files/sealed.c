#include "train/files/sealed.h"

#include <inttypes.h>

#include "lib/base/hash.h"
#include "train/files/model_dir.h"

#define FILE_MAX ((size_t)64 << 20)

static int check_of(uint64_t *out, const lm_json *value)
{
    lm_buf text = LM_BUF_INIT(FILE_MAX);
    int rc = lm_json_dump(value, 0, &text);
    if (!rc) *out = lm_hash64(text.data, text.size);
    lm_buf_free(&text);
    return rc;
}

int sealed_write(const char *dir, const char *name, uint64_t form, const char *member,
                 const lm_json *value)
{
    uint64_t check = 0;
    lm_json *o = lm_json_object();
    int rc = check_of(&check, value);
    lm_json_set_u64(o, "form", form);
    lm_json_set_hex64(o, "check", check);
    lm_json_set_copy(o, member, value);
    if (!rc) return model_dir_write(dir, name, o);
    lm_json_free(o);
    return rc;
}

int sealed_load(lm_json **out, const lm_json **value, uint64_t *form, const char *dir,
                const char *name, uint64_t newest, const char *member)
{
    char file[MODEL_PATH];
    uint64_t is = 0, check = 0, want = 0;
    *out = NULL;
    int rc = model_dir_path(file, dir, name);
    if (!rc) rc = model_dir_regular(file);
    if (!rc) rc = lm_json_load(out, file, FILE_MAX);
    if (!rc) rc = lm_json_u64(&is, *out, "form");
    if (!rc && (!is || is > newest))
        rc = lm_json_fail(lm_json_get(*out, "form"),
                          "format %" PRIu64 " is not supported (up to %" PRIu64 " is)", is, newest);
    if (!rc) rc = lm_json_need(value, *out, member);
    if (!rc) rc = lm_json_hex64(&want, *out, "check");
    if (!rc) rc = check_of(&check, *value);
    if (!rc && check != want)
        rc = lm_fail(LM_EDATA, "%s is damaged: it is not what its own checksum says", file);
    if (!rc && form) *form = is;
    return rc;
}
