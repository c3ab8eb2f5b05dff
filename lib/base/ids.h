/* ids.h -- token ids as files hold them. */
#ifndef LM_LIB_BASE_IDS_H
#define LM_LIB_BASE_IDS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The largest of n ids of `width` (2 or 4) bytes; 0 for none. `ids` is a multiple of width. */
uint32_t lm_ids_max(const void *ids, size_t n, unsigned width);

#ifdef __cplusplus
}
#endif
#endif
