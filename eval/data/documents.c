#include "eval/data/documents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "eval/data/identity.h"
#include "lib/base/endian.h"
#include "lib/base/hash.h"
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
    uint64_t n, room, longest, hash;
    lm_buf record;
    uint32_t *row;
    int32_t *ids;     /* [ids_room] */
    eval_span *spans; /* [spans_room] */
    size_t ids_room, spans_room;
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
        uint64_t room = d->room ? 2 * d->room : 256;
        chosen *v = realloc(d->v, room * sizeof *v);
        if (!v) return lm_fail_nomem(room * sizeof *v);
        d->v = v;
        d->room = room;
    }
    chosen *one = &d->v[d->n++];
    *one = (chosen){ .number = number };
    if (entry) one->entry = *entry;
    if (tokens > d->longest) d->longest = tokens;
    return LM_OK;
}

/* Go through the documents of two tokens and more. `counts`, by domain: where NULL is in `seen`,
 * they are counted; else `seen` counts again, and those whose turn it is are chosen. */
static int walk(eval_documents *d, uint64_t *counts, uint64_t *seen, uint64_t most)
{
    uint64_t all = lm_store_documents(d->store);
    lm_entry *block = malloc(LM_ENTRIES_MAX * sizeof *block);
    int rc = block ? LM_OK : lm_fail_nomem(LM_ENTRIES_MAX * sizeof *block);
    for (uint64_t at = 0; !rc && at < all; at += LM_ENTRIES_MAX) {
        size_t n = all - at < LM_ENTRIES_MAX ? (size_t)(all - at) : LM_ENTRIES_MAX;
        rc = lm_store_entries(d->store, at, n, block);
        for (size_t i = 0; !rc && i < n; i++) {
            uint16_t domain = block[i].domain;
            if (block[i].tokens < 2) continue;
            if (!seen) counts[domain]++;
            else if (is_chosen(seen[domain]++, counts[domain], most))
                rc = choose(d, at + i, &block[i], block[i].tokens);
        }
    }
    free(block);
    return rc;
}

static int open_store(eval_documents *d, uint64_t most)
{
    int rc = lm_store_open(&d->store, d->path);
    if (rc) return rc;
    size_t domains = lm_store_meta(d->store)->domains;
    uint64_t *counts = calloc(2 * domains + 1, sizeof *counts);
    if (!counts) return lm_fail_nomem(2 * domains * sizeof *counts);
    d->hash = lm_store_hash(d->store);
    rc = walk(d, counts, NULL, most);
    if (!rc) rc = walk(d, counts, counts + domains, most);
    free(counts);
    return rc;
}

static int open_shards(eval_documents *d, uint64_t most)
{
    lm_hasher *h = NULL;
    int rc = lm_shards_open(&d->shards, d->path);
    if (rc) return rc;
    const lm_shard *first = lm_shards_at(d->shards, 0);
    uint64_t rows = lm_shards_rows(d->shards), tokens = lm_shard_row_tokens(first);
    d->names = lm_json_get(lm_shard_identity(first), "domains");
    d->row = malloc(tokens * sizeof *d->row);
    if (!d->row) return lm_fail_nomem(tokens * sizeof *d->row);
    for (uint64_t i = 0; !rc && i < rows; i++)
        if (is_chosen(i, rows, most)) rc = choose(d, i, NULL, tokens);
    if (!rc) rc = lm_hasher_new(&h);
    for (size_t i = 0; !rc && i < lm_shards_count(d->shards); i++) {
        unsigned char seal[8];
        lm_put64(seal, lm_shard_hash(lm_shards_at(d->shards, i)));
        lm_hasher_add(h, seal, sizeof seal);
    }
    if (!rc) d->hash = lm_hasher_digest(h);
    lm_hasher_free(h);
    return rc;
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
    free(d->ids);
    free(d->spans);
    free(d);
}

bool eval_documents_whole(const eval_documents *d) { return d->store != NULL; }
uint64_t eval_documents_count(const eval_documents *d) { return d->n; }
uint64_t eval_documents_longest(const eval_documents *d) { return d->longest; }
uint64_t eval_documents_hash(const eval_documents *d) { return d->hash; }
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
    if (ids > d->ids_room) {
        int32_t *p = realloc(d->ids, ids * sizeof *p);
        if (!p) return lm_fail_nomem(ids * sizeof *p);
        d->ids = p;
        d->ids_room = ids;
    }
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
    const unsigned char *p = r.tokens;
    for (size_t i = 0; !rc && i < out->n; i++)
        d->ids[i] = width == 2 ? lm_le16(p + 2 * i) : (int32_t)lm_le32(p + 4 * i);
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
    for (size_t i = 0; !rc && i < out->n; i++) d->ids[i] = (int32_t)d->row[i];
    return rc;
}

int eval_documents_get(eval_documents *d, uint64_t i, size_t cut, size_t vocab, eval_unit *out)
{
    const chosen *one = &d->v[i];
    *out = (eval_unit){ .number = one->number };
    int rc = d->store ? get_document(d, one, cut, out) : get_row(d, one, cut, out);
    for (size_t k = 0; !rc && k < out->n; k++)
        if (d->ids[k] < 0 || (size_t)d->ids[k] >= vocab)
            rc = lm_fail(LM_EDATA,
                         "%s: %s %" PRIu64 ": id %" PRId32 " at token %zu, and the model has "
                         "%zu ids",
                         d->path, d->store ? "document" : "row", one->number, d->ids[k], k, vocab);
    out->ids = d->ids;
    out->spans = d->spans;
    return rc;
}
