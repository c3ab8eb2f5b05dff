/* tokenize.h -- JSONL to a token store: what lmtok does. Files are read, their lines parsed, tagged
 * and tokenized by many threads; records are written in the order of the lines. */
#ifndef LONGMIX_TOKENIZE_H
#define LONGMIX_TOKENIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/docs.h"
#include "longmix/domain.h"
#include "longmix/err.h"
#include "longmix/progress.h"
#include "longmix/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_tokenize_options {
    const lm_tokenizer *tokenizer;
    const char *model;         /* its file: named in the header, opened again for check_every */
    const lm_domains *domains; /* with the keys of text and labels */
    const char *table;  /* their file, which no output may replace; NULL for the built-in ones */
    bool replace;       /* as in lm_schema */
    bool bos, eos;      /* put the model's id before, after every document, where it has one */
    bool parse_special; /* the texts of special tokens become their ids: lm_encoder_parse_special */
    int threads;
    uint32_t part, parts;   /* 1 of 1 for all files */
    bool force;             /* start again, and overwrite all outputs */
    const char *quarantine; /* file for invalid lines; NULL: the first one is an error */
    const char *bad_files;  /* list of files that cannot be used; NULL: the first one is an error */
    uint64_t check_every;   /* 1 in so many documents is also encoded by the reference; 0: none */
    lm_progress *progress;  /* may be NULL; its total is set */
} lm_tokenize_options;

/* Totals, including what an interrupted run had done. Positions are the number of a file in the
 * whole list and a line in it. */
typedef struct lm_tokenize_sums {
    bool already;     /* the store was complete: nothing was done */
    bool begun;       /* PATH.partial holds the finished work, for the next run */
    uint64_t resumed; /* documents of an earlier run */
    uint64_t files, documents, tokens, text_bytes; /* text_bytes: of this run */
    uint64_t bad_lines, bad_line;                  /* ... and the first of them */
    size_t bad_file;
    uint64_t bad_files; /* quarantined whole, and which was the first: "NAME: reason" */
    char first_bad_file[1024];
    uint64_t unknown, unknown_line; /* documents whose domain no rule names */
    size_t unknown_file;
    uint64_t repaired; /* documents with characters or numbers replaced, in this run */
    uint64_t checked;  /* documents that the reference encoded too, in this run */
    double reading, working, waiting, writing; /* seconds, of all threads together */
} lm_tokenize_sums;

/* Which of n files are part k of K: *count of them from *first on. Parts are ranges of the list,
 * about equal in bytes on disk. LM_EIO, or LM_EUSAGE for standard input in more than one part. */
LM_CHECKED int lm_tokenize_part(char *const *files, size_t n, uint32_t part, uint32_t parts,
                                size_t *first, size_t *count);

/* Tokenize `files` (of lm_files_expand) into a store at `path` ("-": standard output; with
 * parts > 1 a directory, made if absent). Killed and called again with the same arguments it resumes
 * from PATH.partial; other arguments are LM_EUSAGE unless `force`. The bytes of the store depend
 * on the files, their names and the options alone.
 *
 * What an earlier run has read is compared with what is there now, also where the store is complete
 * (`already`): a file of other size or contents is LM_EDATA. Only files that were quarantined may be
 * left out of the list. No output may be an input, the model or the table: LM_EUSAGE.
 *
 * An invalid line, or one whose domain the table rejects, fails with LM_EDATA and
 * "NAME:LINE: byte OFFSET: reason"; with `quarantine` it is written to that file (in more than one
 * part: FILE.part-00001-of-00003) and counted. A file that cannot be read to its end, or has lines of
 * which none is a document, fails with LM_EIO or LM_EDATA; with `bad_files` none of it is used, and
 * that file (named in the same way) gets a JSON line about it. Both are written under temporary names
 * and renamed just before the store is. An existing file with bytes in it that is not this run's is
 * LM_EUSAGE unless `force`.
 *
 * LM_EDATA too if no file can be used, LM_EINTR when interrupted. Memory: under 300 MB and 16 MB per
 * thread, for documents of up to 100 MB. */
LM_CHECKED int lm_tokenize(const lm_tokenize_options *o, const lm_files *files, const char *path,
                           lm_tokenize_sums *sums);

#ifdef __cplusplus
}
#endif
#endif
