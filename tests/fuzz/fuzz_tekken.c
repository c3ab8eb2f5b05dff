/* fuzz_tekken.c -- tekken.json: the bytes as they are. */
#include "rank_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    lm_buf head = LM_BUF_INIT(1);
    try_file(&head, data, n, NULL, choice(data, n, 0, 2));
    return 0;
}
