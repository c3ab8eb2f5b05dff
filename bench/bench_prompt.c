/* bench_prompt.c -- time to tokenize a prompt: the text of the given files, repeated up to TOKENS
 * ids, with a new encoder (empty cache). One thread, best of 5.
 *
 * usage: bench_prompt MODEL TOKENS FILE... */
#include <stdio.h>
#include <stdlib.h>

#include "longmix/progress.h"
#include "longmix/tokenizer.h"
#include "longmix/zio.h"

static void need(int rc)
{
    if (rc >= 0) return;
    fprintf(stderr, "bench_prompt: %s\n", lm_err());
    exit(1);
}

static void read_file(lm_buf *text, const char *path)
{
    char part[65536];
    lm_in *in = NULL;
    ssize_t n;
    need(lm_in_open(&in, path));
    while ((n = lm_in_read(in, part, sizeof part)) > 0) need(lm_buf_add(text, part, (size_t)n));
    need((int)n);
    lm_in_close(in);
}

int main(int argc, char **argv)
{
    size_t want = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (!want) {
        fprintf(stderr, "usage: bench_prompt MODEL TOKENS FILE...\n");
        return 2;
    }
    lm_tokenizer *t = NULL;
    lm_buf text = LM_BUF_INIT(SIZE_MAX), prompt = LM_BUF_INIT(SIZE_MAX),
           ids = LM_BUF_INIT(SIZE_MAX);
    need(lm_tokenizer_open(&t, argv[1], NULL, 0));
    for (int i = 3; i < argc; i++) read_file(&text, argv[i]);
    size_t width = lm_tokenizer_width(t);
    double best = 1e9;
    for (int run = 0; run < 6; run++) {
        lm_encoder *e = NULL;
        need(lm_encoder_new(&e, t));
        double start = lm_seconds();
        ids.size = 0;
        if (run) need(lm_encode(e, (const char *)prompt.data, prompt.size, &ids));
        double took = lm_seconds() - start;
        if (run && took < best) best = took;
        /* The first round finds how much text gives that many ids. */
        for (size_t at = 0; !run && ids.size / width < want; at = (at + 4096) % text.size) {
            size_t n = text.size - at < 4096 ? text.size - at : 4096;
            need(lm_buf_add(&prompt, text.data + at, n));
            need(lm_encode(e, (const char *)text.data + at, n, &ids));
            if (n < 4096) at = text.size - 4096; /* from the start again */
        }
        lm_encoder_free(e);
    }
    printf("a prompt of %zu tokens (%.2f MB of text): %.1f ms\n", ids.size / width,
           (double)prompt.size / 1e6, best * 1e3);
    lm_tokenizer_free(t);
    lm_buf_free(&text);
    lm_buf_free(&prompt);
    lm_buf_free(&ids);
    return 0;
}
