/* category.c -- the general category of a code point. */
#include "lib/tokenizer/unicode/internal.h"

const char *lm_unicode_category(uint32_t c)
{
    size_t low = 0, high = lm_category_runs;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (lm_category_run[mid] >> 8 <= c) low = mid;
        else high = mid;
    }
    return lm_category_names[lm_category_run[low] & 255];
}
