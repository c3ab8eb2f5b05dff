/* The log of a run: JSON Lines. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "longmix/zio.h"
#include "train/files/checksums.h"
#include "train/files/sealed.h"
#include "train/run/internal.h"

/* Which file the log is, from the start of a run to its first checkpoint. */
#define STARTED "started.json"
static const char line_start[] = "{\"step\":";
enum { STARTED_FORM = 1, PIECE = 1 << 16 };

/* ---- files that are no log --------------------------------------------------------------- */

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is the file `path`, or a file of the directory `path`, the same as `log`? Its name is set. */
static bool holds(const char *path, const struct stat *log, char found[MODEL_PATH])
{
    struct stat st;
    bool yes = false;
    if (!path || stat(path, &st)) return false;
    if (!S_ISDIR(st.st_mode)) {
        snprintf(found, MODEL_PATH, "%s", path);
        return same(&st, log);
    }
    DIR *d = opendir(path);
    for (const struct dirent *e; d && !yes && (e = readdir(d));)
        yes = !fstatat(dirfd(d), e->d_name, &st, 0) && !S_ISDIR(st.st_mode) && same(&st, log) &&
              !model_dir_path(found, path, e->d_name);
    if (d) closedir(d);
    return yes;
}

/* A name that the run gives to another file of its directory. */
static bool is_taken(const char *name)
{
    for (size_t i = 0; model_dir_companions[i]; i++)
        if (!strcmp(name, model_dir_companions[i])) return true;
    return !strncmp(name, MODEL_WEIGHTS, strlen(MODEL_WEIGHTS)) || !strcmp(name, MODEL_CONFIG) ||
           !strcmp(name, MODEL_CHECKSUMS) || !strcmp(name, STARTED) ||
           !strncmp(name, "checkpoint-", 11);
}

/* Does --log name a file that the run reads, or writes as something else? */
static int check_name(const tr_run *r)
{
    char found[MODEL_PATH], dir[MODEL_PATH];
    struct stat log, at, out;
    const char *inputs[] = { r->o.init, r->o.model, r->o.data, r->o.eval_data };
    const char *slash = strrchr(r->log_path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash + 1 - r->log_path) : 1,
             slash ? r->log_path : ".");
    if (is_taken(slash ? slash + 1 : r->log_path) && !stat(dir, &at) && !stat(r->o.out, &out) &&
        same(&at, &out))
        return lm_fail(LM_EUSAGE, "--log %s: the run writes another file of this name",
                       r->log_path);
    if (stat(r->log_path, &log)) return LM_OK;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (holds(inputs[i], &log, found) &&
            !(r->o.model == inputs[i] && lm_has_suffix(found, "/log.jsonl")))
            return lm_fail(LM_EUSAGE, "--log %s: the run reads this file, as %s", r->log_path,
                           found);
    return LM_OK;
}

/* ---- whose log it is ---------------------------------------------------------------------- */

/* Are the bytes from `from` to the end lines of a log? The last may be torn, and may be zeros, which
 * a power cut leaves. 1, 0, or LM_EIO. */
static int are_lines(const tr_run *r, uint64_t from, uint64_t size)
{
    char part[PIECE];
    size_t in_line = 0;
    bool zeros = false;
    for (uint64_t at = from, n; at < size; at += n) {
        n = size - at < PIECE ? size - at : PIECE;
        int rc = lm_pread_all(r->log, part, (size_t)n, at, r->log_path);
        if (rc) return rc;
        for (size_t i = 0; i < n; i++) {
            zeros |= !part[i];
            if (zeros && part[i]) return 0;
            if (!zeros && in_line < sizeof line_start - 1 && part[i] != line_start[in_line])
                return 0;
            in_line = part[i] == '\n' ? 0 : in_line + 1;
        }
    }
    return 1;
}

/* Hash the first n bytes. */
static int hash_start(tr_run *r, uint64_t n)
{
    char part[PIECE];
    lm_hasher_reset(r->log_hash);
    for (uint64_t at = 0, k; at < n; at += k) {
        k = n - at < PIECE ? n - at : PIECE;
        int rc = lm_pread_all(r->log, part, (size_t)k, at, r->log_path);
        if (rc) return rc;
        lm_hasher_add(r->log_hash, part, (size_t)k);
    }
    return LM_OK;
}

/* Version 0.1.0 recorded no hash: is the last line of the first `keep` bytes of the checkpoint's
 * step? 1, 0, LM_EIO. */
static int ends_in_step(const tr_run *r, uint64_t keep)
{
    char part[PIECE], want[40];
    uint64_t n = keep < PIECE ? keep : PIECE;
    int rc = lm_pread_all(r->log, part, (size_t)n, keep - n, r->log_path);
    if (rc) return rc;
    size_t line = (size_t)n - 1;
    while (line && part[line - 1] != '\n') line--;
    size_t k = (size_t)snprintf(want, sizeof want, "%s%" PRIu64 ",", line_start, r->state.step);
    return part[n - 1] == '\n' && n - line > k && !memcmp(part + line, want, k);
}

/* Is it the log of the checkpoint's run, of which `keep` bytes were written then? 1, 0, LM_EIO. */
static int is_resumed(tr_run *r, uint64_t keep, uint64_t size)
{
    if (size < keep || !keep) return 0; /* 0: the run had its log elsewhere */
    int rc = hash_start(r, keep);
    if (rc) return rc;
    if (!r->state.log_hash) {
        rc = ends_in_step(r, keep);
        return rc == 1 ? are_lines(r, 0, size) : rc;
    }
    return lm_hasher_digest(r->log_hash) == r->state.log_hash ? are_lines(r, keep, size) : 0;
}

/* Is it the log that a run in this directory began before it had a checkpoint? 1, 0, or an error. */
static int is_begun(const tr_run *r, const struct stat *st)
{
    char path[MODEL_PATH];
    lm_json *all = NULL;
    const lm_json *o = NULL;
    uint64_t device = 0, inode = 0;
    int rc = model_dir_path(path, r->o.out, STARTED);
    if (rc || access(path, F_OK)) return rc;
    rc = sealed_load(&all, &o, NULL, r->o.out, STARTED, STARTED_FORM, "log");
    if (!rc) rc = lm_json_u64(&device, o, "device");
    if (!rc) rc = lm_json_u64(&inode, o, "inode");
    lm_json_free(all);
    if (rc || device != (uint64_t)st->st_dev || inode != (uint64_t)st->st_ino) return rc;
    return are_lines(r, 0, (uint64_t)st->st_size);
}

static int write_started(const tr_run *r, const struct stat *st)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "device", (uint64_t)st->st_dev);
    lm_json_set_u64(o, "inode", (uint64_t)st->st_ino);
    int rc = sealed_write(r->o.out, STARTED, STARTED_FORM, "log", o);
    lm_json_free(o);
    return rc;
}

int tr_log_known(const tr_run *r)
{
    char path[MODEL_PATH];
    if (r->ranks->rank) return LM_OK;
    int rc = model_dir_path(path, r->o.out, STARTED);
    if (!rc && unlink(path) && errno != ENOENT) rc = lm_fail_errno(errno, "%s: removing", path);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int foreign(const tr_run *r, bool resumed)
{
    return lm_fail(LM_EUSAGE, "%s: %s; move it away, or name another file with --log", r->log_path,
                   resumed ? "not the log that this run has written up to its checkpoint"
                           : "a file with text that this run has not written");
}

/* A regular file, locked: cut it back to what the checkpoint accounts for. */
static int take_over(tr_run *r, bool resumed, const struct stat *st)
{
    uint64_t keep = resumed ? r->state.log_bytes : 0, size = (uint64_t)st->st_size;
    int mine = !size ? 1 : resumed ? is_resumed(r, keep, size) : is_begun(r, st);
    if (mine < 0) return mine;
    if (!mine) return foreign(r, resumed);
    if (!size && keep) {
        tr_warn(r, "%s: absent or empty: the log begins again after step %" PRIu64, r->log_path,
                r->state.step);
        keep = 0;
    }
    /* Steps after the checkpoint will be repeated and logged again. */
    if (size > keep && ftruncate(r->log, (off_t)keep))
        return lm_fail_errno(errno, "%s: truncating", r->log_path);
    int rc = hash_start(r, keep);
    return rc || resumed ? rc : write_started(r, st);
}

static int open_file(tr_run *r)
{
    struct stat st;
    bool special = !stat(r->log_path, &st) && !S_ISREG(st.st_mode);
    r->log = special ? lm_fd_open_writing(r->log_path)
                     : open(r->log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (r->log >= 0) return LM_OK;
    return special ? r->log : lm_fail_errno(errno, "%s", r->log_path);
}

int tr_log_open(tr_run *r, bool resumed)
{
    struct stat st;
    if (r->ranks->rank) return LM_OK;
    int rc = model_dir_path(r->log_path, r->o.out, "log.jsonl");
    if (!rc && r->o.log && (size_t)snprintf(r->log_path, MODEL_PATH, "%s", r->o.log) >= MODEL_PATH)
        rc = lm_fail(LM_EUSAGE, "--log: the path is too long");
    if (!rc) rc = lm_hasher_new(&r->log_hash);
    if (!rc && r->o.log) rc = check_name(r);
    if (!rc) rc = open_file(r);
    if (!rc && fstat(r->log, &st)) rc = lm_fail_errno(errno, "%s", r->log_path);
    if (rc || !S_ISREG(st.st_mode)) return rc;
    /* Without locks, two runs with one --log are not kept apart. */
    if (flock(r->log, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return lm_fail(LM_EUSAGE, "%s: another run is writing it", r->log_path);
    if (fstat(r->log, &st)) return lm_fail_errno(errno, "%s", r->log_path);
    rc = take_over(r, resumed, &st);
    return rc || !resumed ? rc : tr_log_known(r);
}

/* ---- writing ------------------------------------------------------------------------------ */

int tr_log_line(tr_run *r, lm_json *line)
{
    lm_buf text = LM_BUF_INIT((size_t)1 << 20);
    int rc = lm_json_print(line, 0, &text);
    if (!rc && r->log >= 0) {
        rc = lm_write_all(r->log, text.data, text.size, r->log_path);
        lm_hasher_add(r->log_hash, text.data, text.size);
    }
    lm_buf_free(&text);
    lm_json_free(line);
    return rc;
}

int tr_log_mark(tr_run *r)
{
    struct stat st;
    r->state.log_bytes = r->state.log_hash = 0;
    if (r->log < 0) return LM_OK;
    if (fstat(r->log, &st)) return lm_fail_errno(errno, "%s", r->log_path);
    if (!S_ISREG(st.st_mode)) return LM_OK;
    if (fsync(r->log) && errno != EINVAL) return lm_fail_errno(errno, "%s", r->log_path);
    r->state.log_bytes = (uint64_t)st.st_size;
    r->state.log_hash = lm_hasher_digest(r->log_hash);
    return LM_OK;
}

static void say(void (*how)(void *, const char *), void *arg, const char *fmt, va_list ap)
{
    char line[512];
    vsnprintf(line, sizeof line, fmt, ap);
    if (how) how(arg, line);
}

void tr_note(const tr_run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(r->watch.note, r->watch.arg, fmt, ap);
    va_end(ap);
}

void tr_warn(const tr_run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(r->watch.warn, r->watch.arg, fmt, ap);
    va_end(ap);
}
