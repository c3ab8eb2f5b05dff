/* internal.h -- shared by both packing modes: rows, shards and counts.
 *
 *   stream -> pack.c (concat), best_fit.c -> sink.c -> shards, receipts (receipt.c)
 *                                            manifest.c: receipts -> manifest
 *   lock.c: one process per directory and part */
#ifndef LM_LIB_PACK_INTERNAL_H
#define LM_LIB_PACK_INTERNAL_H

#include <pthread.h>

#include "lib/io/lock.h"
#include "longmix/buf.h"
#include "longmix/hist.h"
#include "longmix/json.h"
#include "longmix/pack.h"
#include "longmix/shard.h"

#define PACK_JSON_MAX ((size_t)1 << 30)

/* ---- counting (receipt.c) ------------------------------------------------------------ */

typedef struct pack_cell {
    uint64_t tokens, units;
} pack_cell;

/* The sums of the spans of a shard's rows. */
typedef struct pack_counts {
    size_t domains;
    uint64_t row_tokens, threshold; /* units over the threshold are long */
    uint64_t rows, tokens, padding, documents, units, cuts, repeats, trimmed;
    uint64_t *domain_documents, *long_tokens; /* [domains] */
    pack_cell (*cell)[LM_BUCKETS];            /* [domains] by length of the document */
} pack_counts;

LM_CHECKED int pack_counts_new(pack_counts *c, size_t domains, uint64_t row_tokens,
                               uint64_t threshold);
void pack_counts_reset(pack_counts *c);
void pack_counts_free(pack_counts *c);
void pack_counts_row(pack_counts *c, const lm_span *spans, size_t n);

/* Set the counts as fields of `receipt`; domains by the names in `names`. */
void pack_counts_to_json(const pack_counts *c, const lm_json *names, lm_json *receipt);

/* Units over this length are long: the plan's threshold, or 4,096 without a plan. */
LM_CHECKED int pack_threshold(uint64_t *out, const lm_json *identity);

/* ---- shards, in order (sink.c) -------------------------------------------------------- */

/* A shard that is being committed, possibly by a thread of its own. */
typedef struct pack_commit {
    lm_shard_writer *writer;
    lm_json *receipt;
    bool running;
    pthread_t thread;
    int rc;
    char message[1024];
} pack_commit;

typedef struct pack_sink {
    const char *dir;
    bool background; /* commit a shard while the next one is packed */
    pack_commit commit;
    lm_shard_spec spec;      /* of the next shard; identity is the caller's */
    lm_shard_writer *writer; /* of shard spec.number; NULL until its first row or its end */
    pack_counts counts;      /* of that shard */
    lm_json *inputs;         /* input files that ended within it */
    const lm_json *not_read; /* of the stream: for the receipt of shard 0; or NULL */
    lm_pack_sums *sums;      /* of the run */
    lm_progress *progress;
} pack_sink;

LM_CHECKED int pack_sink_row(pack_sink *s, const void *ids, const lm_span *spans, size_t n);
LM_CHECKED int pack_sink_input(pack_sink *s, const lm_file_end *f, const char *name);
void pack_sink_forget_inputs(pack_sink *s); /* those that belong to another part's shard */

/* Commit the shards before number `to`, empty ones included. `last`: the one before `to` is the
 * mixture's last, and `dropped` tokens at the end are in no row. */
LM_CHECKED int pack_sink_advance(pack_sink *s, uint64_t to, bool last, uint64_t dropped);

/* Wait for the shard that is being committed. */
LM_CHECKED int pack_sink_wait(pack_sink *s);
void pack_sink_free(pack_sink *s); /* discards what is not committed */

/* Prepare DIR, which exists, for the shards of the identity with this hash: see lm_pack. `alone`: no
 * other process writes here. */
LM_CHECKED int pack_prepare_dir(const char *dir, uint64_t identity, bool alone, bool force);

/* Remove all shards and the receipt. */
LM_CHECKED int pack_empty_dir(const char *dir);

/* Write manifest.json if shards 0 .. count-1 are all in DIR, and set *complete. */
LM_CHECKED int pack_write_manifest(const char *dir, uint64_t count, bool *complete);

/* ---- one writer (lock.c) --------------------------------------------------------------- */

/* The locks of a run. A whole run has the directory exclusively, parts share it and have their part
 * exclusively. What is done for all parts (preparing the directory, the manifest) is done by one at a
 * time. */
typedef struct pack_lock {
    lm_lock dir, part;
} pack_lock;

/* Lock DIR, made if absent, for the run of this identity, and prepare it. LM_EUSAGE if other
 * processes write to it that would be in the way. Zeroed where it fails. */
LM_CHECKED int pack_lock_dir(pack_lock *l, const char *dir, const lm_pack_options *o,
                             const lm_json *identity, bool force);

/* pack_write_manifest, by one process at a time; then remove what dead processes left. */
LM_CHECKED int pack_finish_dir(const char *dir, uint64_t count, bool *complete);

/* A zeroed lock may be passed; lm_err() stays. */
void pack_unlock_dir(pack_lock *l, const char *dir);

/* ---- the run (pack.c) ---------------------------------------------------------------------- */

typedef struct pack_row { /* a row that is being filled */
    unsigned char *ids;
    uint64_t fill; /* tokens */
    lm_buf spans;  /* of lm_span */
} pack_row;

LM_CHECKED int pack_row_new(pack_row *r, uint64_t row_tokens, unsigned width);
void pack_row_free(pack_row *r);

/* Append `n` tokens of the unit `d`, from its token `from` on, of which `tokens` is the first. */
LM_CHECKED int pack_row_add(pack_row *r, unsigned width, const lm_doc *d, const void *tokens,
                            uint64_t from, uint64_t n);

typedef struct pack_best_fit pack_best_fit;

typedef struct packer {
    const lm_pack_options *o;
    const lm_meta *meta;
    lm_json *identity;
    pack_lock lock;
    pack_sink sink;
    uint64_t row_tokens;
    unsigned width;
    bool marked;           /* the stream marks its shards */
    uint64_t shards;       /* of the mixture, when marked */
    uint64_t first, end;   /* shards that this run writes: first <= s < end */
    uint64_t current;      /* shard of the next token; `shards` at the end */
    uint64_t at;           /* number of the next token in the mixture */
    uint64_t start;        /* number of this run's first token */
    uint64_t rows_a_shard; /* when not marked */
    pack_row row;          /* concat: the row that is being filled */
    pack_best_fit *open;   /* best-fit: the open rows */
} packer;

LM_CHECKED int pack_concat_unit(packer *p, const lm_doc *d, const void *tokens);

LM_CHECKED int pack_best_fit_new(pack_best_fit **out, const packer *p);
void pack_best_fit_free(pack_best_fit *b);
LM_CHECKED int pack_best_fit_unit(packer *p, const lm_doc *d, const void *tokens);
/* Pad and write all open rows. */
LM_CHECKED int pack_best_fit_flush(packer *p);

#endif
