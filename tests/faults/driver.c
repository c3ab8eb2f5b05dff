/* driver.c -- run every scenario with every fault, several at once, and check what each leaves. run.sh
 * makes the inputs, describes the scenarios and starts it:
 *
 *   driver WORK INJECT.so SCENARIOS KINDS EXEMPT WORKERS EVERY [WORD]
 *
 * WORK/in holds the inputs. SCENARIOS has a line "NAME|OUTPUTS|COMPLETE|COMMAND" each; COMMAND is split
 * at spaces and may end in "<FILE" and ">FILE", and a "!" before it says that it must refuse its input
 * (exit status 1). If the file COMPLETE exists, all outputs do. KINDS is "CALL:HOW ...", as inject.c says,
 * and stdout:full. EXEMPT has lines "NAME CALL:HOW RULE reason", patterns as in the shell. Exits with 0
 * if no rule was broken. The rules:
 *
 *   bytes     exit status 0 only with the bytes of a run without a fault
 *   whole     a file under its final name is whole; COMPLETE means that every file is there
 *   signal:IN no crash, in the library or program IN, except that it was killed
 *   ends      within two minutes
 *   short     a short read or write, and a missing lock, changes nothing
 *   message   a failure is reported
 *   path      the message names the file that the fault was about
 *   rerun     the same command, without a fault, then gives the bytes of a run without one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SCENARIOS = 64,
    WORDS = 64,
    LISTED = 4096,
    SHOWN = 3,
    SECONDS = 120,
    ACCEPTED = 96,
    PIPE_FD = 499
};

typedef struct scenario {
    char *name, *outputs, *complete, *command;
} scenario;

static const char *work, *inject;
static char *kinds, *exempt;
static scenario scenarios[SCENARIOS];
static size_t n_scenarios;
static int workers, worker;
static long every;
static char mine[PATH_MAX]; /* the folder of this worker */
static int tell;            /* the parent listens */

static void die(const char *what)
{
    fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
    exit(2);
}

static char *text_of(const char *path, size_t *size)
{
    FILE *f = fopen(path, "re");
    size_t n = 0, room = 1 << 16;
    char *p = malloc(room + 1);
    if (!f || !p) return free(p), f ? (fclose(f), NULL) : NULL;
    for (size_t got; (got = fread(p + n, 1, room - n, f));)
        if ((n += got) == room && !(p = realloc(p, (room *= 2) + 1))) die("memory");
    fclose(f);
    p[n] = 0;
    if (size) *size = n;
    return p;
}

/* ---- folders ----------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_all(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static const char *copy_from, *copy_to;

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char to[PATH_MAX];
    (void)type, (void)ftw;
    snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
    if (S_ISDIR(st->st_mode)) return mkdir(to, 0777);
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (in < 0 || out < 0) return -1;
    ssize_t n = 1;
    for (off_t left = st->st_size; left > 0 && n > 0; left -= n)
        n = copy_file_range(in, NULL, out, NULL, (size_t)left, 0);
    /* Inputs keep their times: a store that is older than its input says so. */
    struct timespec times[] = { st->st_atim, st->st_mtim };
    int rc = n > 0 ? futimens(out, times) : -1;
    close(in);
    close(out);
    return rc;
}

static void copy_all(const char *from, const char *to)
{
    copy_from = from;
    copy_to = to;
    remove_all(to);
    if (nftw(from, copy_one, 16, FTW_PHYS)) die(to);
}

static char *listed[LISTED];
static size_t n_listed, list_root;

static bool temporary(const char *path)
{
    static const char *const suffixes[] = { ".tmp", ".partial", ".new", "/run.json", "/log.jsonl" };
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t k = strlen(suffixes[i]);
        if (n >= k && !strcmp(path + n - k, suffixes[i])) return true;
    }
    return false;
}

static int list_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)type, (void)ftw;
    if (!S_ISREG(st->st_mode) || temporary(path) || n_listed == LISTED) return 0;
    listed[n_listed++] = strdup(path + list_root);
    return 0;
}

/* The files of `outputs` below root that are there, in listed[]. */
static void list(const char *root, const char *outputs)
{
    char path[PATH_MAX], *words = strdup(outputs), *state = NULL;
    while (n_listed) free(listed[--n_listed]);
    list_root = strlen(root) + 1;
    for (char *w = strtok_r(words, " ", &state); w; w = strtok_r(NULL, " ", &state)) {
        snprintf(path, sizeof path, "%s/%s", root, w);
        nftw(path, list_one, 16, FTW_PHYS);
    }
    free(words);
}

/* Take the times that a run measured out of its result lines. */
static size_t without_times(char *p, size_t n)
{
    static const char key[] = "\"seconds\":";
    for (char *at = p; (at = memmem(at, n - (size_t)(at - p), key, sizeof key - 1));) {
        at += sizeof key - 1;
        size_t k = strspn(at, "0123456789.e-");
        memmove(at, at + k, n - (size_t)(at + k - p));
        n -= k;
    }
    return n;
}

/* Is file a the same as file b, or with `start` the start of it? */
static bool same(const char *a, const char *b, bool start)
{
    size_t n = 0, m = 0;
    char *x = text_of(a, &n), *y = text_of(b, &m);
    bool equal = false;
    if (x && y) {
        n = without_times(x, n);
        m = without_times(y, m);
        equal = (start ? n <= m : n == m) && !memcmp(x, y, n);
    }
    free(x);
    free(y);
    return equal;
}

/* ---- one run ----------------------------------------------------------------------------- */

static void start(const scenario *s, const char *call, const char *how, long at)
{
    char path[PATH_MAX], number[32], *words[WORDS + 1], *state = NULL, *out = "/dev/null",
                                                        *in = out;
    int n = 0;
    for (char *w = strtok_r(strdup(s->command), " ", &state); w && n < WORDS;
         w = strtok_r(NULL, " ", &state)) {
        if (*w == '>') out = w + 1;
        else if (*w == '<') in = w + 1;
        else words[n++] = w;
    }
    words[n] = NULL;
    if (how && !strcmp(how, "full")) out = "/dev/full", call = NULL;
    snprintf(path, sizeof path, "%s/d", mine);
    if (chdir(path)) die(path);
    snprintf(path, sizeof path, "%s/err", mine);
    int fds[3] = { open(in, O_RDONLY), open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666),
                   open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) };
    for (int i = 0; i < 3; i++)
        if (fds[i] < 0 || dup2(fds[i], i) < 0) _exit(98);
    for (int i = 0; i < 3; i++)
        if (fds[i] > 2) close(fds[i]);
    if (call) {
        snprintf(number, sizeof number, "%ld", at);
        setenv("LD_PRELOAD", inject, 1);
        setenv("FAULT_CALL", call, 1);
        setenv("FAULT_HOW", how, 1);
        setenv("FAULT_AT", number, 1);
        snprintf(path, sizeof path, "%s/count", mine);
        setenv("FAULT_COUNT", path, 1);
        snprintf(path, sizeof path, "%s/path", mine);
        setenv("FAULT_PATH", path, 1);
        snprintf(path, sizeof path, "%s/stash", mine);
        setenv("FAULT_STASH", path, 1);
    }
    alarm(SECONDS);
    char **command = words + !strcmp(words[0], "!");
    execvp(*command, command);
    _exit(97);
}

/* The exit status, or 128 and the signal. */
static int run(const scenario *s, const char *call, const char *how, long at)
{
    char path[PATH_MAX], end;
    int alive[2], status = 0;
    snprintf(path, sizeof path, "%s/path", mine);
    unlink(path);
    if (pipe(alive)) die("pipe");
    fcntl(alive[0], F_SETFD, FD_CLOEXEC);
    fcntl(tell, F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (!pid) {
        /* Its number is what inject.c expects. */
        if (alive[1] != PIPE_FD && (dup2(alive[1], PIPE_FD) < 0 || close(alive[1]))) die("pipe");
        start(s, call, how, at);
    }
    close(alive[1]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    while (read(alive[0], &end, 1) < 0 && errno == EINTR) continue; /* until losses are made */
    close(alive[0]);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    status = WEXITSTATUS(status);
    if (*s->command != '!') return status;
    return status == 1 ? 0 : status == 0 ? ACCEPTED : status;
}

/* ---- one fault --------------------------------------------------------------------------- */

static const scenario *now;
static const char *now_kind;
static long now_at;

static bool exempted(const char *rule)
{
    for (const char *line = exempt; *line;) {
        char name[64], kind[64], what[64];
        if (sscanf(line, " %63s %63s %63s", name, kind, what) == 3 &&
            !fnmatch(name, now->name, 0) && !fnmatch(kind, now_kind, 0) && !fnmatch(what, rule, 0))
            return true;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return false;
}

static bool bad(const char *rule, const char *what, const char *detail)
{
    if (exempted(rule)) return false;
    char line[1024];
    int n = snprintf(line, sizeof line - 1, "F%s %s at %ld: %s: %s %.500s", now->name, now_kind,
                     now_at, rule, what, detail);
    for (int i = 0; i < n; i++)
        if (line[i] == '\n') line[i] = ' ';
    dprintf(tell, "%s\n", line);
    return true;
}

/* Do the outputs equal those of a run without a fault? If not, `which` names a file. */
static bool complete(char *which)
{
    char a[PATH_MAX], b[PATH_MAX], ref[PATH_MAX], d[PATH_MAX];
    snprintf(ref, sizeof ref, "%s/ref", mine);
    snprintf(d, sizeof d, "%s/d", mine);
    list(ref, now->outputs);
    for (size_t i = 0; i < n_listed; i++) {
        snprintf(a, sizeof a, "%s/%.2000s", d, listed[i]);
        snprintf(b, sizeof b, "%s/%.2000s", ref, listed[i]);
        snprintf(which, PATH_MAX, "%s", listed[i]);
        if (!same(a, b, false)) return false;
    }
    *which = 0;
    list(d, now->outputs);
    for (size_t i = 0; i < n_listed; i++) {
        snprintf(b, sizeof b, "%s/%.2000s", ref, listed[i]);
        snprintf(which, PATH_MAX, "%s", listed[i]);
        if (access(b, F_OK)) return false;
    }
    *which = 0;
    return true;
}

/* Is each file that has its final name whole? */
static bool whole(char *which)
{
    char a[PATH_MAX], b[PATH_MAX], ref[PATH_MAX], d[PATH_MAX];
    snprintf(ref, sizeof ref, "%s/ref", mine);
    snprintf(d, sizeof d, "%s/d", mine);
    if (*now->complete) {
        snprintf(a, sizeof a, "%s/%s", d, now->complete);
        if (!access(a, F_OK)) return complete(which);
    }
    list(d, now->outputs);
    for (size_t i = 0; i < n_listed; i++) {
        snprintf(a, sizeof a, "%s/%.2000s", d, listed[i]);
        snprintf(b, sizeof b, "%s/%.2000s", ref, listed[i]);
        snprintf(which, PATH_MAX, "%s", listed[i]);
        bool appended = strstr(listed[i], "results") || strstr(listed[i], "stdout");
        if (!same(a, b, appended)) return false;
    }
    return true;
}

/* Does the message name the file, or the temporary one that becomes it? */
static bool names_it(const char *message, const char *path)
{
    char name[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%s", slash ? slash + 1 : path);
    for (char *cut; (cut = strstr(name, ".longmix.")) || (cut = strstr(name, ".partial")) ||
                    (cut = strstr(name, ".new"));)
        *cut = 0;
    if (!strcmp(name, "d") || !*name) return true; /* the current directory */
    if (!strcmp(name, "stdout")) return strstr(message, "standard output");
    return strstr(message, name);
}

static void try(const char *call, const char *how)
{
    char path[PATH_MAX], in[PATH_MAX], d[PATH_MAX], which[PATH_MAX] = "";
    snprintf(in, sizeof in, "%s/in", work);
    snprintf(d, sizeof d, "%s/d", mine);
    copy_all(in, d);
    bool lose = !strncmp(how, "lose", 4), killed = lose || !strcmp(how, "kill"), fine = true;
    if (lose) {
        snprintf(path, sizeof path, "%s/stash", mine);
        remove_all(path);
        mkdir(path, 0777);
    }
    int status = run(now, call, how, now_at);
    snprintf(path, sizeof path, "%s/err", mine);
    char *message = text_of(path, NULL);
    snprintf(path, sizeof path, "%s/path", mine);
    char *about = text_of(path, NULL);
    bool harmless = !strcmp(how, "short") || !strcmp(call, "flock");
    if (status == ACCEPTED) {
        fine = !bad("bytes", "a damaged file is accepted", "");
    } else if (status == 0) {
        if (!complete(which)) fine = !bad("bytes", "exit status 0, and other outputs:", which);
    } else if (status == 128 + SIGALRM) {
        fine = !bad("ends", "does not end", "");
    } else if (status == 128 + SIGKILL && killed) {
    } else if (status >= 128) {
        const char *in = about && !strncmp(about, "crash:", 6) ? about + 6 : "";
        snprintf(which, sizeof which, "signal:%.100s", in);
        fine = !bad(which, strsignal(status - 128), message ? message : "");
    } else if (harmless) {
        fine = !bad("short", "fails:", message ? message : "");
    } else if (!message || !*message) {
        fine = !bad("message", "fails without a message", "");
    } else if (about && !names_it(message, about)) {
        snprintf(which, sizeof which, "%.200s: %.1000s", about, message);
        fine = !bad("path", "the message does not name", which);
    }
    if (status && fine && !whole(which)) fine = !bad("whole", "not whole:", which);
    if (status && fine) {
        status = run(now, NULL, NULL, 0);
        snprintf(path, sizeof path, "%s/err", mine);
        free(message);
        message = text_of(path, NULL);
        if (status) bad("rerun", "fails:", message ? message : "");
        else if (!complete(which)) bad("rerun", "other outputs:", which);
    }
    free(message);
    free(about);
}

/* ---- all of them ------------------------------------------------------------------------- */

static void reference(long counts[], const char *calls[], size_t n_calls)
{
    char path[PATH_MAX], d[PATH_MAX], in[PATH_MAX], name[32];
    snprintf(in, sizeof in, "%s/in", work);
    snprintf(d, sizeof d, "%s/d", mine);
    copy_all(in, d);
    snprintf(path, sizeof path, "%s/count", mine);
    unlink(path);
    int status = run(now, "none", "once", 0);
    char *lines = text_of(path, NULL);
    snprintf(path, sizeof path, "%s/err", mine);
    if (status || !lines) {
        dprintf(tell, "F%s without a fault: exit status %d: %s\n", now->name, status,
                text_of(path, NULL));
        exit(1);
    }
    snprintf(path, sizeof path, "%s/ref", mine);
    copy_all(d, path);
    char *state = NULL;
    for (char *l = strtok_r(lines, "\n", &state); l; l = strtok_r(NULL, "\n", &state)) {
        long n = 0;
        if (sscanf(l, "%31s %ld", name, &n) != 2) continue;
        for (size_t i = 0; i < n_calls; i++)
            if (!strcmp(calls[i], name)) counts[i] = n;
    }
    for (size_t i = 0; i < n_calls; i++)
        if (!strcmp(calls[i], "stdout")) counts[i] = strchr(now->command, '>') != NULL;
    free(lines);
}

static void work_through(void)
{
    const char *calls[WORDS], *hows[WORDS], *full[WORDS];
    size_t n = 0;
    char *copy = strdup(kinds), *state = NULL;
    for (char *w = strtok_r(copy, " \n", &state); w && n < WORDS;
         w = strtok_r(NULL, " \n", &state)) {
        full[n] = strdup(w);
        calls[n] = strtok(w, ":");
        hows[n++] = strtok(NULL, ":");
    }
    long number = 0;
    for (size_t s = 0; s < n_scenarios; s++) {
        long counts[WORDS] = { 0 }, mine_of[WORDS] = { 0 };
        now = &scenarios[s];
        reference(counts, calls, n);
        for (size_t k = 0; k < n; k++) {
            now_kind = full[k];
            if (exempted("skip")) continue;
            /* A sample begins in the middle of its first step. */
            long first = counts[k] < every ? (counts[k] + 1) / 2 : (every + 1) / 2;
            for (now_at = first; now_at >= 1 && now_at <= counts[k]; now_at += every) {
                if (number++ % workers != worker) continue;
                try(calls[k], hows[k]);
                mine_of[k]++;
                dprintf(tell, "D\n");
            }
        }
        dprintf(tell, "S%s\n", now->name);
    }
}

static void read_scenarios(const char *path, const char *word)
{
    char *state = NULL, *text = text_of(path, NULL);
    if (!text) die(path);
    for (char *l = strtok_r(text, "\n", &state); l && n_scenarios < SCENARIOS;
         l = strtok_r(NULL, "\n", &state)) {
        scenario *s = &scenarios[n_scenarios];
        s->name = strsep(&l, "|");
        s->outputs = strsep(&l, "|");
        s->complete = strsep(&l, "|");
        s->command = l;
        if (!s->command) die("a scenario has four fields");
        if (strstr(s->name, word)) n_scenarios++;
    }
}

/* Of the failures of one scenario, kind of fault and rule only the first three are shown. */
static bool among_first(const char *line)
{
    static char keys[LISTED][160];
    static int shown[LISTED];
    char name[64] = "", kind[64] = "", rule[32] = "", key[160];
    sscanf(line, "%63s %63s at %*d: %31[^ ]", name, kind, rule);
    snprintf(key, sizeof key, "%s %s %s", name, kind, rule);
    for (int i = 0; i < LISTED; i++) {
        if (!*keys[i]) strcpy(keys[i], key);
        if (!strcmp(keys[i], key)) return ++shown[i] <= SHOWN;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 8) return fprintf(stderr, "usage: see driver.c\n"), 2;
    work = argv[1];
    inject = argv[2];
    read_scenarios(argv[3], argc > 8 ? argv[8] : "");
    kinds = argv[4];
    exempt = text_of(argv[5], NULL);
    workers = atoi(argv[6]);
    every = atol(argv[7]);
    if (!exempt || workers < 1 || every < 1) die("arguments");
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    int talk[2];
    if (pipe(talk)) die("pipe");
    for (worker = 0; worker < workers; worker++) {
        if (fork()) continue;
        close(talk[0]);
        tell = talk[1];
        snprintf(mine, sizeof mine, "%s/%d", work, worker);
        mkdir(mine, 0777);
        work_through();
        exit(0);
    }
    close(talk[1]);
    FILE *f = fdopen(talk[0], "r");
    char line[4096];
    long tried = 0, failed = 0, ended[SCENARIOS] = { 0 };
    time_t began = time(NULL), shown = began;
    while (f && fgets(line, sizeof line, f)) {
        if (*line == 'D') tried++;
        else if (*line == 'F') {
            failed++;
            if (among_first(line + 1)) printf("FAIL  %s", line + 1);
        } else if (*line == 'S') {
            line[strcspn(line, "\n")] = 0;
            for (size_t s = 0; s < n_scenarios; s++)
                if (!strcmp(scenarios[s].name, line + 1) && ++ended[s] == workers)
                    printf("done  %s (%ld faults so far, %ld s)\n", line + 1, tried,
                           (long)(time(NULL) - began));
        }
        if (time(NULL) - shown >= 60) {
            shown = time(NULL);
            printf("      %ld faults, %ld s\n", tried, (long)(shown - began));
        }
        fflush(stdout);
    }
    int status, rc = 0;
    while (wait(&status) > 0)
        if (status) rc = 1;
    printf("%ld faults, %ld failures, %ld s\n", tried, failed, (long)(time(NULL) - began));
    return rc || failed || !tried;
}
