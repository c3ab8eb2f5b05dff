#include "train/model/fields.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

bool field_present(const lm_json *o, const char *key)
{
    const lm_json *v = lm_json_get(o, key);
    return v && lm_json_type(v) != LM_JSON_NULL;
}

int field_size(size_t *out, const lm_json *o, const char *key, uint64_t max)
{
    uint64_t v = 0;
    int rc = lm_json_u64(&v, o, key);
    if (rc) return rc;
    if (v < 1 || v > max)
        return lm_json_fail(lm_json_get(o, key), "%" PRIu64 " is not within 1..%" PRIu64, v, max);
    *out = (size_t)v;
    return LM_OK;
}

int field_size_or(size_t *out, const lm_json *o, const char *key, uint64_t max, size_t fallback)
{
    *out = fallback;
    return field_present(o, key) ? field_size(out, o, key, max) : LM_OK;
}

int field_real_or(double *out, const lm_json *o, const char *key, double fallback)
{
    *out = fallback;
    if (!field_present(o, key)) return LM_OK;
    int rc = lm_json_f64(out, o, key);
    if (!rc && !(*out > 0 && isfinite(*out)))
        return lm_json_fail(lm_json_get(o, key), "must be above 0");
    return rc;
}

int field_bool_or(bool *out, const lm_json *o, const char *key, bool fallback)
{
    *out = fallback;
    return field_present(o, key) ? lm_json_bool(out, o, key) : LM_OK;
}

int field_is_number(const lm_json *o, const char *key, double value)
{
    double v = value;
    int rc = field_present(o, key) ? lm_json_f64(&v, o, key) : LM_OK;
    if (!rc && !(fabs(v - value) <= 0))
        return lm_json_fail(lm_json_get(o, key), "%g is not supported, only %g", v, value);
    return rc;
}

int field_is_text(const lm_json *o, const char *key, const char *value)
{
    const char *s = NULL;
    if (!field_present(o, key)) return LM_OK;
    int rc = lm_json_str(&s, o, key);
    if (!rc && strcmp(s, value))
        return lm_json_fail(lm_json_get(o, key), "\"%s\" is not supported, only \"%s\"", s, value);
    return rc;
}
