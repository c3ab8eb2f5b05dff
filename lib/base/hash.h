/* hash.h -- XXH3-64 (seed 0): document keys and checksums. Not cryptographic: it finds
 * damage and equal texts, not forgeries. */
#ifndef LM_LIB_BASE_HASH_H
#define LM_LIB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The hash of n bytes at p. p may be NULL when n is 0. */
uint64_t lm_hash64(const void *p, size_t n);

/* XXH3-64 of all bytes of a file. 0, LM_EIO, LM_ENOMEM or LM_EINTR. */
LM_CHECKED int lm_hash_file(uint64_t *out, const char *path);

/* The same over bytes that come in pieces. */
typedef struct lm_hasher lm_hasher;
LM_CHECKED int lm_hasher_new(lm_hasher **out);
void lm_hasher_reset(lm_hasher *h);
void lm_hasher_add(lm_hasher *h, const void *p, size_t n);
LM_CHECKED int lm_hasher_add_file(lm_hasher *h, const char *path); /* all its bytes; LM_EIO */
uint64_t lm_hasher_digest(const lm_hasher *h);
void lm_hasher_free(lm_hasher *h); /* NULL is allowed */

/* Write v as 16 lower-case hex digits and a NUL: how JSON holds hashes and keys. */
void lm_hex64(char out[17], uint64_t v);

/* Read what lm_hex64 wrote, with or without "0x". 0, or LM_EDATA without a message. */
LM_CHECKED int lm_unhex64(const char *s, uint64_t *out);

#ifdef __cplusplus
}
#endif
#endif
