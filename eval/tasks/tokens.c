#include "eval/tasks/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eval/data/identity.h"
#include "lib/base/endian.h"
#include "lib/base/fd.h"
#include "lib/base/hash.h"
#include "longmix/shard.h"
#include "longmix/zio.h"

#define TEXT_MAX ((size_t)1 << 30)

struct eval_tokens {
    const char *name; /* borrowed: an option's value */
    uint64_t count, hash;
    lm_ids ids; /* texts */
    int fd;     /* a file of ids; -1: none */
    unsigned width;
    lm_shards *shards;
    uint64_t *ends;     /* [rows] tokens up to the end of each row */
    uint32_t *row;      /* the row read last */
    uint64_t at_row;    /* its number */
    unsigned char *raw; /* [raw_room] of the file of ids */
    size_t raw_room;
};

/* ---- texts ----------------------------------------------------------------------------- */

typedef struct text_ends {
    size_t *v, n;
} text_ends;

static int add_end(void *arg, const char *name, size_t end)
{
    text_ends *e = arg;
    size_t *v = realloc(e->v, (e->n + 1) * sizeof *v);
    (void)name;
    if (!v) return lm_fail_nomem((e->n + 1) * sizeof *v);
    e->v = v;
    e->v[e->n++] = end;
    return LM_OK;
}

static int open_text(eval_tokens *t, eval_context *c, const cli_list *files)
{
    lm_buf text = LM_BUF_INIT(TEXT_MAX);
    text_ends ends = { 0 };
    t->name = files->v[0];
    int rc = eval_open_text(c);
    if (!rc) rc = eval_load_text(files, &text, NULL, add_end, &ends);
    for (size_t i = 0, at = 0; !rc && i < ends.n; at = ends.v[i++])
        rc = tr_text_encode(c->text, (char *)text.data + at, ends.v[i] - at, true, &t->ids);
    t->count = t->ids.n;
    if (!rc) t->hash = lm_hash64(t->ids.v, t->ids.n * sizeof *t->ids.v);
    lm_buf_free(&text);
    free(ends.v);
    return rc;
}

/* ---- a file of ids --------------------------------------------------------------------- */

static int open_bin(eval_tokens *t, const char *path, unsigned width)
{
    struct stat st;
    t->name = path;
    t->width = width;
    t->fd = lm_fd_open_regular(t->name);
    if (t->fd < 0) return t->fd;
    if (fstat(t->fd, &st)) return lm_fail_errno(errno, "%s", t->name);
    if (st.st_size % t->width)
        return lm_fail(LM_EDATA, "%s: %" PRId64 " bytes are not a whole number of %u-byte ids",
                       t->name, (int64_t)st.st_size, t->width);
    t->count = (uint64_t)st.st_size / t->width;
    return lm_hash_file(&t->hash, t->name);
}

static int get_bin(eval_tokens *t, uint64_t start, size_t n, int32_t *ids)
{
    if (n > t->raw_room) {
        unsigned char *p = realloc(t->raw, n * t->width);
        if (!p) return lm_fail_nomem(n * t->width);
        t->raw = p;
        t->raw_room = n;
    }
    int rc = lm_pread_all(t->fd, t->raw, n * t->width, start * t->width, t->name);
    for (size_t i = 0; !rc && i < n; i++)
        ids[i] = t->width == 2 ? lm_le16(t->raw + 2 * i) : (int32_t)lm_le32(t->raw + 4 * i);
    return rc;
}

/* ---- shards ---------------------------------------------------------------------------- */

/* Tokens of a row that are a document's, less the one that the next row begins with. */
static int row_tokens(const lm_shards *shards, uint64_t row, uint64_t *out)
{
    const lm_shard *s;
    const lm_span *spans;
    uint64_t at;
    size_t n;
    int rc = lm_shards_find(shards, row, &s, &at);
    if (!rc) rc = lm_shard_spans(s, at, &spans, &n);
    if (rc) return rc;
    uint64_t whole = lm_shard_row_tokens(s) - (lm_shard_labels(s) ? 1 : 0);
    uint64_t used = n ? (uint64_t)spans[n - 1].row_start + spans[n - 1].tokens : 0;
    *out = used < whole ? used : whole;
    return LM_OK;
}

static int open_shards(eval_tokens *t, const eval_context *c, const eval_tokens_source *from)
{
    uint64_t ids = 0;
    t->name = from->data;
    int rc = lm_shards_open(&t->shards, t->name);
    if (!rc) rc = eval_shards_tokenizer(t->shards, &ids);
    if (!rc) rc = eval_check_ids(c, t->name, ids, from->other_tokenizer);
    if (rc) return rc;
    uint64_t rows = lm_shards_rows(t->shards);
    t->ends = malloc((rows + 1) * sizeof *t->ends);
    t->row = malloc(lm_shard_row_tokens(lm_shards_at(t->shards, 0)) * sizeof *t->row);
    if (!t->ends || !t->row) return lm_fail_nomem(rows * sizeof *t->ends);
    for (uint64_t i = 0; !rc && i < rows; i++) {
        uint64_t n = 0;
        rc = row_tokens(t->shards, i, &n);
        t->ends[i] = t->count += n;
    }
    t->at_row = rows;
    return rc ? rc : eval_shards_hash(t->shards, &t->hash);
}

/* The row that holds token `at`. */
static uint64_t find_row(const eval_tokens *t, uint64_t at)
{
    uint64_t low = 0, high = lm_shards_rows(t->shards) - 1;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (t->ends[mid] > at) high = mid;
        else low = mid + 1;
    }
    return low;
}

static int get_shards(eval_tokens *t, uint64_t start, size_t n, int32_t *ids)
{
    int rc = LM_OK;
    for (uint64_t row = find_row(t, start); !rc && n; row++) {
        uint64_t begins = row ? t->ends[row - 1] : 0;
        uint64_t part = t->ends[row] - start < n ? t->ends[row] - start : n;
        const lm_shard *s;
        uint64_t at;
        if (row != t->at_row) {
            rc = lm_shards_find(t->shards, row, &s, &at);
            if (!rc) rc = lm_shard_row(s, at, t->row);
            t->at_row = rc ? lm_shards_rows(t->shards) : row;
        }
        for (uint64_t i = 0; !rc && i < part; i++) ids[i] = (int32_t)t->row[start - begins + i];
        ids += part;
        n -= part;
        start += part;
    }
    return rc;
}

/* ---- all of them ----------------------------------------------------------------------- */

int eval_tokens_open(eval_tokens **out, eval_context *c, const eval_tokens_source *from)
{
    *out = NULL;
    if ((from->text.n > 0) + !!from->data + !!from->bin != 1)
        return lm_fail(LM_EUSAGE, "%s needs one of --text, --data and --bin", c->name);
    eval_tokens *t = calloc(1, sizeof *t);
    if (!t) return lm_fail_nomem(sizeof *t);
    t->fd = -1;
    int rc = from->data  ? open_shards(t, c, from)
             : from->bin ? open_bin(t, from->bin, from->bin_type ? 4 : 2)
                         : open_text(t, c, &from->text);
    if (rc) eval_tokens_close(t);
    else *out = t;
    return rc;
}

void eval_tokens_close(eval_tokens *t)
{
    if (!t) return;
    lm_ids_free(&t->ids);
    if (t->fd >= 0) close(t->fd);
    lm_shards_close(t->shards);
    free(t->ends);
    free(t->row);
    free(t->raw);
    free(t);
}

uint64_t eval_tokens_count(const eval_tokens *t) { return t->count; }
uint64_t eval_tokens_hash(const eval_tokens *t) { return t->hash; }

int eval_tokens_get(eval_tokens *t, uint64_t start, size_t n, size_t vocab, int32_t *ids)
{
    int rc = LM_OK;
    if (n > t->count || start > t->count - n)
        return lm_fail(LM_EUSAGE, "%s: tokens %" PRIu64 " to %" PRIu64 " of %" PRIu64, t->name,
                       start, start + n, t->count);
    if (t->shards) rc = get_shards(t, start, n, ids);
    else if (t->fd >= 0) rc = get_bin(t, start, n, ids);
    else memcpy(ids, t->ids.v + start, n * sizeof *ids);
    for (size_t i = 0; !rc && i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= vocab)
            rc = lm_fail(LM_EDATA,
                         "%s: id %" PRId32 " at token %" PRIu64 ", and the model has %zu ids",
                         t->name, ids[i], start + i, vocab);
    return rc;
}
