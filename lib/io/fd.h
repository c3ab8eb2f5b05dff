/* fd.h -- system calls on descriptors that may block, be interrupted, or do only part of the work.
 * lm_write_all and lm_pread_all are in longmix/zio.h. */
#ifndef LM_LIB_IO_FD_H
#define LM_LIB_IO_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "longmix/err.h"

/* Open `path` for reading. The descriptor, or LM_EIO, LM_EINTR. */
LM_CHECKED int lm_fd_open(const char *path);

/* Read up to n bytes: how many, 0 at the end, or LM_EIO, LM_EINTR. `name` and `offset` are for the
 * message. */
LM_CHECKED ssize_t lm_fd_read(int fd, void *buf, size_t n, uint64_t offset, const char *name);

#endif
