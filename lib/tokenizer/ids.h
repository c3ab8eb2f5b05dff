/* ids.h -- a growing vector of token ids, as models take them: 32-bit, whatever the width of the
 * tokenizer or store they come from. */
#ifndef LM_LIB_TOKENIZER_IDS_H
#define LM_LIB_TOKENIZER_IDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One little-endian id of `width` bytes (2 or 4): written, the end returned; read. */
static inline unsigned char *lm_put_id(unsigned char *out, uint32_t id, unsigned width)
{
    if (width == 2) {
        uint16_t v = (uint16_t)id;
        memcpy(out, &v, 2);
        return out + 2;
    }
    memcpy(out, &id, 4);
    return out + 4;
}

static inline uint32_t lm_get_id(const unsigned char *p, unsigned width)
{
    uint16_t v;
    uint32_t id;
    if (width == 4) return memcpy(&id, p, 4), id;
    return memcpy(&v, p, 2), v;
}

#define LM_IDS_MAX ((size_t)1 << 32) /* the bound: growing past it is LM_ENOMEM */

/* Zeroed, it is empty. */
typedef struct lm_ids {
    int32_t *v;
    size_t n, room; /* n ids are in use, room are allocated */
} lm_ids;

/* Make room for `more` ids past n; v may move. 0, or LM_ENOMEM with the contents as they were. */
LM_CHECKED int lm_ids_reserve(lm_ids *ids, size_t more);

/* Append n ids. 0 or LM_ENOMEM. */
LM_CHECKED int lm_ids_add(lm_ids *ids, const int32_t *v, size_t n);

/* Append n little-endian ids of `width` bytes each (2 or 4), as lm_encode and stores hold them.
 * 0 or LM_ENOMEM. */
LM_CHECKED int lm_ids_widen(lm_ids *ids, const void *raw, size_t n, unsigned width);

/* The reverse, for lm_decode: n ids into n * width bytes at `raw`. Ids must fit the width. */
void lm_ids_narrow(void *raw, const int32_t *v, size_t n, unsigned width);

void lm_ids_free(lm_ids *ids); /* a zeroed one is allowed; empty and usable afterwards */

#ifdef __cplusplus
}
#endif
#endif
