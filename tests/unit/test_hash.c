#include "check.h"
#include "lib/base/hash.h"

/* XXH3-64 with seed 0 is normative: every store contains such values. */
static void known_values(void)
{
    CHECK_EQ(lm_hash64(NULL, 0), 0x2d06800538d394c2ull);
    CHECK_EQ(lm_hash64("a", 1), 0xe6c632b61e964e1full);
    CHECK_EQ(lm_hash64("abc", 3), 0x78af5f94892f3950ull);
}

static void fill(unsigned char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) data[i] = (unsigned char)(i * i >> 3);
}

/* Past 240 bytes the library's loops differ by processor. */
static void long_values(void)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } known[] = {
        { 240, 0xda6c6505865dda4dull },  { 241, 0xf56317f96d46b5b0ull },
        { 1024, 0xfe3cd84c9e97a5adull }, { 1025, 0x881819e841095f20ull },
        { 5000, 0xdd9891de816b182full },
    };
    unsigned char data[5000];
    fill(data, sizeof data);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK_EQ(lm_hash64(data, known[i].n), known[i].hash);
}

static void pieces_equal_whole(void)
{
    unsigned char data[5000];
    fill(data, sizeof data);
    lm_hasher *h = NULL;
    NEED(!lm_hasher_new(&h));
    CHECK_EQ(lm_hasher_digest(h), lm_hash64(NULL, 0));
    for (size_t step = 1; step < sizeof data; step = step * 3 + 1) {
        lm_hasher_reset(h);
        for (size_t at = 0; at < sizeof data; at += step)
            lm_hasher_add(h, data + at, sizeof data - at < step ? sizeof data - at : step);
        lm_hasher_add(h, NULL, 0);
        CHECK_EQ(lm_hasher_digest(h), lm_hash64(data, sizeof data));
    }
    lm_hasher_free(h);
    lm_hasher_free(NULL);
}

static void hexadecimal(void)
{
    static const uint64_t values[] = { 0, 1, 0x0123456789abcdefull, UINT64_MAX };
    char s[17];
    uint64_t v = 5;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        lm_hex64(s, values[i]);
        CHECK_EQ(strlen(s), 16);
        CHECK_OK(lm_unhex64(s, &v));
        CHECK_EQ(v, values[i]);
    }
    lm_hex64(s, 0xabcull);
    CHECK_STR(s, "0000000000000abc");
    CHECK(!lm_unhex64("0xff", &v) && v == 255);
    static const char *const bad[] = { "", "0x", "g", "12345678901234567", " 1", "1 ", "-1", "FF" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(lm_unhex64(bad[i], &v) == LM_EDATA);
    CHECK_EQ(v, 255);
}

int main(void)
{
    known_values();
    long_values();
    pieces_equal_whole();
    hexadecimal();
    CHECK_END();
}
