/* inject.c -- a library to preload (LD_PRELOAD) that makes one call of a program fail, be short, or
 * be the moment of its death. Set by the environment:
 *
 *   FAULT_CALL   write, pwrite, read, pread, open, close, fsync, rename, ftruncate, mkdir, unlink,
 *                malloc (calloc and realloc too), mmap (of files)
 *   FAULT_AT     the call that it happens to, counted from 1; 0: none, calls are only counted
 *   FAULT_HOW    once: that call fails; on: it and all that follow; short: a write or read of half
 *                the bytes; kill: SIGKILL before the call
 *   FAULT_COUNT  a file that the number of calls is appended to when the program ends
 *
 * Only calls on files of the program are counted: descriptors above 2 and paths outside the system's
 * folders (fonts, locale, /proc). Allocations before main are not counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char target[16], how[8];
static long at;
static atomic_long calls;
static bool ready;

enum outcome { PASS, FAIL, SHORT };

__attribute__((constructor)) static void set_up(void)
{
    const char *call = getenv("FAULT_CALL"), *when = getenv("FAULT_AT"),
               *mode = getenv("FAULT_HOW");
    if (!call) return;
    snprintf(target, sizeof target, "%s", call);
    snprintf(how, sizeof how, "%s", mode ? mode : "once");
    at = when ? strtol(when, NULL, 10) : 0;
    unsetenv("LD_PRELOAD"); /* programs that this one starts run as usual */
    ready = true;
}

__attribute__((destructor)) static void say(void)
{
    const char *path = getenv("FAULT_COUNT");
    char line[32];
    if (!ready || !path) return;
    ready = false;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    int n = snprintf(line, sizeof line, "%ld\n", atomic_load(&calls));
    if (fd < 0 || write(fd, line, (size_t)n) != n) _exit(99);
    close(fd);
}

/* What becomes of this call of `name`. */
static enum outcome decide(const char *name)
{
    if (!ready || strcmp(name, target)) return PASS;
    long n = atomic_fetch_add(&calls, 1) + 1;
    if (!at || n < at || (n > at && strcmp(how, "on"))) return PASS;
    if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
    return strcmp(how, "short") ? FAIL : SHORT;
}

#define REAL(name) ((__typeof__(&name))next(#name))

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

/* ---- which calls ------------------------------------------------------------------------ */

static bool our_path(const char *path)
{
    static const char *const system[] = { "/proc/", "/sys/", "/dev/", "/etc/",   "/usr/",
                                          "/lib",   "/var/", "pipe:", "socket:", "anon_inode:" };
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (!strncmp(path, system[i], strlen(system[i]))) return false;
    return ready && !strstr(path, "/fontconfig/");
}

static bool ours(int fd)
{
    char link[32], path[4096];
    if (!ready || fd <= STDERR_FILENO) return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return false;
    path[n] = 0;
    return our_path(path);
}

#define IO(name, type, ...)                            \
    enum outcome o = ours(fd) ? decide(#name) : PASS;  \
    if (o == FAIL) return errno = error_of(#name), -1; \
    if (o == SHORT && n > 1) n /= 2;                   \
    return REAL(name)(__VA_ARGS__)

static int error_of(const char *name)
{
    return !strcmp(name, "write") || !strcmp(name, "pwrite") ? ENOSPC : EIO;
}

ssize_t write(int fd, const void *p, size_t n) { IO(write, ssize_t, fd, p, n); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t to) { IO(pwrite, ssize_t, fd, p, n, to); }
ssize_t read(int fd, void *p, size_t n) { IO(read, ssize_t, fd, p, n); }
ssize_t pread(int fd, void *p, size_t n, off_t from) { IO(pread, ssize_t, fd, p, n, from); }

#define PLAIN(name, mine, error, ...)      \
    if ((mine) && decide(#name) != PASS) { \
        errno = error;                     \
        return -1;                         \
    }                                      \
    return REAL(name)(__VA_ARGS__)

int fsync(int fd) { PLAIN(fsync, ours(fd), EIO, fd); }
int ftruncate(int fd, off_t n) { PLAIN(ftruncate, ours(fd), EIO, fd, n); }
int rename(const char *a, const char *b) { PLAIN(rename, our_path(a), EIO, a, b); }
int mkdir(const char *p, mode_t m) { PLAIN(mkdir, our_path(p), ENOSPC, p, m); }
int unlink(const char *p) { PLAIN(unlink, our_path(p), EIO, p); }

/* A close that fails has closed: what Linux does. */
int close(int fd)
{
    bool mine = ours(fd);
    int rc = REAL(close)(fd);
    if (!mine || decide("close") == PASS) return rc;
    errno = EIO;
    return -1;
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    PLAIN(open, our_path(path), EMFILE, path, flags, mode);
}

/* ---- memory ----------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

static void *allocated(void *(*make)(size_t, size_t), size_t a, size_t b)
{
    if (decide("malloc") == PASS) return make(a, b);
    errno = ENOMEM;
    return NULL;
}

static void *make_malloc(size_t n, size_t unused) { return (void)unused, __libc_malloc(n); }
static void *make_calloc(size_t n, size_t size) { return __libc_calloc(n, size); }
void *malloc(size_t n) { return allocated(make_malloc, n, 0); }
void *calloc(size_t n, size_t size) { return allocated(make_calloc, n, size); }

void *realloc(void *p, size_t n)
{
    if (decide("malloc") == PASS) return __libc_realloc(p, n);
    errno = ENOMEM;
    return NULL;
}

void *mmap(void *to, size_t n, int protection, int flags, int fd, off_t from)
{
    if (!(flags & MAP_ANONYMOUS) && ours(fd) && decide("mmap") != PASS) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return REAL(mmap)(to, n, protection, flags, fd, from);
}
