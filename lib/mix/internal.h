/* internal.h -- the documents that a plan selects and their units, for both orders of a mixture: of
 * arrival and shuffled. */
#ifndef LM_LIB_MIX_INTERNAL_H
#define LM_LIB_MIX_INTERNAL_H

#include "longmix/buf.h"
#include "longmix/domain.h"
#include "longmix/mix.h"

/* A batch of records is written when it has this many bytes. */
enum { MIX_BATCH = 1 << 20 };
#define MIX_RECORDS_MAX ((size_t)1 << 35) /* a batch and one document of 2^32 tokens */

/* The strata of a plan by the stream's own domain numbers, and the ties seen so far. */
typedef struct lmmix_select {
    const lm_plan *p;
    const lm_stratum *stratum[LM_DOMAINS_MAX][LM_BUCKETS]; /* NULL: nothing */
    uint64_t *ties; /* [p->strata] documents seen whose hash equals the threshold */
} lmmix_select;

/* LM_EUSAGE if the stream lacks a domain of the plan. */
LM_CHECKED int lmmix_select_init(lmmix_select *s, const lm_plan *p, const lm_meta *m);
void lmmix_select_free(lmmix_select *s);

/* A document is used `whole` times, and once more its first `trimmed` tokens. Call lmmix_choose
 * once for each document, in order of arrival. */
typedef struct lmmix_pick {
    unsigned whole;
    uint64_t trimmed;
} lmmix_pick;
lmmix_pick lmmix_choose(lmmix_select *s, uint16_t domain, uint64_t key, uint64_t tokens);

/* The units of the first `length` tokens of a document: how many, and the i-th. */
uint64_t lmmix_units(uint64_t cut, uint64_t length);
typedef struct lmmix_unit {
    uint64_t start, tokens, unit_tokens;
} lmmix_unit;
lmmix_unit lmmix_unit_at(uint64_t cut, uint64_t doc_tokens, uint64_t length, uint64_t i);

/* Append the record of a unit to `out`. `doc` is the record of the whole document. */
LM_CHECKED int lmmix_unit_add(lm_buf *out, unsigned width, const lm_record *doc,
                              const lmmix_unit *u, unsigned copy, unsigned flags);

/* The header of the mixture of `m` by `p`. */
LM_CHECKED int lmmix_header(lm_json **out, const lm_meta *m, const lm_plan *p, uint32_t part,
                            uint32_t parts);

#endif
