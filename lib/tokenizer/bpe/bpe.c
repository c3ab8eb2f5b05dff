/* bpe.c -- the merges of one segment, as SentencePiece makes them: the best union
 * first, the leftmost of equals. */
#include "lib/tokenizer/bpe/internal.h"

void lm_bpe_init(lm_bpe *b, const lm_vocab *v, unsigned width, bool simd, size_t stream_from)
{
    *b = (lm_bpe){ .v = v };
    b->m = (lm_merger){ .pairs = &v->pairs,
                        .longest = v->longest,
                        .width = width,
                        .simd = simd,
                        .stream_from = stream_from };
}

/* Any text, part by part; with `space`, preceded by a space. */
static unsigned char *encode_parts(lm_bpe *b, bool space, const unsigned char *p, size_t n,
                                   unsigned char *out)
{
    const lm_vocab *v = b->v;
    size_t count = 0, len;
    uint32_t c, before = 0;
    b->m.rc = LM_OK;
    if (space) {
        if (!lm_merger_add(&b->m, count++, v->space, &out)) return NULL;
        before = LM_SPACE_MARK;
    }
    for (size_t i = 0; i < n; i += len, before = c) {
        len = lm_utf8_decode(p + i, n - i, &c);
        if (!len || c == LM_SPACE_MARK) {
            b->m.rc = LM_UNCLEAN;
            return NULL;
        }
        if (c == ' ') c = LM_SPACE_MARK;
        uint32_t sym = lm_char_sym(v, c);
        if (sym == LM_NO_SYM || !lm_may_join(v, before, c)) { /* no merge crosses this boundary */
            if (!lm_merger_flush(&b->m, count, &out)) return NULL;
            count = 0;
        }
        if (sym == LM_NO_SYM) {
            for (size_t k = 0; k < len; k++)
                out = lm_put_id(out, v->byte_ids[p[i + k]], b->m.width);
            continue;
        }
        if (!lm_merger_add(&b->m, count++, sym, &out)) return NULL;
    }
    return lm_merger_flush(&b->m, count, &out) ? out : NULL;
}

unsigned char *lm_bpe_encode(lm_bpe *b, const unsigned char *p, size_t n, unsigned char *out)
{
    if (n <= LM_SHORT && b->m.simd) {
        unsigned char *end = lm_bpe_ascii_avx2(b->v, p, n, out);
        if (end) return end;
    }
    return encode_parts(b, false, p, n, out);
}

unsigned char *lm_bpe_encode_after_space(lm_bpe *b, const unsigned char *p, size_t n,
                                         unsigned char *out)
{
    return encode_parts(b, true, p, n, out);
}

unsigned char *lm_bpe_spaces(lm_bpe *b, size_t n, unsigned char *out)
{
    b->m.rc = LM_OK;
    for (size_t i = 0; i < n; i++)
        if (!lm_merger_add(&b->m, i, b->v->space, &out)) return NULL;
    return lm_merger_flush(&b->m, n, &out) ? out : NULL;
}
