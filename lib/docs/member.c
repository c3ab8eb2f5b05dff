/* member.c -- where a member lies in a line that was accepted: for tools that change one
 * value and leave every other byte alone. */
#include "lib/docs/internal.h"

#include <string.h>

/* Past the string whose opening quote is at s. */
static const char *skip_string(const char *s, const char *end)
{
    for (s++;; s++) {
        s = memchr(s, '"', (size_t)(end - s));
        const char *b = s;
        while (b[-1] == '\\') b--; /* the opening quote ends this at the latest */
        if ((s - b) % 2 == 0) return s + 1;
    }
}

static const char *skip_space(const char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n') s++;
    return s;
}

/* Past the value at s. */
static const char *skip_value(const char *s, const char *end)
{
    if (*s == '"') return skip_string(s, end);
    if (*s != '{' && *s != '[') {
        while (!strchr(",}] \t\r\n", *s)) s++;
        return s;
    }
    size_t depth = 0;
    do {
        if (*s == '"') {
            s = skip_string(s, end);
            continue;
        }
        depth += *s == '{' || *s == '[';
        depth -= *s == '}' || *s == ']';
        s++;
    } while (depth);
    return s;
}

bool lm_line_member(const char *line, size_t n, const char *key, const char **value, size_t *size)
{
    const char *end = line + n, *s = skip_space(line);
    char plain[6 * LM_STEP_BYTES];
    do { /* at '{' or ',' */
        const char *k = skip_space(s + 1);
        if (*k != '"') return false; /* "{}" */
        s = skip_string(k, end);
        size_t raw = (size_t)(s - k - 2);
        const char *v = skip_space(skip_space(s) + 1);
        s = skip_value(v, end);
        if (raw <= sizeof plain) {
            size_t m = lm_line_unescape(plain, k + 1, raw);
            if (m == strlen(key) && !memcmp(plain, key, m)) {
                *value = v;
                *size = (size_t)(s - v);
                return true;
            }
        }
        s = skip_space(s);
    } while (*s == ',');
    return false;
}
