/* fuzz_tiktoken.c -- rank files: the bytes as they are, and after lines for the 256 bytes. */
#include "rank_files.h"

static void base64_byte(char out[5], unsigned b)
{
    static const char a[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    snprintf(out, 5, "%c%c==", a[b >> 2], a[(b & 3) << 4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const patterns[] = { "gpt2",  "llama3",   "qwen2",
                                            "o200k", "deepseek", "[a-z]+|[0-9]{1,3}|\\s" };
    lm_buf head = LM_BUF_INIT(1 << 16);
    char piece[5];
    const char *pattern = patterns[n % (sizeof patterns / sizeof *patterns)];
    try_file(&head, data, n, pattern);
    for (unsigned b = 0; b < 256; b++) {
        base64_byte(piece, b);
        MUST(lm_buf_printf(&head, "%s %u\n", piece, b) == 0);
    }
    try_file(&head, data, n, pattern);
    lm_buf_free(&head);
    return 0;
}
