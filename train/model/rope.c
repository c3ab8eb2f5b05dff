/* RoPE tables: the frequencies of each scaling, as Hugging Face's transformers defines them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/config.h"

/* The dimension that makes `turns` rotations within `original` positions. */
static double turning_dim(double turns, double d, const tr_rope *r)
{
    return d * log(r->original / (turns * 2 * M_PI)) / (2 * log(r->theta));
}

/* YaRN (Peng et al. 2023): high frequencies unchanged, low ones interpolated, a ramp between. */
static double yarn(double freq, double i, double d, const tr_rope *r)
{
    double low = turning_dim(r->beta_fast, d, r), high = turning_dim(r->beta_slow, d, r);
    low = fmax(r->exact_ramp ? low : floor(low), 0);
    high = fmin(r->exact_ramp ? high : ceil(high), d - 1);
    if (low == high) high += 0.001;
    double stretched = fmin(fmax((i - low) / (high - low), 0), 1);
    return freq / r->factor * stretched + freq * (1 - stretched);
}

/* Llama 3.1: by wavelength against the original context. */
static double llama3(double freq, const tr_rope *r)
{
    double turns = r->original * freq / (2 * M_PI);
    if (turns < r->low_freq) return freq / r->factor;
    if (turns > r->high_freq) return freq;
    double smooth = (turns - r->low_freq) / (r->high_freq - r->low_freq);
    return (1 - smooth) * freq / r->factor + smooth * freq;
}

static double frequency(const tr_config *c, size_t i, double theta)
{
    double d = (double)c->head_dim, freq = pow(theta, -2 * (double)i / d);
    switch (c->rope.type) {
    case TR_ROPE_LINEAR: return freq / c->rope.factor;
    case TR_ROPE_YARN: return yarn(freq, (double)i, d, &c->rope);
    case TR_ROPE_LLAMA3: return llama3(freq, &c->rope);
    default: return freq;
    }
}

double tr_rope_base(const tr_config *c)
{
    double d = (double)c->head_dim;
    return c->rope.theta * (c->rope.type == TR_ROPE_NTK ? pow(c->rope.factor, d / (d - 2)) : 1);
}

void tr_rope_table(const tr_config *c, size_t length, float *table, size_t positions)
{
    double theta = c->rope.theta, d = (double)c->head_dim, amplitude = 1;
    /* Dynamic NTK: past the pretrained length the base grows with the length. */
    size_t trained = c->rope.overridden ? tr_config_trained(c) : c->positions;
    if (c->rope.type == TR_ROPE_DYNAMIC && length > trained && d > 2)
        theta *= pow(c->rope.factor * (double)length / (double)trained - (c->rope.factor - 1),
                     d / (d - 2));
    if (c->rope.type == TR_ROPE_NTK) theta = tr_rope_base(c);
    if (c->rope.type == TR_ROPE_YARN) amplitude = c->rope.attention_factor;
    size_t half = c->head_dim / 2;
    for (size_t i = 0; i < half; i++) {
        double freq = frequency(c, i, theta);
        for (size_t p = 0; p < positions; p++) {
            table[p * c->head_dim + i] = (float)(amplitude * cos((double)p * freq));
            table[p * c->head_dim + half + i] = (float)(amplitude * sin((double)p * freq));
        }
    }
}

int tr_rope_override(tr_config *c, const char *text)
{
    static const struct {
        const char *name;
        enum tr_rope_type type;
    } known[] = { { "linear", TR_ROPE_LINEAR },
                  { "ntk", TR_ROPE_NTK },
                  { "dynamic", TR_ROPE_DYNAMIC },
                  { "yarn", TR_ROPE_YARN } };
    const char *colon = strchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : strlen(text), i = 0;
    while (i < sizeof known / sizeof *known &&
           (strlen(known[i].name) != n || strncmp(text, known[i].name, n)))
        i++;
    if (i == sizeof known / sizeof *known)
        return lm_fail(LM_EUSAGE,
                       "RoPE scaling \"%s\" is not known (linear:F, ntk:F, dynamic:F, "
                       "yarn:F)",
                       text);
    char *end = NULL;
    double factor = colon ? strtod(colon + 1, &end) : 0;
    /* strtod also accepts blanks, signs, hexadecimal and "inf". */
    if (!colon || strspn(colon + 1, "0123456789.eE+-") != strlen(colon + 1) || *end ||
        !(factor >= 1 && factor <= 1e9))
        return lm_fail(LM_EUSAGE,
                       "RoPE scaling \"%s\": a factor from 1 to 1e9 belongs behind the "
                       "colon, as in %s:4",
                       text, known[i].name);
    if ((known[i].type == TR_ROPE_NTK || known[i].type == TR_ROPE_DYNAMIC) && c->head_dim <= 2)
        return lm_fail(LM_EUSAGE,
                       "RoPE scaling \"%s\": heads of %zu numbers have one frequency, "
                       "which does not depend on the base",
                       text, c->head_dim);
    c->rope = (tr_rope){ .type = known[i].type,
                         .theta = c->rope.theta,
                         .factor = factor,
                         .attention_factor = 1,
                         .overridden = true };
    if (c->rope.type == TR_ROPE_YARN) {
        c->rope.attention_factor = 0.1 * log(factor) + 1;
        c->rope.beta_fast = 32;
        c->rope.beta_slow = 1;
        c->rope.original = (double)tr_config_trained(c);
    }
    return LM_OK;
}
