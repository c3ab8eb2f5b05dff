#include "longmix/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lm_buf_reserve(lm_buf *b, size_t more)
{
    if (more <= b->cap - b->size) return LM_OK;
    if (more > b->max || b->size > b->max - more)
        return lm_fail(LM_ENOMEM, "a buffer would grow past its bound of %zu bytes", b->max);
    size_t need = b->size + more;
    size_t cap = b->cap > b->max / 2 ? b->max : b->cap + b->cap / 2;
    if (cap < need) cap = need;
    if (cap < 64) cap = b->max < 64 ? b->max : 64;
    unsigned char *p = realloc(b->data, cap);
    if (!p) return lm_fail_nomem(cap);
    b->data = p;
    b->cap = cap;
    return LM_OK;
}

int lm_buf_add(lm_buf *b, const void *p, size_t n)
{
    int rc = lm_buf_reserve(b, n);
    if (rc) return rc;
    if (n) memcpy(b->data + b->size, p, n);
    b->size += n;
    return LM_OK;
}

int lm_buf_printf(lm_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int rc = n < 0 ? lm_fail(LM_EUSAGE, "bad format string") : lm_buf_reserve(b, (size_t)n + 1);
    if (!rc) {
        vsnprintf((char *)b->data + b->size, (size_t)n + 1, fmt, again);
        b->size += (size_t)n;
    }
    va_end(again);
    return rc;
}

void lm_buf_reset(lm_buf *b, size_t keep)
{
    if (b->cap > keep) {
        free(b->data);
        b->data = NULL;
        b->cap = 0;
    }
    b->size = 0;
}

void lm_buf_free(lm_buf *b) { lm_buf_reset(b, 0); }

void *lm_grow(void *p, size_t *cap, size_t size, size_t max)
{
    if (*cap >= max) {
        lm_fail(LM_ENOMEM, "more than %zu elements", max);
        return NULL;
    }
    size_t n = *cap == 0 ? 16 : *cap > max / 2 ? max : 2 * *cap;
    if (n > max) n = max;
    if (n > SIZE_MAX / size) {
        lm_fail_nomem(SIZE_MAX);
        return NULL;
    }
    void *more = realloc(p, n * size);
    if (more) *cap = n;
    else lm_fail_nomem(n * size);
    return more;
}
