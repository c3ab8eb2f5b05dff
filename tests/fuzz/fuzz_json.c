/* fuzz_json.c -- small JSON: what is accepted can be written, reads back, and is written the same;
 * every getter accepts any value. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/json.h"
#include "must.h"

static void ask(const lm_json *v)
{
    const char *s = NULL;
    uint64_t u = 0;
    double d = 0;
    bool b = false;
    int good = !lm_json_str(&s, v, NULL) + !lm_json_f64(&d, v, NULL) + !lm_json_bool(&b, v, NULL);
    MUST(good <= 1);
    MUST(lm_json_u64(&u, v, NULL) || d >= 0);
    (void)!lm_json_tokens(&u, v, NULL);
    (void)!lm_json_hex64(&u, v, NULL);
    MUST(lm_json_fail(v, "here") == LM_EDATA);
    const char *key = NULL;
    const lm_json *child = NULL;
    for (size_t i = 0; lm_json_member(v, i, &key, &child); i++) {
        MUST(lm_json_get(v, key) == child);
        ask(child);
    }
    for (size_t i = 0; lm_json_at(v, i); i++) ask(lm_json_at(v, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    lm_json *v = NULL, *again = NULL, *copy = lm_json_array();
    lm_buf a = LM_BUF_INIT((size_t)1 << 28), b = LM_BUF_INIT((size_t)1 << 28);
    if (!lm_json_parse(&v, data, n, "fuzz")) {
        ask(v);
        MUST(!lm_json_dump(v, 2, &a));
        MUST(!lm_json_parse(&again, a.data, a.size, "again"));
        MUST(!lm_json_dump(again, 2, &b));
        MUST(a.size == b.size && !memcmp(a.data, b.data, a.size));
        lm_json_set_copy(copy, NULL, v);
        lm_buf_reset(&a, SIZE_MAX);
        lm_buf_reset(&b, SIZE_MAX);
        MUST(!lm_json_dump(lm_json_at(copy, 0), 0, &a) && !lm_json_dump(again, 0, &b));
        MUST(a.size == b.size && !memcmp(a.data, b.data, a.size));
    } else {
        MUST(*lm_err());
    }
    char *s = calloc(1, n + 1);
    uint64_t size = 0;
    MUST(s);
    if (n) memcpy(s, data, n);
    (void)!lm_parse_size(s, &size);
    free(s);
    lm_json_free(v);
    lm_json_free(again);
    lm_json_free(copy);
    lm_buf_free(&a);
    lm_buf_free(&b);
    return 0;
}
