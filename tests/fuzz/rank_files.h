/* rank_files.h -- what fuzz_tiktoken and fuzz_tekken share: open a file of any bytes, and where it is a
 * tokenizer compare its encoders. */
#ifndef LM_FUZZ_RANK_FILES_H
#define LM_FUZZ_RANK_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "longmix/tokenizer.h"
#include "must.h"

static inline void encode_with(const lm_tokenizer *t, bool parse, bool slices, const char *text,
                               size_t n, lm_buf *out)
{
    lm_encoder *e;
    size_t used = 0;
    MUST(lm_encoder_new(&e, t) == 0);
    lm_encoder_parse_special(e, parse);
    if (!slices) MUST(lm_encode(e, text, n, out) == 0);
    for (size_t at = 0; slices && at < n; at += used)
        MUST(lm_encode_some(e, text + at, n - at, !at, out, &used) == 0 && used);
    lm_encoder_free(e);
}

static inline bool is_utf8(const char *text, size_t n)
{
    uint32_t c;
    for (size_t i = 0, k; i < n; i += k)
        if (!(k = lm_utf8_decode((const unsigned char *)text + i, n - i, &c))) return false;
    return true;
}

/* What an input tries, spread over its bytes: a number below `of`, another for each `salt`. */
static inline unsigned choice(const uint8_t *data, size_t n, unsigned salt, unsigned of)
{
    uint32_t h = 2166136261u + salt; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ data[i]) * 16777619u;
    return (h ^ h >> 15) % of;
}

/* The ids of the fast path are those of small tables in slices, or of the reference. Opening is most of
 * the time, so one input compares with one of them. */
static inline void compare_encoders(const lm_tokenizer *t, bool reference, const char *text,
                                    size_t n)
{
    lm_tokenizer *other;
    MUST(lm_tokenizer_open_again(&other, t,
                                 reference ? LM_TOKENIZER_REFERENCE
                                           : LM_TOKENIZER_SMALL | LM_TOKENIZER_SCALAR) == 0);
    MUST(lm_tokenizer_hash(other) == lm_tokenizer_hash(t));
    for (unsigned parse = 0; parse < 2; parse++) {
        lm_buf want = LM_BUF_INIT(lm_encode_bound(t, n)), back = LM_BUF_INIT((size_t)1 << 30);
        lm_buf got = LM_BUF_INIT((size_t)1 << 30);
        encode_with(t, parse, false, text, n, &want);
        encode_with(other, parse, !reference, text, n, &got);
        MUST(got.size == want.size && (!n || !memcmp(got.data, want.data, got.size)));
        MUST(lm_decode(t, want.data, want.size / lm_tokenizer_width(t), &back) == 0);
        lm_buf_free(&want);
        lm_buf_free(&got);
        lm_buf_free(&back);
    }
    lm_tokenizer_free(other);
}

/* The file is `head` and n bytes of data; the text is the first of those. */
static inline void try_file(const lm_buf *head, const uint8_t *data, size_t n, const char *pattern,
                            bool reference)
{
    char path[40];
    lm_tokenizer *t = NULL;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(fd >= 0);
    MUST(!head->size || write(fd, head->data, head->size) == (ssize_t)head->size);
    MUST(!n || write(fd, data, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int rc = lm_tokenizer_open(&t, path, pattern, 0);
    MUST(rc == 0 || rc == LM_EDATA || rc == LM_EUSAGE);
    if (rc) {
        MUST(!t && *lm_err());
    } else {
        size_t size = n < 500 ? n : 500;
        if (is_utf8((const char *)data, size))
            compare_encoders(t, reference, (const char *)data, size);
    }
    lm_tokenizer_free(t);
    close(fd);
}

#endif
