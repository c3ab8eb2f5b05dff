/* unpack.h -- decompressors behind one interface: gzip, zstd, bz2, xz. The only user of zlib, libbz2
 * and liblzma; lib/io/zio.c feeds it. */
#ifndef LM_LIB_IO_UNPACK_H
#define LM_LIB_IO_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "longmix/err.h"

enum lm_packing { LM_PLAIN, LM_GZIP, LM_ZSTD, LM_BZ2, LM_XZ };
enum { LM_PACKING_HEAD = 10 }; /* bytes that identify a packing */

/* The packing of data that begins with the n bytes at `head`; fewer than LM_PACKING_HEAD are all. */
enum lm_packing lm_packing_of(const unsigned char *head, size_t n);

/* Is this the begin of a bz2 or xz file that was cut off before that? */
bool lm_packing_cut(const unsigned char *head, size_t n);

/* The packing that a file's name promises (.gz, .zst, .zstd, .bz2, .xz in any case), or LM_PLAIN. */
enum lm_packing lm_packing_named(const char *path);

/* "gzip", ... */
const char *lm_packing_name(enum lm_packing p);

typedef struct lm_unpack lm_unpack;
LM_CHECKED int lm_unpack_new(lm_unpack **out, enum lm_packing packing); /* not LM_PLAIN */
void lm_unpack_free(lm_unpack *u);                                      /* NULL is allowed */

/* Decompress from `from` (n bytes; *used of them are taken) to `to` (room > 0 bytes). How many
 * bytes were written, or -1: *why is what is damaged, or NULL where there is no memory. */
ssize_t lm_unpack_step(lm_unpack *u, const unsigned char *from, size_t n, size_t *used,
                       unsigned char *to, size_t room, const char **why);

/* May the next step give output without input? */
bool lm_unpack_more(const lm_unpack *u);

/* All input was given and no more output is held back: 1 where the data may end here, 0 where it
 * breaks off, -1 as above. */
int lm_unpack_end(lm_unpack *u, const char **why);

#endif
