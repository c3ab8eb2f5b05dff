/* output.h -- where every output goes: the one place that creates, locks, syncs and renames files.
 *
 * A regular file is written under a temporary name in the directory of its target and renamed when
 * it is complete: a file under its own name is a whole file, and the one that it replaces stays
 * until then. By the type of the target:
 *   - nothing, or a regular file: temporary name, fsync, rename, fsync of the directory. A new file
 *     has the permissions of the umask, one that replaces another has the permission bits of the
 *     old one; the owner is that of the process.
 *   - a symbolic link: the link stays, and the file it points to is written as above, in its own
 *     directory; a dangling link makes that file.
 *   - a device, a FIFO, or a descriptor such as /dev/stdout: written directly.
 *   - a directory: an error.
 *
 * One process at a time writes a target: it holds an flock on the temporary file, PATH.longmix.tmp.
 * The message for a second one has the PID of the first where the system tells (/proc/locks). A
 * temporary file that nobody has locked belongs to a process that died: it is removed. Other names are
 * never touched, PATH.tmp of another program included, and a link at the temporary name is not
 * followed.
 *
 * Without flock (a file system or a kernel that answers ENOLCK, ENOSYS, EOPNOTSUPP ...) a second
 * writer is not detected. Then each takes a name of its own, PATH.longmix.PID-N.tmp, so that a file
 * under its final name is still a whole file of one writer: that of whichever ends last. Files of dead
 * processes are left to the user. A resumable output is PATH.partial, which is kept and locked in the
 * same way; without flock two writers of it are not detected and damage it, which its checksums show. */
#ifndef LM_LIB_IO_OUTPUT_H
#define LM_LIB_IO_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/io/lock.h"
#include "longmix/err.h"

enum lm_output_kind {
    LM_OUTPUT_NEW,       /* LM_EUSAGE if another process is writing it */
    LM_OUTPUT_WAIT,      /* wait for that process: for files that several programs write */
    LM_OUTPUT_RESUMABLE, /* PATH.partial, with what an earlier run left; LM_EUSAGE as above */
};

typedef struct lm_output {
    int fd;        /* readable and writable, at offset 0; write-only if `direct` */
    bool direct;   /* written as it is: standard output, a FIFO, a device */
    bool keep;     /* the temporary file outlives a failure */
    char *path;    /* the target with links resolved; "standard output" for "-" */
    char *tmp;     /* the file being written; NULL if `direct` or not open */
    bool replaces; /* a file, which has these permission bits: */
    mode_t mode;   /* (0666 for a new file) */
} lm_output;

/* Find out what `path` is ("-": standard output) without changing anything: sets all but fd and
 * tmp. 0, or LM_EIO, a directory included; then too lm_output_abandon() frees it. */
LM_CHECKED int lm_output_locate(lm_output *o, const char *path);

/* Open what lm_output_locate found. 0, LM_EIO, LM_EUSAGE (see above) or LM_EINTR. */
LM_CHECKED int lm_output_open(lm_output *o, enum lm_output_kind kind);

/* The file being written, as messages name it. */
const char *lm_output_name(const lm_output *o);

/* Sync, rename and close; a direct output is only closed. Frees `o` in any case. 0 or LM_EIO, after
 * which the target is as it was and the temporary file is gone, unless it is resumable. */
LM_CHECKED int lm_output_commit(lm_output *o);

/* Close it and remove the temporary file, unless it is resumable. Frees `o`; lm_err() stays. A
 * zeroed lm_output, or one that was committed, may be passed. */
void lm_output_abandon(lm_output *o);

/* Make the directory `path`, unless it is there, so that it outlives a power failure. 0, LM_EIO or
 * LM_ENOMEM. */
LM_CHECKED int lm_make_dir(const char *path);

/* Remove the temporary files in `dir` whose process has died. 0 or LM_EIO. */
LM_CHECKED int lm_output_clean(const char *dir);

/* LM_EUSAGE if writing `path` would replace one of the n inputs, under any name or link: one has the
 * device and inode of `path` or of a temporary file next to it. "-" is the standard stream; what is
 * not there is no input. To be called before anything is opened for writing. */
LM_CHECKED int lm_output_refuse_input(const char *path, const char *const *inputs, size_t n);

/* The same for each file that lies in the folder `dir`, such as the parts of a store; 0 if it is no
 * folder. */
LM_CHECKED int lm_output_refuse_inputs_in(const char *path, const char *dir);

/* A descriptor, readable and writable, of an unlinked temporary file: in the directory of `path`,
 * or in $TMPDIR (else /tmp) if NULL. LM_EIO or LM_ENOMEM. */
LM_CHECKED int lm_temporary_fd(const char *path);

#endif
