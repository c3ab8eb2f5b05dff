/* chars.c -- vocabularies of characters, with bytes for those that have no piece: LLaMA-2's kind. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/bpe/words.h"
#include "lib/tokenizer/huggingface/internal.h"
#include "lib/tokenizer/ids.h"

#define MARK "\u2581"
#define MARK_SIZE 3
#define MAX_CHARS 256 /* of a piece that the fast path takes */

typedef struct impl {
    lm_hf_vocab v;
    lm_vocab proven;
    lm_hf_general *general; /* NULL where the fast path is in use */
    lm_hf_decoder decoder;
    lm_hf_metaspace metaspace;
    bool *special;  /* by id */
    int16_t *bytes; /* by id: the byte of "<0x0A>", or -1 */
} impl;

typedef struct encoder {
    const lm_tokenizer *t;
    lm_words *words; /* of the fast path */
    lm_hf_scratch *scratch;
} encoder;

static const impl *of(const lm_tokenizer *t) { return t->impl; }

/* ---- which pair makes a piece ------------------------------------------------------------- */

typedef struct prover {
    const lm_hf_vocab *v;
    lm_hf_ranks ranks;
    lm_model m;
    uint32_t (*formed)[2]; /* by id: the symbols that make it; LM_NO_SYM: none do */
    bool *byte;            /* by id: the piece of a byte */
    char *why;
    size_t why_size;
} prover;

static bool is_single(lm_string s)
{
    uint32_t c;
    return s.n && lm_utf8_decode((const unsigned char *)s.s, s.n, &c) == s.n;
}

/* The characters of a name as symbols: how many; 0 where one has no piece, or there are too many. */
static size_t read_chars(const lm_hf_vocab *v, lm_string s, uint32_t *syms)
{
    const unsigned char *p = (const unsigned char *)s.s;
    uint32_t c;
    size_t n = 0;
    for (size_t i = 0, len; i < s.n; i += len, n++) {
        len = lm_utf8_decode(p + i, s.n - i, &c);
        if (n == MAX_CHARS || !len) return 0;
        syms[n] = lm_hf_find(v, s.s + i, len);
        if (syms[n] == LM_HF_NONE) return 0;
    }
    return n;
}

/* The rank of the merge that makes the piece in a text of its own, with its symbols in pair[2]. */
static uint32_t last_rank(const prover *p, uint32_t id, uint32_t pair[2])
{
    uint32_t syms[MAX_CHARS], best = LM_HF_NONE;
    size_t n = read_chars(p->v, p->v->names[id], syms);
    for (best = LM_HF_NONE; n > 1; n--) {
        size_t where = 0;
        best = LM_HF_NONE;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t rank = lm_hf_rank(&p->ranks, syms[i], syms[i + 1]);
            if (rank < best) best = rank, where = i;
        }
        if (best == LM_HF_NONE) return best;
        pair[0] = syms[where];
        pair[1] = syms[where + 1];
        syms[where] = p->v->pairs[best].merged;
        memmove(&syms[where + 1], &syms[where + 2], (n - where - 2) * sizeof *syms);
    }
    return best;
}

/* Pieces as SentencePiece has them, the score being the rank: only those can occur that are a character
 * or are made by merges. */
static int list_pieces(prover *p)
{
    const lm_hf_vocab *v = p->v;
    p->m.pieces = calloc(v->count, sizeof *p->m.pieces);
    p->m.count = p->m.cap = v->count;
    p->formed = malloc(v->count * sizeof *p->formed);
    p->byte = calloc(v->count, 1);
    if (!p->m.pieces || !p->formed || !p->byte)
        return lm_fail_nomem(v->count * sizeof *p->m.pieces);
    memset(p->formed, 0xff, v->count * sizeof *p->formed);
    for (uint32_t id = 0; id < v->count; id++) {
        lm_string s = v->names[id];
        bool plain = v->in_model[id] && is_single(s);
        p->m.pieces[id] = (lm_piece){ s.s, s.n, 0, plain ? LM_NORMAL : LM_CONTROL };
    }
    for (unsigned i = 0; i < 256; i++) {
        uint32_t id = lm_hf_find_byte(v, i);
        if (id == LM_HF_NONE) continue;
        p->byte[id] = true;
        p->m.pieces[id].type = LM_BYTE;
    }
    return LM_OK;
}

static int cannot(const prover *p, uint32_t id, const char *what)
{
    snprintf(p->why, p->why_size, "piece %" PRIu32 " \"%.40s\" %s", id, p->v->names[id].s, what);
    return 0;
}

/* 1; 0 with the reason. */
static int form_pieces(prover *p)
{
    for (size_t i = 0; i < p->v->pair_count; i++) {
        const lm_hf_pair *pair = &p->v->pairs[i];
        uint32_t id = pair->merged;
        if (p->byte[pair->left] || p->byte[pair->right] || p->byte[id])
            return cannot(p, id, "is made of bytes, or like one");
        lm_piece *piece = &p->m.pieces[id];
        if (p->formed[id][0] != LM_NO_SYM) continue;
        if (piece->size > 4 * MAX_CHARS) return cannot(p, id, "has over 256 characters");
        uint32_t made[2], rank = last_rank(p, id, made);
        if (rank == LM_HF_NONE || p->v->pairs[rank].merged != id) continue;
        memcpy(p->formed[id], made, sizeof made);
        piece->score = -(float)rank; /* exact: ranks are below 2^24 */
        piece->type = LM_NORMAL;
    }
    return 1;
}

/* Splitting before each U+2581 changes nothing where no piece has one inside. */
static int check_marks(const prover *p)
{
    for (uint32_t id = 0; id < p->v->count; id++) {
        lm_string s = p->v->names[id];
        if (p->formed[id][0] != LM_NO_SYM && strstr(s.s + 1, MARK))
            return cannot(p, id, "has a U+2581 inside");
    }
    return 1;
}

/* Do the normalizer and the pre-tokenizer do what SentencePiece does with spaces? */
static const char *check_changes(const lm_hf *h, bool *prefix)
{
    bool spaces = h->metaspace.used;
    *prefix = h->metaspace.used && h->metaspace.prefix != LM_HF_NEVER;
    if (h->step_count) return "the pre-tokenizer has steps of its own";
    if (h->ignore_merges) return "merges are ignored where a text is a piece";
    for (size_t i = 0; i < h->change_count; i++) {
        const lm_hf_change *c = &h->changes[i];
        if (c->kind == LM_HF_REPLACE && !strcmp(c->from.s, " ") && !strcmp(c->to.s, MARK) &&
            i + 1 == h->change_count && !h->metaspace.used)
            spaces = true;
        else if (c->kind == LM_HF_PREPEND && !i && !h->metaspace.used &&
                 (!strcmp(c->to.s, MARK) || !strcmp(c->to.s, " ")))
            *prefix = true;
        else return "the normalizer does more than to mark spaces";
    }
    return spaces ? NULL : "spaces are not marked by U+2581";
}

/* 1 with x->proven; 0 with why; LM_ENOMEM. */
static int prove(impl *x, const lm_hf *h, char *why, size_t why_size)
{
    prover p = { .v = &x->v, .why = why, .why_size = why_size };
    p.m.model_type = 2;
    p.m.byte_fallback = h->byte_fallback;
    p.m.escape_spaces = true;
    const char *reason = check_changes(h, &p.m.dummy_prefix);
    if (reason) return snprintf(why, why_size, "%s", reason), 0;
    int rc = lm_hf_ranks_new(&p.ranks, &x->v);
    if (!rc) rc = list_pieces(&p);
    if (!rc) rc = form_pieces(&p);
    if (rc > 0 && h->metaspace.used && h->metaspace.split) rc = check_marks(&p);
    p.m.formed = (const uint32_t(*)[2])p.formed;
    if (rc > 0) rc = lm_vocab_prove(&x->proven, &p.m, why, why_size);
    lm_hf_ranks_free(&p.ranks);
    lm_model_free(&p.m);
    free(p.formed);
    free(p.byte);
    return rc;
}

/* ---- the kind ------------------------------------------------------------------------------ */

static void free_impl(void *p)
{
    impl *x = p;
    if (!x) return;
    lm_vocab_free(&x->proven);
    lm_hf_general_free(x->general);
    lm_hf_vocab_free(&x->v);
    free(x->special);
    free(x->bytes);
    free(x);
}

static void free_encoder(void *p)
{
    encoder *e = p;
    if (!e) return;
    lm_words_free(e->words);
    lm_hf_scratch_free(e->scratch);
    free(e);
}

static int new_encoder(void **out, const lm_tokenizer *t)
{
    const impl *x = of(t);
    encoder *e = calloc(1, sizeof *e);
    if (!e) return lm_fail_nomem(sizeof *e);
    e->t = t;
    int rc = x->general ? lm_hf_scratch_new(&e->scratch, x->general, t->width)
                        : lm_words_new(&e->words, &x->proven, t->width, t->flags);
    if (rc) free_encoder(e);
    else *out = e;
    return rc;
}

static size_t bound(const lm_tokenizer *t, size_t n)
{
    size_t ids = of(t)->general ? lm_hf_general_bound(of(t)->general, n) : 3 * n + 1;
    return lm_words_bound(ids, t->width);
}

static int encode_at(encoder *e, const unsigned char *text, size_t n, enum lm_hf_place place,
                     lm_buf *out)
{
    const lm_hf_metaspace *m = &of(e->t)->metaspace;
    if (e->scratch) return lm_hf_general_encode(e->scratch, text, n, place, out);
    bool prefix = place != LM_HF_INSIDE;
    if (m->used && n) {
        bool space = *text == ' ' || (n >= MARK_SIZE && !memcmp(text, MARK, MARK_SIZE));
        prefix = prefix && !space && !(m->prefix == LM_HF_FIRST && place != LM_HF_BEGIN);
    }
    return lm_words_encode(e->words, text, n, prefix, out);
}

static int encode(void *p, const unsigned char *text, size_t n, bool first, lm_buf *out)
{
    return encode_at(p, text, n, first ? LM_HF_BEGIN : LM_HF_INSIDE, out);
}

static int encode_after(void *p, const unsigned char *text, size_t n, lm_buf *out)
{
    return encode_at(p, text, n, LM_HF_AFTER_TOKEN, out);
}

static size_t slice(void *p, const unsigned char *text, size_t n)
{
    const encoder *e = p;
    return e->words ? lm_words_slice(&of(e->t)->proven, text, n) : n;
}

static const char *piece(const lm_tokenizer *t, uint32_t id) { return of(t)->v.names[id].s; }

/* The text of a piece, without U+2581 or with spaces in place of it. */
static int put_piece(const lm_tokenizer *t, uint32_t id, bool drop, lm_buf *out)
{
    const char *s = piece(t, id), *mark;
    int rc = LM_OK;
    if (of(t)->decoder.bytes && of(t)->bytes[id] >= 0)
        return lm_buf_add(out, &(unsigned char){ (unsigned char)of(t)->bytes[id] }, 1);
    for (; !rc && of(t)->decoder.spaces && (mark = strstr(s, MARK)); s = mark + MARK_SIZE) {
        rc = lm_buf_add(out, s, (size_t)(mark - s));
        if (!rc && !drop) rc = lm_buf_add(out, " ", 1);
    }
    return rc ? rc : lm_buf_add(out, s, strlen(s));
}

static int bytes(const lm_tokenizer *t, uint32_t id, lm_buf *out)
{
    return of(t)->special[id] ? LM_OK : put_piece(t, id, false, out);
}

/* Of the bytes from `from` on, which stand for themselves: where they are not UTF-8 as a whole, each is
 * U+FFFD. */
static int close_bytes(lm_buf *out, size_t from)
{
    size_t n = out->size - from;
    int rc = LM_OK;
    if (lm_utf8_valid(out->data + from, n) == n) return LM_OK;
    out->size = from;
    for (size_t i = 0; !rc && i < n; i++) rc = lm_buf_add(out, LM_UTF8_REPLACEMENT, 3);
    return rc;
}

static void strip(lm_buf *out, size_t from, uint32_t spaces)
{
    size_t n = 0;
    while (n < spaces && from + n < out->size && out->data[from + n] == ' ') n++;
    memmove(out->data + from, out->data + from + n, out->size - from - n);
    out->size -= n;
}

static int decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out)
{
    const impl *x = of(t);
    size_t start = out->size, run = 0; /* of bytes, where `open` */
    bool open = false, first = true;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < count; i++) {
        uint32_t id = lm_get_id((const unsigned char *)ids + i * t->width, t->width);
        if (id >= t->vocab) {
            rc = lm_fail(LM_EDATA, "id %" PRIu32 ": the tokenizer has only %" PRIu32, id, t->vocab);
            break;
        }
        if (x->special[id]) continue;
        bool byte = x->decoder.bytes && x->bytes[id] >= 0;
        if (open && !byte) rc = close_bytes(out, run);
        if (byte && !open) run = out->size;
        open = byte;
        if (!rc) rc = put_piece(t, id, first && x->decoder.drop_first_marks, out);
        first = false;
    }
    if (!rc && open) rc = close_bytes(out, run);
    if (rc) out->size = start;
    else if (out->size > start) strip(out, start, x->decoder.strip);
    return rc;
}

static const lm_kind chars_kind = { .free = free_impl,
                                    .encoder_new = new_encoder,
                                    .encoder_free = free_encoder,
                                    .bound = bound,
                                    .encode = encode,
                                    .slice = slice,
                                    .decode = decode,
                                    .bytes = bytes,
                                    .piece = piece,
                                    .encode_after = encode_after };

/* ---- opening ------------------------------------------------------------------------------- */

static int mark_ids(impl *x, const lm_hf *h)
{
    x->special = calloc(x->v.count, 1);
    x->bytes = malloc(x->v.count * sizeof *x->bytes);
    if (!x->special || !x->bytes) return lm_fail_nomem(x->v.count * sizeof *x->bytes);
    memset(x->bytes, 0xff, x->v.count * sizeof *x->bytes);
    for (size_t i = 0; i < h->added_count; i++) x->special[h->added[i].id] = h->added[i].special;
    for (unsigned i = 0; i < 256; i++) {
        uint32_t id = lm_hf_find_byte(&x->v, i);
        if (id != LM_HF_NONE) x->bytes[id] = (int16_t)i;
    }
    return LM_OK;
}

int lm_hf_open_chars(lm_tokenizer *t, const lm_hf *h, lm_hf_vocab *v)
{
    impl *x = calloc(1, sizeof *x);
    if (!x) return lm_fail_nomem(sizeof *x);
    t->kind = &chars_kind;
    t->impl = x;
    x->v = *v;
    *v = (lm_hf_vocab){ 0 };
    x->decoder = h->decoder;
    x->metaspace = h->metaspace;
    snprintf(t->format, sizeof t->format, "a tokenizer.json (BPE of characters)");
    int rc = lm_hf_vocab_keep(&x->v);
    if (!rc) rc = mark_ids(x, h);
    if (rc) return rc;
    if (t->flags & LM_TOKENIZER_REFERENCE)
        snprintf(t->why_slow, sizeof t->why_slow, "the reference was requested");
    else rc = prove(x, h, t->why_slow, sizeof t->why_slow);
    if (rc > 0) return LM_OK;
    return rc ? rc : lm_hf_general_new(&x->general, h, &x->v);
}
