/* ggml_types.c -- compiled without contraction of a product and a sum to one operation (Makefile),
 * which would round once where the reference rounds twice. */
#include "train/import/ggml_types.h"

#include "lib/base/endian.h"
#include "train/files/safetensors.h"

enum { SMALL = 32, SUPER = 256, SUBS = 8 };

static float half(const unsigned char *p) { return st_from_half(lm_le16(p)); }

/* ---- one number ---------------------------------------------------------------------------- */

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static void f32(const unsigned char *b, float *out) { *out = from_bits(lm_le32(b)); }
static void f16(const unsigned char *b, float *out) { *out = half(b); }
static void bf16(const unsigned char *b, float *out)
{
    *out = from_bits((uint32_t)lm_le16(b) << 16);
}

/* ---- blocks of 32: the low halves of 16 bytes, then the high halves ------------------------ */

static int nibble(const unsigned char *q, size_t i) { return i < 16 ? q[i] & 15 : q[i - 16] >> 4; }

static int fifth(const unsigned char *high, const unsigned char *q, size_t i)
{
    return nibble(q, i) | (int)(lm_le32(high) >> i & 1) << 4;
}

static void q8_0(const unsigned char *b, float *out)
{
    float d = half(b);
    for (size_t i = 0; i < SMALL; i++) out[i] = (float)(int8_t)b[2 + i] * d;
}

static void q4_0(const unsigned char *b, float *out)
{
    float d = half(b);
    for (size_t i = 0; i < SMALL; i++) out[i] = d * (float)(nibble(b + 2, i) - 8);
}

static void q4_1(const unsigned char *b, float *out)
{
    float d = half(b), m = half(b + 2);
    for (size_t i = 0; i < SMALL; i++) out[i] = d * (float)nibble(b + 4, i) + m;
}

static void q5_0(const unsigned char *b, float *out)
{
    float d = half(b);
    for (size_t i = 0; i < SMALL; i++) out[i] = d * (float)(fifth(b + 2, b + 6, i) - 16);
}

static void q5_1(const unsigned char *b, float *out)
{
    float d = half(b), m = half(b + 2);
    for (size_t i = 0; i < SMALL; i++) out[i] = d * (float)fifth(b + 4, b + 8, i) + m;
}

/* ---- blocks of 256, in eight of 32 --------------------------------------------------------- */

/* Six bits of scale and six of minimum for each of the eight, in 12 bytes: those of the first four
 * are the low bits of bytes 0..7, whose high bits go with the halves of bytes 8..11. */
static void scale_of(const unsigned char *s, size_t i, float *scale, float *min)
{
    size_t k = i & 3;
    *scale = (float)(i < 4 ? s[k] & 63 : (s[8 + k] & 15) | (s[k] >> 2 & 48));
    *min = (float)(i < 4 ? s[4 + k] & 63 : s[8 + k] >> 4 | (s[4 + k] >> 2 & 48));
}

static void q45_k(const unsigned char *b, const unsigned char *high, const unsigned char *low,
                  float *out)
{
    float d = half(b), dmin = half(b + 2);
    for (size_t s = 0; s < SUBS; s++) {
        float scale, min;
        scale_of(b + 4, s, &scale, &min);
        scale = d * scale;
        min = dmin * min;
        for (size_t i = 0; i < 32; i++) {
            int q = low[s / 2 * 32 + i] >> (s & 1) * 4 & 15;
            if (high) q |= (high[i] >> s & 1) << 4;
            out[32 * s + i] = scale * (float)q - min;
        }
    }
}

static void q4_k(const unsigned char *b, float *out) { q45_k(b, NULL, b + 16, out); }
static void q5_k(const unsigned char *b, float *out) { q45_k(b, b + 16, b + 48, out); }

static void q6_k(const unsigned char *b, float *out)
{
    const unsigned char *low = b, *high = b + 128, *scales = b + 192;
    float d = half(b + 208);
    for (size_t s = 0; s < SUBS; s++) {
        size_t side = s / 4, k = s & 3;
        const unsigned char *l = low + 64 * side + 32 * (k & 1), *h = high + 32 * side;
        for (size_t i = 0; i < 32; i++) {
            int q = (l[i] >> (k & 2) * 2 & 15) | (h[i] >> 2 * k & 3) << 4;
            out[32 * s + i] = d * (float)(int8_t)scales[2 * s + i / 16] * (float)(q - 32);
        }
    }
}

/* ---- the table ----------------------------------------------------------------------------- */

static const ggml_type types[] = {
    [GGML_F32] = { "F32", 1, 4, f32 },    [GGML_F16] = { "F16", 1, 2, f16 },
    [2] = { "Q4_0", SMALL, 18, q4_0 },    [3] = { "Q4_1", SMALL, 20, q4_1 },
    [6] = { "Q5_0", SMALL, 22, q5_0 },    [7] = { "Q5_1", SMALL, 24, q5_1 },
    [8] = { "Q8_0", SMALL, 34, q8_0 },    [9] = { "Q8_1", 0, 0, NULL },
    [10] = { "Q2_K", 0, 0, NULL },        [11] = { "Q3_K", 0, 0, NULL },
    [12] = { "Q4_K", SUPER, 144, q4_k },  [13] = { "Q5_K", SUPER, 176, q5_k },
    [14] = { "Q6_K", SUPER, 210, q6_k },  [15] = { "Q8_K", 0, 0, NULL },
    [16] = { "IQ2_XXS", 0, 0, NULL },     [17] = { "IQ2_XS", 0, 0, NULL },
    [18] = { "IQ3_XXS", 0, 0, NULL },     [19] = { "IQ1_S", 0, 0, NULL },
    [20] = { "IQ4_NL", 0, 0, NULL },      [21] = { "IQ3_S", 0, 0, NULL },
    [22] = { "IQ2_S", 0, 0, NULL },       [23] = { "IQ4_XS", 0, 0, NULL },
    [24] = { "I8", 0, 0, NULL },          [25] = { "I16", 0, 0, NULL },
    [26] = { "I32", 0, 0, NULL },         [27] = { "I64", 0, 0, NULL },
    [28] = { "F64", 0, 0, NULL },         [29] = { "IQ1_M", 0, 0, NULL },
    [GGML_BF16] = { "BF16", 1, 2, bf16 }, [34] = { "TQ1_0", 0, 0, NULL },
    [35] = { "TQ2_0", 0, 0, NULL },       [39] = { "MXFP4", 0, 0, NULL },
    [40] = { "NVFP4", 0, 0, NULL },       [41] = { "Q1_0", 0, 0, NULL },
};

const char *ggml_type_name(uint32_t id)
{
    return id < sizeof types / sizeof *types ? types[id].name : NULL;
}

const ggml_type *ggml_type_of(uint32_t id)
{
    return id < sizeof types / sizeof *types && types[id].convert ? &types[id] : NULL;
}

void ggml_convert(const ggml_type *t, const unsigned char *src, size_t blocks, float *dst)
{
    if (t->convert == f32) {
        for (size_t i = 0; i < blocks; i++) f32(src + 4 * i, dst + i);
    } else if (t->convert == f16) {
        for (size_t i = 0; i < blocks; i++) f16(src + 2 * i, dst + i);
    } else if (t->convert == bf16) {
        for (size_t i = 0; i < blocks; i++) bf16(src + 2 * i, dst + i);
    } else {
        for (size_t i = 0; i < blocks; i++) t->convert(src + i * t->bytes, dst + i * t->numbers);
    }
}
