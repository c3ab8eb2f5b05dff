/* members.c -- the members of a JSON object, found by quotes and brackets alone. */
#include <stdbool.h>
#include <string.h>

#include "lib/tokenizer/kind.h"

static size_t blank(const lm_tokenizer_file *f, size_t i)
{
    while (i < f->size && strchr(" \t\r\n", f->data[i]) && f->data[i]) i++;
    return i;
}

/* Past the string whose quote is at i. */
static size_t string_end(const lm_tokenizer_file *f, size_t i)
{
    for (i++; i < f->size && f->data[i] != '"'; i++)
        if (f->data[i] == '\\') i++;
    return i < f->size ? i + 1 : f->size;
}

/* Past the value at i. The syntax is not checked. */
static size_t value_end(const lm_tokenizer_file *f, size_t i)
{
    size_t depth = 0;
    while (i < f->size) {
        unsigned char c = f->data[i];
        if (c == '"') {
            i = string_end(f, i);
            if (!depth) return i;
            continue;
        }
        if (c == '{' || c == '[') depth++;
        else if ((c == '}' || c == ']') && depth <= 1) return depth ? i + 1 : i;
        else if (c == '}' || c == ']') depth--;
        else if (c == ',' && !depth) return i;
        i++;
    }
    return i;
}

static size_t object_start(const lm_tokenizer_file *f)
{
    size_t i = blank(f, f->size >= 3 && !memcmp(f->data, "\xef\xbb\xbf", 3) ? 3 : 0);
    return i < f->size && f->data[i] == '{' ? i + 1 : 0;
}

bool lm_json_next_member(const lm_tokenizer_file *f, lm_json_member_at *m)
{
    size_t i = m->end ? blank(f, m->end) : blank(f, object_start(f));
    if (!m->end && !object_start(f)) return false;
    if (m->end && i < f->size && f->data[i] == ',') i = blank(f, i + 1);
    if (i >= f->size || f->data[i] != '"') return false;
    size_t end = string_end(f, i);
    m->key = (const char *)f->data + i + 1;
    m->key_size = end - i > 2 ? end - i - 2 : 0;
    i = blank(f, end);
    if (i >= f->size || f->data[i] != ':') return false;
    i = blank(f, i + 1);
    if (i >= f->size) return false;
    m->first = (char)f->data[i];
    m->end = value_end(f, i);
    return true;
}

static bool key_is(const lm_json_member_at *m, const char *key)
{
    return strlen(key) == m->key_size && !memcmp(key, m->key, m->key_size);
}

bool lm_json_has(const lm_tokenizer_file *f, const char *key, char first)
{
    for (lm_json_member_at m = { 0 }; lm_json_next_member(f, &m);)
        if (key_is(&m, key)) return m.first == first;
    return false;
}
