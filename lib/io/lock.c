/* lock.c -- one process at a time: flock on an open file, and lock files. */
#include "lib/io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/interrupt.h"

long lm_lock_owner(int fd)
{
    struct stat st;
    char line[256];
    long owner = 0;
    FILE *f = fstat(fd, &st) ? NULL : fopen("/proc/locks", "re");
    /* Another process rather than this one, which may share the lock. */
    while (f && (!owner || owner == getpid()) && fgets(line, sizeof line, f)) {
        unsigned major_number, minor_number;
        unsigned long long inode;
        long pid;
        if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &major_number, &minor_number,
                   &inode) == 4 &&
            pid > 0 && inode == st.st_ino && makedev(major_number, minor_number) == st.st_dev)
            owner = pid;
    }
    if (f) fclose(f);
    return owner;
}

int lm_fail_locked(int fd, const char *name)
{
    long pid = lm_lock_owner(fd);
    return pid ? lm_fail(LM_EUSAGE, "%s: another process is writing it (PID %ld)", name, pid)
               : lm_fail(LM_EUSAGE, "%s: another process is writing it", name);
}

int lm_lock_fd(int fd, int how, const char *name)
{
    /* At once where that is possible: also the checkpoint of an interrupted run takes locks. */
    if (!flock(fd, how | LOCK_NB)) return 1;
    if (errno != EWOULDBLOCK) return 0;
    if (how & LOCK_NB) return lm_fail_locked(fd, name);
    for (;;) {
        int rc = lm_block_begin();
        if (rc) return rc;
        bool locked = !flock(fd, how);
        int e = errno;
        lm_block_end();
        if (locked) return 1;
        if (e != EINTR) return 0;
    }
}

/* 1, 0, or -1 if it names something else than a regular file. */
static int names(int fd, int at, const char *name)
{
    struct stat mine, named;
    if (fstat(fd, &mine) || fstatat(at, name, &named, AT_SYMLINK_NOFOLLOW)) return 0;
    if (!S_ISREG(named.st_mode)) return -1;
    return mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

int lm_still_named(int fd, int at, const char *name)
{
    int named = names(fd, at, name);
    return named < 0 ? lm_fail(LM_EIO, "%s: is in the way and not a regular file; remove it", name)
                     : named;
}

/* ---- lock files ------------------------------------------------------------------------ */

/* As lm_still_named; a file with another name may be anything. */
static int check_file(int fd, const char *path)
{
    struct stat st;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink > 1)
        return lm_fail(LM_EIO, "%s: is in the way and a link to another file; remove it", path);
    return lm_still_named(fd, AT_FDCWD, path);
}

/* Open and lock `path`: 1 when that is done, with *out -1 without flock; 0 to try again. */
static int try_to_take(int *out, const char *path, int how, const char *name)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0) return lm_fail_errno(errno, "%s: cannot open for writing", path);
    int named = check_file(fd, path), /* before it is locked or written */
        locked = named < 0 ? named : lm_lock_fd(fd, how, name);
    if (locked == 1) named = lm_still_named(fd, AT_FDCWD, path);
    *out = locked == 1 && named == 1 ? fd : -1;
    if (locked == 0) (void)unlink(path);
    if (*out < 0) close(fd);
    return locked == 1 ? named : locked == 0 ? 1 : locked; /* its owner may have removed it */
}

int lm_lock_take(lm_lock *l, const char *path, int how, const char *name)
{
    int rc = 0;
    *l = (lm_lock){ .fd = -1, .path = strdup(path) };
    if (!l->path) return lm_fail_nomem(strlen(path));
    while (rc == 0) rc = try_to_take(&l->fd, path, how, name);
    l->taken = rc == 1;
    if (l->taken) return LM_OK;
    free(l->path);
    l->path = NULL;
    return rc;
}

int lm_lock_change(lm_lock *l, int how, const char *name)
{
    int rc = l->fd < 0 ? 0 : lm_lock_fd(l->fd, how, name);
    return rc < 0 ? rc : LM_OK;
}

void lm_lock_release(lm_lock *l, bool remove)
{
    if (l->taken && l->fd >= 0) {
        if (remove && !flock(l->fd, LOCK_EX | LOCK_NB) && names(l->fd, AT_FDCWD, l->path) == 1)
            (void)unlink(l->path);
        close(l->fd);
    }
    free(l->path);
    *l = (lm_lock){ 0 };
}
