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
    *t = (lm_table){ 0 };
}

int lm_table_new(lm_table *t, unsigned bits, unsigned long_bits)
{
    size_t count = (size_t)LM_WAYS << bits;
    t->mask = (UINT64_C(1) << bits) - 1;
    t->long_shift = 64 - long_bits;
    t->bytes = count * sizeof *t->words;
    void *p = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    t->words = p == MAP_FAILED ? NULL : p;
    t->longs = calloc((size_t)1 << long_bits, sizeof *t->longs);
    if (!t->words || !t->longs) {
        int rc = lm_fail_nomem(t->bytes);
        lm_table_free(t);
        return rc;
    }
    madvise(t->words, t->bytes, MADV_HUGEPAGE); /* a hint; nothing depends on it */
    for (size_t i = 0; i < count; i++) t->words[i].low = LM_NO_WORD;
    return LM_OK;
}
