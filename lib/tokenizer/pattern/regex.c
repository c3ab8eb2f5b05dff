/* regex.c -- one expression, matched by PCRE2 with JIT. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lib/tokenizer/pattern/internal.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MATCH_LIMIT 20000000  /* steps of one match */
#define HEAP_LIMIT (64 << 10) /* KiB, without JIT */
#define STACK_MAX ((size_t)64 << 20)

struct lm_regex {
    pcre2_code *code;
    bool restarts;
};

struct lm_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static int compile(pcre2_code **out, const unsigned char *text, size_t n, uint32_t options,
                   int *error, size_t *at)
{
    *out = pcre2_compile(text, n, PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | options, error, at,
                         NULL);
    if (!*out) return *error == PCRE2_ERROR_HEAP_FAILED ? lm_fail_nomem(n) : LM_EDATA;
    pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* where there is none, the interpreter matches */
    return LM_OK;
}

/* ---- the version of Unicode ---- */

/* Code points whose category can depend on the version: blocks of ideographs and private use, and planes
 * without characters, cannot. */
static bool can_differ(uint32_t c)
{
    if (c >= 0xac00 && c < 0xd7a4) return false; /* Hangul */
    if (c >= 0xd800 && c < 0xf900) return false; /* surrogates and private use */
    return c < 0x34000 || (c >= 0xe0000 && c < 0xe0200);
}

static size_t encode(unsigned char out[4], uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (unsigned char)(0x80 | (c & 63));
    out[0] = (unsigned char)(lead[n] | c);
    return n;
}

/* All code points that can differ, as text. */
static int write_codes(lm_buf *text)
{
    int rc = 0;
    unsigned char s[4];
    for (uint32_t c = 0; c < 0x110000 && !rc; c++)
        if (can_differ(c)) rc = lm_buf_add(text, s, encode(s, c));
    return rc;
}

/* Note that c has the category and is not known to PCRE2 as such. */
static int add_code(lm_buf *ranges, uint32_t c)
{
    uint32_t *last = ranges->size ? (uint32_t *)(ranges->data + ranges->size) - 1 : NULL;
    const uint32_t range[2] = { c, c };
    if (!last || *last != c - 1) return lm_buf_add(ranges, range, sizeof range);
    *last = c;
    return LM_OK;
}

/* An lm_newer: the runs that match. */
static int newer(const char *category, lm_buf *ranges)
{
    unsigned char expression[16];
    lm_buf text = LM_BUF_INIT((size_t)1 << 22);
    const int size = snprintf((char *)expression, sizeof expression, "\\p{%s}+", category);
    pcre2_code *code = NULL;
    pcre2_match_data *data = NULL;
    size_t at = 0, run = 0, run_end = 0; /* the next run that ends after `at` */
    int error, rc = compile(&code, expression, (size_t)size, 0, &error, &at);
    if (rc == LM_EDATA) return lm_fail(LM_EDATA, "PCRE2 does not know \\p{%s}", category);
    if (!rc) rc = write_codes(&text);
    if (!rc && !(data = pcre2_match_data_create(1, NULL))) rc = lm_fail_nomem(64);
    at = 0;
    for (uint32_t c = 0; c < 0x110000 && !rc; c++) {
        unsigned char s[4];
        if (!can_differ(c)) continue;
        if (at >= run_end) {
            const size_t *v = pcre2_get_ovector_pointer(data);
            run = run_end = SIZE_MAX;
            if (pcre2_match(code, text.data, text.size, at, PCRE2_NO_UTF_CHECK, data, NULL) > 0) {
                run = v[0];
                run_end = v[1];
            }
        }
        const bool theirs = at >= run;
        at += encode(s, c);
        if (lm_in_category(c, category) == theirs) continue;
        rc = theirs ? 1 : add_code(ranges, c);
    }
    lm_buf_free(&text);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return rc;
}

/* ---- expressions ---- */

int lm_regex_new(lm_regex **out, const char *expression, enum lm_step_kind kind)
{
    lm_translation t;
    lm_regex *r = calloc(1, sizeof *r);
    int error = 0, rc;
    size_t at = 0;
    *out = NULL;
    if (!r) return lm_fail_nomem(sizeof *r);
    rc = lm_translate(&t, expression, kind, newer);
    if (!rc) {
        const uint32_t lines = kind == LM_STEP_REGEX ? PCRE2_MULTILINE : PCRE2_DOLLAR_ENDONLY;
        rc = compile(&r->code, t.text.data ? t.text.data : (const unsigned char *)"", t.text.size,
                     lines, &error, &at);
    }
    if (rc == LM_EDATA && error) {
        unsigned char why[128];
        const size_t in = at < t.text.size ? ((uint32_t *)t.from.data)[at] : strlen(expression);
        pcre2_get_error_message(error, why, sizeof why);
        lm_fail(LM_EDATA, "the expression '%.100s' is not accepted by PCRE2 at byte %zu: %s",
                expression, in, (char *)why);
    }
    r->restarts = t.restarts;
    lm_translation_free(&t);
    if (rc) return lm_regex_free(r), rc;
    *out = r;
    return LM_OK;
}

void lm_regex_free(lm_regex *r)
{
    if (!r) return;
    pcre2_code_free(r->code);
    free(r);
}

bool lm_regex_restarts(const lm_regex *r) { return r->restarts; }

int lm_matcher_new(lm_matcher **out)
{
    lm_matcher *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m) return lm_fail_nomem(sizeof *m);
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (!m->data || !m->context) return lm_matcher_free(m), lm_fail_nomem(1024);
    pcre2_set_match_limit(m->context, MATCH_LIMIT);
    pcre2_set_heap_limit(m->context, HEAP_LIMIT);
    m->stack = pcre2_jit_stack_create(32 << 10, STACK_MAX, NULL); /* NULL without JIT */
    if (m->stack) pcre2_jit_stack_assign(m->context, NULL, m->stack);
    *out = m;
    return LM_OK;
}

void lm_matcher_free(lm_matcher *m)
{
    if (!m) return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    pcre2_jit_stack_free(m->stack);
    free(m);
}

int lm_match(const lm_regex *r, lm_matcher *m, const unsigned char *text, size_t n, size_t from,
             size_t *begin, size_t *end)
{
    int rc = pcre2_match(r->code, text, n, from, PCRE2_NO_UTF_CHECK, m->data, m->context);
    if (rc == PCRE2_ERROR_NOMATCH) return 0;
    if (rc < 0) {
        unsigned char why[128];
        if (rc == PCRE2_ERROR_NOMEMORY) return lm_fail_nomem(STACK_MAX);
        pcre2_get_error_message(rc, why, sizeof why);
        return lm_fail(LM_EDATA,
                       "the pre-tokenizer's expression gives up at byte %zu of a text: %s", from,
                       (char *)why);
    }
    const size_t *v = pcre2_get_ovector_pointer(m->data);
    *begin = v[0];
    *end = v[1];
    return 1;
}
