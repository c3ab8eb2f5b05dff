/* internal.h -- between zio.c (formats) and zio_files.c (names on disk). */
#ifndef LM_LIB_IO_INTERNAL_H
#define LM_LIB_IO_INTERNAL_H

#include "longmix/err.h"

/* fsync fd, rename `tmp` to `path`, close fd (always), fsync the directory. When the rename was
 * not reached, `tmp` is left to the caller. */
LM_CHECKED int lm_publish(int fd, const char *tmp, const char *path);

#endif
