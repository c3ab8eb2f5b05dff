/* fuzz_tiktoken.c -- rank files: the bytes as they are, and after lines for the 256 bytes. At least one of
 * the two is refused, as a rank is missing or there twice.
 *
 * PCRE2 takes long to compile the patterns that have scanners. With these, small tables are compared, and
 * the reference mostly with a pattern that compiles fast. fuzz_pattern compares scanners with PCRE2. */
#include "rank_files.h"

static void base64_byte(char out[5], unsigned b)
{
    static const char a[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    snprintf(out, 5, "%c%c==", a[b >> 2], a[(b & 3) << 4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const scanned[] = { "gpt2", "llama3", "qwen2", "o200k", "deepseek" };
    lm_buf head = LM_BUF_INIT(1 << 16);
    char piece[5];
    bool simple = !choice(data, n, 0, 4);
    const char *pattern = simple ? "[a-z]+|[0-9]{1,3}|\\s" : scanned[choice(data, n, 1, 5)];
    bool reference = simple || !choice(data, n, 2, 64);
    try_file(&head, data, n, pattern, reference);
    for (unsigned b = 0; b < 256; b++) {
        base64_byte(piece, b);
        MUST(lm_buf_printf(&head, "%s %u\n", piece, b) == 0);
    }
    try_file(&head, data, n, pattern, reference);
    lm_buf_free(&head);
    return 0;
}
