/* encode.c -- the encoders of all kinds: added tokens, and the text between them, which the kind
 * encodes. Tokens are found in the text as it is, and then, in what is between those, the ones that
 * are found in the normalized text. */
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/tokenizer/ids.h"
#include "lib/tokenizer/internal.h"
#include "lib/tokenizer/unicode/unicode.h"

enum {
    WINDOW = 2 << 20, /* bytes in which tokens are looked for, before the text is sliced */
    NEAR = 4096,      /* what follows a slice so far away does not change it */
    KEEP_FORM = 1 << 20,
};

struct lm_encoder {
    const lm_tokenizer *t;
    void *impl;
    bool parse;
    bool begins;      /* lm_encode_some: at the beginning, or after a token */
    bool after_token; /* a token came before in this text */
    bool after_word;  /* lm_encode_some: after a letter, digit or underscore */
    lm_buf form;      /* a text in form C */
};

int lm_encoder_new(lm_encoder **out, const lm_tokenizer *t)
{
    *out = NULL;
    lm_encoder *e = calloc(1, sizeof *e);
    if (!e) return lm_fail_nomem(sizeof *e);
    e->t = t;
    e->form.max = SIZE_MAX;
    int rc = t->kind->encoder_new(&e->impl, t);
    if (rc) free(e);
    else *out = e;
    return rc;
}

void lm_encoder_free(lm_encoder *e)
{
    if (!e) return;
    e->t->kind->encoder_free(e->impl);
    lm_buf_free(&e->form);
    free(e);
}

void lm_encoder_parse_special(lm_encoder *e, bool parse) { e->parse = parse; }

size_t lm_encode_bound(const lm_tokenizer *t, size_t n) { return t->kind->bound(t, n); }

/* ---- whole texts ----------------------------------------------------------------------- */

static bool is_active(const lm_encoder *e, const lm_added_set *s)
{
    return lm_find_active(s, e->parse);
}

static bool any_active(const lm_encoder *e)
{
    return is_active(e, &e->t->index.raw) || is_active(e, &e->t->index.normalized);
}

static int put_token(lm_encoder *e, uint32_t id, lm_buf *out)
{
    unsigned char p[4];
    e->after_token = true;
    lm_put_id(p, id, e->t->width);
    return lm_buf_add(out, p, e->t->width);
}

/* Text that begins a document, or comes after a token. */
static int encode_plain(lm_encoder *e, const unsigned char *text, size_t n, lm_buf *out)
{
    const lm_kind *k = e->t->kind;
    if (e->after_token && k->encode_after) return k->encode_after(e->impl, text, n, out);
    return k->encode(e->impl, text, n, true, out);
}

typedef int part_encoder(lm_encoder *e, const unsigned char *text, size_t n, lm_buf *out);

/* The tokens of a set, and with `between` what is between them. */
static int encode_around(lm_encoder *e, const lm_added_set *s, part_encoder *between,
                         const unsigned char *text, size_t n, lm_buf *out)
{
    lm_found f;
    int rc = LM_OK;
    for (size_t from = 0; !rc && from < n; from = f.stop) {
        bool found = lm_find(s, e->parse, false, text, n, from, n, &f);
        if (!found) f = (lm_found){ .start = n, .stop = n };
        if (f.start > from) rc = between(e, text + from, f.start - from, out);
        if (!rc && found) rc = put_token(e, f.id, out);
    }
    return rc;
}

/* Text without tokens of the first set. */
static int encode_rest(lm_encoder *e, const unsigned char *text, size_t n, lm_buf *out)
{
    const lm_added_set *s = &e->t->index.normalized;
    if (!is_active(e, s)) return encode_plain(e, text, n, out);
    if (e->t->nfc && !lm_is_nfc(e->t->nfc, text, n) && lm_utf8_valid(text, n) == n) {
        lm_buf_reset(&e->form, KEEP_FORM);
        int rc = lm_to_nfc(e->t->nfc, text, n, &e->form);
        if (rc) return rc;
        text = e->form.data;
        n = e->form.size;
    }
    return encode_around(e, s, encode_plain, text, n, out);
}

int lm_encode(lm_encoder *e, const char *text, size_t n, lm_buf *out)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t size = out->size;
    e->after_token = false;
    if (!n || !any_active(e)) return encode_plain(e, p, n, out);
    int rc = encode_around(e, &e->t->index.raw, encode_rest, p, n, out);
    if (rc) out->size = size;
    return rc;
}

/* ---- slices ------------------------------------------------------------------------------ */

/* The first token of either set that begins before `limit`. */
static bool find_either(const lm_encoder *e, const unsigned char *text, size_t n, size_t limit,
                        lm_found *f)
{
    const lm_added_index *x = &e->t->index;
    lm_found other;
    bool found = lm_find(&x->raw, e->parse, e->after_word, text, n, 0, limit, f);
    size_t end = found ? f->start : n;
    bool after_word = !e->begins && e->after_word;
    if (!lm_find(&x->normalized, e->parse, after_word, text, end, 0, end < limit ? end : limit,
                 &other))
        return found;
    *f = other;
    return true;
}

/* The end of what is encoded next, before a token or where the kind may be interrupted: a token
 * that begins there is in *f. */
static size_t next_end(const lm_encoder *e, const unsigned char *text, size_t n, bool *found,
                       lm_found *f)
{
    size_t limit = n < WINDOW ? n : WINDOW, end = n;
    while (!(*found = find_either(e, text, n, limit, f)) && limit < n) {
        end = e->t->kind->slice(e->impl, text, n);
        if (end < n && end + NEAR <= limit) return end;
        limit = end < n - NEAR ? end + NEAR : n;
    }
    if (!*found) return e->t->kind->slice(e->impl, text, n);
    end = f->start ? e->t->kind->slice(e->impl, text, f->start) : 0;
    *found = end == f->start;
    return end;
}

int lm_encode_some(lm_encoder *e, const char *text, size_t n, bool first, lm_buf *out, size_t *used)
{
    const lm_kind *k = e->t->kind;
    const unsigned char *p = (const unsigned char *)text;
    if (!any_active(e)) {
        *used = k->slice(e->impl, p, n);
        return k->encode(e->impl, p, *used, first, out);
    }
    if (e->t->nfc && is_active(e, &e->t->index.normalized)) {
        *used = n;
        return lm_encode(e, text, n, out);
    }
    if (first) {
        e->begins = true;
        e->after_token = false;
        e->after_word = false;
    }
    bool found;
    lm_found f;
    size_t size = out->size, end = next_end(e, p, n, &found, &f);
    int rc = LM_OK;
    if (end && e->begins) rc = encode_plain(e, p, end, out);
    else if (end) rc = k->encode(e->impl, p, end, false, out);
    if (!rc && found) rc = put_token(e, f.id, out);
    if (rc) out->size = size;
    *used = found ? f.stop : end;
    e->begins = found;
    e->after_word = lm_ends_with_word(p, *used);
    return rc;
}
