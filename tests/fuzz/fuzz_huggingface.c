/* fuzz_huggingface.c -- a tokenizer.json, a zero byte and a text: any bytes are accepted or refused as a file, and where
 * a file opens, every way of encoding gives the ids of the reference, which decode. */
#include <string.h>
#include <unistd.h>

#include "longmix/tokenizer.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/fuzz_huggingface.XXXXXX";

static void remove_model(void) { unlink(path); }

static void write_model(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0) MUST((fd = mkstemp(path)) >= 0 && !atexit(remove_model));
    MUST(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
}

/* The ids of a text, whole or in slices. */
static void encode(lm_encoder *e, const char *text, size_t n, bool slices, lm_buf *ids)
{
    size_t used = n;
    ids->size = 0;
    if (!slices) MUST(!lm_encode(e, text, n, ids));
    for (size_t at = 0; slices && at < n; at += used)
        MUST(!lm_encode_some(e, text + at, n - at, !at, ids, &used) && used && used <= n - at);
}

static void same(const lm_buf *a, const lm_buf *b)
{
    MUST(a->size == b->size && (!a->size || !memcmp(a->data, b->data, a->size)));
}

static void compare(const lm_tokenizer *t, const lm_tokenizer *reference, const char *text,
                    size_t n, bool parse)
{
    lm_buf want = LM_BUF_INIT((size_t)1 << 26), ids = LM_BUF_INIT((size_t)1 << 26);
    lm_encoder *e, *r;
    MUST(!lm_encoder_new(&e, t) && !lm_encoder_new(&r, reference));
    lm_encoder_parse_special(e, parse);
    lm_encoder_parse_special(r, parse);
    encode(r, text, n, false, &want);
    for (int slices = 0; slices < 2; slices++) {
        encode(e, text, n, slices, &ids);
        same(&want, &ids);
    }
    MUST(want.size <= lm_encode_bound(t, n));
    ids.size = 0;
    MUST(!lm_decode(t, want.data, want.size / lm_tokenizer_width(t), &ids));
    lm_encoder_free(e);
    lm_encoder_free(r);
    lm_buf_free(&want);
    lm_buf_free(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned flags[] = { LM_TOKENIZER_SMALL,
                                      LM_TOKENIZER_SCALAR | LM_TOKENIZER_SMALL };
    lm_tokenizer *reference = NULL, *t = NULL;
    const uint8_t *end = memchr(data, 0, size);
    size_t model = end ? (size_t)(end - data) : size;
    const char *text = end ? (const char *)end + 1 : "";
    size_t n = end ? size - model - 1 : 0;
    if (model < 2 || data[0] != '{') return 0;
    write_model(data, model);
    int rc = lm_tokenizer_open(&reference, path, NULL, LM_TOKENIZER_REFERENCE);
    MUST(rc == 0 || rc == LM_EDATA || rc == LM_EUSAGE || rc == LM_ENOMEM);
    for (int i = 0; !rc && i < 2; i++) {
        MUST(!lm_tokenizer_open(&t, path, NULL, flags[i]));
        compare(t, reference, text, n, false);
        compare(t, reference, text, n, true);
        lm_tokenizer_free(t);
    }
    lm_tokenizer_free(reference);
    return 0;
}
