/* pack.h -- a token stream to rows, shards and the receipt. */
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
    uint64_t length; /* tokens of a sequence */
    bool labels;     /* rows of length + 1 */
    enum lm_pack_how how;
    uint32_t part, parts; /* 1 of 1 for all */
    uint64_t shard_bytes; /* for streams that mark no shards; 0: 1 GiB */
    uint32_t pad;         /* id that fills rows in best-fit */
    int threads;          /* from 2 on, a shard goes to the disk while the next is packed */
    lm_progress *progress;
} lm_pack_options;

/* What came of it, for the tool's last line. */
typedef struct lm_pack_sums {
    uint64_t rows, tokens, padding, dropped, shards;
    bool complete; /* all shards are in the directory and the manifest is written */
} lm_pack_sums;

/* Pack the stream into DIR (made if absent): shard-00000.lms ..., and manifest.json once every
 * shard of the mixture is there, whichever part brought the last. DIR must hold nothing of
 * another mixture (LM_EUSAGE), unless `force`, which removes it. Shards of the same mixture are
 * written again, with the same bytes. LM_ESHORT: less than one row. */
LM_CHECKED int lm_pack(lm_stream *in, const lm_pack_options *o, const char *dir, bool force,
                       lm_pack_sums *sums);

/* The receipt of the shards in DIR, from the shards alone: what manifest.json must hold. */
LM_CHECKED int lm_manifest_build(lm_json **out, const char *dir);

/* Verify that the receipts of the shards in DIR are what their spans add up to, and that
 * manifest.json is what the receipts add up to. Rows are not read. 0, LM_EIO or LM_EDATA. */
LM_CHECKED int lm_manifest_check(const char *dir);

#ifdef __cplusplus
}
#endif
#endif
