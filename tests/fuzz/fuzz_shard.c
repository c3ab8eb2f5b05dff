/* Any bytes as a shard: unchanged, and again with every checksum corrected, so that what
 * is checked after the checksums is reached, too. A shard that opens must give all its rows and
 * spans or say why not, and its spans must be consistent. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "longmix/shard.h"
#include "must.h"

enum { TRAILER = 104, ROWS_READ = 64, ROW_TOKENS = 1 << 16 };

static uint64_t pad8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

/* Correct the checksums as far as the layout is readable (docs/format-shard.md). */
static void repair(uint8_t *p, uint64_t size)
{
    if (size < LM_SHARD_DATA + TRAILER) return;
    uint8_t *t = p + size - TRAILER;
    uint64_t row = lm_le64(p + 16) * lm_le32(p + 12), rows = lm_le64(t), spans = lm_le64(t + 8);
    uint64_t n[5] = { 8 * rows, 8 * (rows + 1), 56 * spans, pad8(lm_le64(t + 16)),
                      pad8(lm_le64(t + 24)) };
    lm_put64(p + LM_SHARD_DATA - 8, lm_hash64(p, LM_SHARD_DATA - 8));
    lm_put64(t + 72, lm_hash64(p, LM_SHARD_DATA));
    if (row && row < size && rows < size / row && spans < size) {
        uint64_t at = LM_SHARD_DATA + pad8(rows * row);
        for (uint64_t r = 0; r < rows && at + 8 * r + 8 <= size - TRAILER; r++)
            lm_put64(p + at + 8 * r, lm_hash64(p + LM_SHARD_DATA + r * row, row));
        for (int i = 0; i < 5 && n[i] <= size - TRAILER && at <= size - TRAILER - n[i];
             at += n[i++])
            lm_put64(t + 32 + 8 * i, lm_hash64(p + at, n[i]));
    }
    lm_put64(t + 80, size);
    lm_put64(t + 88, lm_hash64(t, 88));
}

/* Names of files are strings or unknown, whatever the receipt lists. */
static void read_names(const char *path, const lm_shard *s)
{
    lm_shards *all = NULL;
    if (lm_shards_open(&all, path)) return;
    MUST(lm_shards_rows(all) == lm_shard_rows(s));
    for (uint64_t r = 0; r < lm_shard_rows(s) && r < ROWS_READ; r++) {
        const lm_span *spans = NULL;
        size_t count = 0;
        MUST(lm_shard_spans(s, r, &spans, &count) == 0);
        for (size_t i = 0; i < count; i++) {
            const char *name = lm_shards_file(all, spans[i].file);
            MUST(!name || strlen(name) < 1 << 28);
        }
    }
    MUST(!lm_shards_file(all, UINT32_MAX));
    lm_shards_close(all);
}

static void read_shard(const char *path)
{
    static uint32_t ids[ROW_TOKENS];
    lm_shard *s = NULL;
    int quick = lm_shard_check(path, true), all = lm_shard_check(path, false),
        rc = lm_shard_open(&s, path);
    MUST(quick == rc && (rc == 0 || rc == LM_EDATA));
    MUST(all == 0 || all == LM_EDATA);
    MUST(all == LM_EDATA || quick == 0);
    if (rc) return;
    uint64_t n = lm_shard_row_tokens(s);
    bool sound = true;
    for (uint64_t r = 0; r < lm_shard_rows(s) && r < ROWS_READ; r++) {
        const lm_span *spans = NULL;
        size_t count = 0;
        uint64_t at = 0;
        MUST(lm_shard_spans(s, r, &spans, &count) == 0);
        for (size_t i = 0; i < count; at += spans[i++].tokens)
            MUST(spans[i].row_start == at && spans[i].tokens > 0 && at + spans[i].tokens <= n);
        if (n > ROW_TOKENS) continue;
        if (lm_shard_row(s, r, ids)) sound = false;
        else
            for (uint64_t i = 0; i < n; i++) MUST(ids[i] < lm_shard_vocab(s));
    }
    MUST(sound || all == LM_EDATA);
    read_names(path, s);
    lm_shard_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    uint8_t *copy = malloc(size + 1);
    int fd = memfd_create("shard", 0);
    MUST(copy && fd >= 0);
    memcpy(copy, data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int repaired = 0; repaired < 2; repaired++) {
        if (repaired) repair(copy, size);
        MUST(pwrite(fd, copy, size, 0) == (ssize_t)size);
        read_shard(path);
    }
    close(fd);
    free(copy);
    return 0;
}
