#include "train/import/proto.h"

#include <string.h>

#include "lib/base/endian.h"

/* A key of field number and kind, then a varint, 4 bytes, or length and bytes. */
enum { VARINT = 0, BYTES = 2, FIXED32 = 5 };

static int put_varint(lm_buf *b, uint64_t v)
{
    unsigned char c;
    for (; v > 127; v >>= 7) {
        c = (unsigned char)(v | 128);
        int rc = lm_buf_add(b, &c, 1);
        if (rc) return rc;
    }
    c = (unsigned char)v;
    return lm_buf_add(b, &c, 1);
}

static int put_number(lm_buf *b, unsigned field, uint64_t v)
{
    int rc = put_varint(b, field << 3 | VARINT);
    return rc ? rc : put_varint(b, v);
}

static int put_bytes(lm_buf *b, unsigned field, const void *p, size_t n)
{
    int rc = put_varint(b, field << 3 | BYTES);
    if (!rc) rc = put_varint(b, n);
    return rc ? rc : lm_buf_add(b, p, n);
}

int proto_piece(lm_buf *model, lm_string text, float score, int type)
{
    lm_buf b = LM_BUF_INIT(text.n + 64);
    unsigned char bits[4];
    uint32_t u;
    memcpy(&u, &score, 4);
    lm_put32(bits, u);
    int rc = put_bytes(&b, 1, text.s, text.n);
    if (!rc) rc = put_varint(&b, 2 << 3 | FIXED32);
    if (!rc) rc = lm_buf_add(&b, bits, 4);
    if (!rc) rc = put_number(&b, 3, (uint64_t)type);
    if (!rc) rc = put_bytes(model, 1, b.data, b.size);
    lm_buf_free(&b);
    return rc;
}

int proto_settings(lm_buf *model, const proto_specs *s)
{
    lm_buf b = LM_BUF_INIT((size_t)1 << 20);
    int rc = put_number(&b, 3, 2); /* model_type: BPE */
    if (!rc) rc = put_number(&b, 4, s->vocab);
    if (!rc) rc = put_number(&b, 35, 1);    /* byte_fallback */
    for (unsigned i = 0; !rc && i < 4; i++) /* unk_piece, bos_piece, eos_piece, pad_piece */
        if (s->names[i].s) rc = put_bytes(&b, 45 + i, s->names[i].s, s->names[i].n);
    if (!rc) rc = put_bytes(model, 2, b.data, b.size);
    b.size = 0;
    if (!rc) rc = put_bytes(&b, 1, "identity", 8);
    if (!rc) rc = put_number(&b, 3, s->prefix);  /* add_dummy_prefix */
    if (!rc) rc = put_number(&b, 4, s->squeeze); /* remove_extra_whitespaces */
    if (!rc) rc = put_number(&b, 5, 1);          /* escape_whitespaces */
    if (!rc) rc = put_bytes(model, 3, b.data, b.size);
    lm_buf_free(&b);
    return rc;
}
