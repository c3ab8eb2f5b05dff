/* Invalid characters and numbers: replaced on request, and only those. */
#include <stdbool.h>
#include <stdlib.h>

#include "check.h"
#include "longmix/docs.h"

#define FFFD "\xef\xbf\xbd"

static const char *const keys[] = { "domain", NULL };
static lm_line_parser *strict, *lenient;
static lm_line line;
static size_t fault;

static char *padded(const char *s, size_t n)
{
    char *p = calloc(1, n + LM_LINE_PAD);
    NEED(p);
    memcpy(p, s, n);
    return p;
}

static void texts(void)
{
    static const struct {
        const char *s, *text; /* between the quotes; and what it becomes */
    } cases[] = {
        { "a\\ud800b", "a" FFFD "b" },
        { "\\uDC00", FFFD },
        { "\\ud83d", FFFD },
        { "\\ud83d\\ud83d\\ude00", FFFD "\xf0\x9f\x98\x80" },
        { "\\ude00\\ud83d", FFFD FFFD },
        { "\\ud83d\\n\\u0041", FFFD "\nA" },
        { "\\\\ud800", "\\ud800" }, /* an escaped backslash */
        { "\\ud800 \\\" NaN", FFFD " \" NaN" },
        { "\\ud800 Infinity, -Infinity", FFFD " Infinity, -Infinity" },
        { "\xff", FFFD },
        { "a\x80z", "a" FFFD "z" },
        { "\xe2\x82", FFFD }, /* cut off: one replacement */
        { "\xe2\x82\xac\xe2\x82x", "\xe2\x82\xac" FFFD "x" },
        { "\xf0\x9f\x98\xf0\x9f\x98\x80", FFFD "\xf0\x9f\x98\x80" },
        { "\xed\xa0\x80", FFFD FFFD FFFD }, /* a surrogate as bytes */
        { "\xc0\xaf", FFFD FFFD },          /* overlong */
        { "\xf5\x80", FFFD FFFD },
        { "\xe0\x80\x80", FFFD FFFD FFFD },
        { "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char s[200];
        int n = snprintf(s, sizeof s, "{\"text\":\"%s\"}", cases[i].s);
        char *p = padded(s, (size_t)n);
        bool valid = !strcmp(cases[i].s, "\\\\ud800");
        CHECK(lm_line_parse(strict, p, (size_t)n, &line, &fault) == (valid ? 1 : LM_EDATA));
        CHECK(lm_line_parse(lenient, p, (size_t)n, &line, &fault) == 1);
        CHECK_EQ(line.text_size, strlen(cases[i].text));
        CHECK(!memcmp(line.text, cases[i].text, line.text_size));
        CHECK((line.repaired.s == NULL) == valid && !memcmp(p, s, (size_t)n));
        if (line.repaired.s) { /* it is itself a valid line */
            char *again = padded(line.repaired.s, line.repaired.n);
            CHECK(lm_line_parse(strict, again, line.repaired.n, &line, &fault) == 1);
            CHECK_EQ(line.text_size, strlen(cases[i].text));
            free(again);
        }
        free(p);
    }
}

static void elsewhere(void)
{
    static const struct {
        const char *s, *repaired; /* NULL: invalid all the same */
        size_t fault;
    } cases[] = {
        { "{\"text\":\"a\",\"x\":NaN}", "{\"text\":\"a\",\"x\":null}", 0 },
        { "{\"x\":[NaN, Infinity,-Infinity],\"text\":\"\"}",
          "{\"x\":[null, null,null],\"text\":\"\"}", 0 },
        { "{\"text\":\"a\",\"k\\udfff\":1}", "{\"text\":\"a\",\"k\\ufffd\":1}", 0 },
        { "{\"text\":\"a\",\"domain\":\"\xff\"}", "{\"text\":\"a\",\"domain\":\"" FFFD "\"}", 0 },
        { "{\"text\":NaN}", NULL, 8 },
        { "{\"text\":\"a\",\"x\":nan}", NULL, 16 },
        { "{\"x\":NaN,\"text\":\"a\",\"y\":+1}", NULL, 24 },
        { "{\"x\":\"\xff\",\"text\":\"\x01\"}", NULL, 17 },
        { "{\"x\":\"\\ud800\\ud800\",\"text\":\"a", NULL, 29 },
        { "{\"text\":\"a\"} \xff", NULL, 13 },
        { "{\"text\":\"\\ud800\\q\"}", NULL, 15 },
        { "{\"text\":\"\\ud8", NULL, 13 },
        { "\\", NULL, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].s);
        char *p = padded(cases[i].s, n);
        fault = 999;
        CHECK(lm_line_parse(strict, p, n, &line, &fault) == LM_EDATA);
        int rc = lm_line_parse(lenient, p, n, &line, &fault);
        if (cases[i].repaired) {
            CHECK(rc == 1 && line.repaired.n == strlen(cases[i].repaired));
            CHECK(rc == 1 && !memcmp(line.repaired.s, cases[i].repaired, line.repaired.n));
        } else {
            CHECK(rc == LM_EDATA);
            CHECK_EQ(fault, cases[i].fault);
        }
        free(p);
    }
}

/* Lines over 4 MiB are decoded in place. */
static void long_lines(void)
{
    size_t n = (size_t)6 << 20;
    char *s = calloc(1, n + LM_LINE_PAD), *kept = malloc(n);
    NEED(s && kept);
    memset(s, 'a', n);
    memcpy(s, "{\"text\":\"\\ud800", 15);
    memcpy(s + n - 2, "\"}", 2);
    memcpy(kept, s, n);
    CHECK(lm_line_spend(strict, s, n, &line, &fault) == LM_EDATA && fault == 9);
    CHECK(lm_line_spend(lenient, s, n, &line, &fault) == 1);
    CHECK(line.text_size == n - 17 + 3 && !memcmp(line.text, FFFD "a", 4) && line.repaired.s);
    CHECK(!memcmp(s, kept, n));
    s[n - 1] = ']';
    CHECK(lm_line_spend(lenient, s, n, &line, &fault) == LM_EDATA && fault == n - 1);
    lm_line_parser_trim(lenient);
    CHECK(lm_line_parse(lenient, s, n, &line, &fault) == LM_EDATA && fault == n - 1);
    free(s);
    free(kept);
}

int main(void)
{
    NEED(!lm_line_parser_new(&strict, &(lm_schema){ .labels = keys }));
    NEED(!lm_line_parser_new(&lenient, &(lm_schema){ .labels = keys, .replace = true }));
    texts();
    elsewhere();
    long_lines();
    lm_line_parser_free(strict);
    lm_line_parser_free(lenient);
    CHECK_END();
}
