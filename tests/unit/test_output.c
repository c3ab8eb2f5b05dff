/* Outputs: every kind of target, concurrent writers, files left by killed writers, failures. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lib/io/output.h"
#include "longmix/zio.h"

#define TMP(path) path ".longmix.tmp"

static bool exists(const char *path)
{
    struct stat st;
    return !lstat(path, &st);
}

static void save(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    NEED(f && fputs(text, f) >= 0 && !fclose(f));
}

static const char *load(const char *path)
{
    static char text[64];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = 0;
    if (f) fclose(f);
    return text;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    NEED(!stat(path, &st));
    return st.st_mode & 07777;
}

/* Write `text` to `path` as `kind`: 0 or the error. */
static int put(const char *path, enum lm_output_kind kind, const char *text)
{
    lm_output o;
    int rc = lm_output_locate(&o, path);
    if (!rc) rc = lm_output_open(&o, kind);
    if (!rc) rc = lm_write_all(o.fd, text, strlen(text), lm_output_name(&o));
    if (!rc) return lm_output_commit(&o);
    lm_output_abandon(&o);
    return rc;
}

/* Open `path` and leave it open. */
static lm_output begin(const char *path, enum lm_output_kind kind)
{
    lm_output o;
    NEED(!lm_output_locate(&o, path));
    NEED(!lm_output_open(&o, kind));
    return o;
}

static void regular_files(void)
{
    umask(027);
    for (int kind = LM_OUTPUT_NEW; kind <= LM_OUTPUT_RESUMABLE; kind++) {
        CHECK_OK(put("new", (enum lm_output_kind)kind, "one"));
        CHECK_STR(load("new"), "one");
        CHECK_EQ(mode_of("new"), 0640); /* from the umask */
        NEED(!chmod("new", 04604));
        CHECK_OK(put("new", (enum lm_output_kind)kind, "two"));
        CHECK_STR(load("new"), "two");
        CHECK_EQ(mode_of("new"), 0604); /* from the replaced file, without setuid */
        CHECK(!exists(TMP("new")) && !exists("new.partial"));
        NEED(!unlink("new"));
    }
    umask(022);
    save("kept", "old");
    lm_output o = begin("kept", LM_OUTPUT_NEW);
    CHECK(exists(TMP("kept")));
    CHECK_STR(load("kept"), "old"); /* until the commit */
    lm_output_abandon(&o);
    lm_output_abandon(&o);
    CHECK(!exists(TMP("kept")));
    CHECK_STR(load("kept"), "old");
    save("private", "x");
    NEED(!chmod("private", 0600));
    o = begin("private", LM_OUTPUT_NEW);
    CHECK_EQ(mode_of(TMP("private")), 0600); /* never readable by others */
    lm_output_abandon(&o);
}

static void resumable(void)
{
    lm_output o = begin("r", LM_OUTPUT_RESUMABLE);
    CHECK_STR(lm_output_name(&o), "r.partial");
    CHECK_OK(lm_write_all(o.fd, "half", 4, "r"));
    lm_output_abandon(&o);
    CHECK_STR(load("r.partial"), "half");
    CHECK(!exists("r"));
    o = begin("r", LM_OUTPUT_RESUMABLE);
    NEED(lseek(o.fd, 0, SEEK_END) == 4);
    CHECK_OK(lm_write_all(o.fd, "done", 4, "r"));
    CHECK_OK(lm_output_commit(&o));
    CHECK_STR(load("r"), "halfdone");
    CHECK(!exists("r.partial"));
}

/* Start a child that copies a FIFO to a file. */
static pid_t drain(const char *fifo, const char *to)
{
    pid_t child = fork();
    if (child) return child;
    execlp("cp", "cp", fifo, to, (char *)NULL); /* cp reads a FIFO as a stream */
    _exit(127);
}

static void devices(void)
{
    for (int kind = LM_OUTPUT_NEW; kind <= LM_OUTPUT_RESUMABLE; kind++) {
        int status = 0;
        struct stat st;
        if (!exists("fifo")) NEED(!mkfifo("fifo", 0600));
        pid_t child = drain("fifo", "drained");
        CHECK_OK(put("fifo", (enum lm_output_kind)kind, "through"));
        NEED(waitpid(child, &status, 0) == child);
        CHECK_STR(load("drained"), "through");
        CHECK(!stat("fifo", &st) && S_ISFIFO(st.st_mode));
        CHECK(!exists(TMP("fifo")) && !exists("fifo.partial"));
        if (!exists("null") && mknod("null", S_IFCHR | 0666, makedev(1, 3)))
            continue;                       /* not root */
        if (access("null", W_OK)) continue; /* nodev */
        int rc = put("null", (enum lm_output_kind)kind, "x");
        if (rc && strstr(lm_err(), "Permission")) continue; /* a file system without devices */
        CHECK_OK(rc);
        CHECK(!stat("null", &st) && S_ISCHR(st.st_mode));
    }
    if (!access("/dev/full", W_OK)) {
        NEED(!symlink("/dev/full", "full"));
        CHECK(put("full", LM_OUTPUT_NEW, "x") == LM_EIO);
        CHECK_STR(lm_err(), "full: cannot write: No space left on device");
        CHECK(exists("full") && !exists(TMP("full")));
    }
}

static void descriptors(void)
{
    save("out", "old\n");
    int fd = open("out", O_WRONLY | O_APPEND), saved = dup(STDOUT_FILENO);
    NEED(fd >= 0 && saved >= 0 && !fflush(stdout) && dup2(fd, STDOUT_FILENO) >= 0);
    int a = put("-", LM_OUTPUT_NEW, "a"), b = put("/dev/stdout", LM_OUTPUT_RESUMABLE, "b"),
        c = put("/dev/fd/1", LM_OUTPUT_WAIT, "c");
    NEED(dup2(saved, STDOUT_FILENO) >= 0);
    CHECK(!a && !b && !c);
    CHECK_STR(load("out"), "old\nabc"); /* appended, not replaced */
    close(fd);
    close(saved);
}

static void directories(void)
{
    NEED(!mkdir("dir", 0777));
    CHECK(put("dir", LM_OUTPUT_NEW, "x") == LM_EIO);
    CHECK_STR(lm_err(), "dir: is a directory, not a file");
    CHECK(put("absent/x", LM_OUTPUT_NEW, "x") == LM_EIO);
    CHECK_STR(lm_err(), "absent/x: cannot open for writing: No such file or directory");
    if (geteuid()) { /* root may write everywhere */
        NEED(!chmod("dir", 0555));
        CHECK(put("dir/x", LM_OUTPUT_NEW, "x") == LM_EIO);
        CHECK_STR(lm_err(), "dir/x: cannot open for writing: Permission denied");
        NEED(!chmod("dir", 0777));
    }
    /* A directory created at the path later: the rename fails and no file is left. */
    lm_output o = begin("dir/late", LM_OUTPUT_NEW);
    NEED(!mkdir("dir/late", 0777));
    CHECK(lm_output_commit(&o) == LM_EIO);
    CHECK(!exists(TMP("dir/late")));
}

static void links(void)
{
    NEED(!mkdir("far", 0777));
    save("far/file", "old");
    NEED(!symlink("far/link", "link") && !symlink("file", "far/link"));
    lm_output o = begin("link", LM_OUTPUT_NEW);
    CHECK(exists(TMP("far/file"))); /* in the same directory, so that the rename is atomic */
    CHECK_OK(lm_write_all(o.fd, "new", 3, "link"));
    CHECK_OK(lm_output_commit(&o));
    char text[64];
    CHECK(readlink("link", text, sizeof text) > 0 && readlink("far/link", text, sizeof text) > 0);
    CHECK_STR(load("far/file"), "new");
    NEED(!symlink("far/made", "dangling"));
    CHECK_OK(put("dangling", LM_OUTPUT_NEW, "made"));
    CHECK_STR(load("far/made"), "made");
    CHECK(readlink("dangling", text, sizeof text) > 0);
    NEED(!symlink("loop", "loop"));
    CHECK(put("loop", LM_OUTPUT_NEW, "x") == LM_EIO && strstr(lm_err(), "symbolic links"));

    /* At the temporary path, links are not followed and FIFOs do not block. */
    save("victim", "precious");
    NEED(!symlink("victim", TMP("x")) && !symlink("victim", "x.partial"));
    CHECK(put("x", LM_OUTPUT_NEW, "x") == LM_EIO && strstr(lm_err(), TMP("x")));
    CHECK(put("x", LM_OUTPUT_RESUMABLE, "x") == LM_EIO && strstr(lm_err(), "x.partial"));
    CHECK_STR(load("victim"), "precious");
    CHECK(exists(TMP("x")));
    NEED(!mkfifo(TMP("y"), 0600));
    CHECK(put("y", LM_OUTPUT_WAIT, "x") == LM_EIO && strstr(lm_err(), "not a regular file"));
    CHECK(exists(TMP("y")));
}

static void two_writers(void)
{
    static const enum lm_output_kind kinds[] = { LM_OUTPUT_NEW, LM_OUTPUT_RESUMABLE };
    for (int i = 0; i < 2; i++) {
        lm_output first = begin("twice", kinds[i]);
        CHECK_OK(lm_write_all(first.fd, "first", 5, "twice"));
        CHECK(put("twice", kinds[i], "second") == LM_EUSAGE);
        char want[80];
        snprintf(want, sizeof want, "twice: another process is writing it (PID %ld)",
                 (long)getpid());
        CHECK_STR(lm_err(), want);
        CHECK(exists(i ? "twice.partial" : TMP("twice")));
        CHECK_OK(lm_output_clean("."));
        CHECK_OK(lm_output_commit(&first));
        CHECK_STR(load("twice"), "first");
        CHECK_OK(put("twice", kinds[i], "third"));
        CHECK_STR(load("twice"), "third");
    }
    /* A waiting writer opens after the first one is done. */
    lm_output first = begin("turns", LM_OUTPUT_NEW);
    pid_t child = fork();
    if (!child) {
        close(first.fd); /* it shares the lock */
        _exit(put("turns", LM_OUTPUT_WAIT, "second") != 0);
    }
    int status = -1;
    usleep(100000);
    CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
    CHECK_OK(lm_write_all(first.fd, "first", 5, "turns"));
    CHECK_OK(lm_output_commit(&first));
    NEED(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
    CHECK_STR(load("turns"), "second");
}

/* Lock files: exclusive, shared, removed by the last one, and taken over from a dead process. */
static void lock_files(void)
{
    lm_lock a = { 0 }, b = { 0 };
    lm_lock_release(&a, true); /* a zeroed one */
    CHECK_OK(lm_lock_take(&a, "a.lock", LOCK_EX | LOCK_NB, "thing"));
    CHECK(exists("a.lock"));
    CHECK(lm_lock_take(&b, "a.lock", LOCK_SH | LOCK_NB, "thing") == LM_EUSAGE);
    CHECK(strstr(lm_err(), "thing: another process is writing it (PID ") != NULL);
    CHECK(exists("a.lock"));
    CHECK_OK(lm_lock_change(&a, LOCK_SH, "thing"));
    CHECK_OK(lm_lock_take(&b, "a.lock", LOCK_SH | LOCK_NB, "thing"));
    lm_lock_release(&a, true);
    CHECK(exists("a.lock")); /* b has it */
    lm_lock_release(&b, false);
    CHECK(exists("a.lock")); /* not removed */
    CHECK_OK(lm_lock_take(&a, "a.lock", LOCK_EX | LOCK_NB, "thing"));
    lm_lock_release(&a, true);
    CHECK(!exists("a.lock"));

    pid_t child = fork();
    if (!child) {
        NEED(lm_lock_take(&a, "a.lock", LOCK_EX, "thing") == 0);
        kill(getpid(), SIGKILL);
    }
    NEED(waitpid(child, NULL, 0) == child);
    CHECK(exists("a.lock"));
    CHECK_OK(lm_lock_take(&a, "a.lock", LOCK_EX | LOCK_NB, "thing"));
    lm_lock_release(&a, true);

    /* Whoever waits for a file that its owner removes gets a new one: never two at once. */
    enum { PROCESSES = 6, ROUNDS = 200 };
    save("counter", "0");
    for (int i = 0; i < PROCESSES; i++) {
        if (fork()) continue;
        for (int k = 0; k < ROUNDS; k++) {
            NEED(lm_lock_take(&a, "a.lock", LOCK_EX, "thing") == 0);
            char text[16];
            snprintf(text, sizeof text, "%d", (int)strtol(load("counter"), NULL, 10) + 1);
            save("counter", text);
            lm_lock_release(&a, k % 2);
        }
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) NEED(wait(NULL) > 0);
    CHECK_EQ((int)strtol(load("counter"), NULL, 10), PROCESSES * ROUNDS);

    save("victim.lock", "precious");
    NEED(!symlink("victim.lock", "soft.lock") && !link("victim.lock", "hard.lock"));
    NEED(!mkfifo("fifo.lock", 0600));
    CHECK(lm_lock_take(&a, "soft.lock", LOCK_EX, "thing") == LM_EIO);
    CHECK(lm_lock_take(&a, "hard.lock", LOCK_EX, "thing") == LM_EIO);
    CHECK(lm_lock_take(&a, "fifo.lock", LOCK_EX, "thing") == LM_EIO);
    CHECK(lm_lock_take(&a, "no/such.lock", LOCK_EX, "thing") == LM_EIO);
    CHECK_STR(load("victim.lock"), "precious");
}

/* Many processes that start together: one or more succeed, each with a complete file. */
static void a_race(void)
{
    enum { PROCESSES = 8, ROUNDS = 40 };
    int ok = 0, other = 0;
    pid_t child[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        if (child[i]) continue;
        int n = 0;
        for (int k = 0; k < ROUNDS; k++) {
            int rc = put("race", LM_OUTPUT_NEW, "all of it");
            if (rc && rc != LM_EUSAGE) _exit(255);
            n += !rc;
        }
        _exit(n);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        NEED(waitpid(child[i], &status, 0) == child[i]);
        int n = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        other += n == 255;
        ok += n;
    }
    CHECK_EQ(other, 0);
    CHECK(ok > 0);
    CHECK_STR(load("race"), "all of it");
    CHECK(!exists(TMP("race")));
}

static void left_overs(void)
{
    save("mine.tmp", "notes"); /* not a temporary file of this library */
    save(TMP("mine"), "a longer text than what is written now");
    NEED(!chmod(TMP("mine"), 0444));
    CHECK_OK(put("mine", LM_OUTPUT_NEW, "whole"));
    CHECK_STR(load("mine"), "whole");
    CHECK_STR(load("mine.tmp"), "notes");
    CHECK_EQ(mode_of("mine"), 0644);

    /* A writer that is killed. */
    pid_t child = fork();
    if (!child) {
        lm_output o = begin("killed", LM_OUTPUT_NEW);
        (void)!write(o.fd, "half of something long", 22);
        kill(getpid(), SIGKILL);
    }
    NEED(waitpid(child, NULL, 0) == child);
    CHECK(exists(TMP("killed")));
    CHECK_OK(put("killed", LM_OUTPUT_WAIT, "whole"));
    CHECK_STR(load("killed"), "whole");
    CHECK(!exists(TMP("killed")));

    /* Cleaning removes temporary files of dead writers only. */
    save(TMP("dead"), "x");
    lm_output o = begin("alive", LM_OUTPUT_NEW);
    CHECK_OK(lm_output_clean("."));
    CHECK(!exists(TMP("dead")) && exists(TMP("alive")) && exists("mine.tmp"));
    CHECK_OK(lm_output_commit(&o));
    CHECK(lm_output_clean("absent") == LM_EIO);
}

/* No output replaces an input, whatever name it has. */
static void inputs(void)
{
    static const char *const in[] = { "absent-in", "in.txt", "in-dir" };
    save("in.txt", "input");
    NEED(!mkdir("in-dir", 0777));
    NEED(!link("in.txt", "hard") && !symlink("in.txt", "soft") && !symlink("in-dir", "soft-dir"));
    NEED(!link("in.txt", TMP("next")) && !link("in.txt", "after.partial"));
    static const char *const refused[] = { "in.txt", "./in.txt", "hard",     "soft",
                                           "next",   "after",    "soft-dir", "in-dir/../in-dir/" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK(lm_output_refuse_input(refused[i], in, 3) == LM_EUSAGE);
        CHECK(strstr(lm_err(), i < 6 ? "is an input, too (in.txt)" : "too (in-dir)") != NULL);
        CHECK_OK(lm_output_refuse_input(refused[i], in, 1));
    }
    CHECK_OK(lm_output_refuse_input("other", in, 3));
    CHECK_OK(lm_output_refuse_input("absent-in", in, 3)); /* it is made, not replaced */
    CHECK_OK(lm_output_refuse_input("absent-dir/x", in, 3));
    static const char *const null[] = { "/dev/null" };
    CHECK_OK(lm_output_refuse_input("/dev/null", null, 1)); /* only files are replaced */

    /* Standard input and output are compared, too. */
    int saved[2] = { dup(STDIN_FILENO), dup(STDOUT_FILENO) }, fd = open("in.txt", O_RDWR);
    static const char *const standard[] = { "-" };
    NEED(fd >= 0 && !fflush(stdout) && dup2(fd, STDIN_FILENO) >= 0);
    CHECK(lm_output_refuse_input("hard", standard, 1) == LM_EUSAGE);
    CHECK_OK(lm_output_refuse_input("-", standard, 1));
    NEED(dup2(fd, STDOUT_FILENO) >= 0);
    int both = lm_output_refuse_input("-", standard, 1),
        named = lm_output_refuse_input("/dev/stdout", in, 3);
    NEED(dup2(saved[0], STDIN_FILENO) >= 0 && dup2(saved[1], STDOUT_FILENO) >= 0);
    CHECK(both == LM_EUSAGE && named == LM_EUSAGE);
    CHECK_STR(load("in.txt"), "input");
    CHECK(exists(TMP("next")) && exists("after.partial"));
    close(fd);
    close(saved[0]);
    close(saved[1]);
}

static void full_disk(void)
{
    struct rlimit was, small;
    NEED(!getrlimit(RLIMIT_FSIZE, &was));
    small = was;
    small.rlim_cur = 4;
    signal(SIGXFSZ, SIG_IGN);
    save("full.txt", "old");
    NEED(!setrlimit(RLIMIT_FSIZE, &small));
    int rc = put("full.txt", LM_OUTPUT_NEW, "too long");
    char why[128];
    snprintf(why, sizeof why, "%s", lm_err());
    NEED(!setrlimit(RLIMIT_FSIZE, &was));
    CHECK_EQ(rc, LM_EIO);
    CHECK_STR(
        why,
        "full.txt: cannot write: File too large (the limit of `ulimit -f`, or of the file system)");
    CHECK_STR(load("full.txt"), "old");
    CHECK(!exists(TMP("full.txt")));
}

static void unlinked_files(void)
{
    char b[4] = "";
    int fd = lm_temporary_fd("here");
    NEED(fd >= 0);
    struct stat st;
    CHECK(!fstat(fd, &st) && st.st_nlink == 0);
    CHECK_OK(lm_write_all(fd, "abc", 3, "here"));
    CHECK_OK(lm_pread_all(fd, b, 3, 0, "here"));
    CHECK_STR(b, "abc");
    close(fd);
    CHECK(lm_temporary_fd("absent/x") == LM_EIO);
    setenv("TMPDIR", "no-such-folder", 1);
    CHECK(lm_temporary_fd(NULL) == LM_EIO && strstr(lm_err(), "no-such-folder/"));
    setenv("TMPDIR", ".", 1);
    fd = lm_temporary_fd(NULL);
    CHECK(fd >= 0);
    close(fd);
}

int main(void)
{
    regular_files();
    resumable();
    devices();
    descriptors();
    directories();
    links();
    two_writers();
    lock_files();
    a_race();
    left_overs();
    inputs();
    full_disk();
    unlinked_files();
    CHECK_END();
}
