/* Any bytes as text: the first byte picks a pattern, and the scanners with and without SIMD give the parts
 * that PCRE2 gives. Or, from 0x80 on, the rest up to a NUL is an expression, which is refused or cuts what is
 * after it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/pattern/pattern.h"
#include "must.h"

enum { WAYS = 3, ROOM = (1 << 16) + 128 };

typedef struct cutters {
    lm_pattern *pattern[WAYS];
    lm_cutter *cutter[WAYS];
} cutters;

/* All ends, or as many as there are before an error. */
static size_t cut_all(lm_cutter *c, const unsigned char *text, size_t n, size_t max, uint32_t *ends,
                      bool *failed)
{
    size_t from = 0, count = 0;
    *failed = false;
    while (from < n) {
        ptrdiff_t got = lm_pattern_cut(c, text, n, from, ends + count, max);
        *failed = got < 0;
        if (got < 0) break;
        MUST(got > 0 && (size_t)got <= max);
        for (; got; got--, count++) {
            const size_t end = ends[count] & ~LM_CUT_SKIP;
            MUST(end > from && end <= n);
            from = end;
        }
    }
    return count;
}

static void known(unsigned pick, const unsigned char *text, size_t n)
{
    static const char *const names[] = { "gpt2",    "digits+gpt2", "cl100k", "llama3",  "qwen2",
                                         "qwen3.5", "o200k",       "tekken", "deepseek" };
    enum { NAMES = sizeof names / sizeof *names };
    static const unsigned flags[WAYS] = { 0, LM_PATTERN_SCALAR, LM_PATTERN_PCRE2 };
    static cutters all[NAMES]; /* opened once */
    static uint32_t ends[WAYS][ROOM];
    cutters *c = &all[pick % NAMES];
    size_t count[WAYS];
    bool failed[WAYS];
    for (int i = 0; i < WAYS; i++) {
        if (!c->cutter[i]) {
            size_t steps = 0;
            const lm_step *s = lm_pattern_named(names[pick % NAMES], &steps);
            MUST(s && lm_pattern_new(&c->pattern[i], s, steps, flags[i]) == 0);
            MUST(lm_cutter_new(&c->cutter[i], c->pattern[i]) == 0);
        }
        count[i] = cut_all(c->cutter[i], text, n, pick & 64 ? 64 : 4000, ends[i], &failed[i]);
        MUST(failed[i] == failed[0]);
        if (i == 2 && failed[i]) break;
        MUST(count[i] == count[0] && !memcmp(ends[i], ends[0], 4 * count[0]));
    }
}

static void expression(const unsigned char *data, size_t size)
{
    static uint32_t ends[ROOM];
    const unsigned char *nul = memchr(data + 1, 0, size - 1);
    char text[256];
    if (!nul || (size_t)(nul - data) > sizeof text) return;
    memcpy(text, data + 1, (size_t)(nul - data));
    const lm_step s = { data[0] & 1 ? LM_STEP_MATCH : LM_STEP_REGEX, text };
    const size_t rest = size - (size_t)(nul + 1 - data);
    lm_pattern *p = NULL;
    lm_cutter *c = NULL;
    if (lm_pattern_new(&p, &s, 1, 0)) {
        MUST(lm_err()[0]);
        return;
    }
    bool failed;
    MUST(lm_cutter_new(&c, p) == 0);
    cut_all(c, nul + 1, rest < 200 ? rest : 200, 64, ends, &failed);
    lm_cutter_free(c);
    lm_pattern_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size || size > ROOM - 128) return 0;
    if (data[0] & 0x80) expression(data, size);
    else known(data[0], data + 1, size - 1);
    return 0;
}
