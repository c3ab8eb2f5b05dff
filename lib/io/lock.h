/* lock.h -- one process at a time: flock on an open file, and lock files.
 *
 * A lock belongs to an open file and ends with it, however the process ends. Where flock does not
 * work (ENOLCK, ENOSYS, EOPNOTSUPP ...) nothing is locked and nothing refused. */
#ifndef LM_LIB_IO_LOCK_H
#define LM_LIB_IO_LOCK_H

#include <stdbool.h>

#include "longmix/err.h"

/* What temporary files and lock files of this library end in. */
#define LM_TMP_SUFFIX ".longmix.tmp"

/* flock(fd, how): LOCK_EX or LOCK_SH; with LOCK_NB, LM_EUSAGE where another process has the lock, as
 * lm_fail_locked(fd, name). 1 when locked, 0 without flock, LM_EINTR. */
LM_CHECKED int lm_lock_fd(int fd, int how, const char *name);

/* The PID of a process that holds an flock on the file open as `fd`, another than this one if there is
 * one; 0 where that is not known. */
long lm_lock_owner(int fd);

/* Fail with LM_EUSAGE: another process is writing `name`; with the PID of the lock's owner if it is
 * known. */
int lm_fail_locked(int fd, const char *name);

/* Does `name`, in the directory `at`, still name the regular file that is open as fd? 1, 0, or
 * LM_EIO if it names something else than a regular file. */
LM_CHECKED int lm_still_named(int fd, int at, const char *name);

/* A file that exists to be locked. Zeroed: no lock. */
typedef struct lm_lock {
    bool taken;
    int fd; /* -1 without flock */
    char *path;
} lm_lock;

/* Lock the file `path`, made if absent; links are not followed. `how` and `name` as above. 0 (also
 * without flock), or LM_EUSAGE, LM_EIO, LM_EINTR, LM_ENOMEM. */
LM_CHECKED int lm_lock_take(lm_lock *l, const char *path, int how, const char *name);

/* Change LOCK_EX to LOCK_SH or back. Not atomic: another lock keeps others out meanwhile. */
LM_CHECKED int lm_lock_change(lm_lock *l, int how, const char *name);

/* Give it up. `remove`: and remove the file, unless another process has locked it. A zeroed lock may
 * be passed; lm_err() stays. */
void lm_lock_release(lm_lock *l, bool remove);

#endif
