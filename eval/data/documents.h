/* documents.h -- what loss by domain is measured over: whole documents of a token store, or rows of
 * packed shards with the documents they are made of. */
#ifndef EVAL_DATA_DOCUMENTS_H
#define EVAL_DATA_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

/* A run of tokens of one document. */
typedef struct eval_span {
    size_t domain, at,
        tokens;   /* index into the domains; first token in the unit, number of tokens */
    uint64_t key; /* the document's */
    uint64_t start,
        doc_tokens; /* the first token's position in the document, and the document's length */
} eval_span;

/* One forward pass: a document, or a row without the padding at its end. */
typedef struct eval_unit {
    uint64_t number; /* in the store, or among the rows of all shards */
    size_t n, n_spans;
    const int32_t *ids;     /* [n], borrowed until the next is read */
    const eval_span *spans; /* in order, without gaps; borrowed too */
} eval_unit;

typedef struct eval_documents eval_documents;

/* Open a store (a .lmt file, or a directory with such) or shards, and choose: at most `most`
 * documents of each domain, or rows in all, spread evenly over those there are (0: all). Documents
 * of one token have nothing to predict and are left out. LM_ESHORT where nothing is left. */
LM_CHECKED int eval_documents_open(eval_documents **out, const char *path, uint64_t most);
void eval_documents_close(eval_documents *d); /* NULL is allowed */

bool eval_documents_whole(const eval_documents *d);       /* of a store */
uint64_t eval_documents_count(const eval_documents *d);   /* units chosen */
uint64_t eval_documents_longest(const eval_documents *d); /* tokens */
uint64_t eval_documents_hash(const eval_documents *d);    /* of the data; the choice is not in it */
uint64_t eval_documents_tokenizer(const eval_documents *d); /* its hash; 0: not known */
const char *eval_documents_domain(const eval_documents *d, size_t i);

/* The number of chosen unit i, without reading it. */
uint64_t eval_documents_number(const eval_documents *d, uint64_t i);

/* Read chosen unit i, its first `cut` tokens at most. LM_EDATA, with file and position, for an
 * id that is not below `vocab`. */
LM_CHECKED int eval_documents_get(eval_documents *d, uint64_t i, size_t cut, size_t vocab,
                                  eval_unit *out);

#endif
