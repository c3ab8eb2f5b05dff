/* index.c -- the index and the trailer, as bytes; the totals of a stream's documents. */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/rng.h"
#include "lib/store/internal.h"

/* ---- sums --------------------------------------------------------------------------- */

/* The content hash is a polynomial in this odd number, so that the hash of parts, one after
 * the other, is that of the whole. */
static const uint64_t BASE = UINT64_C(0x9e3779b97f4a7c15);

void lmstore_sums_add(lmstore_sums *s, uint64_t key, uint64_t tokens, uint16_t domain)
{
    s->documents++;
    s->tokens += tokens;
    s->content += lm_hash4(0, key, tokens, domain) * s->power;
    s->power *= BASE;
}

uint64_t lmstore_content_join(uint64_t content, uint64_t documents, uint64_t next)
{
    uint64_t power = 1;
    for (uint64_t square = BASE; documents; documents >>= 1, square *= square)
        if (documents & 1) power *= square;
    return content + power * next;
}

/* ---- blocks of entries -------------------------------------------------------------- */

size_t lmstore_block_add(lmstore_block *b, const lm_entry *e)
{
    unsigned char *p = b->bytes + b->entries++ * ENTRY;
    lm_put64(p, e->key);
    lm_put64(p + 8, e->where);
    lm_put64(p + 16, e->tokens | (uint64_t)e->domain << 48);
    return b->entries == BLOCK_ENTRIES ? lmstore_block_end(b) : 0;
}

size_t lmstore_block_end(lmstore_block *b)
{
    size_t n = b->entries * ENTRY;
    if (n == 0) return 0;
    lm_put64(b->bytes + n, lm_hash64(b->bytes, n));
    b->entries = 0;
    return n + 8;
}

bool lmstore_block_good(const unsigned char *p, size_t n)
{
    return lm_le64(p + n * ENTRY) == lm_hash64(p, n * ENTRY);
}

lm_entry lmstore_entry_get(const unsigned char *p)
{
    uint64_t last = lm_le64(p + 16);
    return (lm_entry){
        .key = lm_le64(p),
        .where = lm_le64(p + 8),
        .tokens = last & ((UINT64_C(1) << 48) - 1),
        .domain = (uint16_t)(last >> 48),
    };
}

uint64_t lmstore_index_size(uint64_t documents)
{
    return documents * ENTRY + (documents + BLOCK_ENTRIES - 1) / BLOCK_ENTRIES * 8;
}

void lmstore_index_head(unsigned char p[INDEX_HEAD], uint64_t documents)
{
    lm_put32(p + 8, KIND_INDEX);
    lm_put32(p + 12, 0);
    lm_put64(p + 16, documents);
    lm_put64(p, lm_hash64(p + 8, INDEX_HEAD - 8));
}

bool lmstore_index_head_get(const unsigned char *p, uint64_t *documents)
{
    *documents = lm_le64(p + 16);
    return lm_le64(p) == lm_hash64(p + 8, INDEX_HEAD - 8) && lm_le32(p + 8) == KIND_INDEX &&
           !lm_le32(p + 12);
}

/* ---- trailer ------------------------------------------------------------------------ */

void lmstore_trailer_put(unsigned char p[TRAILER], const lmstore_trailer *t)
{
    lm_put32(p + 8, KIND_END);
    lm_put32(p + 12, LM_STORE_VERSION);
    lm_put64(p + 16, t->sums.documents);
    lm_put64(p + 24, t->sums.tokens);
    lm_put64(p + 32, t->index);
    lm_put64(p + 40, t->sums.content);
    lm_put64(p + 48, t->size);
    memcpy(p + 56, STORE_END_MAGIC, 8);
    lm_put64(p, lm_hash64(p + 8, TRAILER - 8));
}

const char *lmstore_trailer_get(const unsigned char *p, unsigned version, lmstore_trailer *out)
{
    if (memcmp(p + 56, STORE_END_MAGIC, 8))
        return "the end marker is missing: the file is not complete";
    if (lm_le64(p) != lm_hash64(p + 8, TRAILER - 8) || lm_le32(p + 8) != KIND_END ||
        lm_le32(p + 12) != version)
        return "the trailer is damaged";
    *out = (lmstore_trailer){
        .sums = { .documents = lm_le64(p + 16),
                  .tokens = lm_le64(p + 24),
                  .content = lm_le64(p + 40) },
        .index = lm_le64(p + 32),
        .size = lm_le64(p + 48),
    };
    /* Forged values must not make arithmetic on these wrap. */
    if (out->size >> 60 || out->sums.documents > out->size / ENTRY || out->index > out->size ||
        out->index + INDEX_HEAD + lmstore_index_size(out->sums.documents) + TRAILER != out->size)
        return "the trailer is inconsistent";
    return NULL;
}
