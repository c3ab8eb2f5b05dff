/* fd.c -- system calls on descriptors, finished or failed. */
#include "lib/io/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "lib/base/threads.h"
#include "longmix/zio.h"

int lm_fd_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int e = errno, rc = fd < 0 && e == EINTR ? lm_check_interrupt() : LM_OK;
    if (fd < 0 && !rc) rc = lm_fail_errno(e, "%s: cannot open", path);
    return rc ? rc : fd;
}

ssize_t lm_fd_read(int fd, void *buf, size_t n, uint64_t offset, const char *name)
{
    ssize_t got = 0;
    do got = read(fd, buf, n);
    while (got < 0 && errno == EINTR && !lm_interrupted());
    if (got < 0 && errno == EINTR) return lm_check_interrupt();
    if (got < 0) return lm_fail_errno(errno, "%s: cannot read at byte %" PRIu64, name, offset);
    return got;
}

int lm_write_all(int fd, const void *buf, size_t n, const char *name)
{
    const unsigned char *p = buf;
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return lm_fail_errno(errno, "%s: cannot write", name);
        p += k;
        n -= (size_t)k;
    }
    return LM_OK;
}

int lm_pread_all(int fd, void *buf, size_t n, uint64_t offset, const char *name)
{
    unsigned char *p = buf;
    while (n) {
        ssize_t k = pread(fd, p, n, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return lm_fail_errno(errno, "%s: cannot read at byte %" PRIu64, name, offset);
        if (k == 0)
            return lm_fail(LM_EDATA, "%s: truncated: ends at byte %" PRIu64 ", %zu bytes too early",
                           name, offset, n);
        p += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    return LM_OK;
}
