/* manifest.c -- the receipt of a mixture: the sums of its shards' receipts next to the plan's
 * targets. A pure function of the shards. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "longmix/plan.h"
#include "longmix/zio.h"
#include "lib/pack/internal.h"

/* The sums over all shards, by the identity's domains. */
typedef struct totals {
    uint64_t rows, tokens, bytes, padding, documents, units, repeats, trimmed, cuts, dropped;
    uint64_t bad_lines, set_aside;
    size_t domains;
    uint64_t *domain_documents, *long_tokens; /* [domains] */
    pack_cell (*cell)[LM_BUCKETS];            /* [domains] */
    lm_json *shards, *input_list;
    const lm_json *not_read; /* NULL if no receipt has it */
} totals;

/* ---- adding up receipts ---------------------------------------------------------------- */

static int add(uint64_t *sum, const lm_json *o, const char *key)
{
    uint64_t v = 0;
    int rc = lm_json_u64(&v, o, key);
    if (rc) return rc;
    if (v > INT64_MAX - *sum) return lm_json_fail(o, "the sum of \"%s\" is too large", key);
    *sum += v;
    return LM_OK;
}

static int find_domain(size_t *out, const lm_json *names, const lm_json *o)
{
    const char *wanted = NULL, *name = NULL;
    int rc = lm_json_str(&wanted, o, "name");
    for (size_t i = 0; !rc && i < lm_json_size(names); i++) {
        rc = lm_json_str(&name, lm_json_at(names, i), NULL);
        *out = i;
        if (!rc && !strcmp(name, wanted)) return LM_OK;
    }
    return rc ? rc : lm_json_fail(o, "domain \"%s\" is not in the identity", wanted);
}

static int add_domain(totals *t, const lm_json *names, const lm_json *o)
{
    size_t d = 0;
    const lm_json *buckets = NULL;
    int rc = find_domain(&d, names, o);
    if (!rc) rc = add(&t->domain_documents[d], o, "documents");
    if (!rc) rc = add(&t->long_tokens[d], o, "long_tokens");
    if (!rc) rc = lm_json_need(&buckets, o, "buckets");
    for (size_t i = 0; !rc && i < lm_json_size(buckets); i++) {
        const lm_json *b = lm_json_at(buckets, i);
        uint64_t upto = 0;
        rc = lm_json_u64(&upto, b, "upto");
        if (rc) return rc;
        pack_cell *cell = &t->cell[d][lm_bucket(upto)];
        rc = add(&cell->tokens, b, "tokens");
        if (!rc) rc = add(&cell->units, b, "units");
    }
    return rc;
}

static int add_receipt(totals *t, const lm_json *names, const lm_json *r)
{
    const lm_json *domains = NULL, *inputs = NULL;
    int rc = add(&t->rows, r, "rows");
    if (!rc) rc = add(&t->tokens, r, "tokens");
    if (!rc) rc = add(&t->padding, r, "padding");
    if (!rc) rc = add(&t->documents, r, "documents");
    if (!rc) rc = add(&t->units, r, "units");
    if (!rc) rc = add(&t->repeats, r, "repeats");
    if (!rc) rc = add(&t->trimmed, r, "trimmed");
    if (!rc) rc = add(&t->cuts, r, "cuts");
    if (!rc) rc = add(&t->dropped, r, "dropped_tail");
    if (!rc) rc = lm_json_need(&domains, r, "domains");
    if (!rc) rc = lm_json_need(&inputs, r, "inputs");
    for (size_t i = 0; !rc && i < lm_json_size(domains); i++)
        rc = add_domain(t, names, lm_json_at(domains, i));
    for (size_t i = 0; !rc && i < lm_json_size(inputs); i++) {
        const lm_json *input = lm_json_at(inputs, i);
        rc = add(&t->bad_lines, input, "bad_lines");
        t->set_aside += lm_json_get(input, "set_aside") != NULL;
        lm_json_set_copy(t->input_list, NULL, input);
    }
    if (!t->not_read) t->not_read = lm_json_get(r, "not_read");
    return rc;
}

static int add_shard(totals *t, const lm_shard *s)
{
    const char *slash = strrchr(lm_shard_name(s), '/');
    uint64_t tokens = 0;
    lm_json *j = lm_json_object();
    int rc = lm_json_u64(&tokens, lm_shard_receipt(s), "tokens");
    lm_json_set_str(j, "file", slash ? slash + 1 : lm_shard_name(s));
    lm_json_set_u64(j, "rows", lm_shard_rows(s));
    lm_json_set_u64(j, "tokens", tokens);
    lm_json_set_u64(j, "bytes", lm_shard_bytes(s));
    lm_json_set_hex64(j, "xxh3", lm_shard_hash(s));
    lm_json_set(t->shards, NULL, j);
    t->bytes += lm_shard_bytes(s);
    return rc ? rc
              : add_receipt(t, lm_json_get(lm_shard_identity(s), "domains"), lm_shard_receipt(s));
}

static int totals_new(totals *t, size_t domains)
{
    *t = (totals){ .domains = domains, .shards = lm_json_array(), .input_list = lm_json_array() };
    t->domain_documents = calloc(domains + 1, sizeof *t->domain_documents);
    t->long_tokens = calloc(domains + 1, sizeof *t->long_tokens);
    t->cell = calloc(domains + 1, sizeof *t->cell);
    bool good = t->domain_documents && t->long_tokens && t->cell;
    return good ? LM_OK : lm_fail_nomem(domains * sizeof *t->cell);
}

static void totals_free(totals *t)
{
    free(t->domain_documents);
    free(t->long_tokens);
    free(t->cell);
    lm_json_free(t->shards);
    lm_json_free(t->input_list);
}

/* ---- targets and results ------------------------------------------------ */

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static const lm_plan_domain *plan_domain(const lm_plan *p, const char *name, size_t *at)
{
    for (*at = 0; p && *at < p->domains; ++*at)
        if (!strcmp(p->domain[*at].name, name)) return &p->domain[*at];
    return NULL;
}

static lm_json *bucket_json(const pack_cell *c, unsigned b, const lm_stratum *s, bool planned)
{
    lm_json *j = lm_json_object();
    lm_json_set_u64(j, "upto", lm_bucket_upto(b));
    if (planned) lm_json_set_u64(j, "target_tokens", s ? s->tokens : 0);
    lm_json_set_u64(j, "tokens", c->tokens);
    lm_json_set_u64(j, "units", c->units);
    return j;
}

/* Add domain d, unless it has neither target nor tokens. `p` is NULL without a plan. */
static void list_domain(lm_json *domains, const totals *t, size_t d, const char *name,
                        const lm_plan *p)
{
    uint64_t tokens = 0, units = 0;
    size_t at = 0;
    const lm_plan_domain *want = plan_domain(p, name, &at);
    lm_json *j = lm_json_object(), *buckets = lm_json_array();
    for (unsigned b = 0; b < LM_BUCKETS; b++) {
        const pack_cell *c = &t->cell[d][b];
        const lm_stratum *s = want ? lm_plan_stratum(p, at, lm_bucket_upto(b)) : NULL;
        tokens += c->tokens;
        units += c->units;
        if (c->tokens || (s && s->tokens))
            lm_json_set(buckets, NULL, bucket_json(c, b, s, p != NULL));
    }
    lm_json_set_str(j, "name", name);
    if (p) lm_json_set_u64(j, "target_tokens", want ? want->tokens : 0);
    lm_json_set_u64(j, "tokens", tokens);
    if (p) lm_json_set_f64(j, "target_share", want ? want->target_share : 0);
    lm_json_set_f64(j, "share", share(tokens, t->tokens));
    if (p) lm_json_set_f64(j, "target_long_share", want ? want->target_long_share : 0);
    lm_json_set_f64(j, "long_share", share(t->long_tokens[d], tokens));
    lm_json_set_u64(j, "documents", t->domain_documents[d]);
    lm_json_set_u64(j, "units", units);
    lm_json_set(j, "buckets", buckets);
    if (tokens || (want && want->tokens)) lm_json_set(domains, NULL, j);
    else lm_json_free(j);
}

static int domains_json(lm_json **out, const totals *t, const lm_json *names, const lm_json *plan)
{
    lm_plan p;
    int rc = plan ? lm_plan_from_json(&p, plan) : LM_OK;
    if (rc) return rc;
    *out = lm_json_array();
    for (size_t d = 0; d < t->domains && !rc; d++) {
        const char *name = NULL;
        rc = lm_json_str(&name, lm_json_at(names, d), NULL);
        if (!rc) list_domain(*out, t, d, name, plan ? &p : NULL);
    }
    if (plan) lm_plan_free(&p);
    return rc;
}

static lm_json *totals_json(const totals *t)
{
    lm_json *j = lm_json_object();
    lm_json_set_u64(j, "rows", t->rows);
    lm_json_set_u64(j, "tokens", t->tokens);
    lm_json_set_u64(j, "bytes", t->bytes);
    lm_json_set_u64(j, "documents", t->documents);
    lm_json_set_u64(j, "units", t->units);
    lm_json_set_u64(j, "repeats", t->repeats);
    lm_json_set_u64(j, "trimmed", t->trimmed);
    lm_json_set_u64(j, "cuts", t->cuts);
    lm_json_set_u64(j, "padding", t->padding);
    lm_json_set_u64(j, "dropped_tail", t->dropped);
    lm_json_set_u64(j, "bad_lines", t->bad_lines);
    if (t->set_aside) lm_json_set_u64(j, "set_aside_files", t->set_aside);
    return j;
}

/* Copy a field of the identity. */
static void copy_field(lm_json *to, const lm_json *identity, const char *key)
{
    const lm_json *v = lm_json_get(identity, key);
    if (v) lm_json_set_copy(to, key, v);
}

static int manifest_json(lm_json **out, totals *t, const lm_shard *first)
{
    const lm_json *identity = lm_shard_identity(first);
    lm_json *j = lm_json_object(), *domains = NULL;
    int rc =
        domains_json(&domains, t, lm_json_get(identity, "domains"), lm_json_get(identity, "plan"));
    /* Version 1 is that of shards of version 1. */
    lm_json_set_str(j, "format",
                    lm_shard_version(first) == 1 ? "longmix manifest 1" : "longmix manifest 2");
    copy_field(j, identity, "longmix");
    copy_field(j, identity, "tokenizer");
    copy_field(j, identity, "pack");
    lm_json_set(j, "totals", totals_json(t));
    lm_json_set(j, "domains", domains);
    lm_json_set(j, "shards", t->shards);
    lm_json_set(j, "inputs", t->input_list);
    if (t->not_read) lm_json_set_copy(j, "not_read", t->not_read);
    copy_field(j, identity, "plan");
    t->shards = t->input_list = NULL;
    if (rc) lm_json_free(j);
    else *out = j;
    return rc;
}

/* ---- the directory --------------------------------------------------------------------- */

int lm_manifest_build(lm_json **out, const char *dir)
{
    lm_shards *s = NULL;
    totals t = { 0 };
    *out = NULL;
    int rc = lm_shards_open(&s, dir);
    if (rc) return rc;
    const lm_json *identity = lm_shard_identity(lm_shards_at(s, 0));
    rc = totals_new(&t, lm_json_size(lm_json_get(identity, "domains")));
    for (size_t i = 0; i < lm_shards_count(s) && !rc; i++) rc = add_shard(&t, lm_shards_at(s, i));
    if (!rc) rc = manifest_json(out, &t, lm_shards_at(s, 0));
    totals_free(&t);
    lm_shards_close(s);
    return rc;
}

/* Compare a shard's receipt with the sums of its spans. */
static int recount(const lm_shard *s, pack_counts *c)
{
    static const char *const keys[] = { "rows",    "tokens",  "padding", "documents", "units",
                                        "repeats", "trimmed", "cuts",    "domains" };
    const lm_json *names = lm_json_get(lm_shard_identity(s), "domains");
    lm_buf said = LM_BUF_INIT(PACK_JSON_MAX), counted = LM_BUF_INIT(PACK_JSON_MAX);
    lm_json *again = lm_json_object();
    int rc = LM_OK;
    pack_counts_reset(c);
    for (uint64_t r = 0; r < lm_shard_rows(s) && !rc; r++) {
        const lm_span *spans = NULL;
        size_t n = 0;
        rc = lm_shard_spans(s, r, &spans, &n);
        if (!rc) pack_counts_row(c, spans, n);
    }
    pack_counts_to_json(c, names, again);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !rc; i++) {
        const lm_json *v = NULL;
        rc = lm_json_need(&v, lm_shard_receipt(s), keys[i]);
        lm_buf_reset(&said, SIZE_MAX);
        lm_buf_reset(&counted, SIZE_MAX);
        if (!rc) rc = lm_json_dump(v, 0, &said);
        if (!rc) rc = lm_json_dump(lm_json_get(again, keys[i]), 0, &counted);
        if (!rc && (said.size != counted.size || memcmp(said.data, counted.data, said.size)))
            rc = lm_json_fail(v, "differs from the sum of the spans");
    }
    lm_json_free(again);
    lm_buf_free(&said);
    lm_buf_free(&counted);
    return rc;
}

/* The inputs of the receipts are those whose number and names the identity counts and hashes. A
 * mixture in order of arrival may end before all of its inputs. */
static int check_inputs(const lm_shards *s)
{
    const lm_shard *first = lm_shards_at(s, 0);
    uint64_t count = 0, listed = 0;
    if (lm_shard_version(first) == 1) return LM_OK; /* the identity has the names */
    for (size_t i = 0; i < lm_shards_count(s); i++)
        listed += lm_json_size(lm_json_get(lm_shard_receipt(lm_shards_at(s, i)), "inputs"));
    int rc = lm_json_u64(&count, lm_json_get(lm_shard_identity(first), "files"), "count");
    if (rc || listed < count || (listed == count && (!count || lm_shards_file(s, 0)))) return rc;
    return lm_fail(LM_EDATA, "%s: the inputs in the receipts are not the files of the identity",
                   lm_shard_name(first));
}

static int recount_all(const char *dir)
{
    lm_shards *s = NULL;
    pack_counts c = { 0 };
    uint64_t threshold = 0;
    int rc = lm_shards_open(&s, dir);
    if (rc) return rc;
    const lm_shard *first = lm_shards_at(s, 0);
    const lm_json *identity = lm_shard_identity(first);
    rc = check_inputs(s);
    if (!rc) rc = pack_threshold(&threshold, identity);
    if (!rc)
        rc = pack_counts_new(&c, lm_json_size(lm_json_get(identity, "domains")),
                             lm_shard_row_tokens(first), threshold);
    for (size_t i = 0; i < lm_shards_count(s) && !rc; i++) rc = recount(lm_shards_at(s, i), &c);
    pack_counts_free(&c);
    lm_shards_close(s);
    return rc;
}

/* Compare a file's contents with `text`. */
static int compare(const char *path, const lm_buf *text)
{
    lm_in *in = NULL;
    lm_buf have = LM_BUF_INIT(text->size + 1);
    size_t at = 0;
    struct stat st;
    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return lm_fail(LM_EIO, "%s: not a regular file", path);
    int rc = lm_in_open(&in, path);
    if (!rc) rc = lm_buf_reserve(&have, text->size + 1);
    while (!rc && have.size <= text->size) {
        ssize_t got = lm_in_read(in, have.data + have.size, text->size + 1 - have.size);
        if (got < 0) rc = (int)got;
        if (got <= 0) break;
        have.size += (size_t)got;
    }
    while (!rc && at < have.size && at < text->size && have.data[at] == text->data[at]) at++;
    if (!rc && (at < have.size || at < text->size))
        rc = lm_fail(LM_EDATA, "%s: byte %zu: differs from the sum of the shards in its directory",
                     path, at);
    lm_in_close(in);
    lm_buf_free(&have);
    return rc;
}

int lm_manifest_check(const char *dir)
{
    lm_json *j = NULL;
    lm_buf text = LM_BUF_INIT(PACK_JSON_MAX), path = LM_BUF_INIT(1 << 20);
    int rc = recount_all(dir);
    if (!rc) rc = lm_manifest_build(&j, dir);
    if (!rc) rc = lm_json_print(j, 2, &text);
    if (!rc) rc = lm_buf_printf(&path, "%s/manifest.json", dir);
    if (!rc) rc = compare((const char *)path.data, &text);
    lm_json_free(j);
    lm_buf_free(&text);
    lm_buf_free(&path);
    return rc;
}
