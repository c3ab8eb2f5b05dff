/* tokenizer.c -- opening a tokenizer of any kind, and what it says of itself. */
#include "longmix/tokenizer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/tokenizer/directory.h"
#include "lib/tokenizer/internal.h"

#define FILE_MAX ((size_t)1 << 28) /* bytes; real ones have up to 40 millions */

/* ---- opening ---- */

static int no_kind(const lm_tokenizer_file *f)
{
    int rc = lm_file_name_other(f);
    return rc ? rc
              : lm_fail(LM_EDATA,
                        "%s: not a tokenizer: neither a SentencePiece model, a tokenizer.json, a "
                        "tiktoken rank file nor a tekken.json",
                        f->path);
}

static int open_kind(lm_tokenizer *t, const lm_tokenizer_file *f)
{
    enum lm_file_kind kind = lm_file_kind(f);
    bool given = t->pattern && kind != LM_FILE_TIKTOKEN;
    int rc = kind == LM_FILE_SENTENCEPIECE ? lm_file_name_other(f) : LM_OK;
    if (rc) return rc;
    if (given && kind != LM_FILE_OTHER)
        return lm_fail(LM_EUSAGE,
                       "%s: has its own pattern; only a tiktoken rank file needs to be given one",
                       f->path);
    switch (kind) {
    case LM_FILE_HUGGINGFACE: return lm_huggingface_open(t, f);
    case LM_FILE_TIKTOKEN: return lm_tiktoken_open(t, f);
    case LM_FILE_TEKKEN: return lm_tekken_open(t, f);
    case LM_FILE_OTHER: return no_kind(f);
    case LM_FILE_SENTENCEPIECE: break;
    }
    rc = lm_sentencepiece_open(t, f);
    /* A model begins with its first piece. */
    return rc == LM_EDATA && f->data[0] != 0x0a ? no_kind(f) : rc;
}

static char *copy(const char *s) { return s ? strdup(s) : NULL; }

static int open_file(lm_tokenizer *t)
{
    lm_buf data = LM_BUF_INIT(FILE_MAX);
    int rc = lm_tokenizer_read(&data, t->path);
    if (!rc) {
        lm_tokenizer_file f = { t->path, data.data, data.size };
        t->hash = lm_hash64(data.data, data.size);
        rc = open_kind(t, &f);
        t->width = t->vocab <= 65536 ? 2 : 4;
    }
    lm_buf_free(&data);
    return rc;
}

/* The path of the file: in a directory, of the first one. */
static int choose(char **path, const char *given)
{
    struct stat st;
    if (stat(given, &st) || !S_ISDIR(st.st_mode)) {
        *path = strdup(given);
        return *path ? LM_OK : lm_fail_nomem(strlen(given));
    }
    lm_tokenizer_files files;
    int rc = lm_tokenizer_files_list(&files, given);
    if (!rc && !files.n)
        rc = lm_fail(LM_EDATA,
                     "%s: holds no tokenizer (tokenizer.model, tokenizer.json, tekken.json or "
                     "*.tiktoken)",
                     given);
    if (!rc) *path = strdup(files.path[0]);
    if (!rc && !*path) rc = lm_fail_nomem(strlen(files.path[0]));
    lm_tokenizer_files_free(&files);
    return rc;
}

int lm_tokenizer_open(lm_tokenizer **out, const char *path, const char *pattern, unsigned flags)
{
    *out = NULL;
    lm_tokenizer *t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    t->flags = flags;
    t->bos = t->eos = t->unk = -1;
    t->pattern = copy(pattern);
    int rc = t->pattern || !pattern ? choose(&t->path, path) : lm_fail_nomem(strlen(pattern));
    if (!rc) rc = open_file(t);
    if (!rc) rc = lm_added_index_new(t);
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
    lm_added_index_free(&t->index);
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
const char *lm_tokenizer_pattern(const lm_tokenizer *t) { return t->scanner; }
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
    const lm_added *a = lm_added_of(t, id);
    return a && a->special;
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
