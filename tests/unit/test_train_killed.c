/* SIGKILL at every single call that changes a file, before it and in the middle of a write: the
 * next start resumes from the last complete checkpoint and ends bit-identical to an uninterrupted
 * run. If the run replaces the model it started from, a reader finds the old one, the new one or
 * none. Renamed files are on the disk: files and directories are synced before they are renamed.
 *
 * This program defines write(), rename() and so on, which override those of the C library. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "longmix/zio.h"
#include "train/files/checksums.h"
#include "train/run/run.h"
#include "train_shards.h"

enum { STEPS = 2, PATH = 512, FILES = 64 };

static const char shape[] =
    "{\"model_type\":\"llama\",\"hidden_size\":8,\"intermediate_size\":16,\"num_hidden_layers\":2,"
    "\"num_attention_heads\":2,\"vocab_size\":48,\"max_position_embeddings\":64}";

/* ---- the calls ---------------------------------------------------------------------------- */

static size_t calls, kill_at; /* 0: never */
static size_t final_at;       /* the first call that writes the final weights */
static bool torn;             /* count writes only, and do half of the last one */

/* Called before each; true: do half of the write, then kill. */
static bool count_call(bool is_write)
{
    if (torn && !is_write) return false;
    if (++calls != kill_at) return false;
    if (torn) return true;
    kill(getpid(), SIGKILL);
    return false;
}

/* Not yet on the disk: files with unsynced data, directories with unsynced entries. */
static char unsynced[FILES][PATH];
static bool watching;

static void mark(const char *path)
{
    size_t i = 0;
    if (!watching) return;
    while (i < FILES && unsynced[i][0] && strcmp(unsynced[i], path)) i++;
    NEED(i < FILES);
    snprintf(unsynced[i], PATH, "%s", path);
}

static bool marked(const char *path)
{
    for (size_t i = 0; i < FILES; i++)
        if (unsynced[i][0] && !strcmp(unsynced[i], path)) return true;
    return false;
}

static void clear(const char *path)
{
    size_t last = 0;
    while (last < FILES && unsynced[last][0]) last++;
    for (size_t i = 0; i < last; i++)
        if (!strcmp(unsynced[i], path)) {
            memmove(unsynced[i], unsynced[last - 1], PATH);
            unsynced[last - 1][0] = 0;
            return;
        }
}

static void absolute(char full[PATH], const char *path)
{
    char here[PATH / 2];
    NEED(getcwd(here, sizeof here));
    snprintf(full, PATH, "%s%s%.255s", path[0] == '/' ? "" : here, path[0] == '/' ? "" : "/", path);
}

static void path_of_fd(char full[PATH], int fd)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, full, PATH - 1);
    full[n > 0 ? n : 0] = 0;
}

static void parent(char dir[PATH], const char *full)
{
    snprintf(dir, PATH, "%s", full);
    char *end = strrchr(dir, '/');
    if (end) *end = 0;
}

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);
    return n >= k && !strcmp(path + n - k, end);
}

ssize_t write(int fd, const void *p, size_t n)
{
    char full[PATH], dir[PATH];
    if (fd > 2) {
        if (count_call(true)) {
            syscall(SYS_write, fd, p, n / 2);
            kill(getpid(), SIGKILL);
        }
        path_of_fd(full, fd);
        mark(full);
        /* The next step has begun: the entry of the previous checkpoint is on the disk. */
        parent(dir, full);
        if (ends_in(full, "log.jsonl")) CHECK(!marked(dir));
    }
    return syscall(SYS_write, fd, p, n);
}

int ftruncate(int fd, off_t n)
{
    count_call(false);
    return (int)syscall(SYS_ftruncate, fd, n);
}

int fsync(int fd)
{
    char full[PATH];
    count_call(false);
    path_of_fd(full, fd);
    clear(full);
    return 0; /* power loss is not tested */
}

int rename(const char *from, const char *to)
{
    char a[PATH], b[PATH], dir[PATH];
    count_call(false);
    absolute(a, from);
    absolute(b, to);
    /* A renamed file has its data, and a directory its entries, on the disk. */
    if (watching) CHECK(!marked(a));
    parent(dir, b);
    if (!ends_in(b, ".partial")) mark(dir); /* which is being removed */
    return (int)syscall(SYS_rename, from, to);
}

int mkdir(const char *path, mode_t mode)
{
    count_call(false);
    return (int)syscall(SYS_mkdir, path, mode);
}

int unlink(const char *path)
{
    count_call(false);
    return (int)syscall(SYS_unlink, path);
}

int rmdir(const char *path)
{
    count_call(false);
    return (int)syscall(SYS_rmdir, path);
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (flags & O_CREAT) count_call(false);
    if (flags & O_CREAT && strstr(path, "model.safetensors.new")) final_at = calls;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- runs --------------------------------------------------------------------------------- */

static uint64_t resumed_from;

static void on_note(void *arg, const char *line)
{
    (void)arg;
    const char *at = strstr(line, "resumed from ");
    if (at && (at = strstr(at, "checkpoint-"))) resumed_from = strtoull(at + 11, NULL, 10);
}

static int run_from(const char *model, const char *out, int dtype)
{
    tr_options o = { .model = model,
                     .init = model ? NULL : "shape.json",
                     .data = "shards",
                     .eval_data = "held",
                     .out = out,
                     .batch = 256,
                     .tokens = STEPS * 256,
                     .micro = 2,
                     .slice = 256,
                     .save_every = 256,
                     .eval_every = 256,
                     .keep = 1,
                     .resume = true,
                     .dtype = dtype,
                     .rope_base = model ? 20000 : 0, /* so that config.json changes, too */
                     .optimizer = {
                         .lr = 5e-3, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .clip = 1 } };
    backend *b = NULL;
    tr_run *r = NULL;
    tr_watch watch = { NULL, on_note, NULL };
    NEED(bk_cpu_open(&b, 1) == 0);
    int rc = tr_run_open(&r, &o, b, &watch);
    if (!rc) rc = tr_run_train(r);
    tr_run_close(r);
    b->close(b);
    return rc;
}

static int go(const char *out) { return run_from(NULL, out, -1); }

static bool equal_files(const char *a, const char *b)
{
    static char x[1 << 16], y[1 << 16];
    int f = open(a, O_RDONLY), g = open(b, O_RDONLY);
    NEED(f >= 0);
    ssize_t n = read(f, x, sizeof x), m = g < 0 ? -1 : read(g, y, sizeof y);
    NEED(n > 0 && n < (ssize_t)sizeof x);
    close(f);
    if (g >= 0) close(g);
    return n == m && !memcmp(x, y, (size_t)n);
}

/* The highest step of the complete checkpoints; the number of entries. */
static uint64_t last_whole(const char *out, size_t *entries)
{
    uint64_t last = 0;
    DIR *d = opendir(out);
    *entries = 0;
    for (const struct dirent *e; d && (e = readdir(d)); ++*entries) {
        uint64_t step = 0;
        int used = 0;
        if (sscanf(e->d_name, "checkpoint-%" SCNu64 "%n", &step, &used) == 1 && !e->d_name[used])
            last = step > last ? step : last;
    }
    if (d) closedir(d);
    return last;
}

static void remove_all(const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        char path[PATH];
        snprintf(path, sizeof path, "%.200s/%.250s", dir, e->d_name);
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && unlink(path)) remove_all(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

/* One run that is killed at call k, and one that resumes. false: it had fewer calls. */
static bool try_kill(size_t k, bool half)
{
    size_t entries = 0, all = 0;
    pid_t pid = fork();
    NEED(pid >= 0);
    if (!pid) {
        calls = 0;
        kill_at = k;
        torn = half;
        _exit(go("killed") ? 1 : 0);
    }
    int status = 0;
    NEED(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    uint64_t whole = last_whole("killed", &entries);
    resumed_from = 0;
    CHECK_OK(go("killed"));
    CHECK_EQ(resumed_from, whole);
    CHECK(equal_files("whole/model.safetensors", "killed/model.safetensors"));
    CHECK(equal_files("whole/checkpoint-00000002/model.safetensors",
                      "killed/checkpoint-00000002/model.safetensors"));
    CHECK(equal_files("whole/checkpoint-00000002/optimizer.safetensors",
                      "killed/checkpoint-00000002/optimizer.safetensors"));
    /* No other files remain than checkpoint, model, config and log. */
    CHECK(last_whole("killed", &entries) == STEPS && last_whole("whole", &all) == STEPS);
    CHECK_EQ(entries, all);
    remove_all("killed");
    return WIFSIGNALED(status);
}

/* ---- a run that replaces its own model ---------------------------------------------------- */

enum { SINGLE, INDEXED, BOTH, KINDS };

static void copy(const char *from, const char *dir, const char *name)
{
    static char data[1 << 16];
    char path[PATH];
    int fd = open(from, O_RDONLY);
    NEED(fd >= 0);
    ssize_t n = read(fd, data, sizeof data);
    NEED(n > 0 && n < (ssize_t)sizeof data && !close(fd));
    snprintf(path, sizeof path, "%s/%s", dir, name);
    NEED(lm_write_file(path, data, (size_t)n) == 0);
}

/* The model seed/ as one file, as the file of an index, or as one that an index also names. */
static void make_model(const char *dir, int kind)
{
    const char *weights =
        kind == INDEXED ? "model-00001-of-00001.safetensors" : "model.safetensors";
    char index[PATH], path[PATH];
    NEED(mkdir(dir, 0777) == 0);
    copy("seed/config.json", dir, "config.json");
    copy("seed/model.safetensors", dir, weights);
    if (kind == SINGLE) return;
    int n =
        snprintf(index, sizeof index, "{\"weight_map\":{\"model.norm.weight\":\"%s\"}}", weights);
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", dir);
    NEED(lm_write_file(path, index, (size_t)n) == 0);
}

/* What a reader finds in killed/: 0 no model, 1 the one of seed/, 2 that of done/, -1 a mixture. */
static int found_model(void)
{
    tr_config c = { 0 };
    st_reader *r = NULL;
    int found = 0;
    if (tr_config_load(&c, "killed/config.json")) return 0;
    if (st_open(&r, "killed") == 0) {
        const char *weights = st_at(r, 0)->file;
        for (int i = 1; i <= 2; i++)
            if (equal_files(i == 1 ? "seed/config.json" : "done/config.json", "killed/config.json"))
                found = equal_files(i == 1 ? "seed/model.safetensors" : "done/model.safetensors",
                                    weights)
                            ? i
                            : -1;
    }
    st_close(r);
    tr_config_free(&c);
    return found;
}

/* Killed at call k of writing the final model, then resumed. false: it had fewer calls. */
static bool try_replace(int kind, size_t k, bool *none)
{
    pid_t pid = 0;
    int status = 0;
    make_model("killed", kind);
    NEED((pid = fork()) >= 0);
    if (!pid) {
        calls = 0;
        kill_at = k;
        torn = false;
        _exit(run_from("killed", "killed", -1) ? 1 : 0);
    }
    NEED(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    int found = found_model(), proved = checksums_compare("killed", true, NULL);
    CHECK(found >= 0);
    /* What lmcheck accepts is the new model, whole. */
    CHECK(proved <= 0 || found == 2);
    *none |= found == 0;
    if (!WIFSIGNALED(status)) CHECK_EQ(found, 2);
    CHECK_OK(run_from("killed", "killed", -1));
    CHECK_EQ(found_model(), 2);
    CHECK_EQ(checksums_compare("killed", true, NULL), 1);
    CHECK(access("killed/model.safetensors.index.json", F_OK) != 0);
    CHECK(access("killed/model.safetensors.new", F_OK) != 0);
    remove_all("killed");
    return WIFSIGNALED(status);
}

static void check_replace(void)
{
    CHECK_OK(run_from(NULL, "seed", ST_BF16));
    for (int kind = 0; kind < KINDS; kind++) {
        bool none = false;
        make_model("done", kind);
        calls = final_at = 0;
        CHECK_OK(run_from("done", "done", -1));
        CHECK(!equal_files("seed/model.safetensors", "done/model.safetensors"));
        size_t first = final_at, k = first;
        NEED(first > 0);
        while (try_replace(kind, k, &none)) k++;
        CHECK(none && k - first >= 8);
        printf("kind %d: killed at %zu moments of the last write\n", kind, k - first);
        remove_all("done");
    }
}

int main(void)
{
    NEED(lm_write_file("shape.json", shape, strlen(shape)) == 0);
    write_language("shards", 0, 1, 128, true, 12, true);
    write_language("held", 0, 2, 128, true, 2, true);
    watching = true;
    CHECK_OK(go("whole"));
    watching = false;
    char full[PATH];
    absolute(full, "whole");
    CHECK(!marked(full));
    size_t killed = 0;
    for (size_t k = 1; try_kill(k, false); k++) killed++;
    for (size_t k = 1; try_kill(k, true); k++) killed++;
    printf("killed at %zu moments\n", killed);
    CHECK(killed > 80);
    check_replace();
    CHECK_END();
}
