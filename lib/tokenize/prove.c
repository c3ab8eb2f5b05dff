/* prove.c -- what an earlier run has read is compared with what is there now: whatever is not read
 * again must not have changed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/rng.h"
#include "lib/base/fd.h"
#include "lib/tokenize/internal.h"

enum { STEP_BYTES = 1 << 20, CHAIN_SEED = 0x4c4d5451 };

uint64_t tok_chain(uint64_t before, uint64_t hash, uint64_t size)
{
    return lm_hash4(CHAIN_SEED, before, hash, size);
}

/* ---- the files that are finished -------------------------------------------------------- */

int tok_past_add(tok_run *r, const lm_file_end *end)
{
    if (r->pasts == r->past_cap) {
        tok_past *p = lm_grow(r->past, &r->past_cap, sizeof *p, SIZE_MAX / sizeof *p);
        if (!p) return LM_ENOMEM;
        r->past = p;
    }
    tok_past p = { .end = *end };
    if (end->set_aside && !(p.reason = strdup(end->set_aside)))
        return lm_fail_nomem(strlen(end->set_aside));
    p.end.set_aside = p.reason;
    r->past[r->pasts++] = p;
    return LM_OK;
}

void tok_past_free(tok_run *r)
{
    for (size_t i = 0; i < r->pasts; i++) free(r->past[i].reason);
    free(r->past);
}

/* ---- comparing a file ------------------------------------------------------------------- */

static int changed(const tok_run *r, const tok_past *p, const char *how)
{
    return lm_fail(
        LM_EDATA,
        "%s: has changed since the earlier run read it%s: %s; restore it, or start again "
        "with --force",
        tok_shown(&r->in, p->end.file), p->reason ? " and quarantined it" : "", how);
}

static int other_size(const tok_run *r, const tok_past *p, uint64_t now)
{
    char how[96];
    snprintf(how, sizeof how, "it had %" PRIu64 " bytes, now %" PRIu64, p->end.raw_bytes, now);
    return changed(r, p, how);
}

/* Hash at most `most` bytes of fd: how many in *n. */
static int hash_bytes(tok_run *r, int fd, const char *name, uint64_t most, uint64_t *n,
                      uint64_t *hash)
{
    lm_hasher *h = NULL;
    unsigned char *bytes = malloc(STEP_BYTES);
    int rc = bytes ? lm_hasher_new(&h) : lm_fail_nomem(STEP_BYTES);
    *n = 0;
    while (!rc && *n < most) {
        size_t want = most - *n < STEP_BYTES ? (size_t)(most - *n) : STEP_BYTES;
        ssize_t got = lm_fd_read(fd, bytes, want, *n, name);
        rc = got < 0 ? (int)got : lm_check_interrupt();
        if (rc || got == 0) break;
        lm_hasher_add(h, bytes, (size_t)got);
        *n += (uint64_t)got;
        lm_progress_add(r->o->progress, (uint64_t)got, 0);
    }
    if (h) *hash = lm_hasher_digest(h);
    lm_hasher_free(h);
    free(bytes);
    return rc;
}

/* Compare the contents of an open file. */
static int same_contents(tok_run *r, const tok_past *p, int fd)
{
    uint64_t n = 0, hash = 0;
    uint64_t most = p->reason ? p->end.raw_read : UINT64_MAX;
    int rc = hash_bytes(r, fd, tok_shown(&r->in, p->end.file), most, &n, &hash);
    /* What cannot be read now could not be read then. */
    if (rc == LM_EIO && p->reason) return LM_OK;
    if (rc) return rc;
    if (!p->reason && n != p->end.raw_bytes) return other_size(r, p, n);
    if (hash != p->end.raw_hash || (p->reason && n != most))
        return changed(r, p, "its contents differ");
    return LM_OK;
}

static bool is_older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Its size, and whether the contents need to be compared: 1, 0, or an error. */
static int look_at(const tok_run *r, const tok_past *p, const char *path,
                   const struct timespec *since)
{
    struct stat st;
    if (stat(path, &st)) {
        if (p->reason) return 0;
        return lm_fail_errno(errno, "%s: was read by the earlier run and cannot be opened now",
                             path);
    }
    if (!S_ISREG(st.st_mode)) return 1;
    if ((uint64_t)st.st_size != p->end.raw_bytes) return other_size(r, p, (uint64_t)st.st_size);
    return !since || !is_older(&st.st_mtim, since) || !is_older(&st.st_ctim, since);
}

static int prove_file(tok_run *r, const tok_past *p, const struct timespec *since)
{
    const char *path = tok_path(&r->in, p->end.file);
    if (!path) return LM_OK; /* quarantined, and no longer given */
    if (!strcmp(path, "-")) return same_contents(r, p, STDIN_FILENO);
    int rc = look_at(r, p, path, since);
    if (rc <= 0) return rc;
    int fd = lm_fd_open(path);
    if (fd < 0) return fd == LM_EIO && p->reason ? LM_OK : fd;
    rc = same_contents(r, p, fd);
    close(fd);
    return rc;
}

int tok_prove(tok_run *r, const struct timespec *since)
{
    int rc = LM_OK;
    /* Sizes of all files first: they show most changes at once. */
    for (size_t i = 0; i < r->pasts && !rc; i++) {
        const char *path = tok_path(&r->in, r->past[i].end.file);
        if (path && strcmp(path, "-")) rc = look_at(r, &r->past[i], path, since);
        if (rc > 0) rc = LM_OK;
    }
    for (size_t i = 0; i < r->pasts && !rc; i++) {
        rc = lm_check_interrupt();
        if (!rc) rc = prove_file(r, &r->past[i], since);
    }
    return rc;
}

/* ---- the file that was being read ----------------------------------------------------------- */

int tok_prove_job(tok_run *r, const tok_job *job)
{
    const char *name = tok_shown(&r->in, job->file), *how = NULL;
    if (job->lost || job->fault) return lm_fail(job->fault, "%s", job->message);
    if (job->at_end) {
        how = "it is shorter";
    } else {
        r->again_lines += job->lines;
        r->again_chain = tok_chain(r->again_chain, job->hash, job->lines);
        if (r->again_lines < r->done.open.lines) return LM_OK;
        if (r->again_lines == r->done.open.lines && r->again_chain == r->done.chain) return LM_OK;
        how = "the lines that it has read differ";
    }
    return lm_fail(LM_EDATA,
                   "%s: has changed since the earlier run read %" PRIu64
                   " lines of it: %s; restore it, or start again with --force",
                   name, r->done.open.lines, how);
}
