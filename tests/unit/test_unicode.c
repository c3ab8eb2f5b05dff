#include "check.h"
#include "lib/base/text.h"
#include "lib/tokenizer/unicode/unicode.h"

static void sets(void)
{
    static const struct {
        uint32_t c;
        unsigned sets;
        const char *category;
    } known[] = {
        { 'a', LM_U_LOWER, "Ll" },
        { 'Z', LM_U_UPPER, "Lu" },
        { '7', LM_U_NUMBER, "Nd" },
        { ' ', LM_U_SPACE, "Zs" },
        { '\n', LM_U_SPACE, "Cc" },
        { 0x1c, 0, "Cc" },
        { '_', LM_U_PUNCT, "Pc" },
        { '+', LM_U_SYMBOL, "Sm" },
        { 0x85, LM_U_SPACE, "Cc" },
        { 0xa0, LM_U_SPACE, "Zs" },
        { 0x1c5, LM_U_UPPER, "Lt" },
        { 0x2b0, LM_U_LETTER, "Lm" },
        { 0x295, LM_U_LOWER, "Ll" },
        { 0x301, LM_U_MARK, "Mn" },
        { 0x93e, LM_U_MARK, "Mc" },
        { 0x20dd, LM_U_MARK, "Me" },
        { 0x180e, 0, "Cf" },
        { 0x200b, 0, "Cf" },
        { 0x2028, LM_U_SPACE, "Zl" },
        { 0x2029, LM_U_SPACE, "Zp" },
        { 0x2167, LM_U_NUMBER, "Nl" },
        { 0x4e2d, LM_U_LETTER, "Lo" },
        { 0xd800, 0, "Cs" },
        { 0xe000, 0, "Co" },
        { 0x1c89, LM_U_UPPER, "Lu" },
        { 0x10d50, LM_U_UPPER, "Lu" },
        { 0x10d40, LM_U_NUMBER, "Nd" },
        { 0x16ff4, 0, "Cn" },
        { 0x1f600, LM_U_SYMBOL, "So" },
        { 0xe0100, LM_U_MARK, "Mn" },
        { 0x2ebf0, LM_U_LETTER, "Lo" },
        { 0x10ffff, 0, "Cn" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        CHECK_EQ(lm_unicode_sets(known[i].c), known[i].sets);
        CHECK_STR(lm_unicode_category(known[i].c), known[i].category);
    }
}

/* Sizes that the libraries gave (tests/parity/unicode.py); a set is what its category says. */
static void all_code_points(void)
{
    size_t letters = 0, marks = 0, numbers = 0, spaces = 0, signs = 0, symbols = 0, digits = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        const unsigned s = lm_unicode_sets(c), g = s & ~(unsigned)LM_U_SPACE;
        const char *k = lm_unicode_category(c);
        letters += (s & (LM_U_UPPER | LM_U_LOWER | LM_U_LETTER)) != 0;
        marks += (s & LM_U_MARK) != 0;
        numbers += (s & LM_U_NUMBER) != 0;
        spaces += (s & LM_U_SPACE) != 0;
        signs += (s & LM_U_PUNCT) != 0;
        symbols += (s & LM_U_SYMBOL) != 0;
        digits += lm_unicode_is_digit(c);
        unsigned want = 0;
        if (k[0] == 'L') want = k[1] == 'l' ? LM_U_LOWER : LM_U_LETTER;
        if (k[0] == 'L' && (k[1] == 'u' || k[1] == 't')) want = LM_U_UPPER;
        if (k[0] == 'M') want = LM_U_MARK;
        if (k[0] == 'N') want = LM_U_NUMBER;
        if (k[0] == 'P') want = LM_U_PUNCT;
        if (k[0] == 'S') want = LM_U_SYMBOL;
        if (g != want) CHECK_EQ(c, UINT32_MAX);
        if (k[0] == 'Z') CHECK(s & LM_U_SPACE);
    }
    CHECK_EQ(letters, 141028);
    CHECK_EQ(marks, 2501);
    CHECK_EQ(numbers, 1911);
    CHECK_EQ(digits, 1924);
    CHECK_EQ(spaces, 25);
    CHECK_EQ(signs, 855);
    CHECK_EQ(symbols, 8514);
}

static const enum lm_nfc forms[] = { LM_NFC_9, LM_NFC_16 };

static bool is_form(enum lm_nfc form, const char *s)
{
    return lm_is_nfc(form, (const unsigned char *)s, strlen(s));
}

static bool is_nfc(const char *s)
{
    CHECK_EQ(is_form(LM_NFC_9, s), is_form(LM_NFC_16, s));
    return is_form(LM_NFC_9, s);
}

/* `text` in a form C is `want`. */
static void in_form(enum lm_nfc form, const char *text, const char *want)
{
    lm_buf out = LM_BUF_INIT(1 << 20);
    CHECK_OK(lm_to_nfc(form, (const unsigned char *)text, strlen(text), &out));
    CHECK_OK(lm_buf_add(&out, "", 1));
    CHECK_STR((char *)out.data, want);
    if (strcmp(text, want)) CHECK(!is_form(form, text));
    lm_buf_free(&out);
}

static void form_c(const char *text, const char *want)
{
    for (size_t i = 0; i < 2; i++) in_form(forms[i], text, want);
}

/* What Unicode 9.0 lacks stays as it is by that version; `quick`: and passes the quick check of it. */
static void form_16(const char *text, const char *want, bool quick)
{
    in_form(LM_NFC_9, text, text);
    in_form(LM_NFC_16, text, want);
    CHECK_EQ(is_form(LM_NFC_9, text), quick);
}

static void normalization(void)
{
    form_c("", "");
    form_c("plain text", "plain text");
    form_c("e\u0301", "\u00e9");
    form_c("xe\u0301y", "x\u00e9y");
    form_c("s\u0307\u0323", "\u1e69"); /* sorted, then composed twice */
    form_c("s\u0323\u0307", "\u1e69");
    form_c("\u1e9b\u0323", "\u1e9b\u0323");
    form_c("e\u0323\u0301", "\u1eb9\u0301");
    form_c("e\u0301\u0301", "\u00e9\u0301");
    form_c("q\u0301\u0323", "q\u0323\u0301"); /* sorted only */
    form_c("\u0301", "\u0301");
    form_c("\u0301\u0323a", "\u0323\u0301a");
    form_c("\u212b", "\u00c5"); /* singletons, and one that never composes */
    form_c("\u2126", "\u03a9");
    form_c("\u0958", "\u0915\u093c");
    form_c("\u0344", "\u0308\u0301");
    form_c("\uf900", "\u8c48");
    form_c("\ufb01", "\ufb01"); /* not a canonical equivalence */
    form_c("\u1100\u1161", "\uac00");
    form_c("\u1100\u1161\u11a8", "\uac01");
    form_c("\uac00\u11a8", "\uac01");
    form_c("\uac00\u11a7", "\uac00\u11a7"); /* one before the first that composes */
    form_c("\uac01\u11a8", "\uac01\u11a8");
    form_c("\u1100\u1161\u0301\u11a8", "\uac00\u0301\u11a8");
    form_c("\u0b47\u0b3e", "\u0b4b"); /* two of combining class 0 */
    form_c("\u0b47\u0300\u0b3e", "\u0b47\u0300\u0b3e");
    form_c("\U00011099\U000110ba", "\U0001109a");
    form_c("\U0001d15e", "\U0001d157\U0001d165");

    form_16("\U00011935\U00011930", "\U00011938", true); /* of 13.0 */
    form_16("\U00011938", "\U00011938", true);
    form_16("\U000105d2\u0307", "\U000105c9", false); /* of 16.0, with a mark of 1.1 */
    form_16("\U00016d67\U00016d67", "\U00016d68", true);
    form_16("\U00016d63\U00016d67\U00016d67", "\U00016d6a", true);
    form_16("\U00016d63\U00016d68", "\U00016d6a", true); /* decomposed first */
    form_16("\U00016d69\U00016d67", "\U00016d6a", true);
    form_16("q\u0305\u1abf", "q\u1abf\u0305", true);                      /* sorted only; of 13.0 */
    form_16("q\u0345\U0001e4ec\u0301", "q\u0301\U0001e4ec\u0345", false); /* of 15.0 */
    in_form(LM_NFC_9, "a\u0301\u1abf", "\u00e1\u1abf");
    in_form(LM_NFC_16, "a\u0301\u1abf", "\u00e1\u1abf");
    in_form(LM_NFC_9, "a\u1abf\u0301", "a\u1abf\u0301"); /* it separates, as one of class 0 */
    in_form(LM_NFC_16, "a\u1abf\u0301", "\u00e1\u1abf");

    CHECK(is_nfc("") && is_nfc("plain text of more than thirty-two bytes, all of them ASCII"));
    CHECK(is_nfc("\u00e9\u4e2d\uac00\u0410") && is_nfc("q\u0316\u0305"));
    CHECK(!is_nfc("q\u0305\u0316") && !is_nfc("e\u0301") && !is_nfc("\u212b"));
    CHECK(!is_nfc("\xc3") && !is_nfc("a\xff") && !is_nfc("\xe4\xb8") && !is_nfc("\x80"));
    for (size_t n = 0; n < 80; n++) { /* at any place of a block */
        char text[160] = { 0 };
        memset(text, 'a', 150);
        CHECK(lm_is_nfc(LM_NFC_16, (const unsigned char *)text, n));
        memcpy(text + n, "e\u0301", 3);
        CHECK(!lm_is_nfc(LM_NFC_16, (const unsigned char *)text, n + 3));
        CHECK(!lm_is_nfc(LM_NFC_16, (const unsigned char *)text, n + 40));
        CHECK(lm_is_nfc(LM_NFC_16, (const unsigned char *)text, n + 1));
    }
}

static size_t put(char *out, uint32_t c)
{
    if (c < 0x80) return *out = (char)c, 1;
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 63));
    out[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
    return n;
}

/* Form C of form C is itself, for every character alone and before marks; what the quick check lets
 * through is not changed. */
static void again(enum lm_nfc form)
{
    static const char *const after[] = {
        "",       "\u0301", "\u0323\u0307",           "\u3099",
        "\u11a8", "\u0b3e", "\u1abf\U0001e4ec\u0301", "\U00016d67"
    };
    lm_buf one = LM_BUF_INIT(1 << 10), two = LM_BUF_INIT(1 << 10);
    for (uint32_t c = 1; c < 0x110000; c++) {
        if (c == 0xd800) c = 0xe000;
        for (size_t k = 0; k < sizeof after / sizeof *after; k++) {
            char text[32];
            size_t n = put(text, c);
            strcpy(text + n, after[k]);
            n += strlen(after[k]);
            one.size = two.size = 0;
            NEED(lm_to_nfc(form, (unsigned char *)text, n, &one) == 0);
            NEED(lm_to_nfc(form, one.data, one.size, &two) == 0);
            const bool same = one.size == n && !memcmp(one.data, text, n);
            if (one.size != two.size || memcmp(one.data, two.data, one.size)) CHECK_EQ(c, 0);
            if (lm_is_nfc(form, (unsigned char *)text, n) && !same) CHECK_EQ(c, 0);
        }
    }
    CHECK(one.size > 0);
    lm_buf_free(&one);
    lm_buf_free(&two);
}

/* A megabyte of marks in the wrong order takes no longer than one in the right order. */
static void many_marks(void)
{
    enum { N = 200000 };
    lm_buf text = LM_BUF_INIT(1 << 22), out = LM_BUF_INIT(1 << 22), bound = LM_BUF_INIT(100);
    for (int i = 0; i < N; i++) NEED(lm_buf_add(&text, "\u0301\u0323", 4) == 0);
    CHECK_OK(lm_to_nfc(LM_NFC_16, text.data, text.size, &out));
    CHECK_EQ(out.size, text.size);
    CHECK(!memcmp(out.data, "\u0323\u0323", 4));
    CHECK(!memcmp(out.data + out.size - 4, "\u0301\u0301", 4));
    CHECK_EQ(lm_to_nfc(LM_NFC_16, text.data, text.size, &bound), LM_ENOMEM);
    lm_buf_free(&text);
    lm_buf_free(&out);
    lm_buf_free(&bound);
}

int main(void)
{
    sets();
    all_code_points();
    normalization();
    for (size_t i = 0; i < 2; i++) again(forms[i]);
    many_marks();
    CHECK_END();
}
