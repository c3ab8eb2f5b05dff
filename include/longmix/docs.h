/* docs.h -- JSONL to documents: chunks of whole lines, and a strict parser of lines.
 * The only user of simdjson (lib/docs/parse.cc).
 *
 * A document is a line that holds one JSON object with a string member "text". Lines end in
 * LF; the last one may lack it. A line of white space only is no document and is skipped.
 * docs/jsonl.md defines what is rejected, and what is accepted where parsers differ. */
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

/* ---- lists of inputs ------------------------------------------------------------------ */

/* What operands stand for. */
typedef struct lm_files {
    char **path; /* [n] as to open it; "-" is standard input */
    char **name; /* [n] as stores, shards and receipts keep it: UTF-8, relative to the operand */
    size_t n;
    char **skipped; /* [skips] what folders hold and is not read, named in the same way */
    size_t skips;
} lm_files;

/* Find the files that `args` (n of them) stand for: a file is itself, "-" is standard input, a
 * directory is every *.jsonl, *.jsonl.zst, *.jsonl.gz below it, sorted bytewise by path.
 * n == 0 stands for "-". Freed by lm_files_free. LM_EIO names what cannot be read; LM_EUSAGE a
 * directory without such files. */
LM_CHECKED int lm_files_expand(lm_files *out, char *const *args, size_t n);
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
 * the end of the file, or an error, LM_EDATA for a line over LM_LINE_MAX included. */
LM_CHECKED int lm_chunker_next(lm_chunker *k, lm_chunk *c);

lm_in *lm_chunker_in(lm_chunker *k); /* for its name, raw offset and hash */
void lm_chunker_free(lm_chunker *k); /* closes the input; NULL is allowed */

/* Set the message of a line that is no document, "NAME:LINE: byte OFFSET: reason", and return
 * LM_EDATA. `line` and `offset` (of the error, decompressed, from 0) are the file's; `reason`
 * may be lm_err(). */
int lm_line_error(const char *name, uint64_t line, uint64_t offset, const char *reason);

/* ---- lines ---------------------------------------------------------------------------- */

/* One parsed line. Strings are UTF-8, not NUL-ended, borrowed from the parser until its next
 * call; a NULL pointer is an absent (or not-a-string) field. */
typedef struct lm_line {
    const char *text;
    size_t text_size;
    const char *label; /* the member that names the domain, found by the parser's key list */
    size_t label_size;
} lm_line;

typedef struct lm_line_parser lm_line_parser;

/* `keys`: dotted paths tried in this order for the label ("domain",
 * "meta.redpajama_set_name"), NULL-ended, at most 8 of at most 4 steps. One thread at a time. */
LM_CHECKED int lm_line_parser_new(lm_line_parser **out, const char *const *keys);

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

/* After a line past 8 MiB the parser keeps large buffers; this frees them. */
void lm_line_parser_trim(lm_line_parser *p);
void lm_line_parser_free(lm_line_parser *p); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
