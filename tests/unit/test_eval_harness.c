/* The harness on a trained model: a prompt that shares its prefix with the previous one gives
 * results bit-identical to a full prefill, with any attention; conversion of texts and lists. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "eval/harness/harness.h"
#include "lib/base/rng.h"
#include "longmix/zio.h"
#include "train/import/llama2c.h"

enum { LONGEST = 1200, PROMPTS = 6 };

/* Make stories/: 0 from the model in tests/data, 1 from the published one; false if absent. */
static char note[400];

static bool import_model(int which)
{
    char model[4096], vocabulary[4096];
    if (which == 0) {
        own_data(model, "stories66K.bin");
        own_data(vocabulary, "tok512.bin");
    } else if (!real_data(model, "stories260K/stories260K.bin") ||
               !real_data(vocabulary, "stories260K/tok512.bin")) {
        return false;
    }
    NEED(tr_import_llama2c(model, vocabulary, "stories", note, sizeof note) == 0);
    return true;
}

static int no_write(void *arg, const void *p, size_t n)
{
    (void)arg, (void)p, (void)n;
    return LM_OK;
}

/* Prompts that diverge at many places, block boundaries and others; the last repeats the first. */
static size_t prompt(int which, int32_t *ids)
{
    static const size_t parts[PROMPTS] = { 0, 255, 256, 700, 1, 0 };
    static const size_t sizes[PROMPTS] = { 900, 1150, 600, 1200, 257, 900 };
    for (size_t i = 0; i < sizes[which]; i++) {
        bool own = i >= parts[which] && which && which < PROMPTS - 1;
        ids[i] = (int32_t)(3 + lm_hash4(own ? (uint64_t)which : 0, i, 0, 0) % 500);
    }
    return sizes[which];
}

static void read_all(bool share, backend *b, const char *attention, const char *scaling,
                     float *logits, size_t vocab, uint64_t *read)
{
    eval_context c = { .asking.share = share, .b = b, .name = "test", .sink = { no_write, NULL } };
    int32_t ids[LONGEST];
    c.model = (tr_infer_options){ .model = "stories", .attention = attention, .scaling = scaling };
    NEED(eval_begin(&c, LONGEST, lm_json_object()) == 0);
    for (int i = 0; i < PROMPTS; i++) {
        size_t n = prompt(i, ids);
        CHECK_OK(eval_use(&c, scaling ? n : LONGEST));
        CHECK_OK(eval_read(&c, ids, n, logits + (size_t)i * vocab));
    }
    CHECK(eval_read(&c, ids, LONGEST + 1, logits) == LM_EUSAGE);
    *read = c.evaluated;
    eval_close(&c);
}

static void test_sharing(void)
{
    static const char *const forms[][2] = {
        { NULL, NULL }, { "dca", NULL }, { "dca:64,32", NULL }, { "rope", "dynamic:4" }
    };
    enum { VOCAB = 512 };
    static float whole[PROMPTS * VOCAB], part[PROMPTS * VOCAB];
    backend *b = NULL;
    uint64_t all = 0, less = 0;
    NEED(bk_open(&b, "cpu", 2) == 0);
    for (size_t f = 0; f < 4; f++) {
        read_all(false, b, forms[f][0], forms[f][1], whole, VOCAB, &all);
        read_all(true, b, forms[f][0], forms[f][1], part, VOCAB, &less);
        CHECK(!memcmp(whole, part, sizeof whole));
        CHECK(!memcmp(whole, whole + (PROMPTS - 1) * VOCAB, VOCAB * sizeof *whole));
        CHECK_EQ(all, 900 + 1150 + 600 + 1200 + 257 + 900);
        /* If attention depends on the length, nothing is shared; otherwise 256 + 256 ids are:
         * prompts 2 and 3 have 255 and 256 ids in common with the previous ones. */
        CHECK(f == 3 ? less == all : less < all);
    }
    b->close(b);
}

static void test_answer(void)
{
    backend *b = NULL;
    NEED(bk_open(&b, "cpu", 1) == 0);
    eval_context c = { .b = b, .name = "test", .sink = { no_write, NULL } };
    lm_ids ask = { 0 }, answer = { 0 };
    lm_buf text = LM_BUF_INIT(1 << 16);
    c.model = (tr_infer_options){ .model = "stories" };
    NEED(eval_open_text(&c) == 0 && eval_begin(&c, 64, lm_json_object()) == 0);
    static const char once[] = "Once upon a";
    CHECK_OK(tr_text_encode(c.text, once, sizeof once - 1, true, &ask));
    CHECK_EQ(ask.v[0], 1); /* <s> */
    CHECK_OK(eval_answer(&c, &ask, 8, true, &answer));
    CHECK_EQ(answer.n, 8);
    CHECK_OK(tr_text_decode(c.text, answer.v, answer.n, &text));
    CHECK(strstr((char *)text.data, "time"));
    CHECK_EQ(strlen((char *)text.data), text.size);
    CHECK(eval_answer(&c, &ask, 64, true, &answer) == LM_EUSAGE); /* past the context */
    CHECK_OK(eval_answer(&c, &ask, 0, true, &answer));
    CHECK_EQ(answer.n, 0);
    lm_ids_free(&ask);
    lm_ids_free(&answer);
    lm_buf_free(&text);
    eval_close(&c);
    b->close(b);
}

static size_t ends[8], n_ends;
static int note_end(void *arg, const char *name, size_t end)
{
    (void)arg, (void)name;
    ends[n_ends++] = end;
    return LM_OK;
}

static void test_inputs(void)
{
    uint64_t *v = NULL, hash = 0, other = 0;
    double *d = NULL;
    size_t n = 0;
    CHECK_OK(eval_sizes("lengths", "512,1K,2Ki", 1, &v, &n));
    CHECK(n == 3 && v[0] == 512 && v[1] == 1000 && v[2] == 2048);
    free(v);
    static const char *const bad[] = { "",    ",",   "5,",   "5,5", "0",
                                       "5,4", "1.5", "5,,6", "-1",  "3000M" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(eval_sizes("lengths", bad[i], 1, &v, &n) == LM_EUSAGE);
    CHECK_OK(eval_depths("0,6.25,100", &d, &n));
    CHECK(n == 3 && d[1] == 6.25);
    free(d);
    static const char *const wrong[] = { "", "100.5", "5,5", "1e1", "-0", "." };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(eval_depths(wrong[i], &d, &n) == LM_EUSAGE);

    /* Files as given; of a directory its .txt, by name. */
    CHECK(mkdir("texts", 0777) == 0);
    CHECK_OK(lm_write_file("texts/b.txt", "two", 3));
    CHECK_OK(lm_write_file("texts/a.txt", "one", 3));
    CHECK_OK(lm_write_file("texts/c.md", "no", 2));
    CHECK_OK(lm_write_file("last", "!", 1));
    char texts[] = "texts", last[] = "last", absent[] = "absent";
    char *paths[] = { texts, last };
    cli_list list = { paths, 2 };
    lm_buf text = LM_BUF_INIT(1 << 20);
    CHECK_OK(eval_load_text(&list, &text, &hash, note_end, NULL));
    CHECK(text.size == 7 && !memcmp(text.data, "onetwo!", 7));
    CHECK(n_ends == 3 && ends[0] == 3 && ends[1] == 6 && ends[2] == 7);
    text.size = 0;
    list.n = 1;
    CHECK_OK(eval_load_text(&list, &text, &other, NULL, NULL));
    CHECK(hash != other);
    paths[0] = absent;
    CHECK(eval_load_text(&list, &text, NULL, NULL, NULL) == LM_EIO);
    lm_buf_free(&text);
}

int main(void)
{
    test_inputs();
    for (int which = 0; which < 2 && import_model(which); which++) {
        test_sharing();
        test_answer();
    }
    CHECK_END();
}
