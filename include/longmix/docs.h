/* docs.h -- JSONL to documents: chunks of whole lines, and a strict parser of lines.
 * The only user of simdjson (lib/docs/parse.cc).
 *
 * A document is a line that holds one JSON object with a string at the text key of a schema, "text"
 * by default. Lines end in LF; the last one may lack it. A line of white space only is no document and
 * is skipped. docs/jsonl.md defines what is rejected, and what is accepted where parsers differ. */
#ifndef LONGMIX_DOCS_H
#define LONGMIX_DOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"
#include "longmix/zio.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- schema --------------------------------------------------------------------------- */

#define LM_TEXT_KEY "text"
enum { LM_LABELS_MAX = 8 };

/* Where the members of an object are that make it a document. Keys are dotted paths
 * ("meta.redpajama_set_name") of at most four steps; a key that contains a dot cannot be named. */
typedef struct lm_schema {
    const char *text;          /* NULL: LM_TEXT_KEY */
    const char *const *labels; /* NULL-ended, at most LM_LABELS_MAX: what names the domain */
    bool replace; /* characters and numbers that JSON lacks: false makes the line invalid,
                                * true puts U+FFFD and null in their place */
} lm_schema;

/* ---- lists of inputs ------------------------------------------------------------------ */

/* What operands stand for. */
typedef struct lm_files {
    char **path; /* [n] as to open it; "-" is standard input */
    char **name; /* [n] as stores, shards and receipts keep it (below) */
    char **full; /* [n] absolute, without links above the operand: for lm_domains_tag */
    size_t *top; /* [n] where in `full` the operand's own name begins. A list that was not made by
                  * lm_files_expand may leave both NULL: `path` is then taken for `full` */
    size_t n;
    char **skipped;   /* [skips] what folders hold and is not read, named in the same way */
    const char **why; /* [skips] and why not: "Parquet", "hidden", "FIFO", "not JSON lines" */
    size_t skips;
} lm_files;

/* Find the files that `args` (n of them; none stands for "-") stand for. A file is itself, whatever
 * its name or type; "-" is standard input; a folder is what it and the folders in it hold, sorted
 * bytewise by the path below it. Of a folder is read
 *   - *.jsonl, *.ndjson, *.jsonlines, alone or with .gz, .zst, .zstd, .bz2, .xz, in any letter case;
 *   - any other file whose first line that is not blank, decompressed, is a document of `schema`
 *     (NULL: the default one), and one that is named like a compressed file and cannot be
 *     decompressed, so that reading it reports that.
 * The rest is `skipped`: other files, hidden files and folders (one entry each), unfinished
 * downloads and outputs (*.tmp, *.part, *.partial, *.crdownload, *~), and, without opening them,
 * FIFOs, sockets, devices and dangling links.
 *
 * A name is the path below the folder, or the file's own name: "corpus", "./corpus", an absolute
 * path and "." inside give the same. Where different files would have the same name, the last
 * components of the operands' real paths are put before it, as few as make a difference. Names are
 * UTF-8: a byte that is not is written \xHH, and a backslash twice.
 *
 * Freed by lm_files_free. LM_EIO names what cannot be read; LM_EUSAGE a folder that holds nothing to
 * read, with what it holds. */
LM_CHECKED int lm_files_expand(lm_files *out, char *const *args, size_t n, const lm_schema *schema);

/* Append "3 files in the folders are not read (2 Parquet, 1 hidden)", or nothing where all are. 0 or
 * LM_ENOMEM. */
LM_CHECKED int lm_files_summary(lm_buf *out, const lm_files *f);
void lm_files_free(lm_files *f); /* a zeroed one is allowed */

/* ---- chunks --------------------------------------------------------------------------- */

enum {
    LM_CHUNK_BYTES = 512 * 1024, /* a chunk ends with the first line that reaches this */
    LM_LINE_PAD = 64,            /* readable zero bytes after the last line */
};
#define LM_LINE_MAX ((size_t)1 << 30) /* the longest line that is read */

/* Whole lines of one file, in order. */
typedef struct lm_chunk {
    lm_buf bytes;    /* ends with LF (one is added where the last line lacks it) */
    uint64_t line;   /* number of its first line in the file, from 1 */
    uint64_t offset; /* decompressed byte offset of its first byte in the file */
} lm_chunk;

/* Cuts one open input into chunks. */
typedef struct lm_chunker lm_chunker;
LM_CHECKED int lm_chunker_new(lm_chunker **out, lm_in *in); /* takes `in` */

/* 1 with the next chunk in *c (its buffer is reused; LM_LINE_PAD zero bytes follow it), 0 at
 * the end of the file, or an error: LM_EDATA also for a line over LM_LINE_MAX, and for an input that
 * begins like a file of another format (Parquet, HTML, a Git LFS pointer, ...), which the message
 * names. A byte order mark at the begin of the file is left out. */
LM_CHECKED int lm_chunker_next(lm_chunker *k, lm_chunk *c);

lm_in *lm_chunker_in(lm_chunker *k); /* for its name, raw offset and hash */
void lm_chunker_free(lm_chunker *k); /* closes the input; NULL is allowed */

/* Set the message of a line that is no document, "NAME:LINE: byte OFFSET: reason", and return
 * LM_EDATA. `line` and `offset` (of the error, decompressed, from 0) are the file's; `reason`
 * may be lm_err(). */
int lm_line_error(const char *name, uint64_t line, uint64_t offset, const char *reason);

/* ---- lines ---------------------------------------------------------------------------- */

/* One parsed line. Strings are UTF-8, borrowed from the parser until its next call. */
typedef struct lm_line {
    const char *text; /* not NUL-ended */
    size_t text_size;
    lm_string label[LM_LABELS_MAX]; /* the strings at the schema's labels, in their order; what is
                                     * absent, or no string, is left out */
    size_t labels;
    /* With schema.replace: the valid line that was read in place of this one; NULL where this one was
     * valid. After lm_line_spend, only whether it is NULL counts. */
    lm_string repaired;
} lm_line;

typedef struct lm_line_parser lm_line_parser;

/* A parser of lines of this schema (NULL: text alone), which is copied. 0, LM_ENOMEM, or LM_EUSAGE for
 * a key that is no path or that is named twice. One thread at a time. */
LM_CHECKED int lm_line_parser_new(lm_line_parser **out, const lm_schema *schema);

/* Parse the line of n bytes at `s` (without its LF; LM_LINE_PAD readable bytes must follow).
 * 1 with *out set, 0 for a line of white space, LM_EDATA for a line that is no document: the
 * message is the reason alone, and *fault is its 0-based byte offset in the line; or
 * LM_ENOMEM. */
LM_CHECKED int lm_line_parse(lm_line_parser *p, const char *s, size_t n, lm_line *out,
                             size_t *fault);

/* The same for a line that is not needed afterwards: a long one that is accepted is unescaped
 * in place, so that a document of 100 MB needs no memory beyond its line. Then *out points
 * into the line. A rejected line is left unchanged. */
LM_CHECKED int lm_line_spend(lm_line_parser *p, char *s, size_t n, lm_line *out, size_t *fault);

/* The bytes of the value of the first member `key` (at most 255 bytes) of the object in a line
 * that lm_line_parse accepted. False where it has none. */
bool lm_line_member(const char *line, size_t n, const char *key, const char **value, size_t *size);

/* After a line past 8 MiB, or a repaired one past 4 MiB, the parser keeps large buffers; this frees
 * them. */
void lm_line_parser_trim(lm_line_parser *p);
void lm_line_parser_free(lm_line_parser *p); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
