/* shuffle.h -- the state of a shuffled mixture: shuffle.c orders units, fetch.c reads them. */
#ifndef LM_LIB_MIX_SHUFFLE_H
#define LM_LIB_MIX_SHUFFLE_H

#include "lib/base/rng.h"
#include "lib/base/threads.h"
#include "lib/mix/internal.h"

/* A unit with all that is needed to read it: looking up its entry would cost a block each. */
typedef struct unit {
    uint64_t order, number; /* number: the document's number in the store */
    uint64_t where, key;    /* the document's, as in lm_entry; spooled: offset, bytes */
    uint32_t doc_tokens, tokens;
    uint32_t piece;
    uint16_t domain;
    uint8_t copy, flags; /* unit_flags */
} unit;

enum unit_flags { UNIT_TRIMMED = 1, UNIT_SPOOLED = 2 };

typedef struct shuffle {
    const lm_plan *p;
    lm_store *s;
    const lm_mix_options *o;
    lmmix_select select;
    unsigned width;
    uint64_t bins, bins_a_shard;
    uint64_t *units, *tokens; /* [bins] of the whole mixture */
    uint64_t *start;          /* [shards + 1] number of each shard's first token */
    uint64_t first_shard, end_shard;
    uint64_t overlap_left; /* tokens still to follow the part's own */

    /* The window: bins from .. to-1. */
    uint64_t from, to;
    uint64_t *fill; /* [bins] index of the bin's next unit in `window` */
    unit *window;
    uint64_t count, filled; /* units in the window; filled so far */

    /* What the threads share, under the lock of `turns`. */
    lm_turns *turns, *large; /* large: held to read a large document */
    int spool;               /* unlinked temporary file, -1: none */
    uint64_t spool_bytes;
    uint64_t next, ahead, ahead_bytes;
    uint64_t shard; /* of the last unit claimed */
    lm_store_writer *w;
} shuffle;

/* The shard that a unit belongs to. */
static inline uint64_t shuffle_shard(const shuffle *m, const unit *u)
{
    return lm_scale(u->order, m->p->shards);
}

/* Append the mark of a shard. */
LM_CHECKED int lmmix_mark(const shuffle *m, lm_buf *out, uint64_t shard);

/* Fetch the units of the window and append them to the output, in order. */
LM_CHECKED int lmmix_fetch(shuffle *m);

#endif
