/* zio.h -- reading files (plain, gzip, zstd, bz2, xz) and writing them (plain, zstd).
 *
 * Reading finds the format by its first bytes, not by the name. Truncated input is an error,
 * never an end. A file is written under a temporary name, and lm_out_commit() renames it: a file
 * under its own name is a whole file (lib/io/output.h has the rules). */
#ifndef LONGMIX_ZIO_H
#define LONGMIX_ZIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading ------------------------------------------------------------------------- */

typedef struct lm_in lm_in;

/* Open `path` for reading; "-" is standard input. Decompressed are gzip (any number of members, zero
 * bytes after the last), zstd (any number of frames, skippable ones too, window up to 2 GiB), bz2 (any
 * number of streams) and xz (any number of streams, with stream padding, dictionary up to 2 GiB).
 * Directories are refused; an empty file is an empty plain input. A file whose name ends in .gz, .zst,
 * .zstd, .bz2 or .xz and whose content is none of these is LM_EDATA: the message says what it is, where
 * that is known, or that it is truncated (under four bytes). 0, LM_EIO or LM_EDATA. One thread at a
 * time. */
LM_CHECKED int lm_in_open(lm_in **out, const char *path);

/* Read up to n decompressed bytes. Returns how many (0 only at the true end of the input, or
 * for n == 0), or LM_EIO / LM_EDATA (damaged or truncated: the message names the file and the
 * compressed byte). May return fewer than n. */
LM_CHECKED ssize_t lm_in_read(lm_in *in, void *buf, size_t n);

/* Read exactly n bytes: 1 when done, 0 when the input ended before the first byte, LM_EDATA
 * when it ended inside. */
LM_CHECKED int lm_in_exact(lm_in *in, void *buf, size_t n);

/* Append everything up to the end to `out`. 0, LM_EDATA when that is more than out->max bytes, or
 * an error as above. */
LM_CHECKED int lm_in_all(lm_in *in, lm_buf *out);

uint64_t lm_in_raw_offset(const lm_in *in); /* bytes of the file itself read so far */
uint64_t lm_in_raw_hash(const lm_in *in);   /* XXH3-64 of those bytes: at the end, of the file */
const char *lm_in_name(const lm_in *in);    /* the path, or "stdin" */
bool lm_in_packed(const lm_in *in);         /* it is decompressed */
void lm_in_close(lm_in *in);                /* NULL is allowed */

/* ---- writing ------------------------------------------------------------------------- */

typedef struct lm_out lm_out;

enum lm_out_format { LM_OUT_PLAIN, LM_OUT_ZSTD };

/* Start to write `path`; "-" is standard output, and a device or a FIFO is written directly.
 * `level` is zstd's. 0, LM_EIO, LM_ENOMEM, or LM_EUSAGE when another process is writing it. One
 * thread at a time. */
LM_CHECKED int lm_out_open(lm_out **out, const char *path, enum lm_out_format format, int level);

/* Append n bytes, buffered. 0, LM_EIO (full disk included) or LM_EPIPE. */
LM_CHECKED int lm_out_write(lm_out *o, const void *p, size_t n);

uint64_t lm_out_offset(const lm_out *o); /* bytes written, before compression */

/* Flush, fsync and rename into place (a direct output: flush only), then free `o`, also when
 * it fails. 0 or an error, after which `path` is as it was and the temporary file is gone. */
LM_CHECKED int lm_out_commit(lm_out *o);

/* Discard the output: the temporary file is removed. NULL is allowed. */
void lm_out_abandon(lm_out *o);

/* fsync the directory that holds `path`, so that a rename in it survives a power cut. */
LM_CHECKED int lm_sync_dir(const char *path);

/* Write a whole small file in the same way ("-" too). Where another program is writing it, wait for
 * that one. 0, LM_EIO, LM_EPIPE, LM_ENOMEM or LM_EINTR. */
LM_CHECKED int lm_write_file(const char *path, const void *p, size_t n);

/* pwrite/pread/write loops that finish or fail; `name` is for the message. lm_pread_all
 * answers LM_EDATA when the file ends early. */
LM_CHECKED int lm_pread_all(int fd, void *buf, size_t n, uint64_t offset, const char *name);
LM_CHECKED int lm_write_all(int fd, const void *buf, size_t n, const char *name);

#ifdef __cplusplus
}
#endif
#endif
