/* fuzz_jsonl.c -- one line, read by simdjson and by the project's scanner: they must agree on what
 * is a document, on its text and on its label. A text must be UTF-8, and be read back after it is
 * written as JSON. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/docs/internal.h"
#include "lib/base/text.h"
#include "must.h"

static const char *const keys[] = { "domain", "meta.redpajama_set_name", "a.b.c.d", NULL };
static const lm_schema schema = { .labels = keys };

static char *padded(const void *p, size_t n)
{
    char *s = calloc(1, n + LM_LINE_PAD);
    MUST(s);
    if (n) memcpy(s, p, n);
    return s;
}

static void is_utf8(const char *s, size_t n)
{
    const char *why = NULL;
    for (size_t i = 0, k; i < n; i += k) {
        k = lm_utf8_next((const unsigned char *)s + i, n - i, &why);
        MUST(k > 0);
    }
}

/* {"text":"..."} with every byte that needs it, and some that do not, escaped. */
static char *write_again(const char *s, size_t n, size_t *size)
{
    char *o = calloc(1, 6 * n + 100 + LM_LINE_PAD), *p = o;
    MUST(o);
    p += sprintf(p, "{\"text\":\"");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == 'u') p += sprintf(p, "\\u%04X", c);
        else *p++ = (char)c;
    }
    p += sprintf(p, "\"}");
    *size = (size_t)(p - o);
    return o;
}

static void same(const lm_string *a, const char *line, lm_span b)
{
    MUST((a->s != NULL) == (b.start != 0));
    if (!a->s) return;
    char *t = malloc(b.end - b.start + 1);
    MUST(t);
    size_t n = lm_line_unescape(t, line + b.start, b.end - b.start);
    MUST(n == a->n && !memcmp(t, a->s, n));
    free(t);
}

/* With invalid characters and numbers replaced: a valid line stays as it is, and what a repair makes of
 * another is valid, or the fault lies within the line. */
static void check_replaced(lm_line_parser *strict, lm_line_parser *lenient, const char *s, size_t n)
{
    lm_line doc, again;
    size_t fault = SIZE_MAX;
    int rc = lm_line_parse(strict, s, n, &doc, &fault);
    int got = lm_line_parse(lenient, s, n, &again, &fault);
    if (rc >= 0) {
        MUST(got == rc && (got == 0 || !again.repaired.s));
        return;
    }
    MUST(got > 0 ? again.repaired.s != NULL : fault <= n);
    if (got <= 0) return;
    is_utf8(again.repaired.s, again.repaired.n);
    is_utf8(again.text, again.text_size);
    char *line = padded(again.repaired.s, again.repaired.n);
    MUST(lm_line_parse(strict, line, again.repaired.n, &doc, &fault) == 1);
    MUST(doc.text_size == again.text_size && !memcmp(doc.text, again.text, doc.text_size));
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static lm_paths paths;
    static lm_simd *simd;
    static lm_line_parser *parser, *lenient;
    if (!simd) {
        simd = lm_simd_new();
        MUST(simd && !lm_paths_init(&paths, &schema) && !lm_line_parser_new(&parser, &schema));
        const lm_schema replace = { .labels = keys, .replace = true };
        MUST(!lm_line_parser_new(&lenient, &replace));
    }
    char *line = padded(data, n);
    lm_string found[LM_PATHS_MAX];
    lm_span span[LM_PATHS_MAX];
    lm_line doc;
    const char *why = NULL;
    size_t fault = SIZE_MAX;
    int got = lm_simd_parse(simd, line, n, &paths, found, &why);
    MUST(got >= 0);
    bool yes = got > 0;
    int rc = lm_line_scan(line, n, &paths, span, &fault);
    MUST(yes == (rc == 0));
    MUST(yes || (fault <= n && *lm_err()));
    int whole = lm_line_parse(parser, line, n, &doc, &fault);
    MUST(yes ? whole == 1 : whole <= 0);
    if (yes) {
        for (unsigned p = 0; p < paths.count; p++) same(&found[p], line, span[p]);
        is_utf8(doc.text, doc.text_size);
        MUST(doc.text_size == found[0].n && !memcmp(doc.text, found[0].s, found[0].n));

        const char *value = NULL;
        size_t size = 0;
        MUST(lm_line_member(line, n, "text", &value, &size));
        MUST(value == line + span[0].start - 1 && size == span[0].end - span[0].start + 2);

        char *again = write_again(doc.text, doc.text_size, &size);
        lm_string back[LM_PATHS_MAX];
        MUST(lm_simd_parse(simd, again, size, &paths, back, &why) == 1);
        char *in_place = padded(again, size);
        MUST(!lm_line_scan(in_place, size, &paths, span, &fault));
        char *text = in_place + span[0].start;
        size = lm_line_unescape(text, text, span[0].end - span[0].start);
        MUST(size == back[0].n && !memcmp(text, back[0].s, size));
        MUST(size == doc.text_size && !memcmp(doc.text, back[0].s, size));
        free(in_place);
        free(again);
    }
    check_replaced(parser, lenient, line, n);
    free(line);
    return 0;
}
