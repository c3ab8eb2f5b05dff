/* table.c -- memory of a table of words. */
#include "lib/tokenizer/bpe/table.h"

#include <stdlib.h>
#include <sys/mman.h>

const unsigned char lm_word_pad[2 * LM_SHORT] = {
    [LM_SHORT] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
};

#define HUGE ((size_t)1 << 21)

void *lm_huge_alloc(size_t bytes)
{
    void *p = NULL;
    if (bytes < HUGE / 2) return malloc(bytes);
    if (posix_memalign(&p, HUGE, (bytes + HUGE - 1) / HUGE * HUGE)) return NULL;
    madvise(p, bytes, MADV_HUGEPAGE); /* a hint; nothing depends on it */
    return p;
}

void lm_table_free(lm_table *t)
{
    if (t->words) munmap(t->words, t->bytes);
    free(t->longs);
    free(t->long_bytes);
    *t = (lm_table){ 0 };
}

static size_t long_count(const lm_table *t)
{
    return ((size_t)1 << (64 - t->long_shift)) + LM_LONG_PLACES - 1;
}

int lm_table_new(lm_table *t, unsigned bits)
{
    size_t count = (size_t)LM_WAYS << bits;
    t->shift = t->long_shift = 64 - bits;
    t->long_max = bits == LM_SMALL_BITS ? 1024 : UINT32_C(48) << bits;
    t->bytes = count * sizeof *t->words;
    void *p = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    t->words = p == MAP_FAILED ? NULL : p;
    t->longs = calloc(long_count(t), sizeof *t->longs);
    t->long_bytes = malloc(t->long_max);
    if (!t->words || !t->longs || !t->long_bytes) {
        int rc = lm_fail_nomem(t->bytes);
        lm_table_free(t);
        return rc;
    }
    madvise(t->words, t->bytes, MADV_HUGEPAGE); /* a hint; nothing depends on it */
    for (size_t i = 0; i < count; i++) t->words[i].low = LM_NO_WORD;
    return LM_OK;
}

void lm_long_put(lm_table *t, uint64_t hash, const unsigned char *p, size_t n,
                 const unsigned char *ids, size_t size)
{
    uint32_t need = (uint32_t)(sizeof(lm_long_word) + n + size + 1) & ~UINT32_C(1);
    if (size > LM_LONG_IDS) return;
    if (t->long_used + need > t->long_max) {
        memset(t->longs, 0, long_count(t) * sizeof *t->longs);
        t->long_used = 0;
    }
    uint32_t *at = &t->longs[hash >> t->long_shift];
    for (int i = 1; i < LM_LONG_PLACES && *at; i++) at++;
    *at = t->long_used + 1;
    lm_long_word *w = (void *)(t->long_bytes + t->long_used);
    w->word_size = (uint16_t)n;
    w->size = (uint16_t)size;
    memcpy(w->bytes, p, n);
    memcpy(w->bytes + n, ids, size);
    t->long_used += need;
}
