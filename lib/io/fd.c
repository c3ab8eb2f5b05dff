/* fd.c -- whole reads and writes. */
#include "lib/base/fd.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "longmix/zio.h"

int lm_write_all(int fd, const void *buf, size_t n, const char *name)
{
    return lm_fd_write(fd, buf, n, name, NULL);
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
