/* tokenizer_toy.h -- for tests: SentencePiece model files written by hand, random texts, and the
 * comparison of the fast path with SentencePiece. */
#ifndef LM_TOKENIZER_TOY_H
#define LM_TOKENIZER_TOY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/buf.h"
#include "lib/base/rng.h"
#include "longmix/tokenizer.h"

#define SPACE_MARK "\xe2\x96\x81"

/* ---- random choices ---- */

typedef struct toy_rng {
    uint64_t seed, count;
} toy_rng;

static inline uint32_t toy_below(toy_rng *r, uint32_t n)
{
    return (uint32_t)(lm_hash4(r->seed, r->count++, 0, 0) >> 32) % n;
}

/* ---- a model, field by field ---- */

static inline void toy_varint(lm_buf *b, uint64_t v)
{
    unsigned char c[10];
    size_t n = 0;
    for (; v >= 128; v >>= 7) c[n++] = (unsigned char)(v | 128);
    c[n++] = (unsigned char)v;
    if (lm_buf_add(b, c, n)) abort();
}

static inline void toy_number(lm_buf *b, unsigned field, uint64_t v)
{
    toy_varint(b, field << 3);
    toy_varint(b, v);
}

static inline void toy_bytes(lm_buf *b, unsigned field, const void *p, size_t n)
{
    toy_varint(b, field << 3 | 2);
    toy_varint(b, n);
    if (lm_buf_add(b, p, n)) abort();
}

enum { TOY_NORMAL = 1, TOY_UNKNOWN, TOY_CONTROL, TOY_USER, TOY_UNUSED, TOY_BYTE };

static inline void toy_piece(lm_buf *model, const char *text, size_t n, float score, unsigned type)
{
    lm_buf b = LM_BUF_INIT(1 << 20);
    toy_bytes(&b, 1, text, n);
    toy_varint(&b, 2 << 3 | 5);
    if (lm_buf_add(&b, &score, 4)) abort();
    if (type != TOY_NORMAL) toy_number(&b, 3, type);
    toy_bytes(model, 1, b.data, b.size);
    lm_buf_free(&b);
}

static inline void toy_normal(lm_buf *model, const char *text, float score)
{
    toy_piece(model, text, strlen(text), score, TOY_NORMAL);
}

typedef struct toy_settings {
    unsigned model_type;
    int byte_fallback, prefix, squeeze, escape, suffix;
    const char *charsmap;
} toy_settings;
#define TOY_PLAIN                                                     \
    {                                                                 \
        .model_type = 2, .byte_fallback = 1, .prefix = 1, .escape = 1 \
    }

static inline void toy_finish(lm_buf *model, toy_settings s)
{
    lm_buf b = LM_BUF_INIT(1 << 20);
    toy_number(&b, 3, s.model_type);
    toy_number(&b, 24, (uint64_t)s.suffix);
    toy_number(&b, 35, (uint64_t)s.byte_fallback);
    toy_bytes(model, 2, b.data, b.size);
    b.size = 0;
    if (s.charsmap) toy_bytes(&b, 2, s.charsmap, strlen(s.charsmap));
    toy_number(&b, 3, (uint64_t)s.prefix);
    toy_number(&b, 4, (uint64_t)s.squeeze);
    toy_number(&b, 5, (uint64_t)s.escape);
    toy_bytes(model, 3, b.data, b.size);
    lm_buf_free(&b);
}

/* <unk>, <s>, </s> and, with `bytes`, the 256 byte pieces. */
static inline void toy_begin(lm_buf *model, int bytes)
{
    toy_piece(model, "<unk>", 5, 0, TOY_UNKNOWN);
    toy_piece(model, "<s>", 3, 0, TOY_CONTROL);
    toy_piece(model, "</s>", 4, 0, TOY_CONTROL);
    for (unsigned i = 0; bytes && i < 256; i++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", i);
        toy_piece(model, text, 6, 0, TOY_BYTE);
    }
}

static inline void toy_save(const lm_buf *model, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(model->data, 1, model->size, f) != model->size || fclose(f)) abort();
}

static inline void toy_run(char *out, unsigned n)
{
    for (*out = '\0'; n > 0; n--) strcat(out, SPACE_MARK);
}

/* A vocabulary of the LLaMA kind: words that begin with U+2581, separate punctuation and
 * letters, single digits, runs of spaces last. */
static inline void toy_llama(lm_buf *model)
{
    static const char *const unions[] = { SPACE_MARK "t",
                                          "he",
                                          "in",
                                          SPACE_MARK "a",
                                          "er",
                                          "th",
                                          "an",
                                          SPACE_MARK "the",
                                          "ing",
                                          SPACE_MARK "in",
                                          "aa",
                                          "aaaa",
                                          "ab",
                                          "abc",
                                          "abcabc",
                                          "abcabcabcabc",
                                          "abcabcabcabcabcabc",
                                          "bc",
                                          SPACE_MARK "(",
                                          "..",
                                          "...",
                                          "--",
                                          "----",
                                          "),",
                                          "\r(",
                                          "\xc3\xa9t",
                                          "\xd0\xb0\xd0\xb1",
                                          SPACE_MARK "\xd0\xb0",
                                          "x\xc3\xa9",
                                          ".\xc3\xa9",
                                          "\xe4\xb8\xad\xe5\x9b\xbd" };
    static const char *const more[] = {
        SPACE_MARK, "\r",           "\xc3\xa9",     "\xd0\xb0",
        "\xd0\xb1", "\xe4\xb8\xad", "\xe5\x9b\xbd", "\xef\xbf\xbd"
    };
    char text[64];
    float score = 0;
    toy_begin(model, 1);
    for (size_t i = 0; i < sizeof unions / sizeof *unions; i++)
        toy_normal(model, unions[i], score -= 1);
    for (unsigned n = 2; n <= 16; n++) {
        toy_run(text, n);
        toy_normal(model, text, -1e9f);
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) toy_normal(model, more[i], score -= 1);
    for (char c = '!'; c <= '~'; c++)
        if (c != '~' && c != 'Q') toy_piece(model, &c, 1, score -= 1, TOY_NORMAL);
}

/* ---- texts ---- */

/* Append a random text: words, runs of everything, odd characters, some invalid UTF-8. */
static inline void toy_text(toy_rng *r, lm_buf *out, unsigned parts, const char *const *words,
                            size_t count)
{
    static const char *const odd[] = { " ",
                                       "  ",
                                       "    ",
                                       "\n",
                                       "\t",
                                       "\r\n",
                                       "\r(",
                                       "\xc3\xa9",
                                       "x\xc3\xa9",
                                       "\xe4\xb8\xad\xe5\x9b\xbd",
                                       "\xd0\xb0\xd0\xb1",
                                       "\xf0\x9f\x98\x80",
                                       SPACE_MARK,
                                       "a" SPACE_MARK "b",
                                       SPACE_MARK " ",
                                       "\xc2\xa0",
                                       "the",
                                       " the",
                                       "ing",
                                       "aaaa",
                                       "abcabcabcabcabca",
                                       "abcabcabcabcabcabc",
                                       "(",
                                       "...",
                                       "--",
                                       "2019",
                                       "7",
                                       "Q",
                                       "~",
                                       "\x7f",
                                       "\x01",
                                       "<s>",
                                       "\xef\xbf\xbd",
                                       "\xe2\x80\x8b" };
    static const char *const broken[] = { "\xff",         "\x80",         "\xc3",     "\xe2\x96",
                                          "\xf0\x9f\x98", "\xed\xa0\x80", "\xc0\x80", "\xf5" };
    for (unsigned i = 0; i < parts; i++) {
        const char *s = odd[toy_below(r, sizeof odd / sizeof *odd)];
        size_t n, times = 1;
        switch (toy_below(r, 16)) {
        case 0: times = 1 + toy_below(r, 140); break;
        case 1:
            s = toy_below(r, 2) ? " " : "a";
            times = 1 + toy_below(r, 80);
            break;
        case 2:
            s = "";
            if (lm_buf_add(out, "", 1)) abort();
            break; /* a NUL */
        case 3:
            if (toy_below(r, 40) == 0) s = broken[toy_below(r, sizeof broken / sizeof *broken)];
            break;
        default:
            if (count && toy_below(r, 4)) s = words[toy_below(r, (uint32_t)count)];
            break;
        }
        n = strlen(s);
        for (; times > 0; times--)
            if (lm_buf_add(out, s, n)) abort();
    }
}

/* ---- comparison ---- */

typedef struct toy_pair {
    lm_tokenizer *fast, *reference;
    lm_encoder *e, *r;
    lm_buf ids, want;
} toy_pair;

static inline int toy_open(toy_pair *p, const char *path, unsigned flags)
{
    *p = (toy_pair){ .ids = LM_BUF_INIT(SIZE_MAX), .want = LM_BUF_INIT(SIZE_MAX) };
    int rc = lm_tokenizer_open(&p->fast, path, NULL, flags);
    if (!rc) rc = lm_tokenizer_open(&p->reference, path, NULL, LM_TOKENIZER_REFERENCE);
    if (!rc) rc = lm_encoder_new(&p->e, p->fast);
    return rc ? rc : lm_encoder_new(&p->r, p->reference);
}

static inline void toy_close(toy_pair *p)
{
    lm_encoder_free(p->e);
    lm_encoder_free(p->r);
    lm_tokenizer_free(p->fast);
    lm_tokenizer_free(p->reference);
    lm_buf_free(&p->ids);
    lm_buf_free(&p->want);
}

static inline int toy_same(const toy_pair *p)
{
    return p->ids.size == p->want.size &&
           (!p->ids.size || !memcmp(p->ids.data, p->want.data, p->ids.size));
}

/* Do both give the same ids? The text is copied to a block of exactly its size. */
static inline int toy_agrees(toy_pair *p, const void *text, size_t n)
{
    char *exact = malloc(n ? n : 1);
    if (!exact) abort();
    if (n) memcpy(exact, text, n);
    p->ids.size = p->want.size = 0;
    int rc = lm_encode(p->e, exact, n, &p->ids);
    if (!rc) rc = lm_encode(p->r, exact, n, &p->want);
    free(exact);
    return !rc && toy_same(p);
}

#endif
