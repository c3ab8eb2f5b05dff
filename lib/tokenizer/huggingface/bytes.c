/* bytes.c -- byte-level vocabularies: names in GPT-2's alphabet of 256 characters, one for each byte. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/bpe/byte_level.h"
#include "lib/tokenizer/huggingface/internal.h"

enum { ALPHABET = 256 + 68 }; /* code points below it */

/* by[c]: the byte that character c stands for, or -1. Printable characters of Latin-1 stand for
 * themselves, those from U+0100 on for the other bytes. */
static void read_alphabet(int16_t by[ALPHABET])
{
    int next = 256;
    for (int c = 0; c < ALPHABET; c++) by[c] = -1;
    for (int b = 0; b < 256; b++) {
        bool printable = (b > ' ' && b < 0x7f) || (b > 0xa0 && b != 0xad);
        by[printable ? b : next++] = (int16_t)b;
    }
}

typedef struct builder {
    const lm_hf *h;
    const lm_hf_vocab *v;
    lm_buf bytes;
    lm_byte_piece *pieces;
    lm_byte_merge *merges;
    size_t merge_count;
} builder;

/* Append the bytes of a name; 0 where it has a character outside of the alphabet. */
static size_t put_bytes(lm_buf *out, const int16_t by[ALPHABET], lm_string name)
{
    const unsigned char *p = (const unsigned char *)name.s;
    unsigned char *to = out->data + out->size;
    uint32_t c;
    size_t n = 0;
    for (size_t i = 0, len; i < name.n; i += len) {
        len = lm_utf8_decode(p + i, name.n - i, &c);
        if (!len || c >= ALPHABET || by[c] < 0) return 0;
        to[n++] = (unsigned char)by[c];
    }
    out->size += n;
    return n;
}

/* Which ids are pieces: those of the model but for added tokens, unless a text could become these by
 * merging, or by being looked up. */
static int mark_pieces(const builder *b, bool *is_piece)
{
    for (uint32_t id = 0; id < b->v->count; id++) is_piece[id] = b->v->in_model[id];
    if (b->h->ignore_merges) return LM_OK;
    for (size_t i = 0; i < b->h->added_count; i++) is_piece[b->h->added[i].id] = false;
    for (size_t i = 0; i < b->v->pair_count; i++) {
        const lm_hf_pair *p = &b->v->pairs[i];
        is_piece[p->left] = is_piece[p->right] = is_piece[p->merged] = true;
    }
    return LM_OK;
}

static int put_pieces(builder *b)
{
    int16_t by[ALPHABET];
    size_t total = 0;
    uint32_t count = b->v->count;
    read_alphabet(by);
    bool *is_piece = malloc(count);
    b->pieces = calloc(count, sizeof *b->pieces);
    if (!b->pieces || !is_piece) {
        free(is_piece);
        return lm_fail_nomem(count * sizeof *b->pieces);
    }
    int rc = mark_pieces(b, is_piece);
    for (uint32_t id = 0; id < count; id++) total += b->v->names[id].n;
    if (!rc) rc = lm_buf_reserve(&b->bytes, total + 1); /* does not move any more */
    for (uint32_t id = 0; !rc && id < count; id++) {
        if (!is_piece[id]) continue;
        const unsigned char *at = b->bytes.data + b->bytes.size;
        uint32_t size = (uint32_t)put_bytes(&b->bytes, by, b->v->names[id]);
        if (size) b->pieces[id] = (lm_byte_piece){ at, size };
    }
    free(is_piece);
    return rc;
}

/* Merges whose characters stand for no byte never happen. */
static int put_merges(builder *b)
{
    b->merges = malloc((b->v->pair_count + 1) * sizeof *b->merges);
    if (!b->merges) return lm_fail_nomem((b->v->pair_count + 1) * sizeof *b->merges);
    for (size_t i = 0; i < b->v->pair_count; i++) {
        const lm_hf_pair *p = &b->v->pairs[i];
        if (!b->pieces[p->left].size || !b->pieces[p->right].size) continue;
        b->merges[b->merge_count++] = (lm_byte_merge){ p->left, p->right, p->merged };
    }
    return LM_OK;
}

/* A byte without a piece takes rules that are not those of lm_byte_level_open. */
static int check_bytes(const builder *b)
{
    bool has[256] = { false };
    for (uint32_t id = 0; id < b->v->count; id++)
        if (b->pieces[id].size == 1) has[*b->pieces[id].bytes] = true;
    for (unsigned i = 0; i < 256; i++) {
        if (has[i] || (!b->h->byte_fallback && !(b->h->unk.s && b->h->fuse_unk))) continue;
        return lm_fail(LM_EDATA,
                       "%s: model.%s: true is not supported where byte 0x%02X has no piece",
                       b->h->path, b->h->byte_fallback ? "byte_fallback" : "fuse_unk", i);
    }
    return LM_OK;
}

static int check_changes(const lm_hf *h, enum lm_nfc *nfc)
{
    for (size_t i = 0; i < h->change_count; i++) {
        if (h->changes[i].kind != LM_HF_NFC)
            return lm_fail(LM_EDATA, "%s: normalizer: type \"%s\" is not supported with ByteLevel",
                           h->path, h->changes[i].kind == LM_HF_PREPEND ? "Prepend" : "Replace");
        *nfc = LM_NFC_9;
    }
    return LM_OK;
}

int lm_hf_open_bytes(lm_tokenizer *t, const lm_hf *h, const lm_hf_vocab *v)
{
    builder b = { .h = h, .v = v, .bytes = LM_BUF_INIT((size_t)1 << 30) };
    lm_byte_spec spec = { .count = v->count,
                          .whole = h->ignore_merges,
                          .prefix_space = h->prefix_space,
                          .steps = h->steps,
                          .step_count = h->step_count,
                          .steps_field = LM_HF_STEPS_FIELD };
    int rc = check_changes(h, &spec.nfc);
    if (!rc) rc = put_pieces(&b);
    if (!rc) rc = put_merges(&b);
    if (!rc) rc = check_bytes(&b);
    spec.pieces = b.pieces;
    spec.merges = b.merges;
    spec.merge_count = b.merge_count;
    if (!rc) rc = lm_byte_level_open(t, &spec, h->path);
    snprintf(t->format, sizeof t->format, "a tokenizer.json (byte-level BPE)");
    free(b.pieces);
    free(b.merges);
    lm_buf_free(&b.bytes);
    return rc;
}
