/* texts.h -- what ids.c and parts.c share: texts from standard input, each after its length (32 bits), and
 * numbers to standard output. */
#ifndef TESTS_PARITY_TEXTS_H
#define TESTS_PARITY_TEXTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "longmix/buf.h"
#include "longmix/err.h"

/* End with the library's message unless `ok`. */
static void need(int ok)
{
    if (ok) return;
    fprintf(stderr, "%s\n", lm_err());
    exit(1);
}

static void put(const void *p, size_t n) { need(fwrite(p, 1, n, stdout) == n); }

static bool next_text(lm_buf *text)
{
    uint32_t n;
    if (fread(&n, sizeof n, 1, stdin) != 1) return false;
    text->size = 0;
    need(lm_buf_reserve(text, n + 1) == 0);
    text->size = n;
    need(fread(text->data, 1, n, stdin) == n);
    return true;
}

#endif
