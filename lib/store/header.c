/* header.c -- the header: what every reader must know before the first record. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/domain.h"
#include "lib/base/hash.h"
#include "lib/store/internal.h"

/* ---- the fields of the JSON --------------------------------------------------------- */

static int get_names(const char ***out, size_t *count, const lm_json *json, const char *key,
                     size_t max)
{
    const lm_json *list = NULL;
    int rc = lm_json_need(&list, json, key);
    if (rc) return rc;
    if (lm_json_type(list) != LM_JSON_ARRAY) return lm_json_fail(list, "expected an array");
    size_t n = lm_json_size(list);
    if (n > max) return lm_json_fail(list, "%zu names, at most %zu are possible", n, max);
    *out = calloc(n + 1, sizeof **out);
    if (!*out) return lm_fail_nomem((n + 1) * sizeof **out);
    *count = n;
    for (size_t i = 0; i < n && !rc; i++) rc = lm_json_str(&(*out)[i], lm_json_at(list, i), NULL);
    return rc;
}

/* An id of the vocabulary, or null for none. */
static int get_id(int64_t *out, const lm_json *tokenizer, const char *key, uint32_t vocab)
{
    const lm_json *v = lm_json_get(tokenizer, key);
    uint64_t id = 0;
    *out = -1;
    if (!v || lm_json_type(v) == LM_JSON_NULL) return LM_OK;
    int rc = lm_json_u64(&id, v, NULL);
    if (rc) return rc;
    if (id >= vocab)
        return lm_json_fail(v, "id %" PRIu64 " is outside the vocabulary of %" PRIu32, id, vocab);
    *out = (int64_t)id;
    return LM_OK;
}

static int get_tokenizer(lm_meta *m, const lm_json *json)
{
    const lm_json *t = NULL;
    uint64_t vocab = 0;
    int rc = lm_json_need(&t, json, "tokenizer");
    if (!rc) rc = lm_json_hex64(&m->tokenizer, t, "xxh3");
    if (!rc) rc = lm_json_u64(&vocab, t, "vocab");
    if (!rc && (vocab == 0 || vocab > UINT32_MAX))
        rc = lm_json_fail(t, "a vocabulary of %" PRIu64 " is not possible", vocab);
    if (rc) return rc;
    m->vocab = (uint32_t)vocab;
    m->width = vocab <= 65536 ? 2 : 4;
    rc = get_id(&m->bos, t, "bos", m->vocab);
    if (!rc) rc = get_id(&m->eos, t, "eos", m->vocab);
    return rc;
}

static int get_format(lm_meta *m, const lm_json *json)
{
    const char *format = NULL;
    int rc = lm_json_str(&format, json, "format");
    if (rc) return rc;
    m->version = !strcmp(format, LM_STORE_FORMAT) ? 2 : !strcmp(format, STORE_FORMAT_1) ? 1 : 0;
    if (m->version) return LM_OK;
    return lm_json_fail(lm_json_get(json, "format"),
                        "expected \"" LM_STORE_FORMAT "\" or \"" STORE_FORMAT_1 "\"");
}

/* The names that were not read: absent where there are none. */
static int get_not_read(lm_meta *m, const lm_json *json)
{
    const lm_json *v = lm_json_get(json, "not_read");
    const char *name = NULL;
    int rc = LM_OK;
    if (!v || m->version < 2) return LM_OK;
    if (lm_json_type(v) != LM_JSON_ARRAY) return lm_json_fail(v, "expected an array");
    for (size_t i = 0; i < lm_json_size(v) && !rc; i++)
        rc = lm_json_str(&name, lm_json_at(v, i), NULL);
    m->not_read = v;
    return rc;
}

static int get_part(lm_meta *m, const lm_json *json)
{
    const lm_json *p = NULL;
    uint64_t k = 0, of = 0;
    int rc = lm_json_need(&p, json, "part");
    if (!rc) rc = lm_json_u64(&k, p, "k");
    if (!rc) rc = lm_json_u64(&of, p, "of");
    if (!rc && (k == 0 || k > of || of > LM_PARTS_MAX))
        rc = lm_json_fail(p, "part %" PRIu64 " of %" PRIu64 " is not possible", k, of);
    m->part = (uint32_t)k;
    m->parts = (uint32_t)of;
    return rc;
}

int lm_meta_from_json(lm_meta *out, lm_json *json)
{
    lm_meta m = { .json = json, .bos = -1, .eos = -1 };
    int rc = get_format(&m, json);
    if (!rc) rc = get_tokenizer(&m, json);
    if (!rc) rc = get_names(&m.domain, &m.domains, json, "domains", LM_DOMAINS_MAX);
    if (!rc) rc = get_names(&m.file, &m.files, json, "files", UINT32_MAX);
    if (!rc) rc = get_part(&m, json);
    if (!rc) rc = get_not_read(&m, json);
    m.plan = lm_json_get(json, "plan");
    if (rc) lm_meta_free(&m);
    *out = m;
    return rc;
}

void lm_meta_free(lm_meta *m)
{
    free(m->domain);
    free(m->file);
    lm_json_free(m->json);
    *m = (lm_meta){ .bos = -1, .eos = -1 };
}

/* ---- the bytes ---------------------------------------------------------------------- */

/* Of bytes 0 to 23 and of all that follows the check. */
static int header_check(uint64_t *out, const unsigned char *p, size_t size)
{
    lm_hasher *h = NULL;
    int rc = lm_hasher_new(&h);
    if (rc) return rc;
    lm_hasher_add(h, p, 24);
    lm_hasher_add(h, p + HEADER_HEAD, size - HEADER_HEAD);
    *out = lm_hasher_digest(h);
    lm_hasher_free(h);
    return LM_OK;
}

int lmstore_header_build(lm_buf *out, const lm_json *json, unsigned width)
{
    static const unsigned char zero[8];
    size_t at = out->size;
    uint64_t check = 0;
    unsigned char head[HEADER_HEAD] = STORE_MAGIC;
    int rc = lm_buf_add(out, head, sizeof head);
    if (!rc) rc = lm_json_dump(json, 0, out);
    if (rc) return rc;
    size_t n = out->size - at - HEADER_HEAD;
    rc = lm_buf_add(out, zero, store_pad8(n) - n);
    if (rc) return rc;
    unsigned char *p = out->data + at;
    lm_put32(p + 8, LM_STORE_VERSION);
    lm_put32(p + 12, width);
    lm_put64(p + 16, n);
    rc = header_check(&check, p, out->size - at);
    lm_put64(p + 24, check);
    return rc;
}

int lmstore_reader_header(lmstore_reader *r, lm_meta *out)
{
    int rc = lmstore_reader_need(r, HEADER_HEAD);
    if (rc < 0) return rc;
    const unsigned char *p = lmstore_reader_at(r);
    if (rc == 0 || memcmp(p, STORE_MAGIC, 8))
        return lm_fail(LM_EDATA, "%s: not a token stream (it does not begin with " STORE_MAGIC ")",
                       r->name);
    uint32_t version = lm_le32(p + 8), width = lm_le32(p + 12);
    uint64_t n = lm_le64(p + 16), check = lm_le64(p + 24);
    if (version < 1 || version > LM_STORE_VERSION)
        return lm_fail(LM_EDATA,
                       "%s: format version %" PRIu32
                       " is not known; this program reads versions 1 to %d",
                       r->name, version, LM_STORE_VERSION);
    if (n > LM_META_MAX)
        return lmstore_reader_fail(r, 16, "the header is damaged: its size is not possible");
    size_t size = HEADER_HEAD + (size_t)store_pad8(n);
    rc = lmstore_reader_need(r, size);
    if (rc < 0) return rc;
    if (rc == 0) return lmstore_reader_fail(r, 0, "truncated inside the header");
    p = lmstore_reader_at(r);
    uint64_t found = 0;
    rc = header_check(&found, p, size);
    if (rc) return rc;
    if (found != check)
        return lmstore_reader_fail(r, 0, "the header is damaged: its checksum does not match");

    lm_json *json = NULL;
    rc = lm_json_parse(&json, p + HEADER_HEAD, (size_t)n, r->name);
    if (!rc) rc = lm_meta_from_json(out, json);
    if (rc) return rc;
    if (out->width != width) {
        lm_meta_free(out);
        return lmstore_reader_fail(r, 12, "tokens of %" PRIu32 " bytes do not fit the vocabulary",
                                   width);
    }
    if (out->version != version) {
        lm_meta_free(out);
        return lmstore_reader_fail(r, 8, "version %" PRIu32 " is not that of its \"format\"",
                                   version);
    }
    lmstore_reader_skip(r, size);
    return LM_OK;
}
