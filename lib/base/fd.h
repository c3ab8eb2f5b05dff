/* fd.h -- system calls on descriptors that may wait, be interrupted, or do only part of the work.
 *
 * Of a pipe, socket or device, all of them end with LM_EINTR soon after lm_interrupt(), also if that
 * comes first; a regular file is read and written to the end, for a checkpoint at the end of a run.
 * A descriptor with O_NONBLOCK, which is shared with other programs and so left as it is, is waited
 * for. Any thread. */
#ifndef LM_LIB_BASE_FD_H
#define LM_LIB_BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Open `path` for reading; of a FIFO, wait for a writer. The descriptor, or LM_EIO, LM_EINTR. */
LM_CHECKED int lm_fd_open(const char *path);

/* The same for files that are read at any offset: LM_EIO at once for all but a regular file. */
LM_CHECKED int lm_fd_open_regular(const char *path);

/* Open a FIFO (waiting for a reader) or a device that exists for writing. LM_EIO, LM_EINTR. */
LM_CHECKED int lm_fd_open_writing(const char *path);

/* Read up to n bytes: how many, 0 at the end, or LM_EIO, LM_EINTR. `name` and `offset` are for the
 * message. */
LM_CHECKED ssize_t lm_fd_read(int fd, void *buf, size_t n, uint64_t offset, const char *name);

/* Write n bytes. 0, LM_EIO, LM_EPIPE, LM_EINTR; *done (it may be NULL) is how many were written. */
LM_CHECKED int lm_fd_write(int fd, const void *buf, size_t n, const char *name, size_t *done);

/* Write what is taken without waiting, at the end of an interrupted run. How many bytes. */
size_t lm_fd_write_now(int fd, const void *buf, size_t n);

/* Wait until a byte of `fd` can be read, or it has ended or failed. 0 or LM_EINTR. */
LM_CHECKED int lm_fd_wait(int fd);

#ifdef __cplusplus
}
#endif
#endif
