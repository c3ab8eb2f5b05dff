/* scan.c -- where a text may be cut, byte by byte: the reference for avx2.c. */
#include "lib/tokenizer/bpe/internal.h"

#define S LM_SPACE
#define L LM_LETTER
#define D LM_DIGIT
#define O LM_OTHER
#define P LM_PUNCT
#define H LM_HIGH
const uint8_t lm_byte_classes[256] = {
    O, O, O, O, O, O, O, O, O, O, O, O, O, P, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, P, O, O,
    S, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, D, D, D, D, D, D, D, D, D, D, P, P, P, P, P, P,
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, P,
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, P,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
};
#undef S
#undef L
#undef D
#undef O
#undef P
#undef H

/* The joins of the LLaMA vocabularies, runs of digits and of controls kept whole. */
#define _ false
#define X true
static const bool join_f[LM_CLASSES][LM_CLASSES] = {
    /*              space letter digit other high punct */
    [LM_SPACE] = { X, X, _, _, X, X }, [LM_LETTER] = { _, X, _, _, X, _ },
    [LM_DIGIT] = { _, _, X, _, _, _ }, [LM_OTHER] = { _, _, _, X, _, _ },
    [LM_HIGH] = { _, X, _, _, X, X },  [LM_PUNCT] = { _, _, _, _, X, X },
};
#undef _
#undef X

void lm_scan_prepare(lm_vocab *v)
{
    /* Digits and control characters often join nothing, but they come in runs: a run kept whole
     * is one word to look up instead of many. Fewer cuts are always correct. */
    v->join[LM_DIGIT][LM_DIGIT] = true;
    /* The bytes of one character are never separated, also where no piece has two such characters. */
    v->join[LM_HIGH][LM_HIGH] = true;
    v->join[LM_OTHER][LM_OTHER] = true;
    v->cut_f = !memcmp(v->join, join_f, sizeof v->join);
}

static bool cut_between(const lm_vocab *v, unsigned a, unsigned b, bool space_after)
{
    if (v->runs_last && a == LM_SPACE && b == LM_SPACE) return !space_after;
    return !v->join[a][b];
}

bool lm_cut_at(const lm_vocab *v, const unsigned char *text, size_t i, size_t n)
{
    return cut_between(v, lm_byte_classes[text[i - 1]], lm_byte_classes[text[i]],
                       i + 1 < n && text[i + 1] == ' ');
}

size_t lm_scan_scalar(const lm_vocab *v, const unsigned char *text, size_t pos, size_t blocks,
                      uint8_t *prev, unsigned *flags, uint32_t *cuts)
{
    size_t count = 0;
    uint8_t a = *prev;
    for (size_t i = pos; i < pos + 64 * blocks; i++) {
        uint8_t b = lm_byte_classes[text[i]];
        if (text[i] == 0xff) *flags |= LM_SAW_FF;
        if (a != LM_CLASSES && cut_between(v, a, b, text[i + 1] == ' ')) {
            cuts[count++] = (uint32_t)i;
            if (a == LM_SPACE && b == LM_SPACE) *flags |= LM_SAW_RUN;
        }
        a = b;
    }
    *prev = a;
    return count;
}
