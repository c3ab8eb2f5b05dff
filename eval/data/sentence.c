#include "eval/data/sentence.h"

#include <string.h>

/* Does the text end in one of the strings? Its length, or 0. */
static size_t ends_in(const char *text, size_t n, const char *const *list)
{
    for (; *list; list++) {
        size_t k = strlen(*list);
        if (n >= k && !memcmp(text + n - k, *list, k)) return k;
    }
    return 0;
}

bool eval_ends_sentence(const char *text, size_t n)
{
    static const char *const closing[] = { "\"",     "'",      ")",      "]",      "\u201d",
                                           "\u300d", "\u300f", "\uff09", "\u300b", NULL };
    static const char *const ends[] = { ".",      "?",      "!",      "\u2026", /* Latin */
                                        "\u3002", "\uff01", "\uff1f", "\uff0e", "\uff61", /* CJK */
                                        "\u0964", "\u0965", /* Devanagari and its neighbours */
                                        "\u061f", "\u06d4", /* Arabic, Urdu */
                                        "\u0589",           /* Armenian */
                                        "\u1362", "\u1367", "\u1368", /* Ethiopic */
                                        "\u104b", "\u17d4", "\u0f0d", /* Burmese, Khmer, Tibetan */
                                        "\u1803", "\u1809",           /* Mongolian */
                                        NULL };
    for (size_t k; (k = ends_in(text, n, closing));) n -= k;
    return ends_in(text, n, ends) > 0;
}
