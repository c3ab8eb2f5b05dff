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
    static const uint32_t ids[3] = { 1, 0xfffe, 0x89abcdef };
    unsigned char b[16];
    uint32_t back[3];
    memset(b, 0x55, sizeof b);
    lm_ids_narrow(b + 1, ids, 3, 4);
    CHECK(!memcmp(b + 1, "\1\0\0\0\xfe\xff\0\0\xef\xcd\xab\x89", 12));
    CHECK(b[0] == 0x55 && b[13] == 0x55);
    lm_ids_widen(back, b + 1, 3, 4);
    CHECK(!memcmp(back, ids, sizeof ids));
    memset(b, 0x55, sizeof b);
    lm_ids_narrow(b + 1, ids, 2, 2);
    CHECK(!memcmp(b + 1, "\1\0\xfe\xff\x55", 5));
    lm_ids_widen(back, b + 1, 2, 2);
    CHECK(back[0] == 1 && back[1] == 0xfffe && back[2] == ids[2]);
    lm_ids_widen(back, b, 0, 2);
    CHECK(back[0] == 1);
}

int main(void)
{
    integers();
    token_ids();
    CHECK_END();
}
