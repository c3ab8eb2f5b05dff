/* output.c -- whole reads and writes of descriptors, and files that appear only when complete. */
#include "lib/io/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "longmix/zio.h"

enum { LINKS_MAX = 40, NAMES_MAX = 1000 };

/* ---- names ----------------------------------------------------------------------------- */

/* The bytes of `path` up to its last slash, which is included. */
static int dir_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

int lm_sync_dir(const char *path)
{
    int n = dir_size(path);
    char *dir = n ? strndup(path, (size_t)n) : strdup(".");
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

/* Replace *path, a symbolic link, by what it points to: 1; 0 if it is none; or an error. */
static int follow(char **path)
{
    char link[4096], *to = NULL;
    ssize_t n = readlink(*path, link, sizeof link);
    if (n < 0) return 0;
    if ((size_t)n == sizeof link) return lm_fail(LM_EIO, "%s: the link is too long", *path);
    int dir = link[0] == '/' ? 0 : dir_size(*path);
    if (asprintf(&to, "%.*s%.*s", dir, *path, (int)n, link) < 0) return lm_fail_nomem((size_t)n);
    free(*path);
    *path = to;
    return 1;
}

/* The descriptor that /dev/stdout and the like lead to; -1 for other names. */
static int descriptor_of(const char *path)
{
    int fd = -1;
    if (sscanf(path, "/proc/self/fd/%d", &fd) != 1) (void)sscanf(path, "/dev/fd/%d", &fd);
    return fd;
}

int lm_output_locate(lm_output *o, const char *path)
{
    struct stat st;
    bool standard = !strcmp(path, "-"), exists = !standard && !stat(path, &st);
    *o = (lm_output){ .fd = standard ? STDOUT_FILENO : -1,
                      .direct = standard || (exists && !S_ISREG(st.st_mode)),
                      .path = strdup(standard ? "standard output" : path),
                      .mode = 0666 };
    if (!o->path) return lm_fail_nomem(strlen(path));
    if (exists && S_ISDIR(st.st_mode))
        return lm_fail(LM_EIO, "%s: is a directory, not a file", path);
    int more = 1;
    for (int i = 0; more == 1 && !o->direct; i++) {
        if (i == LINKS_MAX) return lm_fail_errno(ELOOP, "%s: cannot open for writing", path);
        if (descriptor_of(o->path) >= 0) o->direct = true;
        else more = follow(&o->path);
    }
    o->replaces = exists && !o->direct;
    if (o->replaces) o->mode = st.st_mode & 0777;
    return more < 0 ? more : LM_OK;
}

const char *lm_output_name(const lm_output *o) { return o->tmp && o->keep ? o->tmp : o->path; }

/* ---- inputs ---------------------------------------------------------------------------- */

/* What `path` is now; "-" is `standard`. */
static bool look(const char *path, int standard, struct stat *st)
{
    return !(strcmp(path, "-") ? stat(path, st) : fstat(standard, st));
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           (S_ISREG(a->st_mode) || S_ISDIR(a->st_mode));
}

int lm_output_refuse_input(const char *path, const char *const *inputs, size_t n)
{
    static const char *const suffix[] = { "", LM_TMP_SUFFIX, ".partial" };
    lm_output o;
    int rc = lm_output_locate(&o, path);
    /* A directory is refused by whoever cannot write one. */
    for (size_t k = 0; o.path && k < sizeof suffix / sizeof *suffix; k++) {
        char *name = NULL;
        struct stat mine, in;
        if (k && o.direct) break;
        if (asprintf(&name, "%s%s", k ? o.path : path, suffix[k]) < 0) {
            rc = lm_fail_nomem(strlen(path));
            break;
        }
        bool there = look(name, STDOUT_FILENO, &mine);
        free(name);
        rc = LM_OK;
        for (size_t i = 0; i < n && there && !rc; i++)
            if (look(inputs[i], STDIN_FILENO, &in) && same_file(&mine, &in))
                rc = lm_fail(LM_EUSAGE, "%s: is an input, too (%s); choose another output", o.path,
                             inputs[i]);
        if (rc) break;
    }
    lm_output_abandon(&o);
    return rc;
}

int lm_output_refuse_inputs_in(const char *path, const char *dir)
{
    DIR *d = opendir(dir);
    int rc = LM_OK;
    for (const struct dirent *e; !rc && d && (e = readdir(d));) {
        char *name = NULL;
        if (asprintf(&name, "%s/%s", dir, e->d_name) < 0)
            return closedir(d), lm_fail_nomem(strlen(dir));
        rc = lm_output_refuse_input(path, (const char *const *)&name, 1);
        free(name);
    }
    if (d) closedir(d);
    return rc;
}

/* ---- opening --------------------------------------------------------------------------- */

static int cannot_open(const char *name)
{
    int e = errno;
    int rc = e == EINTR ? lm_check_interrupt() : LM_OK;
    return rc ? rc : lm_fail_errno(e, "%s: cannot open for writing", name);
}

/* A name that nobody else has, for a file system without locks. */
static int open_unique(lm_output *o)
{
    for (unsigned n = 0; n < NAMES_MAX; n++) {
        free(o->tmp);
        if (asprintf(&o->tmp, "%s.longmix.%ld-%u.tmp", o->path, (long)getpid(), n) < 0) {
            o->tmp = NULL;
            return lm_fail_nomem(strlen(o->path));
        }
        o->fd = open(o->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, o->mode | 0600);
        if (o->fd >= 0) return LM_OK;
        if (errno != EEXIST) break;
    }
    return cannot_open(o->path);
}

/* Open o->tmp, locked and empty. Whoever creates the file may lose it before it has the lock, to a
 * process that takes it for the file of a dead one: then that process has the output, or both try
 * again. */
static int open_temporary(lm_output *o, bool wait)
{
    for (;;) {
        bool made = true;
        int fd = open(o->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, o->mode | 0600);
        if (fd < 0 && errno == EEXIST) {
            made = false;
            fd = open(o->tmp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
            if (fd < 0 && errno == ENOENT) continue;
        }
        if (fd < 0) return cannot_open(made ? o->path : o->tmp);
        int locked = lm_lock_fd(fd, LOCK_EX | (wait ? 0 : LOCK_NB), o->path),
            named = locked < 0 ? locked : lm_still_named(fd, AT_FDCWD, o->tmp);
        if (made && (locked == 0 || named == 1)) {
            o->fd = fd;
            return LM_OK;
        }
        if (locked == 1 && named == 1 && unlink(o->tmp) && errno != ENOENT)
            named = lm_fail_errno(errno, "%s: cannot remove", o->tmp);
        close(fd);
        if (locked == 0) return open_unique(o);
        if (named < 0) return named;
    }
}

/* Open o->tmp with what is in it: the file that has that name once the lock is held. */
static int open_resumable(lm_output *o)
{
    for (int named = 0; named == 0;) {
        o->fd = open(o->tmp, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, o->mode | 0600);
        if (o->fd < 0) return cannot_open(o->tmp);
        int locked = lm_lock_fd(o->fd, LOCK_EX | LOCK_NB, o->path);
        named = locked < 0 ? locked : lm_still_named(o->fd, AT_FDCWD, o->tmp);
        if (named == 1) return LM_OK;
        close(o->fd); /* its writer has just renamed it */
        o->fd = -1;
        if (named < 0) return named;
    }
    return LM_OK;
}

int lm_output_open(lm_output *o, enum lm_output_kind kind)
{
    if (o->direct) {
        int given = descriptor_of(o->path);
        if (given < 0 && o->fd < 0) o->fd = lm_fd_open_writing(o->path);
        if (given < 0) return o->fd < 0 ? o->fd : LM_OK;
        o->fd = fcntl(given, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return o->fd < 0 ? cannot_open(o->path) : LM_OK;
    }
    o->keep = kind == LM_OUTPUT_RESUMABLE;
    if (asprintf(&o->tmp, "%s%s", o->path, o->keep ? ".partial" : LM_TMP_SUFFIX) < 0) {
        o->tmp = NULL;
        return lm_fail_nomem(strlen(o->path));
    }
    int rc = o->keep ? open_resumable(o) : open_temporary(o, kind == LM_OUTPUT_WAIT);
    if (rc) { /* the file of that name is not ours to remove */
        free(o->tmp);
        o->tmp = NULL;
    }
    return rc;
}

/* ---- the end --------------------------------------------------------------------------- */

static void release(lm_output *o)
{
    if (o->fd > STDERR_FILENO) close(o->fd);
    free(o->tmp);
    free(o->path);
    *o = (lm_output){ .fd = -1 };
}

/* Give the file the permissions that the one it replaces has. */
static int set_mode(const lm_output *o)
{
    struct stat st;
    if (!o->replaces) return LM_OK;
    if (fstat(o->fd, &st) || ((st.st_mode & 0777) != o->mode && fchmod(o->fd, o->mode)))
        return lm_fail_errno(errno, "%s: cannot set the permissions", o->tmp);
    return LM_OK;
}

int lm_output_commit(lm_output *o)
{
    int rc = LM_OK;
    if (o->direct) goto out;
    rc = set_mode(o);
    if (!rc && fsync(o->fd)) rc = lm_fail_errno(errno, "%s: cannot sync", o->path);
    if (!rc && rename(o->tmp, o->path))
        rc = lm_fail_errno(errno, "%s: cannot rename to %s", o->tmp, o->path);
    if (rc) {
        lm_output_abandon(o);
        return rc;
    }
    rc = lm_sync_dir(o->path);
out:
    release(o); /* the lock is held until after the rename */
    return rc;
}

void lm_output_abandon(lm_output *o)
{
    if (o->tmp && !o->keep) (void)unlink(o->tmp);
    release(o);
}

int lm_make_dir(const char *path)
{
    bool made = !mkdir(path, 0777);
    if (!made && errno != EEXIST)
        return lm_fail_errno(errno, "%s: cannot create the directory", path);
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    char *name = strndup(path, n); /* the directory above `a/b/` is a */
    if (!name) return lm_fail_nomem(n);
    int rc = lm_sync_dir(name);
    free(name);
    /* One that was there may be in a directory that this user cannot read. */
    return made ? rc : LM_OK;
}

int lm_output_clean(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d) return lm_fail_errno(errno, "%s", dir);
    int rc = LM_OK, at = dirfd(d);
    for (const struct dirent *e; !rc && (e = readdir(d));) {
        if (!lm_has_suffix(e->d_name, LM_TMP_SUFFIX)) continue;
        int fd = openat(at, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) continue;
        if (!flock(fd, LOCK_EX | LOCK_NB) && lm_still_named(fd, at, e->d_name) == 1 &&
            unlinkat(at, e->d_name, 0))
            rc = lm_fail_errno(errno, "%s/%s: cannot remove", dir, e->d_name);
        close(fd);
    }
    closedir(d);
    return rc;
}

/* A file that never has a name; -1 where that cannot be. */
static int unnamed_fd(const char *path, const char *tmp)
{
    int n = path ? dir_size(path) : 0;
    char *dir = n ? strndup(path, (size_t)n) : strdup(path ? "." : tmp);
    int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    free(dir);
    return fd;
}

int lm_temporary_fd(const char *path)
{
    const char *tmp = getenv("TMPDIR");
    if (!tmp || !*tmp) tmp = "/tmp";
    int unnamed = unnamed_fd(path, tmp);
    if (unnamed >= 0) return unnamed;
    char *name = NULL;
    int n = path ? asprintf(&name, "%s.longmix.XXXXXX.tmp", path)
                 : asprintf(&name, "%s/longmix.XXXXXX.tmp", tmp);
    if (n < 0) return lm_fail_nomem(path ? strlen(path) : 32);
    int fd = mkostemps(name, (int)strlen(".tmp"), O_CLOEXEC);
    if (fd < 0) fd = lm_fail_errno(errno, "%s: cannot make a temporary file", name);
    else (void)unlink(name);
    free(name);
    return fd;
}

int lm_write_file(const char *path, const void *p, size_t n)
{
    lm_output o;
    int rc = lm_output_locate(&o, path);
    if (!rc) rc = lm_output_open(&o, LM_OUTPUT_WAIT);
    if (!rc) rc = lm_write_all(o.fd, p, n, o.path);
    if (!rc) return lm_output_commit(&o);
    lm_output_abandon(&o);
    return rc;
}
