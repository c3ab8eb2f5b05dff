/* ids.c -- the ids of a tokenizer, for ranks.py and huggingface.py.
 *
 * usage: ids FILE keep|parse [reference|scalar|small]
 * Texts are read from standard input, each after its length (32 bits). Of each, the number of its ids and the ids (32
 * bits each) are written; 0xffffffff where it is refused. What was found goes to standard error. */
#include <string.h>
#include <time.h>

#include "lib/tokenizer/ids.h"
#include "longmix/tokenizer.h"
#include "tests/parity/texts.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void put_ids(lm_encoder *e, const lm_tokenizer *t, const lm_buf *text, lm_buf *out)
{
    uint32_t count = UINT32_MAX, id;
    out->size = 0;
    int rc = lm_encode(e, (const char *)text->data, text->size, out);
    if (!rc) count = (uint32_t)(out->size / lm_tokenizer_width(t));
    put(&count, sizeof count);
    for (uint32_t i = 0; !rc && i < count; i++) {
        id = lm_get_id(out->data + i * lm_tokenizer_width(t), lm_tokenizer_width(t));
        put(&id, sizeof id);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 3 ? argv[3] : "";
    lm_tokenizer *t;
    lm_encoder *e;
    lm_buf text = LM_BUF_INIT((size_t)1 << 32), out = LM_BUF_INIT((size_t)1 << 34);
    double start = now();
    need(argc > 2);
    need(!lm_tokenizer_open(&t, argv[1], NULL,
                            !strcmp(how, "reference") ? LM_TOKENIZER_REFERENCE
                            : !strcmp(how, "scalar")  ? LM_TOKENIZER_SCALAR
                            : !strcmp(how, "small")   ? LM_TOKENIZER_SMALL
                                                      : 0));
    const char *slow = lm_tokenizer_slow_reason(t);
    fprintf(stderr, "%s, %u ids, opened in %.3f s%s%s\n", lm_tokenizer_format(t),
            lm_tokenizer_vocab(t), now() - start, slow ? "; slow: " : "", slow ? slow : "");
    need(!lm_encoder_new(&e, t));
    lm_encoder_parse_special(e, !strcmp(argv[2], "parse"));
    while (next_text(&text)) put_ids(e, t, &text, &out);
    lm_encoder_free(e);
    lm_tokenizer_free(t);
    lm_buf_free(&text);
    lm_buf_free(&out);
    return fflush(stdout) ? 1 : 0;
}
