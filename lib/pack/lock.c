/* lock.c -- one process at a time for a directory and for each part of it.
 *
 * DIR/lock.longmix.tmp     held by every run: exclusively by a whole one, shared by parts. It holds the
 *                          hash of the identity, so that parts of two mixtures are not mixed.
 * DIR/part-K-of-N...       held by the run of that part
 * DIR/prepare...           held while the locks above change, shards are removed or the manifest is
 *                          written
 *
 * They are files, not the directory itself, because network file systems lock only what is open for
 * writing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/io/output.h"
#include "longmix/zio.h"
#include "lib/pack/internal.h"

enum { HASH_DIGITS = 16 };

static int take(lm_lock *l, const char *dir, const char *which, int how, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s" LM_TMP_SUFFIX, dir, which) < 0) return lm_fail_nomem(strlen(dir));
    int rc = lm_lock_take(l, path, how, name);
    free(path);
    return rc;
}

static int take_prepare(lm_lock *l, const char *dir)
{
    return take(l, dir, "prepare", LOCK_EX, dir);
}

/* " (PID n)" of the lock's owner, or "" where it is not known. */
static const char *owner(char text[32], const lm_lock *l)
{
    long pid = l->fd < 0 ? 0 : lm_lock_owner(l->fd);
    text[0] = 0;
    if (pid) snprintf(text, 32, " (PID %ld)", pid);
    return text;
}

/* The processes that share the directory with us pack this identity. */
static int same_mixture(const lm_lock *l, const char *dir, uint64_t identity)
{
    char text[HASH_DIGITS + 1] = "", who[32];
    uint64_t theirs = 0;
    if (l->fd < 0) return LM_OK;
    ssize_t n = pread(l->fd, text, HASH_DIGITS, 0);
    if (n == HASH_DIGITS && !lm_unhex64(text, &theirs) && theirs == identity) return LM_OK;
    return lm_fail(LM_EUSAGE,
                   "%s: another process is packing another mixture into it%s; choose another "
                   "directory",
                   dir, owner(who, l));
}

static int write_identity(const lm_lock *l, uint64_t identity)
{
    char text[HASH_DIGITS + 1];
    if (l->fd < 0) return LM_OK;
    lm_hex64(text, identity);
    return lm_write_all(l->fd, text, HASH_DIGITS, l->path);
}

/* Lock the directory for a whole run or a part; *alone: no other process has it. */
static int take_dir(lm_lock *l, const char *dir, uint64_t identity, bool whole, bool *alone)
{
    int rc = take(l, dir, "lock", LOCK_EX | LOCK_NB, dir);
    *alone = !rc;
    if (whole || rc != LM_EUSAGE) return rc;
    rc = take(l, dir, "lock", LOCK_SH | LOCK_NB, dir);
    if (!rc) rc = same_mixture(l, dir, identity);
    return rc;
}

static int take_part(lm_lock *l, const char *dir, uint32_t part, uint32_t parts)
{
    char which[48], *name = NULL;
    snprintf(which, sizeof which, "part-%" PRIu32 "-of-%" PRIu32, part, parts);
    if (asprintf(&name, "%s, part %" PRIu32 "/%" PRIu32, dir, part, parts) < 0)
        return lm_fail_nomem(strlen(dir));
    int rc = take(l, dir, which, LOCK_EX | LOCK_NB, name);
    free(name);
    return rc;
}

/* Only a process that is alone removes files of another mixture. */
static int prepare(const pack_lock *l, const char *dir, uint64_t identity, bool alone, bool force)
{
    char who[32];
    int rc = pack_prepare_dir(dir, identity, alone, force && alone);
    if (rc != LM_EUSAGE || !force || alone) return rc;
    return lm_fail(
        LM_EUSAGE,
        "%s: holds files of another mixture, which are not removed while another process "
        "writes to it%s",
        dir, owner(who, &l->dir));
}

int pack_lock_dir(pack_lock *l, const char *dir, const lm_pack_options *o, const lm_json *identity,
                  bool force)
{
    lm_lock one = { 0 };
    lm_buf text = LM_BUF_INIT(PACK_JSON_MAX);
    uint64_t hash = 0;
    bool whole = o->parts == 1, alone = false;
    *l = (pack_lock){ 0 };
    struct stat st;
    int rc = lm_make_dir(dir);
    if (rc) return rc;
    if (!stat(dir, &st) && !S_ISDIR(st.st_mode)) return lm_fail_errno(ENOTDIR, "%s", dir);
    rc = lm_json_dump(identity, 0, &text);
    if (!rc) hash = lm_hash64(text.data, text.size);
    lm_buf_free(&text);
    if (!rc) rc = take_prepare(&one, dir);
    if (!rc) rc = take_dir(&l->dir, dir, hash, whole, &alone);
    if (!rc && !whole) rc = take_part(&l->part, dir, o->part, o->parts);
    if (!rc) rc = prepare(l, dir, hash, alone, force);
    if (!rc && alone) rc = write_identity(&l->dir, hash);
    if (!rc && alone && !whole) rc = lm_lock_change(&l->dir, LOCK_SH, dir);
    if (rc) { /* while no other process can take the directory */
        lm_lock_release(&l->part, true);
        lm_lock_release(&l->dir, true);
    }
    lm_lock_release(&one, true);
    return rc;
}

int pack_finish_dir(const char *dir, uint64_t count, bool *complete)
{
    lm_lock one = { 0 };
    int rc = take_prepare(&one, dir);
    if (!rc) rc = pack_write_manifest(dir, count, complete);
    if (!rc && *complete) rc = lm_output_clean(dir);
    lm_lock_release(&one, true);
    return rc;
}

void pack_unlock_dir(pack_lock *l, const char *dir)
{
    lm_lock one = { 0 };
    char message[1024];
    if (!l->dir.taken) return;
    snprintf(message, sizeof message, "%s", lm_err());
    /* Without it the directory's file is left: removing it could make another process believe that
     * the directory is in use. */
    bool remove = !take_prepare(&one, dir);
    lm_lock_release(&l->part, true);
    lm_lock_release(&l->dir, remove);
    lm_lock_release(&one, true);
    lm_err_set(message);
}
