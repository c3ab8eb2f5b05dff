/* fuzz_tokenizer.c -- the first byte selects the kind of input: a text (with a vocabulary of the
 * LLaMA kind, the fast path, SIMD or not, must give SentencePiece's ids, whole and in two parts),
 * or a model file (the reader and the proof must accept any bytes). */
#include "lib/tokenizer/bpe/words.h"
#include "lib/tokenizer/sentencepiece/model.h"
#include "tokenizer_toy.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_model(const uint8_t *data, size_t size)
{
    lm_model m;
    lm_vocab v;
    char why[100];
    int rc = lm_model_read(&m, data, size, why, sizeof why);
    if (rc > 0 && lm_vocab_prove(&v, &m, why, sizeof why) > 0) {
        lm_words *w = NULL;
        lm_buf ids = LM_BUF_INIT(1 << 16);
        if (lm_words_new(&w, &v, v.pairs.narrow ? 2 : 4, LM_TOKENIZER_SMALL)) abort();
        if (lm_words_encode(w, (const unsigned char *)"the (abc  \n5 ab", 15, true, &ids)) abort();
        lm_words_free(w);
        lm_buf_free(&ids);
        lm_vocab_free(&v);
    }
    lm_model_free(&m);
}

static toy_pair pairs[3];

static void open_pairs(void)
{
    static const unsigned flags[] = { LM_TOKENIZER_SMALL, LM_TOKENIZER_SCALAR | LM_TOKENIZER_SMALL,
                                      0 };
    lm_buf model = LM_BUF_INIT(1 << 24);
    char path[] = "/tmp/fuzz_tokenizer.XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || close(fd)) abort();
    toy_llama(&model);
    toy_finish(&model, (toy_settings)TOY_PLAIN);
    toy_save(&model, path);
    lm_buf_free(&model);
    for (int i = 0; i < 3; i++)
        if (toy_open(&pairs[i], path, flags[i]) || lm_tokenizer_slow_reason(pairs[i].fast)) abort();
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!pairs[0].e) open_pairs();
    if (size == 0) return 0;
    if (data[0] == 'M') {
        try_model(data + 1, size - 1);
        return 0;
    }
    for (int i = 0; i < 3; i++)
        if (!toy_agrees(&pairs[i], data + 1, size - 1)) abort();
    return 0;
}
