#include "check.h"
#include "lib/base/endian.h"
#include "lib/base/ids.h"

static void integers(void)
{
    unsigned char b[9] = { 0 };
    for (int at = 0; at < 2; at++) { /* at any alignment */
        lm_put64(b + at, UINT64_C(0x0807060504030201));
        for (int i = 0; i < 8; i++) CHECK_EQ(b[at + i], i + 1);
        CHECK_EQ(lm_le16(b + at), 0x0201);
        CHECK_EQ(lm_le32(b + at), 0x04030201);
        CHECK_EQ(lm_le64(b + at), UINT64_C(0x0807060504030201));
    }
}

static void token_ids(void)
{
    static const unsigned char b[] = "?\1\0\0\0\xfe\xff\0\0\xef\xcd\xab\x89"; /* unaligned */
    CHECK_EQ(lm_id_at(b + 1, 0, 4), 1);
    CHECK_EQ(lm_id_at(b + 1, 2, 4), 0x89abcdef);
    CHECK_EQ(lm_id_at(b + 1, 0, 2), 1);
    CHECK_EQ(lm_id_at(b + 1, 2, 2), 0xfffe);
}

/* The largest id at each place of arrays of each length up to some vectors. */
static void largest_ids(void)
{
    enum { N = 70 };
    static uint16_t two[N];
    static uint32_t four[N];
    CHECK_EQ(lm_ids_max(two, 0, 2), 0);
    for (size_t n = 1; n <= N; n++) {
        CHECK_EQ(lm_ids_max(two, n, 2), 0);
        for (size_t i = 0; i < n; i++) {
            two[i] = 0xfffe;
            four[i] = 0x80000001; /* the largest as unsigned */
            if (n > 1) four[i ? 0 : 1] = 0x7fffffff;
            CHECK_EQ(lm_ids_max(two, n, 2), 0xfffe);
            CHECK_EQ(lm_ids_max(four, n, 4), 0x80000001);
            two[i] = 0;
            memset(four, 0, sizeof four);
        }
    }
}

int main(void)
{
    integers();
    token_ids();
    largest_ids();
    CHECK_END();
}
