/* tokenizer.c -- a model and its two encoders: the words of words.c where the
 * vocabulary proves them exact, SentencePiece where not. */
#include "longmix/tokenizer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/hash.h"
#include "lib/tokenizer/hugging_face.h"
#include "lib/tokenizer/internal.h"

#define MODEL_MAX ((size_t)1 << 28) /* bytes of a model file; real ones have a few millions */
#define SLICE ((size_t)1 << 20)     /* bytes that lm_encode_some takes at a time */
#define SLOW_GROWTH 12              /* ids a byte can become through a normalizer (NFKC: 11) */

struct lm_tokenizer {
    lm_spm *spm;
    lm_vocab vocab;
    uint64_t hash;
    unsigned flags, width;
    bool fast;
    char why_slow[160];
};

struct lm_encoder {
    const lm_tokenizer *t;
    lm_words *words; /* NULL without the fast path */
};

static int read_file(const char *path, lm_buf *data)
{
    int fd = lm_fd_open_regular(path), rc = fd < 0 ? fd : LM_OK;
    for (ssize_t got = 1; !rc && got;) {
        rc = lm_buf_reserve(data, 1 << 16);
        if (rc) break;
        got = lm_fd_read(fd, data->data + data->size, 1 << 16, data->size, path);
        if (got < 0) rc = (int)got;
        else data->size += (size_t)got;
    }
    if (fd >= 0) close(fd);
    return rc;
}

static bool begins(const lm_buf *b, const char *with)
{
    size_t n = strlen(with);
    return b->size >= n && !strncasecmp((const char *)b->data, with, n);
}

/* A line of base64, a space, a number. */
static bool is_tiktoken(const lm_buf *b)
{
    size_t i = 0, from;
    while (i < b->size && (isalnum(b->data[i]) || strchr("+/=", b->data[i]))) i++;
    if (!i || i == b->size || b->data[i++] != ' ') return false;
    for (from = i; i < b->size && isdigit(b->data[i]);) i++;
    return i > from && i < b->size && b->data[i] == '\n';
}

/* The file is none of SentencePiece's (whose message is lm_err()): name what it is, if that is
 * known. */
static int name_format(const lm_buf *b, const char *path)
{
    if (begins(b, "version https://git-lfs"))
        return lm_fail(LM_EDATA,
                       "%s: a pointer of git-lfs in place of the file; `git lfs pull` there, or "
                       "download it again",
                       path);
    if (begins(b, "<!doctype html") || begins(b, "<html"))
        return lm_fail(LM_EDATA, "%s: a page of HTML in place of the file; download it again",
                       path);
    if (b->size && b->data[0] == '{')
        return lm_fail(
            LM_EDATA, "%s: JSON (a tokenizer.json?), and SentencePiece's tokenizer.model is needed",
            path);
    if (is_tiktoken(b))
        return lm_fail(
            LM_EDATA,
            "%s: a tiktoken vocabulary (as LLaMA 3 has), not a SentencePiece model: such "
            "tokenizers are not supported",
            path);
    return LM_EDATA;
}

/* Decide whether the fast path may be used. */
static int prove(lm_tokenizer *t, const lm_buf *data)
{
    if (t->flags & LM_TOKENIZER_REFERENCE) {
        snprintf(t->why_slow, sizeof t->why_slow, "the reference was requested");
        return LM_OK;
    }
    lm_model m;
    int rc = lm_model_read(&m, data->data, data->size, t->why_slow, sizeof t->why_slow);
    if (rc > 0) rc = lm_vocab_prove(&t->vocab, &m, t->why_slow, sizeof t->why_slow);
    lm_model_free(&m);
    t->fast = rc > 0;
    return rc < 0 ? rc : LM_OK;
}

int lm_tokenizer_open(lm_tokenizer **out, const char *path, unsigned flags)
{
    *out = NULL;
    lm_buf data = LM_BUF_INIT(MODEL_MAX);
    lm_tokenizer *t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    t->flags = flags;
    int rc = read_file(path, &data);
    if (!rc) rc = lm_spm_open(&t->spm, data.data, data.size, path);
    if (rc == LM_EDATA && data.size) rc = name_format(&data, path);
    if (!rc) {
        t->hash = lm_hash64(data.data, data.size);
        t->width = lm_spm_vocab(t->spm) <= 65536 ? 2 : 4;
        rc = prove(t, &data);
    }
    lm_buf_free(&data);
    if (rc) {
        lm_tokenizer_free(t);
        return rc;
    }
    *out = t;
    return LM_OK;
}

void lm_tokenizer_free(lm_tokenizer *t)
{
    if (!t) return;
    lm_vocab_free(&t->vocab);
    lm_spm_free(t->spm);
    free(t);
}

uint32_t lm_tokenizer_vocab(const lm_tokenizer *t) { return lm_spm_vocab(t->spm); }
unsigned lm_tokenizer_width(const lm_tokenizer *t) { return t->width; }
int64_t lm_tokenizer_bos(const lm_tokenizer *t) { return lm_spm_bos(t->spm); }
int64_t lm_tokenizer_eos(const lm_tokenizer *t) { return lm_spm_eos(t->spm); }
uint64_t lm_tokenizer_hash(const lm_tokenizer *t) { return t->hash; }
const char *lm_tokenizer_slow_reason(const lm_tokenizer *t) { return t->fast ? NULL : t->why_slow; }

const char *lm_tokenizer_piece(const lm_tokenizer *t, uint32_t id)
{
    return lm_spm_piece(t->spm, id);
}

int64_t lm_tokenizer_unk(const lm_tokenizer *t) { return lm_spm_unk(t->spm); }
bool lm_tokenizer_is_special(const lm_tokenizer *t, uint32_t id)
{
    return id < lm_spm_vocab(t->spm) && lm_spm_is_special(t->spm, id);
}
const lm_vocab *lm_tokenizer_proven(const lm_tokenizer *t) { return t->fast ? &t->vocab : NULL; }

int lm_decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out)
{
    return lm_spm_decode(t->spm, ids, count, t->width, out);
}

int lm_encoder_new(lm_encoder **out, const lm_tokenizer *t)
{
    *out = NULL;
    lm_encoder *e = calloc(1, sizeof *e);
    if (!e) return lm_fail_nomem(sizeof *e);
    e->t = t;
    int rc = t->fast ? lm_words_new(&e->words, &t->vocab, t->width, t->flags) : LM_OK;
    if (rc) {
        free(e);
        return rc;
    }
    *out = e;
    return LM_OK;
}

void lm_encoder_free(lm_encoder *e)
{
    if (!e) return;
    lm_words_free(e->words);
    free(e);
}

size_t lm_encode_bound(const lm_tokenizer *t, size_t n)
{
    return lm_words_bound((t->fast ? 3 : SLOW_GROWTH) * n + 1, t->width);
}

static int encode(lm_encoder *e, const char *text, size_t n, bool first, lm_buf *out)
{
    if (e->words) return lm_words_encode(e->words, (const unsigned char *)text, n, first, out);
    return lm_spm_encode(e->t->spm, text, n, e->t->width, out);
}

int lm_encode(lm_encoder *e, const char *text, size_t n, lm_buf *out)
{
    return encode(e, text, n, true, out);
}

/* A boundary past `SLICE` that no merge crosses, whatever surrounds it: between two characters
 * that are adjacent in no piece. n where there is none. */
static size_t slice_end(const lm_vocab *v, const unsigned char *text, size_t n)
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

int lm_encode_some(lm_encoder *e, const char *text, size_t n, bool first, lm_buf *out, size_t *used)
{
    *used = e->words ? slice_end(&e->t->vocab, (const unsigned char *)text, n) : n;
    return encode(e, text, *used, first, out);
}
