#include "check.h"
#include "lib/base/endian.h"

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

int main(void)
{
    integers();
    token_ids();
    CHECK_END();
}
