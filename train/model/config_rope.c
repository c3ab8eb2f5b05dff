/* RoPE in config.json: as transformers reads it. */
#include <math.h>
#include <string.h>

#include "train/model/fields.h"

/* By enum tr_rope_type, less NTK. */
static const char *const names[] = { "default", "linear", "dynamic", "yarn", "llama3" };
enum { NAMES = sizeof names / sizeof *names };

const char *config_rope_name(enum tr_rope_type type) { return names[type]; }

/* The fields of each type; any other could change the computation. */
#define FIELDS_OF_ALL "type", "rope_type", "rope_theta", "partial_rotary_factor", "factor"
static const char *const fields[NAMES][20] = {
    { FIELDS_OF_ALL, NULL },
    { FIELDS_OF_ALL, NULL },
    { FIELDS_OF_ALL, "original_max_position_embeddings", NULL },
    { FIELDS_OF_ALL, "original_max_position_embeddings", "attention_factor", "beta_fast",
      "beta_slow", "mscale", "mscale_all_dim", "truncate", "finetuned", NULL },
    { FIELDS_OF_ALL, "original_max_position_embeddings", "low_freq_factor", "high_freq_factor",
      NULL },
};

const lm_json *config_rope_object(const lm_json *root)
{
    if (field_present(root, "rope_scaling")) return lm_json_get(root, "rope_scaling");
    return field_present(root, "rope_parameters") ? lm_json_get(root, "rope_parameters") : NULL;
}

/* 0 counts as absent. */
static int number_or_none(double *out, const lm_json *o, const char *key)
{
    *out = 0;
    int rc = field_present(o, key) ? lm_json_f64(out, o, key) : LM_OK;
    if (!rc && !(*out >= 0 && isfinite(*out)))
        return lm_json_fail(lm_json_get(o, key), "must not be below 0");
    return rc;
}

static double amplitude(double factor, double mscale)
{
    return factor > 1 ? 0.1 * mscale * log(factor) + 1 : 1;
}

static int read_yarn(tr_rope *r, const lm_json *o)
{
    double mscale = 0, all = 0;
    bool rounded = true;
    int rc = field_real_or(&r->beta_fast, o, "beta_fast", 32);
    if (!rc) rc = field_real_or(&r->beta_slow, o, "beta_slow", 1);
    if (!rc) rc = number_or_none(&mscale, o, "mscale");
    if (!rc) rc = number_or_none(&all, o, "mscale_all_dim");
    if (!rc) rc = field_bool_or(&rounded, o, "truncate", true);
    if (rc) return rc;
    r->exact_ramp = !rounded;
    double fallback = mscale > 0 && all > 0
                          ? amplitude(r->factor, mscale) / amplitude(r->factor, all)
                          : amplitude(r->factor, 1);
    return field_real_or(&r->attention_factor, o, "attention_factor", fallback);
}

static int read_llama3(tr_rope *r, const lm_json *o)
{
    static const char *const needed[] = { "low_freq_factor", "high_freq_factor",
                                          "original_max_position_embeddings" };
    const lm_json *v = NULL;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < sizeof needed / sizeof *needed; i++)
        rc = lm_json_need(&v, o, needed[i]);
    if (!rc) rc = field_real_or(&r->low_freq, o, "low_freq_factor", 1);
    if (!rc) rc = field_real_or(&r->high_freq, o, "high_freq_factor", 4);
    if (!rc && r->high_freq <= r->low_freq)
        return lm_json_fail(lm_json_get(o, "high_freq_factor"), "must be above low_freq_factor");
    return rc;
}

/* Positions of the pretraining. Those of the whole config come first, as in transformers. */
static int read_original(tr_rope *r, const lm_json *root, const lm_json *o, double positions)
{
    static const char key[] = "original_max_position_embeddings";
    int rc = field_real_or(&r->original, o, key, positions);
    if (!rc && r->type == TR_ROPE_DYNAMIC) {
        if (fabs(r->original - positions) > 0)
            return lm_json_fail(lm_json_get(o, key),
                                "%g is not supported, only max_position_embeddings (%g)",
                                r->original, positions);
        r->original = 0;
        return LM_OK;
    }
    return rc ? rc : field_real_or(&r->original, root, key, r->original);
}

static int read_type(tr_rope *r, const lm_json *o)
{
    const char *name = names[0];
    const char *key = field_present(o, "rope_type") ? "rope_type" : "type";
    /* Version 5 writes a type always; without one, only plain RoPE is not ambiguous. */
    bool plain = !field_present(o, key) && !field_present(o, "factor");
    int rc = plain ? LM_OK : lm_json_str(&name, o, key);
    size_t type = 0;
    if (rc) return rc;
    while (type < NAMES && strcmp(name, names[type])) type++;
    if (type == NAMES)
        return lm_json_fail(o, "RoPE scaling \"%s\" is not known (linear, dynamic, yarn, llama3)",
                            name);
    r->type = (enum tr_rope_type)type;
    rc = lm_json_only(o, fields[type]);
    if (!rc) rc = field_is_number(o, "partial_rotary_factor", 1);
    return rc;
}

int config_read_rope(tr_config *c, const lm_json *root)
{
    tr_rope *r = &c->rope;
    const lm_json *o = config_rope_object(root), *v = NULL;
    *r = (tr_rope){ .attention_factor = 1 };
    int rc = field_real_or(&r->theta, root, "rope_theta", 10000);
    if (rc || !o) return rc;
    if (field_present(root, "rope_scaling") && field_present(root, "rope_parameters"))
        return lm_json_fail(lm_json_get(root, "rope_parameters"),
                            "rope_scaling is there, too; remove one of the two");
    rc = read_type(r, o);
    if (!rc) rc = field_real_or(&r->theta, o, "rope_theta", r->theta);
    if (rc || r->type == TR_ROPE_PLAIN) return rc;
    rc = lm_json_need(&v, o, "factor");
    if (!rc) rc = field_real_or(&r->factor, o, "factor", 1);
    if (!rc && r->factor < 1) return lm_json_fail(v, "must not be below 1");
    if (!rc && r->type != TR_ROPE_LINEAR) rc = read_original(r, root, o, (double)c->positions);
    if (!rc && r->type == TR_ROPE_YARN) rc = read_yarn(r, o);
    if (!rc && r->type == TR_ROPE_LLAMA3) rc = read_llama3(r, o);
    return rc;
}
