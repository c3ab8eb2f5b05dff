/* cli_out.c -- standard output, which is held back in a buffer, and messages on standard error.
 *
 * stdio is not used: it fails on a descriptor that another program made non-blocking, and begins a
 * write again after a signal. */
#include "cli_out.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/interrupt.h"
#include "lib/base/text.h"

static const char *program = "longmix";
static bool verbose, quiet;

void cli_out_begin(const char *name)
{
    static const int useless[] = { O_WRONLY, O_RDONLY, O_RDONLY };
    program = name;
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        /* The lowest number is given: this one. */
        if (open("/dev/null", useless[fd]) < 0 && open("/", O_PATH) < 0) _exit(1);
    }
}

void cli_out_levels(bool quiet_, bool verbose_)
{
    quiet = quiet_;
    verbose = verbose_;
}

int cli_columns(int fd)
{
    struct winsize w;
    if (!isatty(fd)) return 0;
    const char *set = getenv("COLUMNS");
    long n = set ? strtol(set, NULL, 10) : 0;
    if (n <= 0) n = ioctl(fd, TIOCGWINSZ, &w) ? 0 : w.ws_col;
    return n <= 0 ? 80 : n > 1000 ? 1000 : (int)n;
}

/* ---- standard error -------------------------------------------------------------------- */

static pthread_mutex_t err_lock = PTHREAD_MUTEX_INITIALIZER;
static bool live; /* the terminal shows a progress line */

/* Nobody could be told of a failure. */
static void put_err(const char *s, size_t n)
{
    char kept[1024];
    snprintf(kept, sizeof kept, "%s", lm_err());
    if (lm_interrupted()) (void)lm_fd_write_now(STDERR_FILENO, s, n);
    else if (lm_fd_write(STDERR_FILENO, s, n, "standard error", NULL)) lm_err_set(kept);
}

static void clear_progress(void)
{
    pthread_mutex_lock(&err_lock);
    if (live) put_err("\r\033[K", 4);
    live = false;
    pthread_mutex_unlock(&err_lock);
}

/* A line that begins with the program's name, in as few writes as possible. */
static void say(const char *text, bool lines)
{
    char out[4096];
    pthread_mutex_lock(&err_lock);
    size_t n = (size_t)snprintf(out, sizeof out, "%s%s: ", live ? "\r\033[K" : "", program);
    live = false;
    for (;;) {
        n += lm_printable(out + n, sizeof out - n - 1, &text, lines);
        if (!*text) break;
        put_err(out, n);
        n = 0;
    }
    out[n] = '\n';
    put_err(out, n + 1);
    pthread_mutex_unlock(&err_lock);
}

static void say_format(bool lines, const char *fmt, va_list ap)
{
    char *text = NULL, none[] = "out of memory while a message was made";
    if (vasprintf(&text, fmt, ap) < 0) text = NULL;
    say(text ? text : none, lines);
    free(text);
}

#define SAY(when, lines)                      \
    do {                                      \
        va_list ap;                           \
        va_start(ap, fmt);                    \
        if (when) say_format(lines, fmt, ap); \
        va_end(ap);                           \
    } while (0)

void cli_warn(const char *fmt, ...) { SAY(true, false); }
void cli_note(const char *fmt, ...) { SAY(!quiet, false); }
void cli_verbose(const char *fmt, ...) { SAY(verbose, true); }

static void show_progress(void *arg, const char *line)
{
    (void)arg;
    char out[256];
    int columns = cli_columns(STDERR_FILENO); /* a longer line would not be cleared */
    pthread_mutex_lock(&err_lock);
    int n = snprintf(out, sizeof out, "\r\033[K%.*s", columns > 1 ? columns - 1 : 200, line);
    put_err(out, n < (int)sizeof out ? (size_t)n : sizeof out - 1);
    live = true;
    pthread_mutex_unlock(&err_lock);
}

lm_progress *cli_progress(const char *noun, uint64_t total)
{
    static lm_progress p;
    p = (lm_progress){ .noun = noun, .total = total };
    if (!quiet && isatty(STDERR_FILENO)) p.show = show_progress;
    return &p;
}

void cli_last_line(int argc, char **argv, double started)
{
    struct rusage u;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return;
    getrusage(RUSAGE_SELF, &u);
    fprintf(f, "longmix %s (%s);", lm_version(), lm_commit());
    for (int i = 0; i < argc && i < 16; i++) fprintf(f, " %s", argv[i]);
    fprintf(f, "%s; %.3f s wall, %.3f s cpu, %.1f MB peak", argc > 16 ? " ..." : "",
            lm_seconds() - started,
            (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
            (double)u.ru_maxrss / 1024);
    if (!fclose(f)) say(text, false);
    free(text);
}

/* ---- standard output ------------------------------------------------------------------- */

static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static char held[1 << 16];
static size_t n_held;
static int failed; /* of the first write that failed; its message: */
static char why[1024];

static void set_failed(int rc)
{
    failed = rc;
    snprintf(why, sizeof why, "%s", lm_err());
}

/* Under the lock. After an interruption, what is left stays held. */
static int flush(void)
{
    size_t done = 0;
    if (failed || !n_held) return failed;
    clear_progress();
    int rc = lm_fd_write(STDOUT_FILENO, held, n_held, "standard output", &done);
    n_held -= done;
    memmove(held, held + done, n_held);
    if (rc) set_failed(rc);
    return rc;
}

static void fail(int rc)
{
    pthread_mutex_lock(&out_lock);
    if (!failed) set_failed(rc);
    pthread_mutex_unlock(&out_lock);
}

static int put(const char *s, size_t n)
{
    static int terminal = -1;
    pthread_mutex_lock(&out_lock);
    if (terminal < 0) terminal = isatty(STDOUT_FILENO);
    bool now = terminal && memchr(s, '\n', n);
    for (int rc = failed; n && !rc;) {
        size_t k = n < sizeof held - n_held ? n : sizeof held - n_held;
        memcpy(held + n_held, s, k);
        n_held += k;
        s += k;
        n -= k;
        if (n_held == sizeof held) rc = flush();
    }
    if (now && !failed) (void)flush();
    int rc = failed;
    if (rc) lm_err_set(why);
    pthread_mutex_unlock(&out_lock);
    return rc;
}

void cli_print(const char *fmt, ...)
{
    char line[1024], *text = line;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof line) {
        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
    }
    if (n >= 0) (void)put(text, (size_t)n);
    else fail(lm_fail_nomem(sizeof line));
    if (n >= 0 && text != line) free(text);
}

int cli_write(const void *p, size_t n) { return put(p, n); }

int cli_flush(void)
{
    pthread_mutex_lock(&out_lock);
    int rc = flush();
    if (rc) lm_err_set(why);
    pthread_mutex_unlock(&out_lock);
    return rc;
}

int cli_out_end(void)
{
    int rc = lm_interrupted() ? LM_OK : cli_flush();
    if (lm_interrupted()) n_held -= lm_fd_write_now(STDOUT_FILENO, held, n_held);
    if (!rc && !failed && n_held) rc = lm_check_interrupt();
    if (!rc && failed) rc = lm_fail((enum lm_code)failed, "%s", why);
    /* Some file systems report a failed write here. */
    if (close(STDOUT_FILENO) && !rc) rc = lm_fail_errno(errno, "standard output");
    clear_progress();
    return rc;
}

int cli_write_json(const lm_json *v, int indent)
{
    lm_buf text = LM_BUF_INIT((size_t)1 << 32);
    int rc = lm_json_print(v, indent, &text);
    if (!rc) rc = cli_write(text.data, text.size);
    lm_buf_free(&text);
    return rc;
}

const char *cli_name(const char *s)
{
    static _Thread_local char ring[4][4096 + 4];
    static _Thread_local unsigned turn;
    char *out = ring[turn++ % 4];
    size_t n = lm_printable(out, 4096, &s, false);
    if (*s) memcpy(out + n, "...", 4);
    return out;
}

const char *cli_count(uint64_t v)
{
    static _Thread_local char ring[8][28];
    static _Thread_local unsigned turn;
    char *s = ring[turn++ % 8], *p = s + sizeof ring[0];
    *--p = 0;
    for (int i = 0; i == 0 || v; i++, v /= 10) {
        if (i && i % 3 == 0) *--p = ',';
        *--p = (char)('0' + v % 10);
    }
    return p;
}
