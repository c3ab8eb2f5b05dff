/* The log of a run: JSON Lines. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "longmix/zio.h"
#include "train/run/internal.h"

int tr_log_open(tr_run *r, bool resumed)
{
    char own[MODEL_PATH];
    const char *path = r->o.log ? r->o.log : own;
    if (r->ranks->rank) return LM_OK;
    int rc = model_dir_path(own, r->o.out, "log.jsonl");
    if (rc) return rc;
    struct stat st;
    bool special = !stat(path, &st) && !S_ISREG(st.st_mode);
    r->log = special ? lm_fd_open_writing(path)
                     : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (r->log < 0) return special ? r->log : lm_fail_errno(errno, "%s", path);
    /* Steps after the checkpoint will be repeated and logged again. */
    off_t keep = resumed ? (off_t)r->state.log_bytes : 0;
    if (fstat(r->log, &st)) return lm_fail_errno(errno, "%s", path);
    if (S_ISREG(st.st_mode) && st.st_size > keep && ftruncate(r->log, keep))
        return lm_fail_errno(errno, "%s: truncating", path);
    return LM_OK;
}

int tr_log_line(tr_run *r, lm_json *line)
{
    lm_buf text = LM_BUF_INIT((size_t)1 << 20);
    int rc = lm_json_print(line, 0, &text);
    if (!rc && r->log >= 0)
        rc = lm_write_all(r->log, text.data, text.size, r->o.log ? r->o.log : "log.jsonl");
    lm_buf_free(&text);
    lm_json_free(line);
    return rc;
}

int tr_log_size(tr_run *r, uint64_t *bytes)
{
    struct stat st;
    *bytes = 0;
    if (r->log < 0) return LM_OK;
    if (fsync(r->log) && errno != EINVAL) return lm_fail_errno(errno, "the log");
    if (fstat(r->log, &st)) return lm_fail_errno(errno, "the log");
    *bytes = (uint64_t)st.st_size;
    return LM_OK;
}

void tr_note(const tr_run *r, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (r->watch.note) r->watch.note(r->watch.arg, line);
}
