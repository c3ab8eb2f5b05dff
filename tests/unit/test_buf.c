#include "check.h"
#include "longmix/buf.h"

static void grows_and_keeps(void)
{
    lm_buf b = LM_BUF_INIT(1 << 20);
    for (unsigned i = 0; i < 10000; i++) {
        unsigned char c = (unsigned char)(i * 7);
        CHECK_OK(lm_buf_add(&b, &c, 1));
    }
    CHECK_EQ(b.size, 10000);
    int same = 1;
    for (unsigned i = 0; i < 10000; i++) same &= b.data[i] == (unsigned char)(i * 7);
    CHECK(same);
    CHECK_OK(lm_buf_add(&b, NULL, 0));
    size_t cap = b.cap;
    lm_buf_reset(&b, cap);
    CHECK(b.size == 0 && b.cap == cap);
    lm_buf_reset(&b, cap - 1);
    CHECK(b.size == 0 && b.cap == 0 && b.data == NULL);
    CHECK_OK(lm_buf_add(&b, "again", 5));
    CHECK(!memcmp(b.data, "again", 5));
    lm_buf_free(&b);
    CHECK(b.data == NULL && b.cap == 0);
}

static void stops_at_its_bound(void)
{
    lm_buf b = LM_BUF_INIT(100);
    unsigned char x[101] = { 0 };
    CHECK_OK(lm_buf_add(&b, x, 100));
    CHECK(lm_buf_add(&b, x, 1) == LM_ENOMEM);
    CHECK(b.size == 100 && b.cap == 100);
    CHECK(strstr(lm_err(), "100 bytes") != NULL);
    lm_buf_free(&b);
    CHECK(lm_buf_add(&b, x, 101) == LM_ENOMEM);
    CHECK(lm_buf_reserve(&b, SIZE_MAX) == LM_ENOMEM);
    CHECK_OK(lm_buf_reserve(&b, 1));
    CHECK(b.cap <= 100 && b.size == 0);
    b.size = 1;
    CHECK(lm_buf_reserve(&b, SIZE_MAX) == LM_ENOMEM);
    lm_buf_free(&b);
    lm_buf none = { NULL, 0, 0, 0 };
    CHECK(lm_buf_add(&none, x, 1) == LM_ENOMEM);
    lm_buf_free(&none);
}

static void prints(void)
{
    lm_buf b = LM_BUF_INIT(16);
    CHECK_OK(lm_buf_printf(&b, "%d-%s", 12, "ab"));
    CHECK_OK(lm_buf_printf(&b, "%s", ""));
    CHECK_EQ(b.size, 5);
    CHECK_STR((char *)b.data, "12-ab");
    CHECK(lm_buf_printf(&b, "%020d", 1) == LM_ENOMEM);
    CHECK_EQ(b.size, 5);
    lm_buf_free(&b);
}

static void arrays_grow(void)
{
    size_t cap = 0, step[] = { 16, 32, 40 };
    int *p = NULL;
    for (int i = 0; i < 3; i++) {
        int *more = lm_grow(p, &cap, sizeof *p, 40);
        NEED(more);
        p = more;
        CHECK_EQ(cap, step[i]);
        if (i) CHECK_EQ(p[15], 15);
        p[cap - 1] = 1;
        p[15] = 15;
    }
    CHECK(!lm_grow(p, &cap, sizeof *p, 40));
    CHECK_STR(lm_err(), "more than 40 elements");
    CHECK_EQ(cap, 40);
    free(p);
    cap = 0;
    p = lm_grow(NULL, &cap, sizeof *p, 3);
    CHECK(p && cap == 3);
    free(p);
    cap = SIZE_MAX / 4;
    CHECK(!lm_grow(NULL, &cap, 8, SIZE_MAX) && cap == SIZE_MAX / 4);
}

int main(void)
{
    arrays_grow();
    grows_and_keeps();
    stops_at_its_bound();
    prints();
    CHECK_END();
}
