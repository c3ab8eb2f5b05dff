/* bench_tokenizer.c -- the tokenizer alone: texts of a JSONL file in memory, one thread.
 *
 * usage: bench_tokenizer TOKENIZER FILE [RUNS [PATTERN]]
 * Prints tab-separated lines: type (the file's name), tool, MB of text per second (median of RUNS),
 * documents, documents whose ids differ. First with an empty word table in each run, then with a
 * full one, then the reference (SentencePiece itself; for other kinds PCRE2 and plain merges) on the
 * first megabyte (at least one text), on which the ids are also compared. PATTERN is that of a rank
 * file that is not known. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "longmix/docs.h"
#include "longmix/tokenizer.h"

#define REFERENCE_BYTES ((size_t)1 << 20)

typedef struct texts {
    lm_buf bytes;
    size_t *ends, count, cap;
} texts;

static void need(int rc)
{
    if (rc >= 0) return;
    fprintf(stderr, "bench_tokenizer: %s\n", lm_err());
    exit(1);
}

static void read_texts(texts *t, const char *path)
{
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_line_parser *parser = NULL;
    lm_chunk c = { .bytes = LM_BUF_INIT(SIZE_MAX) };
    int got;
    need(lm_in_open(&in, path));
    need(lm_chunker_new(&k, in));
    need(lm_line_parser_new(&parser, NULL));
    while ((got = lm_chunker_next(k, &c)) > 0) {
        const char *p = (const char *)c.bytes.data, *end = p + c.bytes.size, *nl;
        for (; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
            lm_line line;
            size_t fault;
            int rc = lm_line_parse(parser, p, (size_t)(nl - p), &line, &fault);
            need(rc);
            if (!rc) continue;
            need(lm_buf_add(&t->bytes, line.text, line.text_size));
            if (t->count == t->cap) {
                t->cap = t->cap ? 2 * t->cap : 1024;
                t->ends = realloc(t->ends, t->cap * sizeof *t->ends);
                if (!t->ends) exit(1);
            }
            t->ends[t->count++] = t->bytes.size;
        }
    }
    need(got);
    lm_buf_free(&c.bytes);
    lm_line_parser_free(parser);
    lm_chunker_free(k);
}

/* Encode the first `count` texts; returns MB per second. */
static double run(lm_encoder *e, const texts *t, size_t count, lm_buf *ids)
{
    struct timespec a, b;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    for (size_t i = 0, at = 0; i < count; at = t->ends[i++]) {
        ids->size = 0;
        need(lm_encode(e, (const char *)t->bytes.data + at, t->ends[i] - at, ids));
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    double s = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
    return count ? (double)t->ends[count - 1] / s / 1e6 : 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int main(int argc, char **argv)
{
    size_t runs = argc > 3 ? strtoul(argv[3], NULL, 10) : 5;
    if (argc < 3 || runs < 1 || runs > 1000) {
        fprintf(stderr, "usage: bench_tokenizer TOKENIZER FILE [RUNS [PATTERN]]\n");
        return 2;
    }
    const char *pattern = argc > 4 ? argv[4] : NULL;
    texts t = { .bytes = LM_BUF_INIT(SIZE_MAX) };
    lm_tokenizer *fast = NULL, *reference = NULL;
    lm_encoder *e = NULL, *r = NULL;
    lm_buf ids = LM_BUF_INIT(SIZE_MAX), want = LM_BUF_INIT(SIZE_MAX);
    read_texts(&t, argv[2]);
    need(lm_tokenizer_open(&fast, argv[1], pattern, 0));
    need(lm_tokenizer_open(&reference, argv[1], pattern, LM_TOKENIZER_REFERENCE));
    need(lm_encoder_new(&e, fast));
    need(lm_encoder_new(&r, reference));
    if (lm_tokenizer_slow_reason(fast))
        fprintf(stderr, "slow: %s\n", lm_tokenizer_slow_reason(fast));

    char *type = basename(argv[2]);
    type[strcspn(type, ".")] = '\0';
    size_t compared = 0, differ = 0;
    for (size_t at = 0; compared < t.count && at < REFERENCE_BYTES; at = t.ends[compared++]) {
        ids.size = want.size = 0;
        need(lm_encode(e, (const char *)t.bytes.data + at, t.ends[compared] - at, &ids));
        need(lm_encode(r, (const char *)t.bytes.data + at, t.ends[compared] - at, &want));
        differ += ids.size != want.size || memcmp(ids.data, want.data, ids.size);
    }
    double *cold = calloc(runs, sizeof *cold), *warm = calloc(runs, sizeof *warm);
    if (!cold || !warm) return 1;
    for (size_t i = 0; i < runs; i++) {
        lm_encoder_free(e);
        need(lm_encoder_new(&e, fast));
        cold[i] = run(e, &t, t.count, &ids);
        warm[i] = run(e, &t, t.count, &ids);
    }
    printf("%s\tlongmix\t%.1f\t%zu\t%zu\n", type, median(cold, runs), t.count, differ);
    printf("%s\tlongmix, again\t%.1f\t%zu\t%zu\n", type, median(warm, runs), t.count, differ);
    printf("%s\treference in longmix\t%.2f\t%zu\t0\n", type, run(r, &t, compared, &want), compared);
    lm_encoder_free(e);
    lm_encoder_free(r);
    lm_tokenizer_free(fast);
    lm_tokenizer_free(reference);
    lm_buf_free(&ids);
    lm_buf_free(&want);
    lm_buf_free(&t.bytes);
    free(t.ends);
    free(cold);
    free(warm);
    return 0;
}
