/* byte_level.c -- texts to ids with a vocabulary of bytes: parts between the cuts of a pattern, each
 * looked up in the table of words and in the vocabulary, and merged where they are in neither. */
#include "lib/tokenizer/bpe/byte_level.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/bpe/byte_loop.h"
#include "lib/tokenizer/unicode/unicode.h"
#include "longmix/tokenizer.h"

#define SET_BITS 17 /* 16 MB of words */
#define KEEP_COPY ((size_t)1 << 20)
#define STREAM_FROM 65536   /* symbols of a part */
#define STREAM_LONGEST 1024 /* bytes of a piece, up to which long parts are merged in a stream */
#define SLICE ((size_t)1 << 20)
#define SMALL_SLICE 100
#define NEAR 4096 /* bytes after a slice that decide where it may end */
#define TEXT_MAX ((size_t)1 << 30)

typedef struct impl {
    lm_byte_vocab vocab;
    lm_pattern *pattern;          /* NULL: a text is one part */
    lm_byte_reference *reference; /* NULL without LM_TOKENIZER_REFERENCE */
    bool prefix_space;
    enum lm_nfc nfc;
} impl;

typedef struct encoder {
    const lm_tokenizer *t;
    lm_cutter *cutter; /* NULL: a text is one part */
    lm_byte_loop loop;
    lm_buf clean, form; /* copies of a text */
    uint32_t ends[LM_BYTE_PARTS];
} encoder;

static const impl *of(const lm_tokenizer *t) { return t->impl; }

/* ---- memory ------------------------------------------------------------------------ */

static void free_impl(void *p)
{
    impl *x = p;
    if (!x) return;
    lm_byte_vocab_free(&x->vocab);
    lm_pattern_free(x->pattern);
    lm_byte_reference_free(x->reference);
    free(x);
}

static void free_encoder(void *p)
{
    encoder *e = p;
    if (!e) return;
    lm_cutter_free(e->cutter);
    lm_table_free(&e->loop.table);
    lm_merger_free(&e->loop.merger);
    free(e->loop.merges);
    lm_buf_free(&e->clean);
    lm_buf_free(&e->form);
    free(e);
}

static int new_encoder(void **out, const lm_tokenizer *t)
{
    const impl *x = of(t);
    bool small = t->flags & LM_TOKENIZER_SMALL;
    encoder *e = calloc(1, sizeof *e);
    if (!e) return lm_fail_nomem(sizeof *e);
    e->t = t;
    e->clean.max = e->form.max = SIZE_MAX / 2;
    lm_byte_loop *l = &e->loop;
    l->v = &x->vocab;
    l->simd = !(t->flags & LM_TOKENIZER_SCALAR) && lm_avx2();
    l->unk = t->unk;
    l->merger = (lm_merger){ .pairs = &x->vocab.pairs,
                             .ids = x->vocab.ids,
                             .longest = x->vocab.longest,
                             .simd = l->simd,
                             .width = t->width,
                             .stream_from = small ? 24 : STREAM_FROM };
    if (x->vocab.longest > STREAM_LONGEST) l->merger.stream_from = SIZE_MAX;
    if (l->simd && !x->vocab.holes) l->merges = malloc(sizeof *l->merges);
    int rc = x->pattern ? lm_cutter_new(&e->cutter, x->pattern) : LM_OK;
    if (!rc) rc = lm_table_new(&l->table, small ? LM_SMALL_BITS : SET_BITS);
    if (rc) free_encoder(e);
    else *out = e;
    return rc;
}

/* ---- encoding ---------------------------------------------------------------------- */

static size_t bound_of(size_t n, unsigned width) { return (n + 1) * width + LM_BYTE_SLACK; }

/* A byte that is no UTF-8 becomes three, and so may a character of one byte in form C. */
static size_t bound(const lm_tokenizer *t, size_t n) { return bound_of(3 * n + 1, t->width); }

/* Copy a text with U+FFFD for every byte that is no UTF-8. */
static int clean(lm_buf *out, const unsigned char *text, size_t n)
{
    uint32_t c;
    size_t bad = 0, len;
    for (size_t i = 0; i < n; i += len)
        if (!(len = lm_utf8_decode(text + i, n - i, &c))) bad++, len = 1;
    out->size = 0;
    int rc = lm_buf_reserve(out, n + 2 * bad + 1);
    if (rc) return rc;
    unsigned char *q = out->data;
    for (size_t i = 0; i < n; i += len) {
        len = lm_utf8_decode(text + i, n - i, &c);
        memcpy(q, len ? text + i : (const unsigned char *)LM_UTF8_REPLACEMENT, len ? len : 3);
        q += len ? len : 3;
        if (!len) len = 1;
    }
    out->size = (size_t)(q - out->data);
    return LM_OK;
}

static int reference_parts(encoder *e, const unsigned char *text, const uint32_t *ends,
                           size_t count, size_t start, lm_buf *out)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < count; i++) {
        size_t end = ends[i] & ~LM_CUT_SKIP;
        if (!(ends[i] & LM_CUT_SKIP))
            rc = lm_byte_reference_part(of(e->t)->reference, text + start, end - start, e->t->unk,
                                        e->t->width, out);
        start = end;
    }
    return rc;
}

/* Encode n bytes of a text, which has room in `out`. LM_EDATA where they are not UTF-8. */
static int encode_utf8(encoder *e, const unsigned char *text, size_t n, lm_buf *out)
{
    if (n > TEXT_MAX)
        return lm_fail(LM_EDATA,
                       "a text of %zu bytes, with its bytes that are not UTF-8 replaced, is "
                       "too long",
                       n);
    for (size_t from = 0; from < n;) {
        ptrdiff_t count = 1;
        if (e->cutter) count = lm_pattern_cut(e->cutter, text, n, from, e->ends, LM_BYTE_PARTS);
        else if (lm_utf8_valid(text, n) == n) e->ends[0] = (uint32_t)n;
        else return LM_EDATA;
        if (count < 0) return (int)count;
        int rc = of(e->t)->reference
                     ? reference_parts(e, text, e->ends, (size_t)count, from, out)
                     : lm_byte_parts(&e->loop, text, n, from, e->ends, (size_t)count, out);
        if (rc) return rc;
        from = e->ends[count - 1] & ~LM_CUT_SKIP;
    }
    return LM_OK;
}

static int encode_in(encoder *e, const unsigned char *text, size_t n, lm_buf *out)
{
    size_t size = out->size;
    int rc = lm_buf_reserve(out, bound_of(n, e->t->width));
    if (!rc) rc = encode_utf8(e, text, n, out);
    if (rc) out->size = size;
    return rc;
}

/* Make the copy that is encoded in place of a text: in form C, with a space before it. */
static int change(encoder *e, const unsigned char *text, size_t n, enum lm_nfc form, bool space)
{
    int rc = clean(&e->clean, text, n);
    e->form.size = 0;
    if (!rc && space) rc = lm_buf_add(&e->form, " ", 1);
    if (rc) return rc;
    if (!form) return lm_buf_add(&e->form, e->clean.data, e->clean.size);
    return lm_to_nfc(form, e->clean.data, e->clean.size, &e->form);
}

static int encode(void *p, const unsigned char *text, size_t n, bool first, lm_buf *out)
{
    encoder *e = p;
    const impl *x = of(e->t);
    if (!n) return LM_OK;
    bool space = x->prefix_space && first && *text != ' ';
    enum lm_nfc form = x->nfc && !lm_is_nfc(x->nfc, text, n) ? x->nfc : LM_NFC_NONE;
    int rc = space || form ? change(e, text, n, form, space) : LM_OK;
    if (!rc && (space || form)) {
        rc = encode_in(e, e->form.data, e->form.size, out);
    } else if (!rc) {
        rc = encode_in(e, text, n, out);
        if (rc == LM_EDATA && lm_utf8_valid(text, n) < n) {
            rc = clean(&e->clean, text, n);
            if (!rc) rc = encode_in(e, e->clean.data, e->clean.size, out);
        }
    }
    lm_merger_trim(&e->loop.merger);
    lm_buf_reset(&e->clean, KEEP_COPY);
    lm_buf_reset(&e->form, KEEP_COPY);
    return rc;
}

/* ---- slices ------------------------------------------------------------------------- */

/* Is the text in form C up to NEAR bytes after `end`? */
static bool is_formed(const impl *x, const unsigned char *text, size_t n, size_t end)
{
    size_t to = n - end > NEAR ? end + NEAR : n;
    while (to < n && (text[to] & 0xc0) == 0x80) to++;
    return !x->nfc || lm_is_nfc(x->nfc, text, to);
}

/* A slice ends where a part does, after a printable character of ASCII, and the next part is known:
 * the scanners look no further, and what they see at the end of a text differs only for white space.
 * Other patterns may look at any text that follows. */
static bool may_end(const unsigned char *text, const uint32_t *ends, size_t from)
{
    size_t end = ends[0] & ~LM_CUT_SKIP, next = ends[1] & ~LM_CUT_SKIP;
    return end >= from && next < end + NEAR / 2 && text[end - 1] > ' ' && text[end - 1] < 127;
}

static size_t slice(void *p, const unsigned char *text, size_t n)
{
    encoder *e = p;
    const impl *x = of(e->t);
    size_t least = e->t->flags & LM_TOKENIZER_SMALL ? SMALL_SLICE : SLICE;
    if (n <= least || !e->cutter || x->prefix_space || !lm_pattern_scanner(x->pattern) ||
        !lm_pattern_restarts(x->pattern))
        return n;
    for (size_t from = 0; from < n;) {
        ptrdiff_t count = lm_pattern_cut(e->cutter, text, n, from, e->ends, LM_BYTE_PARTS);
        if (count <= 0) return n;
        for (ptrdiff_t i = 0; i + 1 < count; i++) {
            size_t end = e->ends[i] & ~LM_CUT_SKIP;
            if (may_end(text, e->ends + i, least)) return is_formed(x, text, n, end) ? end : n;
        }
        from = e->ends[count - 1] & ~LM_CUT_SKIP;
    }
    return n;
}

/* ---- ids to text -------------------------------------------------------------------- */

static bool has_piece(const lm_tokenizer *t, uint32_t id)
{
    const lm_byte_vocab *v = &of(t)->vocab;
    return id < v->count && lm_byte_size(v, id);
}

static int bytes(const lm_tokenizer *t, uint32_t id, lm_buf *out)
{
    const lm_byte_vocab *v = &of(t)->vocab;
    const lm_added *a = lm_added_of(t, id);
    if (has_piece(t, id) && !(a && a->special))
        return lm_buf_add(out, v->text + v->starts[id], lm_byte_size(v, id));
    return a && !a->special ? lm_buf_add(out, a->text, a->size) : LM_OK;
}

static int decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t id = lm_get_id((const unsigned char *)ids + i * t->width, t->width);
        if (id >= t->vocab)
            return lm_fail(LM_EDATA, "id %" PRIu32 ": the tokenizer has only %" PRIu32, id,
                           t->vocab);
        int rc = bytes(t, id, out);
        if (rc) return rc;
    }
    return LM_OK;
}

static const char *piece(const lm_tokenizer *t, uint32_t id)
{
    const lm_byte_vocab *v = &of(t)->vocab;
    if (has_piece(t, id)) return v->names + v->name_starts[id];
    const lm_added *a = lm_added_of(t, id);
    return a ? a->text : NULL;
}

/* ---- opening ------------------------------------------------------------------------ */

static const lm_kind byte_level = { free_impl, new_encoder, free_encoder, bound, encode,
                                    slice,     decode,      bytes,        piece };

static int open_pattern(lm_tokenizer *t, impl *x, const lm_byte_spec *spec, const char *path)
{
    bool reference = t->flags & LM_TOKENIZER_REFERENCE;
    unsigned flags = t->flags & LM_TOKENIZER_SCALAR ? LM_PATTERN_SCALAR : 0;
    if (!spec->step_count) return LM_OK;
    int rc = lm_pattern_from(&x->pattern, spec->steps, spec->step_count,
                             reference ? LM_PATTERN_PCRE2 : flags, path, spec->steps_field);
    if (!rc) t->scanner = lm_pattern_scanner(x->pattern);
    if (!rc && !reference && !t->scanner)
        snprintf(t->why_slow, sizeof t->why_slow, "its pattern has no scanner: PCRE2 matches it");
    return rc;
}

int lm_byte_level_open(lm_tokenizer *t, const lm_byte_spec *spec, const char *path)
{
    impl *x = calloc(1, sizeof *x);
    if (!x) return lm_fail_nomem(sizeof *x);
    t->kind = &byte_level;
    t->impl = x;
    x->nfc = spec->nfc;
    x->prefix_space = spec->prefix_space;
    if (t->vocab < spec->count) t->vocab = spec->count;
    int rc = lm_byte_vocab_new(&x->vocab, spec, path);
    if (!rc) rc = open_pattern(t, x, spec, path);
    if (!rc && t->flags & LM_TOKENIZER_REFERENCE) {
        snprintf(t->why_slow, sizeof t->why_slow, "the reference was requested");
        rc = lm_byte_reference_new(&x->reference, spec);
    }
    return rc;
}
