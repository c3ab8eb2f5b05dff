/* The tokenizer of a model directory: ids and back, the checks that name the file, and the vector
 * of ids. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "longmix/zio.h"
#include "train/import/llama2c.h"
#include "train/infer/text.h"

static char note[400];

static void check_ids(void)
{
    static const unsigned char two[] = { 1, 0, 0xff, 0xff }, four[] = { 2, 0, 1, 0 };
    static const int32_t want[] = { 7, 1, 65535, 65538, 8 };
    unsigned char raw[4];
    lm_ids ids = { 0 };
    CHECK_OK(lm_ids_add(&ids, (const int32_t[]){ 7 }, 1));
    CHECK_OK(lm_ids_widen(&ids, two, 2, 2));
    CHECK_OK(lm_ids_widen(&ids, four, 1, 4));
    CHECK_OK(lm_ids_add(&ids, (const int32_t[]){ 8 }, 1));
    CHECK_OK(lm_ids_add(&ids, NULL, 0));
    NEED(ids.n == 5);
    CHECK(!memcmp(ids.v, want, sizeof want));
    lm_ids_narrow(raw, want + 1, 2, 2);
    CHECK(!memcmp(raw, two, sizeof two));
    lm_ids_narrow(raw, want + 3, 1, 4);
    CHECK(!memcmp(raw, four, sizeof four));
    /* Beyond the bound: refused, contents unchanged. */
    CHECK(lm_ids_reserve(&ids, LM_IDS_MAX - 4) == LM_ENOMEM);
    CHECK(lm_ids_reserve(&ids, SIZE_MAX) == LM_ENOMEM);
    CHECK(ids.n == 5 && !memcmp(ids.v, want, sizeof want));
    lm_ids_free(&ids);
    CHECK(!ids.v && !ids.n && !ids.room);
    lm_ids_free(&ids);
}

static void check_text(void)
{
    static const char once[] = "Once upon a time";
    tr_text *t = NULL;
    lm_ids ids = { 0 };
    lm_buf text = LM_BUF_INIT(1 << 16);
    NEED(tr_text_open(&t, "stories") == 0);
    const lm_tokenizer *k = tr_text_tokenizer(t);
    CHECK_EQ(lm_tokenizer_vocab(k), 512);
    CHECK_OK(tr_text_check(t, 512));
    CHECK(tr_text_check(t, 511) == LM_EDATA && strstr(lm_err(), "stories/tokenizer.model"));
    CHECK_OK(tr_text_encode(t, once, strlen(once), true, &ids));
    NEED(ids.n > 1);
    CHECK_EQ(ids.v[0], lm_tokenizer_bos(k));
    size_t n = ids.n;
    CHECK_OK(tr_text_encode(t, once, strlen(once), false, &ids));
    CHECK_EQ(ids.n, 2 * n - 1);
    CHECK(!memcmp(ids.v + 1, ids.v + n, (n - 1) * sizeof *ids.v));
    CHECK_OK(tr_text_encode(t, NULL, 0, true, &ids));
    CHECK_EQ(ids.n, 2 * n);
    CHECK_OK(tr_text_decode(t, ids.v, n, &text));
    CHECK_EQ(text.size, strlen(once));
    CHECK_STR((const char *)text.data, once);
    ids.v[1] = 512;
    CHECK(tr_text_decode(t, ids.v, n, &text) == LM_EDATA);
    lm_ids_free(&ids);
    lm_buf_free(&text);
    tr_text_close(t);
}

static void check_refusals(void)
{
    tr_text *t = NULL;
    char *far = malloc(5000);
    NEED(far && mkdir("bare", 0777) == 0);
    memset(far, 'd', 4999);
    far[4999] = 0;
    CHECK(tr_text_open(&t, "bare") == LM_EDATA && strstr(lm_err(), "bare: holds no tokenizer"));
    CHECK(tr_text_open(&t, "absent") == LM_EIO && !t);
    CHECK(tr_text_open(&t, far) == LM_EUSAGE && !t);
    NEED(lm_write_file("bare/tokenizer.model", "no model", 8) == 0);
    CHECK(tr_text_open(&t, "bare") == LM_EDATA && !t);
    CHECK(!tr_text_tokenizer(NULL) && tr_text_check(NULL, 0) == 0);
    tr_text_close(NULL);
    free(far);
}

int main(void)
{
    char model[4096], vocabulary[4096];
    own_data(model, "stories66K.bin");
    own_data(vocabulary, "tok512.bin");
    NEED(tr_import_llama2c(model, vocabulary, "stories", note, sizeof note) == 0);
    check_ids();
    check_text();
    check_refusals();
    CHECK_END();
}
