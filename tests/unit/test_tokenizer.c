/* The fast path compared with SentencePiece on small vocabularies made here: one of the LLaMA
 * kind, many random ones, and one modified for each condition that the proof must check. */
#include "check.h"
#include "tokenizer_toy.h"

#define PATH "toy.model"

static void finish_and_save(lm_buf *model)
{
    toy_finish(model, (toy_settings)TOY_PLAIN);
    toy_save(model, PATH);
}

static void check_texts(unsigned flags, uint64_t seed, unsigned texts, int want_fast)
{
    toy_pair p;
    toy_rng r = { seed, 0 };
    lm_buf text = LM_BUF_INIT(1 << 24);
    NEED(toy_open(&p, PATH, flags) == 0);
    CHECK((lm_tokenizer_slow_reason(p.fast) == NULL) == want_fast);
    for (unsigned i = 0; i < texts; i++) {
        text.size = 0;
        toy_text(&r, &text, toy_below(&r, 60), NULL, 0);
        CHECK(toy_agrees(&p, text.data, text.size));
    }
    lm_buf_free(&text);
    toy_close(&p);
}

/* Every byte, alone and in runs of one and a half keys: none may be mistaken for the end of a
 * word or an empty slot of the table. */
static void test_bytes(unsigned flags)
{
    static const size_t runs[] = { 1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 33 };
    toy_pair p;
    char text[40];
    NEED(toy_open(&p, PATH, flags) == 0);
    for (int twice = 0; twice < 2; twice++) {
        for (unsigned c = 0; c < 256; c++) {
            for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
                text[0] = 'a';
                memset(text + 1, (int)c, runs[i]);
                memcpy(text + 1 + runs[i], " a", 2);
                CHECK(toy_agrees(&p, text, runs[i] + 3));
                CHECK(toy_agrees(&p, text + 1, runs[i]));
            }
        }
    }
    toy_close(&p);
}

/* Parts that cannot be cut and are merged from left to right; the last is interrupted by a literal
 * U+2581 and starts again. */
static void test_long_parts(unsigned flags)
{
    static const char *const units[] = { "a", "the", " ", "abc", "=", "(" };
    toy_pair p;
    toy_rng r = { 8, 0 };
    lm_buf text = LM_BUF_INIT(1 << 24);
    NEED(toy_open(&p, PATH, flags) == 0);
    for (size_t i = 0; i < 9; i++) {
        text.size = 0;
        if (i % 2) NEED(lm_buf_add(&text, "x (", 3) == 0);
        for (unsigned k = 0; text.size < 150000; k++) {
            const char *unit = i < 6 ? units[i] : units[toy_below(&r, 2)];
            NEED(lm_buf_add(&text, unit, strlen(unit)) == 0);
            if (i == 8 && k == 60000) NEED(lm_buf_add(&text, "\xe2\x96\x81", 3) == 0);
        }
        CHECK(toy_agrees(&p, text.data, text.size));
    }
    lm_buf_free(&text);
    toy_close(&p);
}

static void test_facts(void)
{
    lm_buf model = LM_BUF_INIT(1 << 24), out = LM_BUF_INIT(1 << 20);
    lm_tokenizer *t = NULL;
    lm_encoder *e = NULL;
    toy_llama(&model);
    finish_and_save(&model);
    NEED(lm_tokenizer_open(&t, PATH, NULL, 0) == 0);
    NEED(lm_encoder_new(&e, t) == 0);
    CHECK_EQ(lm_tokenizer_width(t), 2);
    CHECK_EQ(lm_tokenizer_bos(t), 1);
    CHECK_EQ(lm_tokenizer_eos(t), 2);
    CHECK_STR(lm_tokenizer_piece(t, 1), "<s>");
    CHECK(lm_tokenizer_piece(t, lm_tokenizer_vocab(t)) == NULL);
    CHECK(lm_tokenizer_hash(t) != 0);
    CHECK(lm_tokenizer_slow_reason(t) == NULL);
    CHECK_OK(lm_encode(e, "", 0, &out));
    CHECK_EQ(out.size, 0);
    CHECK_OK(lm_encode(e, "the (abc", 8, &out));
    CHECK(out.size > 0 && out.size <= lm_encode_bound(t, 8));
    size_t ids = out.size;
    lm_buf text = LM_BUF_INIT(1 << 20);
    CHECK_OK(lm_decode(t, out.data, out.size / 2, &text));
    CHECK(text.size == 8 && !memcmp(text.data, "the (abc", 8));
    uint16_t bad = (uint16_t)lm_tokenizer_vocab(t);
    CHECK(lm_decode(t, &bad, 1, &text) == LM_EDATA);
    CHECK_EQ(text.size, 8);
    /* A buffer that may not grow: an error, and its contents are unchanged. */
    lm_buf small = LM_BUF_INIT(8);
    CHECK_OK(lm_buf_add(&small, "keep", 4));
    CHECK(lm_encode(e, "the (abc", 8, &small) == LM_ENOMEM);
    CHECK(small.size == 4 && !memcmp(small.data, "keep", 4));
    /* Ids are appended. */
    CHECK_OK(lm_encode(e, "the (abc", 8, &out));
    CHECK_EQ(out.size, 2 * ids);
    CHECK(!memcmp(out.data, out.data + ids, ids));
    lm_buf_free(&small);
    lm_buf_free(&text);
    lm_buf_free(&out);
    lm_buf_free(&model);
    lm_encoder_free(e);
    lm_tokenizer_free(t);
}

static void test_no_model(void)
{
    lm_tokenizer *t = NULL;
    CHECK(lm_tokenizer_open(&t, "absent.model", NULL, 0) == LM_EIO);
    CHECK(strstr(lm_err(), "absent.model") != NULL);
    lm_buf junk = LM_BUF_INIT(64);
    CHECK_OK(lm_buf_add(&junk, "this is no model", 16));
    toy_save(&junk, "junk.model");
    CHECK(lm_tokenizer_open(&t, "junk.model", NULL, 0) == LM_EDATA);
    CHECK(strstr(lm_err(), "junk.model") != NULL);
    CHECK(t == NULL);
    lm_buf_free(&junk);
    lm_tokenizer_free(NULL);
    lm_encoder_free(NULL);
}

/* A vocabulary of random pieces over a few characters, with scores that are often equal. Few
 * resemble trained ones: merges that never happen, pieces with a space inside, runs
 * of spaces of any score. */
static void random_model(toy_rng *r, lm_buf *model)
{
    static const char *const alphabet[] = { SPACE_MARK,
                                            "a",
                                            "b",
                                            "c",
                                            "T",
                                            "(",
                                            ".",
                                            "\r",
                                            "1",
                                            "2",
                                            "\n",
                                            "\t",
                                            "\xc3\xa9",
                                            "\xe4\xb8\xad",
                                            "\xf0\x9f\x98\x80" };
    uint32_t letters = 3 + toy_below(r, 13), unions = toy_below(r, 60),
             scores = 1 + toy_below(r, 60);
    if (letters > 15) letters = 15;
    int plain = (int)toy_below(r, 2); /* a space only in front */
    char seen[64][64];
    uint32_t count = 0;
    toy_begin(model, 1);
    for (uint32_t i = 0; i < letters; i++)
        toy_normal(model, alphabet[i], -1000 - (float)toy_below(r, 5));
    for (uint32_t i = 0; i < unions; i++) {
        char text[64] = "";
        uint32_t n = 2 + toy_below(r, 4), k = 0;
        if (toy_below(r, 5) == 0) {
            toy_run(text, n);
        } else {
            for (; n > 0; n--)
                strcat(text, alphabet[plain && *text ? 1 + toy_below(r, letters - 1)
                                                     : toy_below(r, letters)]);
        }
        while (k < count && strcmp(seen[k], text)) k++;
        if (k < count) continue;
        strcpy(seen[count++], text);
        toy_normal(model, text, -(float)toy_below(r, scores));
    }
}

static void test_random_models(void)
{
    unsigned fast = 0;
    for (uint64_t seed = 0; seed < 150; seed++) {
        lm_buf model = LM_BUF_INIT(1 << 24), text = LM_BUF_INIT(1 << 20);
        toy_rng r = { seed, 0 };
        toy_pair p;
        toy_settings s = TOY_PLAIN;
        random_model(&r, &model);
        s.prefix = seed % 3 != 0;
        toy_finish(&model, s);
        toy_save(&model, PATH);
        NEED(toy_open(&p, PATH,
                      seed % 4 == 1   ? LM_TOKENIZER_SCALAR
                      : seed % 4 == 2 ? LM_TOKENIZER_SMALL
                                      : 0) == 0);
        fast += lm_tokenizer_slow_reason(p.fast) == NULL;
        for (unsigned i = 0; i < 40; i++) {
            static const char *const words[] = { " ab", "abc", "a",    "b",   " a", "ca",
                                                 " T",  "(.",  "ba  ", "cab", "12", "1" };
            text.size = 0;
            toy_text(&r, &text, toy_below(&r, 40), words, sizeof words / sizeof *words);
            CHECK(toy_agrees(&p, text.data, text.size));
        }
        lm_buf_free(&model);
        lm_buf_free(&text);
        toy_close(&p);
    }
    CHECK_EQ(fast, 150);
}

/* A vocabulary of the LLaMA kind with one change: is the fast path refused, with a reason that
 * contains `reason`, and are the ids SentencePiece's? NULL: it is not refused. */
static void check_doctored(lm_buf *model, toy_settings s, const char *reason)
{
    lm_tokenizer *t = NULL;
    toy_finish(model, s);
    toy_save(model, PATH);
    NEED(lm_tokenizer_open(&t, PATH, NULL, 0) == 0);
    const char *why = lm_tokenizer_slow_reason(t);
    if (reason && (!why || !strstr(why, reason)))
        fprintf(stderr, "  not \"%s\" but \"%s\"\n", reason, why ? why : "none");
    CHECK(reason ? why && strstr(why, reason) : !why);
    lm_tokenizer_free(t);
    check_texts(0, 7, 60, !reason);
    lm_buf_free(model);
}

static void test_doctored(void)
{
    const toy_settings plain = TOY_PLAIN;
    toy_settings s = plain;
    lm_buf m = LM_BUF_INIT(1 << 24);
    char text[1100];

    toy_llama(&m);
    check_doctored(&m, plain, NULL);
    /* Changes that move a cut, and are still proven. */
    toy_llama(&m), toy_normal(&m, "a" SPACE_MARK "b", -3);
    check_doctored(&m, plain, NULL);
    toy_llama(&m), toy_normal(&m, "a(", -3.5f);
    check_doctored(&m, plain, NULL);
    toy_llama(&m), toy_normal(&m, "20", -3.5f), toy_normal(&m, SPACE_MARK "7", -3.25f);
    check_doctored(&m, plain, NULL);
    toy_llama(&m), toy_run(text, 17), toy_normal(&m, text, -2.5f);
    check_doctored(&m, plain, NULL);
    toy_llama(&m), toy_run(text, 20), toy_normal(&m, text, -1e9f);
    check_doctored(&m, plain, NULL);
    toy_llama(&m), toy_normal(&m, SPACE_MARK SPACE_MARK "a", -1);
    check_doctored(&m, plain, NULL);
    toy_llama(&m), toy_normal(&m, "worse than runs", -2e9f), toy_normal(&m, "xx", -2e9f);
    check_doctored(&m, plain, NULL);
    s.prefix = 0;
    toy_llama(&m);
    check_doctored(&m, s, NULL);

    /* Changes that need SentencePiece itself. */
    s = plain, s.model_type = 1;
    toy_llama(&m);
    check_doctored(&m, s, "not BPE");
    s = plain, s.squeeze = 1;
    toy_llama(&m);
    check_doctored(&m, s, "extra spaces");
    s = plain, s.escape = 0;
    toy_llama(&m);
    check_doctored(&m, s, "U+2581");
    s = plain, s.suffix = 1;
    toy_llama(&m);
    check_doctored(&m, s, "end of words");
    s = plain, s.byte_fallback = 0;
    toy_begin(&m, 0), toy_normal(&m, "a", -1), toy_normal(&m, SPACE_MARK, -2);
    check_doctored(&m, s, "no bytes");
    toy_llama(&m), toy_piece(&m, "the", 3, 0, TOY_USER);
    check_doctored(&m, plain, "user defined");
    toy_llama(&m), toy_piece(&m, "ther", 4, -2, TOY_UNUSED);
    check_doctored(&m, plain, "plain type");
    toy_llama(&m), toy_piece(&m, "\xff\xfe", 2, -2, TOY_NORMAL);
    check_doctored(&m, plain, "not UTF-8");
    toy_llama(&m), toy_normal(&m, "aQ", -2);
    check_doctored(&m, plain, "no piece");
    toy_llama(&m), toy_normal(&m, "</s>", -2);
    check_doctored(&m, plain, "twice");
    toy_llama(&m), toy_piece(&m, "~", 1, 0, TOY_UNUSED);
    check_doctored(&m, plain, "plain type");
    memset(text, 'a', 300), text[300] = '\0';
    toy_llama(&m), toy_normal(&m, text, -2);
    check_doctored(&m, plain, "256 characters");
    toy_begin(&m, 1), toy_normal(&m, "a", -1);
    check_doctored(&m, plain, "U+2581 is no piece");
    /* A NaN score has no order: ids are not compared, SentencePiece's own order
     * is undefined. */
    toy_llama(&m), toy_normal(&m, "zz", __builtin_nanf(""));
    toy_finish(&m, plain), toy_save(&m, PATH), lm_buf_free(&m);
    lm_tokenizer *t = NULL;
    NEED(lm_tokenizer_open(&t, PATH, NULL, 0) == 0);
    CHECK(lm_tokenizer_slow_reason(t) && strstr(lm_tokenizer_slow_reason(t), "no score"));
    lm_tokenizer_free(t);
    /* Requested by an option. */
    toy_llama(&m), toy_finish(&m, plain), toy_save(&m, PATH), lm_buf_free(&m);
    check_texts(LM_TOKENIZER_REFERENCE, 1, 10, 0);
}

/* The last field of a number counts, as in protocol buffers. */
static void test_repeated_fields(void)
{
    lm_buf m = LM_BUF_INIT(1 << 24);
    toy_settings first = TOY_PLAIN;
    toy_llama(&m);
    toy_finish(&m, first);
    first.squeeze = 1;
    check_doctored(&m, first, "extra spaces");
    toy_llama(&m);
    toy_finish(&m, first);
    first.squeeze = 0;
    check_doctored(&m, first, NULL);
    /* Known fields of another wire type: SentencePiece treats them as unknown. */
    toy_llama(&m);
    toy_number(&m, 3, 1);
    check_doctored(&m, first, "wire type");
}

/* More than 65,536 ids: four bytes each, and no 16-bit ranks. */
static void test_wide(void)
{
    lm_buf m = LM_BUF_INIT(1 << 26);
    char text[8] = "";
    toy_llama(&m);
    for (unsigned i = 0; i < 66000; i++) {
        text[0] = (char)('a' + i % 26), text[1] = (char)('a' + i / 26 % 26);
        text[2] = (char)('a' + i / 676 % 26), text[3] = (char)('A' + i / 17576), text[4] = '\0';
        toy_normal(&m, text, -100 - (float)i);
    }
    toy_normal(&m, "caA", -90), toy_normal(&m, "ca", -80), toy_normal(&m, SPACE_MARK "baaA", -79);
    finish_and_save(&m);
    lm_buf_free(&m);
    lm_tokenizer *t = NULL;
    NEED(lm_tokenizer_open(&t, PATH, NULL, 0) == 0);
    CHECK_EQ(lm_tokenizer_width(t), 4);
    CHECK(lm_tokenizer_slow_reason(t) == NULL);
    lm_tokenizer_free(t);
    check_texts(0, 3, 100, 1);
}

int main(void)
{
    lm_buf model = LM_BUF_INIT(1 << 24);
    test_facts();
    test_no_model();
    toy_llama(&model);
    finish_and_save(&model);
    lm_buf_free(&model);
    check_texts(0, 1, 400, 1);
    check_texts(LM_TOKENIZER_SCALAR, 2, 200, 1);
    check_texts(LM_TOKENIZER_SMALL, 3, 200, 1);
    check_texts(LM_TOKENIZER_SMALL | LM_TOKENIZER_SCALAR, 4, 200, 1);
    test_long_parts(0);
    test_long_parts(LM_TOKENIZER_SMALL);
    test_bytes(0);
    test_bytes(LM_TOKENIZER_SCALAR);
    test_random_models();
    test_doctored();
    test_repeated_fields();
    test_wide();
    CHECK_END();
}
