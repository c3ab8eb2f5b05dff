/* words.c -- a text as words between cuts, each looked up in a table of the words
 * seen and merged only where it is not there. One table per thread: no locks, no sharing. */
#include <stdlib.h>

#include "lib/tokenizer/bpe/internal.h"
#include "longmix/tokenizer.h"

#define CHUNK_BLOCKS 32     /* of 64 bytes: cut positions made at a time */
#define TAIL 192            /* the end of a text is copied, so that reads may pass it */
#define PAD (64 + LM_SHORT) /* bytes that may be read past a padded text */
#define SET_BITS 16         /* 8 MB of words */
#define AHEAD 16            /* words whose sets are being fetched */
#define KEEP_COPY ((size_t)1 << 20)
#define STREAM_FROM 65536 /* symbols of a part */
#define LARGE_HEAD ((size_t)1 << 17)
#define SLICE ((size_t)1 << 20) /* bytes that lm_words_slice takes */

struct lm_words {
    const lm_vocab *v;
    lm_scan *scan;
    unsigned width;
    lm_table table;
    lm_bpe bpe;
    lm_buf copy; /* the head of a text, or all of one that must be cleaned */
    lm_buf rest; /* of mend_run */
    unsigned char tail[TAIL + PAD];
    uint32_t cuts[CHUNK_BLOCKS * 64 + 16];
};

/* The state of encoding a text. */
typedef struct cursor {
    const unsigned char *text;
    size_t start; /* of the current word */
    unsigned char *out;
    unsigned char *last; /* where the ids of the word before begin */
    size_t last_size;    /* of that word */
} cursor;

void lm_words_free(lm_words *w)
{
    if (!w) return;
    lm_table_free(&w->table);
    lm_merger_free(&w->bpe.m);
    lm_buf_free(&w->copy);
    lm_buf_free(&w->rest);
    free(w);
}

/* ---- words that are not in the table ---- */

__attribute__((noinline)) static unsigned char *long_word(lm_words *w, const unsigned char *p,
                                                          size_t n, unsigned char *out)
{
    if (n > LM_LONG_WORD) return lm_bpe_encode(&w->bpe, p, n, out);
    uint64_t hash = lm_long_hash(p, n);
    const lm_long_word *hit = lm_long_find(&w->table, hash, p, n);
    if (hit) {
        memcpy(out, hit->bytes + n, hit->size);
        return out + hit->size;
    }
    unsigned char *end = lm_bpe_encode(&w->bpe, p, n, out);
    if (end) lm_long_put(&w->table, hash, p, n, out, (size_t)(end - out));
    return end;
}

/* ---- the loop ---- */

static void put_word(lm_word *set, lm_word_key key, const unsigned char *ids, size_t size)
{
    if (size > 14) return;
    lm_word *s = lm_table_put(set, key);
    memcpy(s->ids, ids, size);
    s->size = (uint8_t)size;
}

/* The word at p is not at the front of its set: move it forward, or make its ids. */
__attribute__((noinline)) static unsigned char *other_word(lm_words *w, const unsigned char *p,
                                                           size_t size, lm_word *set,
                                                           lm_word_key key, unsigned char *out)
{
    const lm_word *hit = lm_table_other(set, key);
    if (hit) {
        memcpy(out, hit->ids, 14);
        return out + hit->size;
    }
    unsigned char *end = lm_bpe_encode(&w->bpe, p, size, out);
    if (end) put_word(set, key, out, (size_t)(end - out));
    return end;
}

/* Write the ids of a word; up to 16 bytes past them are written too. */
static inline __attribute__((always_inline)) unsigned char *encode_word(lm_words *w,
                                                                        const unsigned char *p,
                                                                        size_t size,
                                                                        unsigned char *out)
{
    if (__builtin_expect(size > LM_SHORT, 0)) return long_word(w, p, size, out);
    lm_word_key key = lm_key_of(p, size);
    lm_word *set = lm_table_set(&w->table, lm_key_hash(key));
    if (__builtin_expect(set->low != key.low || set->high != key.high, 0))
        return other_word(w, p, size, set, key, out);
    memcpy(out, set->ids, 16);
    return out + set->size;
}

static unsigned char *encode_spaces(lm_words *w, size_t n, unsigned char *out)
{
    unsigned char spaces[LM_LONG_WORD];
    if (n > LM_LONG_WORD) return lm_bpe_spaces(&w->bpe, n, out);
    memset(spaces, ' ', sizeof spaces);
    return encode_word(w, spaces, n, out);
}

/* The word just written, from `word` to c->out, follows a run of spaces and begins with the
 * run's last. Where that one merged with nothing it belongs to the run: write that again. */
__attribute__((noinline)) static bool mend_run(lm_words *w, cursor *c, unsigned char *word)
{
    if (lm_get_id(word, w->width) != w->v->space) return true;
    word += w->width;
    size_t rest = (size_t)(c->out - word);
    w->rest.size = 0;
    if ((w->bpe.m.rc = lm_buf_add(&w->rest, word, rest))) return false;
    unsigned char *end = encode_spaces(w, c->last_size + 1, c->last);
    if (!end) return false;
    if (rest) memcpy(end, w->rest.data, rest);
    c->out = end + rest;
    return true;
}

/* Fetch the set of the word between two cuts: the table is larger than the caches near the
 * processor. */
static inline void fetch_word(const lm_words *w, const unsigned char *text, const uint32_t *cuts)
{
    size_t size = cuts[1] - cuts[0];
    lm_word_key key = lm_key_of(text + cuts[0], size < LM_SHORT ? size : LM_SHORT);
    __builtin_prefetch(lm_table_set(&w->table, lm_key_hash(key)));
}

/* Encode the words that end at the `count` cuts. False with w->bpe.m.rc set. */
static inline __attribute__((always_inline)) bool encode_words(lm_words *w, cursor *c,
                                                               const uint32_t *cuts, size_t count,
                                                               bool runs)
{
    const unsigned char *text = c->text;
    unsigned char *out = c->out, *word = c->last;
    size_t start = c->start, size = c->last_size;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *p = text + start;
        if (i + AHEAD < count) fetch_word(w, text, cuts + i + AHEAD - 1);
        if (runs) {
            c->last = word;
            c->last_size = size;
        }
        word = out;
        size = cuts[i] - start;
        out = encode_word(w, p, size, out);
        if (__builtin_expect(!out, 0)) return false;
        if (runs && *p == ' ' && start && p[-1] == ' ') {
            c->out = out;
            if (!mend_run(w, c, word)) return false;
            out = c->out;
        }
        start = cuts[i];
    }
    c->out = out;
    c->start = start;
    c->last = word;
    c->last_size = size;
    return true;
}

static bool encode_cuts(lm_words *w, cursor *c, size_t count, unsigned flags)
{
    if (flags & LM_SAW_FF) {
        w->bpe.m.rc = LM_UNCLEAN;
        return false;
    }
    /* The run may have ended in the chunk before, its last space waiting at the start. */
    bool runs = w->v->runs_last && (flags & LM_SAW_RUN || (c->start && c->text[c->start] == ' ' &&
                                                           c->text[c->start - 1] == ' '));
    return runs ? encode_words(w, c, w->cuts, count, true)
                : encode_words(w, c, w->cuts, count, false);
}

/* Encode c->text from c->start, a cut or 0, to its end at n. PAD zero bytes follow it. */
static bool encode_padded(lm_words *w, cursor *c, size_t n)
{
    uint8_t prev = LM_CLASSES;
    for (size_t pos = c->start; pos < n; pos += CHUNK_BLOCKS * 64) {
        size_t blocks = (n - pos + 63) / 64;
        bool last = blocks <= CHUNK_BLOCKS;
        unsigned flags = 0;
        if (!last) blocks = CHUNK_BLOCKS;
        size_t count = w->scan(w->v, c->text, pos, blocks, &prev, &flags, w->cuts);
        if (last) {
            while (count && w->cuts[count - 1] >= n) count--;
            w->cuts[count++] = (uint32_t)n;
        }
        if (!encode_cuts(w, c, count, flags)) return false;
    }
    return true;
}

/* The same for a text that nothing may be read behind. */
static bool encode_span(lm_words *w, cursor *c, size_t n)
{
    uint8_t prev = LM_CLASSES;
    size_t pos = c->start;
    while (n - pos >= PAD) {
        size_t blocks = (n - pos - LM_SHORT) / 64;
        unsigned flags = 0;
        if (blocks > CHUNK_BLOCKS) blocks = CHUNK_BLOCKS;
        size_t count = w->scan(w->v, c->text, pos, blocks, &prev, &flags, w->cuts);
        if (!encode_cuts(w, c, count, flags)) return false;
        pos += 64 * blocks;
    }
    while (n - c->start >= TAIL) { /* a long word reaches into the rest */
        if (pos == c->start) pos++;
        while (pos < n && !lm_cut_at(w->v, c->text, pos, n)) pos++;
        w->cuts[0] = (uint32_t)pos;
        if (!encode_cuts(w, c, 1, 0)) return false;
    }
    if (c->start == n) return true;
    /* One byte before is included: it shows whether a run of spaces was cut there. */
    size_t extra = c->start ? 1 : 0, size = n - c->start;
    memcpy(w->tail, c->text + c->start - extra, size + extra);
    memset(w->tail + size + extra, 0, PAD);
    c->text = w->tail;
    c->start = extra;
    return encode_padded(w, c, size + extra);
}

/* ---- a thread's table ---- */

static void put_known(lm_words *w)
{
    for (size_t i = 0; i < w->v->known_count; i++) {
        const lm_known *k = &w->v->known[i];
        lm_word_key key = lm_key_of(k->text, k->size);
        unsigned char id[4];
        lm_put_id(id, k->id, w->width);
        put_word(lm_table_set(&w->table, lm_key_hash(key)), key, id, w->width);
    }
}

int lm_words_new(lm_words **out, const lm_vocab *v, unsigned width, unsigned flags)
{
    *out = NULL;
    lm_words *w = calloc(1, sizeof *w);
    if (!w) return lm_fail_nomem(sizeof *w);
    bool small = flags & LM_TOKENIZER_SMALL;
    bool simd = !(flags & LM_TOKENIZER_SCALAR) && lm_avx2();
    w->v = v;
    w->width = width;
    w->scan = simd ? lm_scan_avx2 : lm_scan_scalar;
    w->copy.max = w->rest.max = SIZE_MAX / 2;
    lm_bpe_init(&w->bpe, v, width, simd && v->pairs.narrow,
                flags & LM_TOKENIZER_SMALL ? 24 : STREAM_FROM);
    int rc = lm_table_new(&w->table, small ? LM_SMALL_BITS : SET_BITS);
    if (rc) {
        lm_words_free(w);
        return rc;
    }
    if (!small) put_known(w);
    *out = w;
    return LM_OK;
}

/* ---- texts ---- */

/* A copy of the text with what the loop relies on: the dummy prefix as a space, every U+2581 a
 * space (SentencePiece does not distinguish them), every byte that is no UTF-8 as U+FFFD, and
 * zeroes behind. */
static int copy_text(lm_buf *copy, const unsigned char *text, size_t n, bool prefix, bool clean)
{
    copy->size = 0;
    int rc = lm_buf_reserve(copy, (clean ? 3 * n : n) + 1 + PAD);
    if (rc) return rc;
    unsigned char *q = copy->data;
    if (prefix) *q++ = ' ';
    if (clean) {
        for (size_t i = 0, len; i < n; i += len) {
            uint32_t c;
            if (!(len = lm_utf8_decode(text + i, n - i, &c))) {
                memcpy(q, LM_UTF8_REPLACEMENT, 3);
                q += 3;
                len = 1;
            } else if (c == LM_SPACE_MARK) {
                *q++ = ' ';
            } else {
                memcpy(q, text + i, len);
                q += len;
            }
        }
    } else if (n) {
        memcpy(q, text, n);
        q += n;
    }
    copy->size = (size_t)(q - copy->data);
    memset(q, 0, PAD);
    return LM_OK;
}

/* How much of the text the dummy prefix can reach: to the first cut behind a character that is
 * no space. */
static size_t head_size(const lm_vocab *v, const unsigned char *text, size_t n)
{
    size_t i = 0;
    while (i < n && text[i] == ' ') i++;
    if (i < n) i++;
    while (i < n && !lm_cut_at(v, text, i, n)) i++;
    return i;
}

static bool encode_copy(lm_words *w, cursor *c)
{
    c->text = w->copy.data;
    c->start = 0;
    return encode_padded(w, c, w->copy.size);
}

static int encode_as_is(lm_words *w, const unsigned char *text, size_t n, bool prefix, cursor *c)
{
    if (prefix) {
        size_t head = head_size(w->v, text, n);
        if (head > LARGE_HEAD && text[0] != ' ') { /* too large to copy */
            c->out = lm_bpe_encode_after_space(&w->bpe, text, head, c->out);
            if (!c->out) return w->bpe.m.rc;
        } else {
            int rc = copy_text(&w->copy, text, head, true, false);
            if (rc) return rc;
            if (!encode_copy(w, c)) return w->bpe.m.rc;
        }
        text += head;
        n -= head;
    }
    c->text = text;
    c->start = 0;
    return encode_span(w, c, n) ? LM_OK : w->bpe.m.rc;
}

int lm_words_encode(lm_words *w, const unsigned char *text, size_t n, bool first, lm_buf *out)
{
    if (n == 0) return LM_OK;
    bool prefix = first && w->v->dummy_prefix;
    int rc = lm_buf_reserve(out, lm_words_bound(n, w->width));
    if (rc) return rc;
    cursor c = { .out = out->data + out->size, .last = out->data + out->size };
    rc = encode_as_is(w, text, n, prefix, &c);
    if (rc == LM_UNCLEAN) {
        rc = copy_text(&w->copy, text, n, prefix, true);
        if (!rc) rc = lm_buf_reserve(out, lm_words_bound(w->copy.size, w->width));
        if (!rc) {
            c.out = c.last = out->data + out->size;
            if (!encode_copy(w, &c)) rc = w->bpe.m.rc;
        }
    }
    if (!rc) out->size = (size_t)(c.out - out->data);
    lm_merger_trim(&w->bpe.m);
    lm_buf_reset(&w->copy, KEEP_COPY);
    lm_buf_reset(&w->rest, KEEP_COPY);
    return rc;
}

size_t lm_words_slice(const lm_vocab *v, const unsigned char *text, size_t n)
{
    uint32_t c, before = LM_SPACE_MARK;
    bool known = false; /* `before` is the character that ends at i */
    size_t i = SLICE;
    while (i < n && (text[i] & 0xc0) == 0x80) i++;
    for (size_t len; i<n; i += len, before = c, known = len> 0) {
        len = lm_utf8_decode(text + i, n - i, &c);
        if (!len) return n;
        if (c == ' ') c = LM_SPACE_MARK;
        if (known && !lm_may_join(v, before, c)) return i;
    }
    return n;
}
