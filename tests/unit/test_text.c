#include "check.h"
#include "lib/base/text.h"

/* The length and the code point by definition; 0 if it is not a character. */
static size_t by_definition(const unsigned char *s, size_t n, unsigned *code)
{
    *code = s[0];
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = s[0] < 0x80       ? 1
                 : s[0] >> 5 == 6  ? 2
                 : s[0] >> 4 == 14 ? 3
                 : s[0] >> 3 == 30 ? 4
                                   : 0;
    if (len < 2) return len;
    unsigned c = s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (i >= n || s[i] >> 6 != 2) return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    *code = c;
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

static void strings(void)
{
    CHECK(lm_has_suffix("a.zst", ".zst") && lm_has_suffix("a.b.gz", ".gz"));
    CHECK(!lm_has_suffix(".zst", ".zst") && !lm_has_suffix("zst", ".zst"));
    CHECK(!lm_has_suffix("a.zst.b", ".zst"));
    CHECK(lm_is_blank("", 0) && lm_is_blank(" \t\r\n", 4));
    CHECK(!lm_is_blank(" x", 2) && !lm_is_blank("\0", 1) && lm_is_blank(" x", 1));
    const char *names[] = { "b", "a\xff", "a", "B" };
    qsort(names, 4, sizeof *names, lm_by_name);
    CHECK_STR(names[0], "B");
    CHECK_STR(names[1], "a");
    CHECK_STR(names[2], "a\xff");
}

static void printable_is(const char *s, bool lines, const char *want)
{
    char out[256];
    size_t n = lm_printable(out, sizeof out, &s, lines);
    CHECK_STR(out, want);
    CHECK_EQ(n, strlen(want));
    CHECK(!*s);
}

static void terminals(void)
{
    printable_is("", false, "");
    printable_is("caf\u00e9 \u65e5 \U0001F600 a\\b", false, "caf\u00e9 \u65e5 \U0001F600 a\\b");
    printable_is("a\x1b[31mb\rc\x7f\x01", false, "a\\x1b[31mb\\x0dc\\x7f\\x01");
    printable_is("a\n\tb", false, "a\\n\\tb");
    printable_is("a\n\tb", true, "a\n\\tb");
    printable_is("\xc2\x9b"
                 "1m \u202e \u2066 \u061c",
                 false, "\\u009b1m \\u202e \\u2066 \\u061c");
    printable_is("\xff\xc3 \xe6\x97", false, "\\xff\\xc3 \\xe6\\x97");
    /* Where there is too little room, the rest is left, and no sequence is cut. */
    const char *s = "abcdefghijklm\x1b"
                    "z";
    char out[16];
    CHECK_EQ(lm_printable(out, sizeof out, &s, false), 13);
    CHECK_STR(out, "abcdefghijklm");
    CHECK_EQ(lm_printable(out, sizeof out, &s, false), 5);
    CHECK_STR(out, "\\x1bz");
}

static const char *nearest_to(const char *wanted)
{
    static const char *const names[] = { "needle", "passkey", "ppl", "v" };
    lm_nearest best = lm_nearest_begin(strlen(wanted));
    for (size_t i = 0; i < 4; i++)
        lm_nearest_try(&best, wanted, strlen(wanted), names[i], strlen(names[i]));
    CHECK(!best.name || best.size == strlen(best.name));
    return best.name ? best.name : "";
}

static void nearest_names(void)
{
    CHECK_STR(nearest_to("neddle"), "needle"); /* two letters exchanged */
    CHECK_STR(nearest_to("pass-key"), "passkey");
    CHECK_STR(nearest_to("pp"), "ppl");
    CHECK_STR(nearest_to("x"), ""); /* every letter would be another */
    CHECK_STR(nearest_to("histogram"), "");
    CHECK_STR(nearest_to(""), "");
}

int main(void)
{
    nearest_names();
    strings();
    terminals();
    /* Every byte, followed by every byte, then by the limits of what may follow. */
    static const unsigned char edges[] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
    unsigned long wrong = 0, silent = 0;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (unsigned e = 0; e < 36; e++)
                for (size_t n = 1; n <= 4; n++) {
                    unsigned char s[4] = { (unsigned char)a, (unsigned char)b, edges[e / 6],
                                           edges[e % 6] };
                    const char *why = NULL;
                    uint32_t c = 0;
                    unsigned code = 0;
                    size_t k = lm_utf8_next(s, n, &why), want = by_definition(s, n, &code);
                    wrong += k != want || lm_utf8_decode(s, n, &c) != want || (k && c != code);
                    silent += k == 0 && !why;
                }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(silent, 0);
    CHECK_END();
}
