/* hist.h -- document lengths by domain: exact counts, exact percentiles.
 *
 * Bucket b holds lengths in (2^(b-1), 2^b]; bucket 0 holds 0 and 1. So "over 4096" is exactly
 * buckets 13 and up, and a document of 4,096 tokens is not long. */
#ifndef LONGMIX_HIST_H
#define LONGMIX_HIST_H

#include <stddef.h>
#include <stdint.h>

#include "longmix/docs.h"
#include "longmix/domain.h"
#include "longmix/err.h"
#include "longmix/json.h"
#include "longmix/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LM_BUCKETS = 40, LM_LONG_BUCKET = 13, LM_PERCENTILES = 7 };
extern const unsigned lm_percentiles[LM_PERCENTILES]; /* 5 25 50 75 90 95 99 */

static inline unsigned lm_bucket(uint64_t length)
{
    unsigned b = length <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(length - 1);
    return b < LM_BUCKETS ? b : LM_BUCKETS - 1;
}
static inline uint64_t lm_bucket_upto(unsigned b) { return UINT64_C(1) << b; }

typedef struct lm_hist lm_hist; /* one thread at a time; lengths past 65,536 take 16 bytes each */

/* `unit`: "tokens" or "characters"; names[n]: the domains (copied),
 * at most LM_DOMAINS_MAX (domain.h). */
LM_CHECKED int lm_hist_new(lm_hist **out, const char *unit, const char *const *names, size_t n);
void lm_hist_free(lm_hist *h);

/* Count one document: `length` decides bucket and percentiles, `tokens` is added to the sums. They
 * differ only for documents that are present in part. */
LM_CHECKED int lm_hist_add(lm_hist *h, size_t domain, uint64_t length, uint64_t tokens);

/* Add tokens of a document of this length without counting the document: it was counted before, or
 * its beginning is not in the input. */
LM_CHECKED int lm_hist_add_more(lm_hist *h, size_t domain, uint64_t length, uint64_t tokens);

/* Add all of `from`, whose domains are matched by name (new names are added). */
LM_CHECKED int lm_hist_merge(lm_hist *h, const lm_hist *from);

const char *lm_hist_unit(const lm_hist *h);

/* The sums of a domain, or of all domains with domain == LM_ALL. */
#define LM_ALL ((size_t)-1)
typedef struct lm_hist_row {
    uint64_t documents, tokens, max;
    uint64_t long_documents, long_tokens; /* over 4,096 */
    uint64_t bucket_documents[LM_BUCKETS], bucket_tokens[LM_BUCKETS];
    uint64_t percentile[LM_PERCENTILES]; /* nearest rank; 0 without documents */
} lm_hist_row;
LM_CHECKED int lm_hist_row_get(lm_hist *h, size_t domain, lm_hist_row *out);

/* For a comparison: the names of the domains that are not empty in at least one of n histograms, in
 * order of appearance. The caller frees the list; the names are borrowed. */
LM_CHECKED int lm_hist_names(const char ***out, size_t *count, lm_hist *const *hist, size_t n);

/* The sums of the domain of this name; zeros where `h` has none. */
void lm_hist_row_named(lm_hist *h, const char *name, lm_hist_row *out);

/* The JSON of `lmhist --json`: {"format","unit","tokens","documents","long_share","domains":
 * [{"name","documents","tokens","share","long_share","percentiles":{"5":..},"max","buckets":
 * [{"upto","documents","tokens"}]}]}. With another unit, its name replaces "tokens".
 * Empty domains are left out. */
LM_CHECKED int lm_hist_to_json(lm_hist *h, lm_json **out);

typedef struct lm_hist_options {
    const lm_domains *domains; /* of JSONL, with the keys of text and labels */
    bool replace;              /* as in lm_schema */
    int threads;
    lm_progress *progress;                 /* may be NULL */
    void (*listed)(const lm_files *files); /* JSONL: told which files are read; may be NULL */
} lm_hist_options;

/* Count the documents of `path`, whose format is detected by its first bytes:
 *   JSONL, plain or compressed: characters (code points) of each text, domains by `domains`;
 *   a store, one file or a folder of parts: tokens, from the index alone;
 *   another token stream (a mixture): units, by their length before trimming;
 *   a shard, or a folder with *.lms: units, counted in the row where they begin.
 * A folder without *.lms and *.lmt is searched for JSONL. "-" is standard input: JSONL or a token
 * stream; a named pipe: a token stream. The result does not depend on `threads`. Errors are
 * those of the readers; a bad line names file, line and byte. */
LM_CHECKED int lm_hist_read(lm_hist **out, const char *path, const lm_hist_options *o);

#ifdef __cplusplus
}
#endif
#endif
