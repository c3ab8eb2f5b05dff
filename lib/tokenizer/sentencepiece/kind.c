/* kind.c -- SentencePiece models: the words of lib/tokenizer/bpe where the vocabulary proves them
 * exact, SentencePiece where not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/bpe/words.h"
#include "lib/tokenizer/kind.h"
#include "lib/tokenizer/sentencepiece/internal.h"
#include "lib/tokenizer/sentencepiece/model.h"
#include "lib/tokenizer/sentencepiece/tokenizer_json.h"

#define SLOW_GROWTH 12 /* ids a byte can become through a normalizer (NFKC: 11) */

typedef struct impl {
    lm_spm *spm;
    lm_vocab vocab;
    bool fast;
} impl;

typedef struct encoder {
    const lm_tokenizer *t;
    lm_words *words; /* NULL without the fast path */
} encoder;

static const impl *of(const lm_tokenizer *t) { return t->impl; }

static void free_impl(void *p)
{
    impl *x = p;
    if (!x) return;
    lm_vocab_free(&x->vocab);
    lm_spm_free(x->spm);
    free(x);
}

static void free_encoder(void *p)
{
    encoder *e = p;
    if (!e) return;
    lm_words_free(e->words);
    free(e);
}

static int new_encoder(void **out, const lm_tokenizer *t)
{
    encoder *e = calloc(1, sizeof *e);
    if (!e) return lm_fail_nomem(sizeof *e);
    e->t = t;
    int rc = of(t)->fast ? lm_words_new(&e->words, &of(t)->vocab, t->width, t->flags) : LM_OK;
    if (rc) free_encoder(e);
    else *out = e;
    return rc;
}

static size_t bound(const lm_tokenizer *t, size_t n)
{
    return lm_words_bound((of(t)->fast ? 3 : SLOW_GROWTH) * n + 1, t->width);
}

static int encode(void *p, const unsigned char *text, size_t n, bool first, lm_buf *out)
{
    encoder *e = p;
    if (e->words) return lm_words_encode(e->words, text, n, first, out);
    return lm_spm_encode(of(e->t)->spm, (const char *)text, n, e->t->width, out);
}

static size_t slice(void *p, const unsigned char *text, size_t n)
{
    const encoder *e = p;
    return e->words ? lm_words_slice(&of(e->t)->vocab, text, n) : n;
}

static int decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out)
{
    return lm_spm_decode(of(t)->spm, ids, count, t->width, out);
}

static const char *piece(const lm_tokenizer *t, uint32_t id)
{
    return lm_spm_piece(of(t)->spm, id);
}

static int bytes(const lm_tokenizer *t, uint32_t id, lm_buf *out)
{
    const char *s = piece(t, id);
    unsigned byte = 0;
    if (lm_spm_is_byte(of(t)->spm, id)) {
        sscanf(s, "<0x%2X>", &byte);
        return lm_buf_add(out, &(unsigned char){ (unsigned char)byte }, 1);
    }
    if (lm_spm_is_special(of(t)->spm, id)) return LM_OK;
    int rc = LM_OK;
    for (const char *mark; !rc && (mark = strstr(s, "\u2581")); s = mark + 3) {
        rc = lm_buf_add(out, s, (size_t)(mark - s));
        if (!rc) rc = lm_buf_add(out, " ", 1);
    }
    return rc ? rc : lm_buf_add(out, s, strlen(s));
}

static const lm_kind sentencepiece = { free_impl, new_encoder, free_encoder, bound, encode,
                                       slice,     decode,      bytes,        piece };

bool lm_is_sentencepiece(const lm_tokenizer *t) { return t->kind == &sentencepiece; }

const lm_vocab *lm_sentencepiece_proven(const lm_tokenizer *t)
{
    return t->kind == &sentencepiece && of(t)->fast ? &of(t)->vocab : NULL;
}

/* Decide whether the fast path may be used. */
static int prove(lm_tokenizer *t, impl *x, const lm_tokenizer_file *f)
{
    static const char *const types[] = { "", "unigram", "BPE", "words", "characters" };
    lm_model m;
    int rc = lm_model_read(&m, f->data, f->size, t->why_slow, sizeof t->why_slow);
    if (rc > 0 && m.model_type < sizeof types / sizeof *types)
        snprintf(t->format, sizeof t->format, "a SentencePiece model (%s)", types[m.model_type]);
    if (t->flags & LM_TOKENIZER_REFERENCE)
        snprintf(t->why_slow, sizeof t->why_slow, "the reference was requested");
    else if (rc > 0) rc = lm_vocab_prove(&x->vocab, &m, t->why_slow, sizeof t->why_slow);
    x->fast = rc > 0 && !(t->flags & LM_TOKENIZER_REFERENCE);
    lm_model_free(&m);
    return rc < 0 ? rc : LM_OK;
}

/* Control pieces, and the unknown one, are the special tokens. */
static int add_special(lm_tokenizer *t, const impl *x)
{
    int rc = LM_OK;
    for (uint32_t id = 0; !rc && id < t->vocab; id++) {
        if (!lm_spm_is_special(x->spm, id)) continue;
        lm_added token = { .text = (char *)lm_spm_piece(x->spm, id), .id = id, .special = true };
        token.size = strlen(token.text);
        rc = lm_added_put(t, &token);
    }
    return rc;
}

int lm_sentencepiece_open(lm_tokenizer *t, const lm_tokenizer_file *f)
{
    impl *x = calloc(1, sizeof *x);
    if (!x) return lm_fail_nomem(sizeof *x);
    t->kind = &sentencepiece;
    t->impl = x;
    int rc = lm_spm_open(&x->spm, f->data, f->size, f->path);
    if (rc) return rc;
    snprintf(t->format, sizeof t->format, "a SentencePiece model");
    t->vocab = lm_spm_vocab(x->spm);
    t->bos = lm_spm_bos(x->spm);
    t->eos = lm_spm_eos(x->spm);
    t->unk = lm_spm_unk(x->spm);
    rc = prove(t, x, f);
    return rc ? rc : add_special(t, x);
}
