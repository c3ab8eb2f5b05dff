/* parts.c -- pre-tokenizers and Unicode's properties, for pattern.py and unicode.py.
 *
 * usage: parts simd|scalar|pcre2 [-r EXPRESSION | -m EXPRESSION | -s STRING | -d | -n NAME]...
 *        parts nfc 9|16 | parts sets
 * Texts are read from standard input, each after its length (32 bits). Of each, the number of its parts and their ends
 * are written; 0xffffffff where it is refused. nfc writes form C of that Unicode after its length, sets the sets and the
 * category of each code point (3 bytes). The name of the scanner goes to standard error. */
#include <string.h>

#include "lib/tokenizer/pattern/pattern.h"
#include "lib/tokenizer/unicode/unicode.h"
#include "tests/parity/texts.h"

static void write_parts(lm_cutter *c, const lm_buf *text, lm_buf *ends)
{
    size_t from = 0;
    ends->size = 0;
    while (from < text->size) {
        need(lm_buf_reserve(ends, 4 * 1000) == 0);
        uint32_t *at = (uint32_t *)(ends->data + ends->size);
        ptrdiff_t got = lm_pattern_cut(c, text->data, text->size, from, at, 1000);
        if (got <= 0) {
            const uint32_t refused = UINT32_MAX;
            put(&refused, sizeof refused);
            return;
        }
        ends->size += 4 * (size_t)got;
        from = at[got - 1] & ~LM_CUT_SKIP;
    }
    const uint32_t count = (uint32_t)(ends->size / 4);
    put(&count, sizeof count);
    put(ends->data, ends->size);
}

static void write_sets(void)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        const uint8_t sets = lm_unicode_sets(c);
        put(&sets, 1);
        put(lm_unicode_category(c), 2);
    }
}

int main(int argc, char **argv)
{
    lm_buf text = LM_BUF_INIT(SIZE_MAX), out = LM_BUF_INIT(SIZE_MAX);
    lm_step steps[16];
    size_t count = 0;
    lm_pattern *pattern = NULL;
    lm_cutter *cutter = NULL;
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "sets")) return write_sets(), 0;
    if (!strcmp(mode, "nfc")) {
        const enum lm_nfc form = argc > 2 && !strcmp(argv[2], "16") ? LM_NFC_16 : LM_NFC_9;
        while (next_text(&text)) {
            out.size = 0;
            if (lm_is_nfc(form, text.data, text.size))
                need(lm_buf_add(&out, text.data, text.size) == 0);
            else need(lm_to_nfc(form, text.data, text.size, &out) == 0);
            const uint32_t n = (uint32_t)out.size;
            put(&n, sizeof n);
            put(out.data, out.size);
        }
        return 0;
    }
    for (int i = 2; i < argc && count < 12; i++) {
        const char kind = argv[i][1];
        if (kind == 'd') {
            steps[count++] = (lm_step){ LM_STEP_DIGITS, NULL };
        } else if (kind == 'n') {
            size_t more = 0;
            const lm_step *named = i + 1 < argc ? lm_pattern_named(argv[++i], &more) : NULL;
            for (size_t k = 0; named && k < more; k++) steps[count++] = named[k];
        } else if (i + 1 < argc) {
            steps[count++] = (lm_step){ kind == 'r'   ? LM_STEP_REGEX
                                        : kind == 'm' ? LM_STEP_MATCH
                                                      : LM_STEP_STRING,
                                        argv[++i] };
        }
    }
    need(lm_pattern_new(&pattern, steps, count,
                        !strcmp(mode, "scalar")  ? LM_PATTERN_SCALAR
                        : !strcmp(mode, "pcre2") ? LM_PATTERN_PCRE2
                                                 : 0) == 0);
    need(lm_cutter_new(&cutter, pattern) == 0);
    fprintf(stderr, "%s\n", lm_pattern_scanner(pattern) ? lm_pattern_scanner(pattern) : "PCRE2");
    while (next_text(&text)) write_parts(cutter, &text, &out);
    lm_cutter_free(cutter);
    lm_pattern_free(pattern);
    lm_buf_free(&text);
    lm_buf_free(&out);
    return fflush(stdout) != 0;
}
