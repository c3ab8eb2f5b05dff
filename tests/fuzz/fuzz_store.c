/* Any bytes as a token store: unchanged, and again with every checksum corrected, so that
 * what is checked after the checksums is reached, too. A store that can be read
 * sequentially must read the same by its index. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "longmix/store.h"
#include "must.h"

static uint64_t pad8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

static void seal(uint8_t *p, uint64_t n) { lm_put64(p, lm_hash64(p + 8, n - 8)); }

/* Correct the checksums as far as the layout is readable (docs/format-store.md). */
static void repair(uint8_t *p, uint64_t size)
{
    if (size < 32 || lm_le64(p + 16) > size) return;
    uint64_t at = 32 + pad8(lm_le64(p + 16)), width = lm_le32(p + 12);
    if (at > size) return;
    lm_hasher *h = NULL;
    MUST(lm_hasher_new(&h) == 0);
    lm_hasher_add(h, p, 24);
    lm_hasher_add(h, p + 32, at - 32);
    lm_put64(p + 24, lm_hasher_digest(h));
    lm_hasher_free(h);
    while (size - at >= 32) {
        uint64_t tokens = lm_le64(p + at + 24), n = 0;
        if (!memcmp(p + at + 8, "INDX", 4)) break;
        if (!memcmp(p + at + 8, "FILE", 4)) n = 56;
        else if (!memcmp(p + at + 8, "BAD ", 4)) n = 40;
        else if (!memcmp(p + at + 8, "SHRD", 4)) n = 32;
        else if (!memcmp(p + at + 8, "CHNK", 4)) n = 48;
        else if (!memcmp(p + at + 8, "QUAR", 4)) n = 56 + pad8((uint64_t)lm_le32(p + at + 24) + 1);
        else if (tokens < size && width <= 4)
            n = (memcmp(p + at + 8, "PIEC", 4) ? 48 : 72) + pad8(tokens * width);
        if (n == 0 || n > size - at) return;
        seal(p + at, n);
        at += n;
    }
    if (size - at < 24) return;
    seal(p + at, 24);
    uint64_t left = lm_le64(p + at + 16);
    for (at += 24; left && left <= size;) {
        uint64_t n = left < 1024 ? left : 1024;
        if (n * 24 + 8 > size - at) return;
        lm_put64(p + at + n * 24, lm_hash64(p + at, n * 24));
        at += n * 24 + 8;
        left -= n;
    }
    if (size - at >= 64) seal(p + at, 64);
}

static int take_file(void *arg, const lm_file_end *f)
{
    (void)arg;
    MUST(!f->set_aside || (f->set_aside[0] && strlen(f->set_aside) <= LM_REASON_MAX));
    return 0;
}

static void by_index(const char *path, bool good, uint64_t documents, uint64_t tokens)
{
    lm_store *s = NULL;
    lm_buf b = LM_BUF_INIT(1 << 24);
    int rc = lm_store_open(&s, path);
    MUST(rc == 0 || !good);
    if (rc) return;
    MUST(!good || (lm_store_documents(s) == documents && lm_store_tokens(s) == tokens));
    MUST(lm_store_check(path, true) == 0 || !good);
    MUST(lm_store_files(s, take_file, NULL) == 0 || !good);
    for (uint64_t i = 0; i < lm_store_documents(s) && i < 64; i++) {
        lm_entry e;
        lm_record r;
        rc = lm_store_entries(s, i, 1, &e);
        if (!rc) lm_store_prefetch(s, &e);
        if (!rc) rc = lm_store_read(s, &e, &b, &r);
        MUST(rc == 0 || !good);
    }
    lm_buf_free(&b);
    lm_store_close(s);
}

static void in_order(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("store", 0);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    lm_stream *s = NULL;
    lm_record r;
    uint64_t documents = 0, tokens = 0, sum = 0;
    int rc = lm_stream_open(&s, path);
    if (!rc) {
        while ((rc = lm_stream_next(s, &r)) == 1) {
            if (r.kind != LM_REC_DOC) continue;
            documents++;
            tokens += r.doc.tokens;
            sum +=
                lm_hash64(r.tokens, r.doc.tokens * lm_stream_meta(s)->width); /* reads them all */
        }
        lm_stream_close(s);
    }
    MUST(rc <= 0 && sum + 1);
    by_index(path, rc == 0, documents, tokens);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    in_order(data, size);
    uint8_t *copy = malloc(size + 1);
    MUST(copy);
    memcpy(copy, data, size);
    repair(copy, size);
    in_order(copy, size);
    free(copy);
    return 0;
}
