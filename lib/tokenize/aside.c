/* aside.c -- the quarantine of lines, and the list of quarantined files.
 *
 * Lines are written to FILE.partial, in step with the store: each chunk's record in the store has the
 * bytes and a hash of the lines so far, so a resumed run finds out how far the two agree and cuts both
 * back to that point. FILE.partial belongs to the run that has the unfinished store. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "longmix/json.h"
#include "longmix/zio.h"
#include "lib/tokenize/internal.h"

/* ---- what is there -------------------------------------------------------------------------- */

/* Does a file with bytes in it have that name? A link counts as one. */
static bool has_bytes(const char *path)
{
    struct stat st;
    return !lstat(path, &st) && (!S_ISREG(st.st_mode) || st.st_size > 0);
}

static int foreign(const char *name)
{
    return lm_fail(
        LM_EUSAGE,
        "%s: exists already, and this run did not write it; remove it, name another file, "
        "or overwrite it with --force",
        name);
}

static char *partial_name(const lm_output *o)
{
    char *name = NULL;
    return asprintf(&name, "%s.partial", o->path) < 0 ? NULL : name;
}

/* ---- the lines of an earlier run -------------------------------------------------------------- */

/* Open the quarantine file of the earlier run, to compare it: FILE.partial or, where the run was
 * killed just before its end, FILE. */
static int open_past(tok_bad *b)
{
    int rc = lm_output_locate(&b->out, b->name);
    if (rc) return rc;
    b->trusted = b->out.direct;
    if (b->trusted) return LM_OK;
    char *partial = partial_name(&b->out);
    if (!partial) return lm_fail_nomem(strlen(b->name));
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    b->past_final = !has_bytes(partial);
    b->past = open(b->past_final ? b->out.path : partial, flags);
    free(partial);
    return LM_OK;
}

/* Hash n bytes at `at`: 1, 0 where they are not there, or an error. */
static int hash_past(int fd, uint64_t at, uint64_t n, uint64_t *hash)
{
    enum { STEP = 256 * 1024 };
    lm_hasher *h = NULL;
    unsigned char *bytes = malloc(STEP);
    int rc = bytes ? lm_hasher_new(&h) : lm_fail_nomem(STEP);
    ssize_t got = 0;
    for (; !rc && n; n -= (uint64_t)got, at += (uint64_t)got) {
        do got = pread(fd, bytes, n < STEP ? (size_t)n : STEP, (off_t)at);
        while (got < 0 && errno == EINTR);
        if (got <= 0) break;
        lm_hasher_add(h, bytes, (size_t)got);
        rc = lm_check_interrupt();
    }
    if (h) *hash = lm_hasher_digest(h);
    lm_hasher_free(h);
    free(bytes);
    return rc ? rc : n == 0;
}

int tok_bad_match(tok_run *r, const lm_chunk_end *c)
{
    tok_bad *b = &r->bad;
    const tok_state *now = &r->now;
    if (c->bad_bytes == now->bad_bytes) return c->bad_hash != now->bad_hash;
    if (!b->name)
        return lm_fail(
            LM_EUSAGE,
            "the run that is to be resumed quarantined lines: name the same quarantine file");
    if (!b->out.path) {
        int rc = open_past(b);
        if (rc) return rc;
    }
    if (b->trusted) return 0;
    if (b->past < 0 || c->bad_bytes < now->bad_bytes) return 1;
    uint64_t n = c->bad_bytes - now->bad_bytes, hash = 0;
    int rc = hash_past(b->past, now->bad_bytes, n, &hash);
    if (rc < 0) return rc;
    return rc == 0 || tok_chain(now->bad_hash, hash, n) != c->bad_hash;
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* Give a quarantine file that is complete its temporary name again. */
static int reopen_final(const tok_bad *b, const char *partial)
{
    return rename(b->out.path, partial)
               ? lm_fail_errno(errno, "%s: cannot rename to %s", b->out.path, partial)
               : LM_OK;
}

/* Are the files of these names free, or this run's? */
static int claim_names(const tok_run *r, const char *partial)
{
    const tok_bad *b = &r->bad;
    bool resumed = lm_store_writer_resumed(r->writer), final = has_bytes(b->out.path);
    if (r->o->force) return LM_OK;
    if (final && resumed && b->past_final && r->now.bad_bytes) return reopen_final(b, partial);
    if (final) return foreign(b->name);
    if (!resumed && has_bytes(partial)) return foreign(partial);
    return LM_OK;
}

int tok_bad_open(tok_run *r)
{
    tok_bad *b = &r->bad;
    if (!b->name) return LM_OK;
    int rc = b->out.path ? LM_OK : lm_output_locate(&b->out, b->name);
    if (rc) return rc;
    if (b->out.direct) return lm_output_open(&b->out, LM_OUTPUT_NEW);
    char *partial = partial_name(&b->out);
    if (!partial) return lm_fail_nomem(strlen(b->name));
    rc = claim_names(r, partial);
    free(partial);
    if (rc) return rc;
    /* What a pipe receives is not resumed, and neither are the lines that it lacks. */
    bool once = lm_store_writer_direct(r->writer);
    rc = lm_output_open(&b->out, once ? LM_OUTPUT_NEW : LM_OUTPUT_RESUMABLE);
    return rc ? rc : tok_bad_take_back(r, r->now.bad_bytes);
}

int tok_bad_take_back(tok_run *r, uint64_t bytes)
{
    const tok_bad *b = &r->bad;
    if (b->out.fd < 0 || b->out.direct) return LM_OK;
    if (ftruncate(b->out.fd, (off_t)bytes) || lseek(b->out.fd, (off_t)bytes, SEEK_SET) < 0)
        return lm_fail_errno(errno, "%s: cannot truncate", lm_output_name(&b->out));
    return LM_OK;
}

int tok_bad_write(tok_run *r, const lm_buf *lines)
{
    tok_state *now = &r->now;
    if (lines->size == 0) return LM_OK;
    int rc = lm_write_all(r->bad.out.fd, lines->data, lines->size, lm_output_name(&r->bad.out));
    now->bad_bytes += lines->size;
    now->bad_hash = tok_chain(now->bad_hash, lm_hash64(lines->data, lines->size), lines->size);
    return rc;
}

int tok_bad_commit(tok_run *r)
{
    tok_bad *b = &r->bad;
    if (!b->name) return LM_OK;
    /* Something else may have that name by now. */
    if (!b->out.direct && !r->o->force && has_bytes(b->out.path)) return foreign(b->name);
    return lm_output_commit(&b->out);
}

void tok_bad_leave(tok_run *r)
{
    if (r->bad.past >= 0) close(r->bad.past);
    lm_output_abandon(&r->bad.out);
}

/* ---- the list of quarantined files ---------------------------------------------------------------- */

static int list_text(const tok_run *r, lm_buf *out)
{
    int rc = LM_OK;
    for (size_t i = 0; i < r->pasts && !rc; i++) {
        const tok_past *p = &r->past[i];
        if (!p->reason) continue;
        lm_json *j = lm_json_object();
        lm_json_set_str(j, "file", tok_name(&r->in, p->end.file));
        lm_json_set_u64(j, "byte", p->end.fault);
        lm_json_set_str(j, "reason", p->reason);
        rc = lm_json_print(j, 0, out);
        lm_json_free(j);
    }
    return rc;
}

/* Is the file at `path` what an earlier run wrote last, before it was killed? */
static int is_list(const tok_run *r, const char *path)
{
    lm_buf text = LM_BUF_INIT(LM_META_MAX);
    int rc = list_text(r, &text), fd = -1;
    struct stat st;
    uint64_t hash = 0;
    if (!rc && text.size && !lstat(path, &st) && S_ISREG(st.st_mode) &&
        (uint64_t)st.st_size == text.size)
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) rc = hash_past(fd, 0, text.size, &hash);
    if (rc == 1) rc = hash == lm_hash64(text.data, text.size);
    if (fd >= 0) close(fd);
    lm_buf_free(&text);
    return rc;
}

/* May a file at the list's path be replaced? */
static int claim_list(const tok_run *r)
{
    if (r->list.direct || r->o->force || !has_bytes(r->list.path)) return LM_OK;
    int rc = is_list(r, r->list.path);
    if (rc < 0) return rc;
    return rc ? LM_OK : foreign(r->list.path);
}

int tok_list_open(tok_run *r, const char *name)
{
    if (!name) return LM_OK;
    if (lm_store_writer_direct(r->writer))
        return lm_fail(LM_EUSAGE,
                       "files cannot be quarantined while the output is a pipe or a device, from "
                       "which their documents cannot be taken back; write a store with -o");
    int rc = lm_output_locate(&r->list, name);
    if (!rc && r->bad.out.direct)
        rc = lm_fail(LM_EUSAGE,
                     "%s: files cannot be quarantined while their lines are written to a pipe or a "
                     "device",
                     r->bad.name);
    if (!rc) rc = claim_list(r);
    return rc ? rc : lm_output_open(&r->list, LM_OUTPUT_NEW);
}

int tok_list_commit(tok_run *r)
{
    lm_buf text = LM_BUF_INIT(LM_META_MAX);
    if (!r->list.path) return LM_OK;
    int rc = claim_list(r);
    if (!rc) rc = list_text(r, &text);
    if (!rc) rc = lm_write_all(r->list.fd, text.data, text.size, lm_output_name(&r->list));
    if (!rc) rc = lm_output_commit(&r->list);
    lm_buf_free(&text);
    return rc;
}
