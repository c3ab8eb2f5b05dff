/* inject.c -- a library to preload (LD_PRELOAD) that makes one call of a program fail, be short, or be
 * the moment of its death. Set by the environment:
 *
 *   FAULT_CALL   write, pwrite, read, pread, open, close, fsync, rename, ftruncate, mkdir, unlink, flock,
 *                malloc (calloc, realloc and aligned blocks too), mmap (of files), thread (pthread_create),
 *                exit (the end of the program, with LOSE modes only)
 *   FAULT_AT     the call that it happens to, counted from 1; 0: none, calls are only counted
 *   FAULT_HOW    once: that call fails; on: it and all that follow; short: a write or read of half the
 *                bytes; kill: SIGKILL before the call; or the power goes, which kills it, and afterwards
 *                what was not synced is lost:
 *                  lose-data  every file has the bytes of its last fsync
 *                  lose-zero  the same, and zeros up to the size that it had
 *                  lose-all   as lose-data; and names are those of the last fsync of their directory
 *                  lose-some  as lose-all, except that the last change of a name is kept
 *   FAULT_COUNT  a file that gets a line "CALL NUMBER" for each kind of call when the program ends
 *   FAULT_PATH   a file that gets the path that the faulty call was about; after a crash, "crash:" and the
 *                library that it happened in
 *   FAULT_STASH  an empty directory on the same file system, for LOSE modes
 *
 * Only calls on files of the program are counted: descriptors above 2, standard output if it is a file,
 * and paths outside the system's folders (fonts, locale, /proc). Allocations before main are not
 * counted. stdio's own calls are not seen, but files that fopen opens are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

#define REAL(name) ((__typeof__(&name))next(#name))

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

enum call {
    WRITE,
    PWRITE,
    READ,
    PREAD,
    OPEN,
    CLOSE,
    FSYNC,
    RENAME,
    FTRUNCATE,
    MKDIR,
    UNLINK,
    FLOCK,
    MALLOC,
    MMAP,
    THREAD,
    EXIT,
    CALLS
};
static const char *const names[CALLS] = { "write",     "pwrite", "read",   "pread",
                                          "open",      "close",  "fsync",  "rename",
                                          "ftruncate", "mkdir",  "unlink", "flock",
                                          "malloc",    "mmap",   "thread", "exit" };

enum outcome { PASS, FAIL, SHORT };

static enum call target = CALLS;
static char how[12];
static long at;
static bool ready, losing;
static atomic_long counts[CALLS];
static __thread bool inside; /* of this library */

static void lose(void);
static void power_off(void);

/* ---- which calls ------------------------------------------------------------------------ */

static bool our_path(const char *path)
{
    static const char *const system[] = { "/proc/", "/sys/", "/dev/", "/etc/",   "/usr/",
                                          "/lib",   "/var/", "pipe:", "socket:", "anon_inode:" };
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (!strncmp(path, system[i], strlen(system[i]))) return false;
    return ready && !inside && !strstr(path, "/fontconfig/");
}

static bool path_of(int fd, char path[PATH_MAX])
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n <= 0) return false;
    path[n] = 0;
    return true;
}

static bool ours(int fd)
{
    char path[PATH_MAX];
    return ready && !inside && fd > 0 && fd != STDERR_FILENO && path_of(fd, path) && our_path(path);
}

/* What becomes of this call, which is about the file `path`, or about descriptor `fd`. */
static enum outcome decide(enum call c, int fd, const char *path)
{
    char named[PATH_MAX];
    if (!ready || inside) return PASS;
    long n = atomic_fetch_add(&counts[c], 1) + 1;
    if (c != target || !at || n < at || (n > at && strcmp(how, "on"))) return PASS;
    const char *said = getenv("FAULT_PATH");
    if (said && n == at && (path || (fd >= 0 && path_of(fd, named)))) {
        inside = true;
        int to = REAL(open)(said, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (to >= 0 && REAL(write)(to, path ? path : named, strlen(path ? path : named)) < 0)
            _exit(99);
        if (to >= 0) REAL(close)(to);
        inside = false;
    }
    if (losing) power_off();
    if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
    return strcmp(how, "short") ? FAIL : SHORT;
}

/* ---- crashes ---------------------------------------------------------------------------- */

/* The first caller that is not the C or C++ library itself. */
static void crashed(int signal)
{
    static const char *const base[] = { "inject.so", "libc.so",  "libstdc++",
                                        "libgcc_s",  "ld-linux", "libm.so" };
    void *at[64];
    const char *in = "unknown", *said = getenv("FAULT_PATH");
    inside = true;
    int n = backtrace(at, 64);
    for (int i = 0; i < n; i++) {
        Dl_info info;
        if (!dladdr(at[i], &info) || !info.dli_fname) continue;
        const char *slash = strrchr(info.dli_fname, '/'),
                   *name = slash ? slash + 1 : info.dli_fname;
        bool skip = false;
        for (size_t k = 0; k < sizeof base / sizeof *base; k++)
            skip |= !strncmp(name, base[k], strlen(base[k]));
        if (skip) continue;
        in = name;
        break;
    }
    int fd = said ? REAL(open)(said, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd >= 0) dprintf(fd, "crash:%s", in);
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigaction(signal, &usual, NULL);
    raise(signal);
}

static void watch_crashes(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    void *at[4];
    (void)!backtrace(at, 4); /* loads what it needs now */
    struct sigaction act = { .sa_handler = crashed };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &act, NULL);
}

/* ---- start and end ---------------------------------------------------------------------- */

__attribute__((constructor)) static void set_up(void)
{
    const char *call = getenv("FAULT_CALL"), *when = getenv("FAULT_AT"),
               *mode = getenv("FAULT_HOW");
    if (!call) return;
    for (target = 0; target < CALLS && strcmp(names[target], call);) target++;
    snprintf(how, sizeof how, "%s", mode ? mode : "once");
    losing = !strncmp(how, "lose", 4);
    at = when ? strtol(when, NULL, 10) : 0;
    unsetenv("LD_PRELOAD"); /* programs that this one starts run as usual */
    watch_crashes();
    ready = true;
}

__attribute__((destructor)) static void tear_down(void)
{
    const char *path = getenv("FAULT_COUNT");
    if (!ready) return;
    ready = false;
    if (losing && target == EXIT) lose();
    int fd = path ? REAL(open)(path, O_WRONLY | O_TRUNC | O_CREAT, 0666) : -1;
    atomic_store(&counts[EXIT], 1);
    for (int c = 0; c < CALLS && fd >= 0; c++)
        dprintf(fd, "%s %ld\n", names[c], atomic_load(&counts[c]));
    if (fd >= 0) REAL(close)(fd);
}

/* ---- what is lost when the power goes --------------------------------------------------- */

enum { FILES = 1000, OPS = 4000, PIPE_FD = 499 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Files that were open for writing: `fd` is a descriptor of our own, the bytes are those of the last sync. */
static struct file {
    dev_t dev;
    ino_t ino;
    int fd;
    char *bytes;
    size_t size;
} files[FILES];
static size_t n_files;

/* Changes of names, in order. `old`: a link to the file that `to` or `path` named before. */
static struct op {
    enum { CREATED, MADE_DIR, RENAMED, UNLINKED } what;
    char path[PATH_MAX], to[PATH_MAX], old[PATH_MAX];
    dev_t dev[2];
    ino_t ino[2]; /* of the directories of path and `to` */
    bool synced[2];
} * ops;
static size_t n_ops;

static void broken(const char *what)
{
    dprintf(STDERR_FILENO, "inject: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void snapshot(struct file *f)
{
    struct stat st;
    if (fstat(f->fd, &st)) broken("fstat");
    f->size = (size_t)st.st_size;
    f->bytes = __libc_realloc(f->bytes, f->size + 1);
    if (!f->bytes || REAL(pread)(f->fd, f->bytes, f->size, 0) != (ssize_t)f->size)
        broken("snapshot");
}

static struct file *find(int fd)
{
    struct stat st;
    if (fstat(fd, &st)) return NULL;
    for (size_t i = 0; i < n_files; i++)
        if (files[i].dev == st.st_dev && files[i].ino == st.st_ino) return &files[i];
    return NULL;
}

/* The file at `path` is about to be opened for writing, or was: then `fd`. */
static void track(const char *path, int fd)
{
    struct stat st;
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (stat(fd < 0 ? path : self, &st) || !S_ISREG(st.st_mode) || n_files == FILES) return;
    for (size_t i = 0; i < n_files; i++)
        if (files[i].dev == st.st_dev && files[i].ino == st.st_ino) return;
    struct file *f = &files[n_files];
    int own = REAL(open)(fd < 0 ? path : self, O_RDWR | O_CLOEXEC);
    if (own < 0) return;
    *f = (struct file){ .dev = st.st_dev,
                        .ino = st.st_ino,
                        .fd = fcntl(own, F_DUPFD_CLOEXEC, PIPE_FD + 1) };
    REAL(close)(own);
    if (f->fd < 0) broken("descriptors");
    snapshot(f);
    n_files++;
}

/* `path` made absolute by its directory, whose identity is kept. */
static bool place(const char *path, char out[PATH_MAX], dev_t *dev, ino_t *ino)
{
    char dir[PATH_MAX], real[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    if (!realpath(dir, real) || stat(real, &st)) return false;
    *dev = st.st_dev;
    *ino = st.st_ino;
    return snprintf(out, PATH_MAX, "%s/%s", real, slash ? slash + 1 : path) < PATH_MAX;
}

/* Note a change that is about to be made; dropped again if the call fails. */
static struct op *note(int what, const char *path, const char *to)
{
    if (!ops) ops = __libc_calloc(OPS, sizeof *ops);
    if (!ops || n_ops == OPS) broken("too many changes of names");
    struct op *o = &ops[n_ops];
    memset(o, 0, sizeof *o);
    o->what = what;
    if (!place(path, o->path, &o->dev[0], &o->ino[0])) return NULL;
    if (!to || !place(to, o->to, &o->dev[1], &o->ino[1]))
        o->dev[1] = o->dev[0], o->ino[1] = o->ino[0];
    const char *named = what == RENAMED ? o->to : o->path;
    if (what == RENAMED || what == UNLINKED) {
        snprintf(o->old, sizeof o->old, "%s/%zu", getenv("FAULT_STASH"), n_ops);
        if (link(named, o->old)) o->old[0] = 0;
    }
    n_ops++;
    return o;
}

static void synced(int fd)
{
    struct stat st;
    struct file *f = find(fd);
    if (f) snapshot(f);
    if (fstat(fd, &st) || !S_ISDIR(st.st_mode)) return;
    for (size_t i = 0; i < n_ops; i++)
        for (int k = 0; k < 2; k++)
            if (ops[i].dev[k] == st.st_dev && ops[i].ino[k] == st.st_ino) ops[i].synced[k] = true;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void undo(const struct op *o)
{
    switch (o->what) {
    case CREATED: REAL(unlink)(o->path); break;
    case MADE_DIR: nftw(o->path, drop, 16, FTW_DEPTH | FTW_PHYS); break;
    case RENAMED:
        REAL(rename)(o->to, o->path);
        if (o->old[0]) REAL(rename)(o->old, o->to);
        break;
    case UNLINKED:
        if (o->old[0]) REAL(rename)(o->old, o->path);
        break;
    }
}

static void lose(void)
{
    inside = true;
    for (size_t i = 0; i < n_files; i++) {
        struct file *f = &files[i];
        struct stat st;
        if (fstat(f->fd, &st)) broken("fstat");
        size_t now = (size_t)st.st_size;
        if (REAL(ftruncate)(f->fd, (off_t)f->size) ||
            REAL(pwrite)(f->fd, f->bytes, f->size, 0) != (ssize_t)f->size ||
            (!strcmp(how, "lose-zero") && now > f->size && REAL(ftruncate)(f->fd, (off_t)now)))
            broken("losing data");
    }
    bool some = !strcmp(how, "lose-some");
    if (some || !strcmp(how, "lose-all"))
        for (size_t i = n_ops - (some && n_ops); i-- > 0;)
            if (!ops[i].synced[0] || !ops[i].synced[1]) undo(&ops[i]);
}

/* A child does it when this process and its threads are dead. The driver waits for it, that is for the
 * end of a pipe that both have inherited as descriptor PIPE_FD. */
static void power_off(void)
{
    pthread_mutex_lock(&lock);
    pid_t me = getpid(), child = fork();
    if (child < 0) broken("fork");
    if (child) {
        kill(me, SIGKILL);
        for (;;) pause();
    }
    /* Locks go first: they are held by every process that has the descriptor. */
    for (int fd = STDERR_FILENO + 1; fd < PIPE_FD; fd++) REAL(close)(fd);
    while (getppid() == me) usleep(200);
    lose();
    _exit(0);
}

#define TRACKED(...)                  \
    if (losing && ready && !inside) { \
        inside = true;                \
        pthread_mutex_lock(&lock);    \
        __VA_ARGS__;                  \
        pthread_mutex_unlock(&lock);  \
        inside = false;               \
    }

/* ---- calls on files --------------------------------------------------------------------- */

#define IO(name, call, type, error, ...)                       \
    enum outcome o = ours(fd) ? decide(call, fd, NULL) : PASS; \
    if (o == FAIL) return errno = error, -1;                   \
    if (o == SHORT && n > 1) n /= 2;                           \
    return REAL(name)(__VA_ARGS__)

ssize_t write(int fd, const void *p, size_t n) { IO(write, WRITE, ssize_t, ENOSPC, fd, p, n); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t to)
{
    IO(pwrite, PWRITE, ssize_t, ENOSPC, fd, p, n, to);
}
ssize_t read(int fd, void *p, size_t n) { IO(read, READ, ssize_t, EIO, fd, p, n); }
ssize_t pread(int fd, void *p, size_t n, off_t from)
{
    IO(pread, PREAD, ssize_t, EIO, fd, p, n, from);
}

int ftruncate(int fd, off_t n)
{
    if (ours(fd) && decide(FTRUNCATE, fd, NULL) != PASS) return errno = EIO, -1;
    return REAL(ftruncate)(fd, n);
}

/* A file system without locks, or one lock too many. */
int flock(int fd, int what)
{
    if (ours(fd) && decide(FLOCK, fd, NULL) != PASS) return errno = ENOLCK, -1;
    return REAL(flock)(fd, what);
}

static int sync_as(int (*call)(int), int fd)
{
    bool mine = ours(fd);
    if (mine && decide(FSYNC, fd, NULL) != PASS) return errno = EIO, -1;
    int rc = call(fd);
    if (!rc && mine) TRACKED(synced(fd));
    return rc;
}
int fsync(int fd) { return sync_as(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_as(REAL(fdatasync), fd); }

int rename(const char *a, const char *b)
{
    bool mine = our_path(a);
    struct op *o = NULL;
    if (mine && decide(RENAME, -1, b) != PASS) return errno = EIO, -1;
    if (mine) TRACKED(o = note(RENAMED, a, b));
    int rc = REAL(rename)(a, b);
    if (rc && o) n_ops--;
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    bool mine = our_path(path);
    struct op *o = NULL;
    if (mine && decide(MKDIR, -1, path) != PASS) return errno = ENOSPC, -1;
    if (mine) TRACKED(o = note(MADE_DIR, path, NULL));
    int rc = REAL(mkdir)(path, mode);
    if (rc && o) n_ops--;
    return rc;
}

int unlink(const char *path)
{
    bool mine = our_path(path);
    struct op *o = NULL;
    if (mine && decide(UNLINK, -1, path) != PASS) return errno = EIO, -1;
    if (mine) TRACKED(o = note(UNLINKED, path, NULL));
    int rc = REAL(unlink)(path);
    if (rc && o) n_ops--;
    return rc;
}

/* A close that fails has closed: what Linux does. */
int close(int fd)
{
    char path[PATH_MAX];
    if (!ours(fd) || !path_of(fd, path)) return REAL(close)(fd);
    enum outcome o = decide(CLOSE, -1, path);
    int rc = REAL(close)(fd);
    return o == PASS ? rc : (errno = EIO, -1);
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    bool mine = our_path(path), writes = (flags & O_ACCMODE) != O_RDONLY;
    struct op *o = NULL;
    if (mine && decide(OPEN, -1, path) != PASS) return errno = EMFILE, -1;
    if (mine && writes)
        TRACKED({
            if (access(path, F_OK) == 0) track(path, -1);
            else if (flags & O_CREAT) o = note(CREATED, path, NULL);
        });
    int fd = REAL(open)(path, flags, mode);
    if (fd < 0 && o) n_ops--;
    if (fd >= 0 && mine && writes) TRACKED(track(NULL, fd));
    return fd;
}

static ssize_t cookie_read(void *fd, char *p, size_t n) { return read((int)(long)fd, p, n); }
static ssize_t cookie_write(void *fd, const char *p, size_t n)
{
    return write((int)(long)fd, p, n);
}
static int cookie_close(void *fd) { return close((int)(long)fd); }
static int cookie_seek(void *fd, off64_t *to, int base)
{
    *to = lseek((int)(long)fd, *to, base);
    return *to < 0 ? -1 : 0;
}

FILE *fopen(const char *path, const char *mode)
{
    if (!our_path(path) || (*mode != 'r' && *mode != 'w')) return REAL(fopen)(path, mode);
    int fd = open(path, (*mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC) | O_CLOEXEC, 0666);
    if (fd < 0) return NULL;
    return fopencookie(
        (void *)(long)fd, mode,
        (cookie_io_functions_t){ cookie_read, cookie_write, cookie_seek, cookie_close });
}

void *mmap(void *to, size_t n, int protection, int flags, int fd, off_t from)
{
    if (!(flags & MAP_ANONYMOUS) && ours(fd) && decide(MMAP, fd, NULL) != PASS)
        return errno = ENOMEM, MAP_FAILED;
    return REAL(mmap)(to, n, protection, flags, fd, from);
}

/* ---- memory and threads ----------------------------------------------------------------- */

static bool no_memory(void)
{
    if (decide(MALLOC, -1, NULL) == PASS) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n) { return no_memory() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return no_memory() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return no_memory() ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t to, size_t n) { return no_memory() ? NULL : __libc_memalign(to, n); }

int posix_memalign(void **out, size_t to, size_t n)
{
    void *p = no_memory() ? NULL : __libc_memalign(to, n);
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    if (decide(THREAD, -1, NULL) != PASS) return EAGAIN;
    return REAL(pthread_create)(out, attr, run, arg);
}
