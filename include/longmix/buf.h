/* buf.h -- a byte buffer that grows up to a bound which its owner declares. */
#ifndef LONGMIX_BUF_H
#define LONGMIX_BUF_H

#include <stddef.h>

#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_buf {
    unsigned char *data; /* size bytes are in use, cap are allocated; NULL when cap == 0 */
    size_t size, cap;
    size_t max; /* the maximum: growing past it is LM_ENOMEM */
} lm_buf;

#define LM_BUF_INIT(bound)  \
    {                       \
        NULL, 0, 0, (bound) \
    }

/* Bytes that someone else owns. NULL: there are none, as against an empty string. */
typedef struct lm_string {
    const char *s; /* not NUL-ended */
    size_t n;
} lm_string;

/* Make room for `more` bytes past size; data may move. size is unchanged, and the new
 * bytes are not set. 0, or LM_ENOMEM with the contents as they were. */
LM_CHECKED int lm_buf_reserve(lm_buf *b, size_t more);

/* Append n bytes. 0 or LM_ENOMEM. */
LM_CHECKED int lm_buf_add(lm_buf *b, const void *p, size_t n);

/* Append formatted text. A NUL follows the last byte; it is not counted. */
LM_CHECKED int lm_buf_printf(lm_buf *b, const char *fmt, ...) LM_PRINTF(2, 3);

/* Empty it: size = 0. If more than `keep` bytes are allocated they are freed, so that the memory
 * for one large document is not held until the end. */
void lm_buf_reset(lm_buf *b, size_t keep);

/* Free the memory; b can be used again. A zeroed lm_buf may be freed. */
void lm_buf_free(lm_buf *b);

/* A larger block for an array of *cap elements of `size` bytes that is full: `p` reallocated to
 * twice as many (at first, 16), at most `max`, and *cap set. NULL when there is no memory or *cap
 * is `max` already: then `p` and *cap are as they were, lm_err() is set, and the caller returns
 * LM_ENOMEM. The new elements are not set. */
LM_CHECKED void *lm_grow(void *p, size_t *cap, size_t size, size_t max);

#ifdef __cplusplus
}
#endif
#endif
