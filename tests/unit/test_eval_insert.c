/* Insertion of the needle, on hand-made ids. */
#include "check.h"
#include "eval/tasks/insert.h"

static int32_t book_v[] = { 10, 11, 1, 12, 13, 14, 2, 15, 16, 17 }; /* 1 and 2 are full stops */
static int32_t stops_v[] = { 1, 2 };
static int32_t needle_v[] = { 90, 91 };
static const lm_ids book = { book_v, 10, 10 }, stops = { stops_v, 2, 2 };
static const lm_ids pin = { needle_v, 2, 2 };

static void test_place(void)
{
    CHECK_EQ(eval_insert_at(book_v, 10, 0, &stops), 0);
    CHECK_EQ(eval_insert_at(book_v, 10, 20, &stops), 0); /* 11 before it: back to the beginning */
    CHECK_EQ(eval_insert_at(book_v, 10, 30, &stops), 3); /* preceded by a stop already */
    CHECK_EQ(eval_insert_at(book_v, 10, 50, &stops), 3);
    CHECK_EQ(eval_insert_at(book_v, 10, 70, &stops), 7);
    CHECK_EQ(eval_insert_at(book_v, 10, 99, &stops), 7);
    CHECK_EQ(eval_insert_at(book_v, 10, 100, &stops), 10); /* the end, stop or not */
    CHECK_EQ(eval_insert_at(book_v, 6, 56, &stops), 3);    /* int(3.36) */
    CHECK_EQ(eval_insert_at(NULL, 0, 50, &stops), 0);
    /* int(100 * 0.29) is 28 in double arithmetic, as in Python. */
    int32_t all[100];
    for (int i = 0; i < 100; i++) all[i] = 1;
    CHECK_EQ(eval_insert_at(all, 100, 29, &stops), 28);
}

static void check_ids(const lm_ids *got, const int32_t *want, size_t n)
{
    CHECK_EQ(got->n, n);
    for (size_t i = 0; i < n && i < got->n; i++) CHECK_EQ(got->v[i], want[i]);
}

static void test_insert(void)
{
    lm_ids out = { 0 };
    size_t at = 99;
    CHECK_OK(eval_insert(&out, &book, &pin, 100, 50, &stops, &at));
    CHECK_EQ(at, 3);
    check_ids(&out, (int32_t[]){ 10, 11, 1, 90, 91, 12, 13, 14, 2, 15, 16, 17 }, 12);
    /* 12 ids fit into 12; 9 have space for seven of the book. */
    CHECK_OK(eval_insert(&out, &book, &pin, 12, 100, &stops, &at));
    check_ids(&out, (int32_t[]){ 10, 11, 1, 12, 13, 14, 2, 15, 16, 17, 90, 91 }, 12);
    CHECK_OK(eval_insert(&out, &book, &pin, 9, 100, &stops, &at));
    CHECK_EQ(at, 7);
    check_ids(&out, (int32_t[]){ 10, 11, 1, 12, 13, 14, 2, 90, 91 }, 9);
    CHECK_OK(eval_insert(&out, &book, &pin, 9, 70, &stops, &at)); /* of the seven: int(4.9), so 3 */
    check_ids(&out, (int32_t[]){ 10, 11, 1, 90, 91, 12, 13, 14, 2 }, 9);
    CHECK_OK(eval_insert(&out, &book, &pin, 2, 50, &stops, &at));
    check_ids(&out, needle_v, 2);
    CHECK(eval_insert(&out, &book, &pin, 1, 50, &stops, &at) == LM_EUSAGE);
    lm_ids_free(&out);
}

/* The ids that begin or are a full stop: in the vocabulary of tests/data its byte and its piece; in
 * LLaMA-2's those that the authors name. */
static void test_periods(const char *model, const int32_t *want, size_t n)
{
    lm_tokenizer *t = NULL;
    lm_ids out = { 0 };
    NEED(lm_tokenizer_open(&t, model, NULL, 0) == 0);
    CHECK_OK(eval_period_ids(t, &out));
    check_ids(&out, want, n);
    lm_ids_free(&out);
    lm_tokenizer_free(t);
}

int main(void)
{
    char path[4096];
    test_place();
    test_insert();
    test_periods(own_data(path, "tokenizer.model"), (int32_t[]){ 3 + 0x2e, 483 }, 2);
    if (real_data(path, "llama2/tokenizer.model"))
        test_periods(path, (int32_t[]){ 3 + 0x2e, 869, 29889 }, 3);
    CHECK_END();
}
