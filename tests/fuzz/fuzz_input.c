/* fuzz_input.c -- a file, decompressed and cut into chunks: whatever it holds, its end or one error is
 * reached, in reads of any size, and the chunks are its lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "longmix/docs.h"
#include "must.h"

enum { MOST = 8 << 20 }; /* of decompressed bytes: a small input may stand for terabytes */

/* Read up to MOST bytes in reads of `step`: 0 at the end, 1 where there is more, or the error. */
static int slurp(const char *path, size_t step, lm_buf *out)
{
    lm_in *in = NULL;
    out->size = 0;
    int rc = lm_in_open(&in, path);
    while (!rc && out->size < MOST) {
        MUST(!lm_buf_reserve(out, step));
        ssize_t got = lm_in_read(in, out->data + out->size, step);
        MUST(got <= (ssize_t)step);
        if (got > 0) out->size += (size_t)got;
        if (got <= 0) {
            rc = (int)got;
            break;
        }
    }
    if (!rc && out->size >= MOST) rc = 1;
    lm_in_close(in);
    return rc;
}

static void cut(const char *path, const lm_buf *text)
{
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_chunk c = { 0 };
    MUST(!lm_in_open(&in, path) && !lm_chunker_new(&k, in));
    size_t at = text->size >= 3 && !memcmp(text->data, "\xef\xbb\xbf", 3) ? 3 : 0;
    uint64_t line = 1;
    int rc;
    while ((rc = lm_chunker_next(k, &c)) > 0) {
        MUST(c.offset == at && c.line == line && c.bytes.data[c.bytes.size - 1] == '\n');
        size_t n = c.bytes.size < text->size - at ? c.bytes.size : text->size - at;
        MUST(!memcmp(c.bytes.data, text->data + at, n) && n + 1 >= c.bytes.size);
        for (size_t i = 0; i < c.bytes.size; i++) line += c.bytes.data[i] == '\n';
        at += n;
    }
    MUST(rc < 0 ? at == 0 || at == 3 : at == text->size); /* an error: another format */
    lm_chunker_free(k);
    lm_buf_free(&c.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static lm_buf a = LM_BUF_INIT(2 * MOST), b = LM_BUF_INIT(2 * MOST);
    char path[40];
    int fd = memfd_create("input", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int rc = slurp(path, 64 << 10, &a);
    MUST(rc >= 0 || *lm_err());
    if (a.size < 4096) {
        int again = slurp(path, 1, &b);
        MUST(again == rc);
        if (!rc) MUST(a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size)));
    }
    if (rc == 0) cut(path, &a);
    close(fd);
    return 0;
}
