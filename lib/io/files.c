/* files.c -- the part of zio.h below the formats: whole writes, whole files, names that
 * appear only when what they name is complete. */
#include "longmix/zio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io/internal.h"

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

int lm_sync_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = !slash          ? strdup(".")
                : slash == path ? strdup("/")
                                : strndup(path, (size_t)(slash - path));
    if (!dir) return lm_fail_nomem(strlen(path));
    int rc = LM_OK;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a directory (EINVAL): there the rename is all there is. */
    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        rc = lm_fail_errno(errno, "%s: cannot sync the directory", dir);
    if (fd >= 0) close(fd);
    free(dir);
    return rc;
}

int lm_publish(int fd, const char *tmp, const char *path)
{
    /* Closed after the rename: open_alone's lock must last until `tmp` has its name. */
    int rc = LM_OK;
    if (fsync(fd)) rc = lm_fail_errno(errno, "%s: cannot sync", tmp);
    if (!rc && rename(tmp, path)) rc = lm_fail_errno(errno, "%s: cannot rename to %s", tmp, path);
    close(fd);
    return rc ? rc : lm_sync_dir(path);
}

/* Open `tmp` and hold its lock, so that two programs that write the same PATH at once (parts of
 * one job and their manifest) follow one another. Whoever waited may hold a file that was
 * renamed meanwhile: then it tries again. */
static int open_alone(const char *tmp)
{
    for (;;) {
        struct stat mine, named;
        int fd = open(tmp, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) return lm_fail_errno(errno, "%s: cannot open for writing", tmp);
        int locked;
        do locked = flock(fd, LOCK_EX);
        while (locked && errno == EINTR);
        /* A file system without locks leaves it to its users. */
        bool ours = locked || (!fstat(fd, &mine) && !stat(tmp, &named) &&
                               mine.st_dev == named.st_dev && mine.st_ino == named.st_ino);
        if (ours) return fd;
        close(fd);
    }
}

int lm_write_file(const char *path, const void *p, size_t n)
{
    char *tmp = NULL;
    if (asprintf(&tmp, "%s.tmp", path) < 0) return lm_fail_nomem(strlen(path) + 5);
    int fd = open_alone(tmp);
    if (fd < 0) {
        free(tmp);
        return fd;
    }
    int rc = ftruncate(fd, 0) ? lm_fail_errno(errno, "%s: cannot truncate", tmp)
                              : lm_write_all(fd, p, n, tmp);
    if (rc) close(fd);
    else rc = lm_publish(fd, tmp, path);
    if (rc) unlink(tmp);
    free(tmp);
    return rc;
}
