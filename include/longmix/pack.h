/* pack.h -- pack a token stream into rows, shards and the receipt. */
#ifndef LONGMIX_PACK_H
#define LONGMIX_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/progress.h"
#include "longmix/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lm_pack_how { LM_PACK_CONCAT, LM_PACK_BEST_FIT };

typedef struct lm_pack_options {
    uint64_t length; /* tokens per sequence */
    bool labels;     /* rows of length + 1 */
    enum lm_pack_how how;
    uint32_t part, parts; /* 1 of 1 for all */
    uint64_t shard_bytes; /* for streams without shard marks; 0: 1 GiB */
    uint32_t pad;         /* padding id in best-fit */
    int threads;          /* from 2 on, a shard is synced while the next one is packed */
    lm_progress *progress;
} lm_pack_options;

/* The totals of a run, for the tool's last line. */
typedef struct lm_pack_sums {
    uint64_t rows, tokens, padding, dropped, shards;
    bool complete; /* all shards exist and the manifest is written */
} lm_pack_sums;

/* Pack the stream into DIR (created if absent): shard-00000.lms ..., and manifest.json once every
 * shard of the mixture exists, whichever part wrote the last one. Files of another mixture in DIR
 * are LM_EUSAGE, or removed with `force`. Shards of the same mixture are rewritten, bit-identical.
 *
 * A whole run has DIR for itself; parts share it, each part with one process. LM_EUSAGE names the
 * process that is in the way, and nothing is changed then. Locks end with their process. Without
 * flock (lib/io/output.h) none of this is detected; then each shard is still a whole one, but two
 * processes with different streams of one plan may mix theirs.
 *
 * LM_ESHORT: less than one row. */
LM_CHECKED int lm_pack(lm_stream *in, const lm_pack_options *o, const char *dir, bool force,
                       lm_pack_sums *sums);

/* The receipt of the shards in DIR, from the shards alone: the expected manifest.json. */
LM_CHECKED int lm_manifest_build(lm_json **out, const char *dir);

/* Verify that each receipt of the shards in DIR equals the sums of its spans, and manifest.json the
 * sums of the receipts. Rows are not read. 0, LM_EIO or LM_EDATA. */
LM_CHECKED int lm_manifest_check(const char *dir);

#ifdef __cplusplus
}
#endif
#endif
