/* bench_pattern.c -- pre-tokenizers alone: a file of UTF-8 text in memory, one thread.
 *
 * usage: bench_pattern FILE [RUNS]
 * Prints tab-separated lines: pattern, MB of text per second with SIMD, without, and by PCRE2 (the best of
 * RUNS, 5), and bytes per part. The ends of the parts are compared first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/tokenizer/pattern/pattern.h"
#include "longmix/buf.h"

#define ENDS 4096

static void need(int ok)
{
    if (ok) return;
    fprintf(stderr, "bench_pattern: %s\n", lm_err());
    exit(1);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Cut the text; returns a hash of the ends. */
static uint64_t cut(lm_cutter *c, const lm_buf *text, size_t *parts)
{
    static uint32_t ends[ENDS];
    uint64_t hash = 0;
    *parts = 0;
    for (size_t at = 0; at < text->size;) {
        ptrdiff_t n = lm_pattern_cut(c, text->data, text->size, at, ends, ENDS);
        need(n > 0);
        for (ptrdiff_t i = 0; i < n; i++) hash += ends[i] * UINT64_C(0x9e3779b97f4a7c15) ^ ends[i];
        *parts += (size_t)n;
        at = ends[n - 1] & ~LM_CUT_SKIP;
    }
    return hash;
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "gpt2",    "digits+gpt2", "llama3", "qwen2",
                                         "qwen3.5", "o200k",       "tekken", "deepseek" };
    static const unsigned flags[] = { 0, LM_PATTERN_SCALAR, LM_PATTERN_PCRE2 };
    const unsigned long runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    lm_buf text = LM_BUF_INIT((size_t)1 << 30);
    if (!f || runs < 1 || runs > 1000) {
        fprintf(stderr, "usage: bench_pattern FILE [RUNS]\n");
        return 2;
    }
    for (size_t got = 1; got;) {
        need(lm_buf_reserve(&text, 1 << 20) == 0);
        got = fread(text.data + text.size, 1, 1 << 20, f);
        text.size += got;
    }
    fclose(f);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t count, parts = 0;
        const lm_step *steps = lm_pattern_named(names[i], &count);
        uint64_t hash[3];
        printf("%s", names[i]);
        for (int k = 0; k < 3; k++) {
            lm_pattern *p = NULL;
            lm_cutter *c = NULL;
            need(lm_pattern_new(&p, steps, count, flags[k]) == 0 && lm_cutter_new(&c, p) == 0);
            hash[k] = cut(c, &text, &parts);
            double best = 1e9;
            for (unsigned long run = 0; run < runs; run++) {
                const double begin = seconds();
                need(cut(c, &text, &parts) == hash[k]);
                const double took = seconds() - begin;
                if (took < best) best = took;
            }
            printf("\t%.0f", (double)text.size / best / 1e6);
            lm_cutter_free(c);
            lm_pattern_free(p);
        }
        printf("\t%.2f\n", (double)text.size / (double)(parts ? parts : 1));
        if (hash[0] != hash[1] || hash[0] != hash[2]) {
            fprintf(stderr, "bench_pattern: %s: the parts differ\n", names[i]);
            return 1;
        }
    }
    lm_buf_free(&text);
    return 0;
}
