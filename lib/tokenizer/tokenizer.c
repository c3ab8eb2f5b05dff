/* tokenizer.c -- opening a tokenizer of any kind, and its encoders. */
#include "longmix/tokenizer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/hash.h"
#include "lib/tokenizer/kind.h"

#define FILE_MAX ((size_t)1 << 28) /* bytes; real ones have up to 40 millions */

struct lm_encoder {
    const lm_tokenizer *t;
    void *impl;
    bool parse;
};

/* ---- opening ---- */

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

static bool begins(const lm_tokenizer_file *f, const char *with)
{
    size_t n = strlen(with);
    return f->size >= n && !strncasecmp((const char *)f->data, with, n);
}

/* A file of no kind, whose message is lm_err(): name what it is, if that is known. */
static int name_format(const lm_tokenizer_file *f)
{
    if (begins(f, "version https://git-lfs"))
        return lm_fail(LM_EDATA,
                       "%s: a pointer of git-lfs in place of the file; `git lfs pull` there, or "
                       "download it again",
                       f->path);
    if (begins(f, "<!doctype html") || begins(f, "<html"))
        return lm_fail(LM_EDATA, "%s: a page of HTML in place of the file; download it again",
                       f->path);
    return LM_EDATA;
}

static int open_kind(lm_tokenizer *t, const lm_tokenizer_file *f)
{
    int rc = lm_sentencepiece_open(t, f);
    return rc == LM_EDATA && f->size ? name_format(f) : rc;
}

static char *copy(const char *s) { return s ? strdup(s) : NULL; }

int lm_tokenizer_open(lm_tokenizer **out, const char *path, const char *pattern, unsigned flags)
{
    *out = NULL;
    lm_buf data = LM_BUF_INIT(FILE_MAX);
    lm_tokenizer *t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    t->flags = flags;
    t->bos = t->eos = t->unk = -1;
    t->path = copy(path);
    t->pattern = copy(pattern);
    int rc =
        t->path && (t->pattern || !pattern) ? read_file(path, &data) : lm_fail_nomem(strlen(path));
    if (!rc) {
        lm_tokenizer_file f = { path, data.data, data.size };
        t->hash = lm_hash64(data.data, data.size);
        rc = open_kind(t, &f);
        t->width = t->vocab <= 65536 ? 2 : 4;
    }
    lm_buf_free(&data);
    if (rc) lm_tokenizer_free(t);
    else *out = t;
    return rc;
}

int lm_tokenizer_open_again(lm_tokenizer **out, const lm_tokenizer *t, unsigned flags)
{
    return lm_tokenizer_open(out, t->path, t->pattern, flags);
}

void lm_tokenizer_free(lm_tokenizer *t)
{
    if (!t) return;
    if (t->kind) t->kind->free(t->impl);
    for (size_t i = 0; i < t->added_count; i++) free(t->added[i].text);
    free(t->added);
    free(t->path);
    free(t->pattern);
    free(t);
}

/* ---- what it is ---- */

uint32_t lm_tokenizer_vocab(const lm_tokenizer *t) { return t->vocab; }
unsigned lm_tokenizer_width(const lm_tokenizer *t) { return t->width; }
int64_t lm_tokenizer_bos(const lm_tokenizer *t) { return t->bos; }
int64_t lm_tokenizer_eos(const lm_tokenizer *t) { return t->eos; }
int64_t lm_tokenizer_unk(const lm_tokenizer *t) { return t->unk; }
uint64_t lm_tokenizer_hash(const lm_tokenizer *t) { return t->hash; }
const char *lm_tokenizer_format(const lm_tokenizer *t) { return t->format; }
const char *lm_tokenizer_path(const lm_tokenizer *t) { return t->path; }

const char *lm_tokenizer_slow_reason(const lm_tokenizer *t)
{
    return *t->why_slow ? t->why_slow : NULL;
}

const char *lm_tokenizer_piece(const lm_tokenizer *t, uint32_t id)
{
    return id < t->vocab ? t->kind->piece(t, id) : NULL;
}

bool lm_tokenizer_is_special(const lm_tokenizer *t, uint32_t id)
{
    for (size_t i = 0; i < t->added_count; i++)
        if (t->added[i].id == id) return t->added[i].special;
    return false;
}

/* ---- text ---- */

int lm_decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out)
{
    return t->kind->decode(t, ids, count, out);
}

int lm_tokenizer_bytes(const lm_tokenizer *t, uint32_t id, lm_buf *out)
{
    if (id < t->vocab) return t->kind->bytes(t, id, out);
    return lm_fail(LM_EDATA, "id %" PRIu32 ": the tokenizer has only %" PRIu32, id, t->vocab);
}

int lm_encoder_new(lm_encoder **out, const lm_tokenizer *t)
{
    *out = NULL;
    lm_encoder *e = calloc(1, sizeof *e);
    if (!e) return lm_fail_nomem(sizeof *e);
    e->t = t;
    int rc = t->kind->encoder_new(&e->impl, t);
    if (rc) free(e);
    else *out = e;
    return rc;
}

void lm_encoder_free(lm_encoder *e)
{
    if (!e) return;
    e->t->kind->encoder_free(e->impl);
    free(e);
}

void lm_encoder_parse_special(lm_encoder *e, bool parse) { e->parse = parse; }

size_t lm_encode_bound(const lm_tokenizer *t, size_t n) { return t->kind->bound(t, n); }

int lm_encode(lm_encoder *e, const char *text, size_t n, lm_buf *out)
{
    return e->t->kind->encode(e->impl, (const unsigned char *)text, n, true, out);
}

int lm_encode_some(lm_encoder *e, const char *text, size_t n, bool first, lm_buf *out, size_t *used)
{
    const lm_kind *k = e->t->kind;
    *used = k->slice(e->impl, (const unsigned char *)text, n);
    return k->encode(e->impl, (const unsigned char *)text, *used, first, out);
}
