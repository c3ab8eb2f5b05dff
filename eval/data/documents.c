#include "eval/data/documents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "eval/data/identity.h"
#include "lib/tokenizer/ids.h"
#include "longmix/shard.h"
#include "longmix/store.h"

#define RECORD_MAX ((size_t)8 << 30)

typedef struct chosen {
    uint64_t number;
    lm_entry entry; /* of a store */
} chosen;

struct eval_documents {
    const char *path; /* borrowed */
    lm_store *store;
    lm_shards *shards;
    const lm_json *names; /* of the shards' domains */
    chosen *v;
    size_t room;
    uint64_t n, longest, hash, tokenizer;
    lm_buf record;
    uint32_t *row;
    lm_ids ids;
    eval_span *spans; /* [spans_room] */
    size_t spans_room;
};

/* ---- choosing -------------------------------------------------------------------------- */

/* Whether number j of `count` is among `most` that are spread evenly: those at floor(i count /
 * most). */
static bool is_chosen(uint64_t j, uint64_t count, uint64_t most)
{
    if (!most || most >= count) return true;
    uint64_t i = (j * most + count - 1) / count;
    return i < most && i * count / most == j;
}

static int choose(eval_documents *d, uint64_t number, const lm_entry *entry, uint64_t tokens)
{
    if (d->n == d->room) {
        chosen *v = lm_grow(d->v, &d->room, sizeof *v, SIZE_MAX / sizeof *v);
        if (!v) return LM_ENOMEM;
        d->v = v;
    }
    chosen *one = &d->v[d->n++];
    *one = (chosen){ .number = number };
    if (entry) one->entry = *entry;
    if (tokens > d->longest) d->longest = tokens;
    return LM_OK;
}

/* Two passes over an index: the first counts documents of each domain, the second chooses. */
typedef struct pass {
    eval_documents *d;
    uint64_t *counts, *seen; /* [domains]; seen NULL: count */
    uint64_t most;
} pass;

static int look_at(void *arg, uint64_t number, const lm_entry *e)
{
    pass *p = arg;
    if (e->tokens < 2) return LM_OK;
    if (!p->seen) p->counts[e->domain]++;
    else if (is_chosen(p->seen[e->domain]++, p->counts[e->domain], p->most))
        return choose(p->d, number, e, e->tokens);
    return LM_OK;
}

static int open_store(eval_documents *d, uint64_t most)
{
    int rc = lm_store_open(&d->store, d->path);
    if (rc) return rc;
    size_t domains = lm_store_meta(d->store)->domains;
    uint64_t *counts = calloc(2 * domains + 1, sizeof *counts);
    if (!counts) return lm_fail_nomem(2 * domains * sizeof *counts);
    d->hash = lm_store_hash(d->store);
    d->tokenizer = lm_store_meta(d->store)->tokenizer;
    pass p = { .d = d, .counts = counts, .most = most };
    rc = lm_store_each(d->store, look_at, &p);
    p.seen = counts + domains;
    if (!rc) rc = lm_store_each(d->store, look_at, &p);
    free(counts);
    return rc;
}

static int open_shards(eval_documents *d, uint64_t most)
{
    int rc = lm_shards_open(&d->shards, d->path);
    if (rc) return rc;
    const lm_shard *first = lm_shards_at(d->shards, 0);
    uint64_t rows = lm_shards_rows(d->shards), tokens = lm_shard_row_tokens(first);
    d->names = lm_json_get(lm_shard_identity(first), "domains");
    d->row = malloc(tokens * sizeof *d->row);
    if (!d->row) return lm_fail_nomem(tokens * sizeof *d->row);
    for (uint64_t i = 0; !rc && i < rows; i++)
        if (is_chosen(i, rows, most)) rc = choose(d, i, NULL, tokens);
    if (!rc) rc = eval_shards_tokenizer(d->shards, &d->tokenizer);
    return rc ? rc : eval_shards_hash(d->shards, &d->hash);
}

static int is_store(const char *path, bool *yes)
{
    struct stat st;
    char **files = NULL;
    size_t n = strlen(path);
    *yes = n > 4 && !strcmp(path + n - 4, ".lmt");
    if (*yes || stat(path, &st) || !S_ISDIR(st.st_mode)) return LM_OK;
    int rc = eval_dir_files(path, ".lmt", &files, &n);
    *yes = n > 0;
    eval_dir_free(files, n);
    return rc;
}

int eval_documents_open(eval_documents **out, const char *path, uint64_t most)
{
    bool store = false;
    *out = NULL;
    eval_documents *d = calloc(1, sizeof *d);
    if (!d) return lm_fail_nomem(sizeof *d);
    d->path = path;
    d->record.max = RECORD_MAX;
    int rc = is_store(path, &store);
    if (!rc) rc = store ? open_store(d, most) : open_shards(d, most);
    if (!rc && !d->n) rc = lm_fail(LM_ESHORT, "%s: no document with a token to predict", path);
    if (rc) eval_documents_close(d);
    else *out = d;
    return rc;
}

void eval_documents_close(eval_documents *d)
{
    if (!d) return;
    lm_store_close(d->store);
    lm_shards_close(d->shards);
    lm_buf_free(&d->record);
    free(d->v);
    free(d->row);
    lm_ids_free(&d->ids);
    free(d->spans);
    free(d);
}

bool eval_documents_whole(const eval_documents *d) { return d->store != NULL; }
uint64_t eval_documents_count(const eval_documents *d) { return d->n; }
uint64_t eval_documents_longest(const eval_documents *d) { return d->longest; }
uint64_t eval_documents_hash(const eval_documents *d) { return d->hash; }
uint64_t eval_documents_tokenizer(const eval_documents *d) { return d->tokenizer; }
uint64_t eval_documents_number(const eval_documents *d, uint64_t i) { return d->v[i].number; }

const char *eval_documents_domain(const eval_documents *d, size_t i)
{
    const char *name = "";
    if (d->store) return lm_store_meta(d->store)->domain[i];
    return lm_json_str(&name, lm_json_at(d->names, i), NULL) ? "" : name;
}

/* ---- reading --------------------------------------------------------------------------- */

static int make_room(eval_documents *d, size_t ids, size_t spans)
{
    d->ids.n = 0;
    int rc = lm_ids_reserve(&d->ids, ids);
    if (rc) return rc;
    if (spans > d->spans_room) {
        eval_span *p = realloc(d->spans, spans * sizeof *p);
        if (!p) return lm_fail_nomem(spans * sizeof *p);
        d->spans = p;
        d->spans_room = spans;
    }
    return LM_OK;
}

static int get_document(eval_documents *d, const chosen *one, size_t cut, eval_unit *out)
{
    lm_record r;
    unsigned width = lm_store_meta(d->store)->width;
    int rc = lm_store_read(d->store, &one->entry, &d->record, &r);
    if (rc) return rc;
    out->n = r.doc.tokens < cut ? (size_t)r.doc.tokens : cut;
    rc = make_room(d, out->n, 1);
    if (!rc) rc = lm_ids_widen(&d->ids, r.tokens, out->n, width);
    if (rc) return rc;
    d->spans[0] = (eval_span){ r.doc.domain, 0, out->n, r.doc.key, 0, r.doc.tokens };
    out->n_spans = 1;
    return LM_OK;
}

static int get_row(eval_documents *d, const chosen *one, size_t cut, eval_unit *out)
{
    const lm_shard *s;
    const lm_span *v;
    uint64_t at;
    size_t n;
    int rc = lm_shards_find(d->shards, one->number, &s, &at);
    if (!rc) rc = lm_shard_spans(s, at, &v, &n);
    if (!rc) rc = lm_shard_row(s, at, d->row);
    if (!rc) rc = make_room(d, lm_shard_row_tokens(s), n + 1);
    for (size_t i = 0; !rc && i < n && v[i].row_start < cut; i++) {
        size_t tokens = cut - v[i].row_start < v[i].tokens ? cut - v[i].row_start : v[i].tokens;
        d->spans[out->n_spans++] = (eval_span){ v[i].domain, v[i].row_start, tokens,
                                                v[i].key,    v[i].doc_start, v[i].doc_tokens };
        out->n = v[i].row_start + tokens;
    }
    for (size_t i = 0; !rc && i < out->n; i++) d->ids.v[i] = (int32_t)d->row[i];
    return rc;
}

int eval_documents_get(eval_documents *d, uint64_t i, size_t cut, size_t vocab, eval_unit *out)
{
    const chosen *one = &d->v[i];
    *out = (eval_unit){ .number = one->number };
    int rc = d->store ? get_document(d, one, cut, out) : get_row(d, one, cut, out);
    for (size_t k = 0; !rc && k < out->n; k++)
        if (d->ids.v[k] < 0 || (size_t)d->ids.v[k] >= vocab)
            rc =
                lm_fail(LM_EDATA,
                        "%s: %s %" PRIu64 ": id %" PRId32 " at token %zu, and the model has "
                        "%zu ids",
                        d->path, d->store ? "document" : "row", one->number, d->ids.v[k], k, vocab);
    out->ids = d->ids.v;
    out->spans = d->spans;
    return rc;
}
