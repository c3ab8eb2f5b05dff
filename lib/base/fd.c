/* fd.c -- system calls on descriptors, finished or failed. */
#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/interrupt.h"

/* ---- opening --------------------------------------------------------------------------- */

static int open_as(const char *path, int flags, const char *purpose)
{
    struct stat st;
    bool waits = !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    int rc = waits ? lm_block_begin() : LM_OK, fd, e;
    if (rc) return rc;
    do fd = open(path, flags | O_NOCTTY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR && !(waits && lm_interrupted()));
    e = errno;
    if (waits) lm_block_end();
    if (fd >= 0) return fd;
    return e == EINTR ? lm_check_interrupt() : lm_fail_errno(e, "%s: cannot open%s", path, purpose);
}

int lm_fd_open(const char *path) { return open_as(path, O_RDONLY, ""); }
int lm_fd_open_writing(const char *path) { return open_as(path, O_WRONLY, " for writing"); }

static int not_regular(const char *path, mode_t mode)
{
    const char *kind = S_ISDIR(mode)    ? "directory"
                       : S_ISFIFO(mode) ? "FIFO"
                       : S_ISSOCK(mode) ? "socket"
                                        : "device";
    return lm_fail(LM_EIO, "%s: is a %s, not a %sfile", path, kind,
                   S_ISDIR(mode) ? "" : "regular ");
}

int lm_fd_open_regular(const char *path)
{
    struct stat st;
    if (!stat(path, &st) && S_ISSOCK(st.st_mode)) return not_regular(path, st.st_mode);
    int fd = open_as(path, O_RDONLY | O_NONBLOCK, ""); /* without effect on a regular file */
    if (fd < 0) return fd;
    int rc = fstat(fd, &st)         ? lm_fail_errno(errno, "%s: cannot open", path)
             : !S_ISREG(st.st_mode) ? not_regular(path, st.st_mode)
                                    : LM_OK;
    if (!rc) return fd;
    close(fd);
    return rc;
}

/* ---- reading and writing --------------------------------------------------------------- */

static bool is_regular(int fd)
{
    struct stat st;
    return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* One read into `to` or one write from `from`: its result, -1 with errno, or LM_EINTR. */
static ssize_t transfer(int fd, void *to, const void *from, size_t n)
{
    struct pollfd ready = { fd, from ? POLLOUT : POLLIN, 0 };
    bool waits = !is_regular(fd);
    ssize_t got;
    int rc = waits ? lm_block_begin() : LM_OK;
    if (rc) return rc;
    for (;;) {
        got = from ? write(fd, from, n) : read(fd, to, n);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN)) break;
        if (waits && lm_interrupted()) break;
        if (errno == EAGAIN) (void)poll(&ready, 1, -1);
    }
    if (waits) lm_block_end();
    return got < 0 && (errno == EINTR || errno == EAGAIN) ? lm_check_interrupt() : got;
}

static int cannot(const char *what, int fd, const char *name)
{
    if (errno == EBADF && fd <= STDERR_FILENO)
        return lm_fail(LM_EIO, "%s: is closed, or not open for %s", name,
                       fd == STDIN_FILENO ? "reading" : "writing");
    return lm_fail_errno(errno, "%s: cannot %s", name, what);
}

ssize_t lm_fd_read(int fd, void *buf, size_t n, uint64_t offset, const char *name)
{
    char what[40];
    ssize_t got = transfer(fd, buf, NULL, n);
    if (got != -1) return got;
    snprintf(what, sizeof what, "read at byte %" PRIu64, offset);
    return cannot(what, fd, name);
}

int lm_fd_write(int fd, const void *buf, size_t n, const char *name, size_t *done)
{
    const unsigned char *p = buf;
    size_t at = 0;
    ssize_t k = 0;
    while (at < n && (k = transfer(fd, NULL, p + at, n - at)) >= 0) at += (size_t)k;
    if (done) *done = at;
    return k == -1 ? cannot("write", fd, name) : k < 0 ? (int)k : LM_OK;
}

size_t lm_fd_write_now(int fd, const void *buf, size_t n)
{
    enum { ALWAYS_FITS = 512 }; /* where poll() promises space, by POSIX */
    const unsigned char *p = buf;
    size_t done = 0;
    struct pollfd ready = { fd, POLLOUT, 0 };
    while (done < n && poll(&ready, 1, 0) == 1 && ready.revents & POLLOUT) {
        size_t k = n - done < ALWAYS_FITS ? n - done : ALWAYS_FITS;
        ssize_t got = write(fd, p + done, k);
        if (got <= 0) break;
        done += (size_t)got;
    }
    return done;
}

int lm_fd_wait(int fd)
{
    struct pollfd ready = { fd, POLLIN, 0 };
    int rc = lm_block_begin();
    if (rc) return rc;
    while (poll(&ready, 1, -1) < 0 && errno == EINTR && !lm_interrupted()) continue;
    lm_block_end();
    return lm_check_interrupt();
}
