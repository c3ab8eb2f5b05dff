/* data.h -- packed shards to batches: the sequences of a step and their targets. */
#ifndef TRAIN_RUN_DATA_H
#define TRAIN_RUN_DATA_H

#include "longmix/shard.h"
#include "train/model/model.h"

typedef struct tr_data tr_data;

/* Open a directory of shards or one .lms file. Rows are cut into sequences of `length` tokens,
 * which must divide a row (0: whole rows). doc_mask: attention does not cross
 * documents, position ids restart at 0 in each, and its first token is not predicted. 0, LM_EIO,
 * LM_EDATA or LM_EUSAGE. */
LM_CHECKED int tr_data_open(tr_data **out, const char *path, size_t length, bool doc_mask);
void tr_data_close(tr_data *d); /* NULL is allowed */

size_t tr_data_length(const tr_data *d);
uint64_t tr_data_sequences(const tr_data *d);
uint32_t tr_data_vocab(const tr_data *d);
size_t tr_data_domains(const tr_data *d);
const char *tr_data_domain(const tr_data *d, size_t i);

/* The hash of the tokenizer that made the ids; 0 where the shards do not say. */
LM_CHECKED int tr_data_tokenizer(const tr_data *d, uint64_t *out);

/* A hash of the shards' headers: mixture, order, rows, receipts. */
LM_CHECKED int tr_data_hash(const tr_data *d, uint64_t *out);

/* The i-th sequence of an endless order, a function of the arguments: each epoch is another
 * permutation of the data. */
uint64_t tr_data_order(uint64_t sequences, uint64_t seed, uint64_t i);

/* Concatenated sequences, as tr_model_forward_backward takes them. */
typedef struct tr_rows {
    size_t length, capacity, count; /* tokens per sequence; sequences, at most and now */
    size_t predicted;               /* targets that are not negative */
    int32_t *ids, *targets;         /* [capacity * length] */
    uint16_t *domains;              /* of the target; 0 without one */
    uint32_t *starts;               /* segments */
    size_t n_segments;
    uint64_t *which; /* [capacity] the sequences' numbers in the data */
} tr_rows;

LM_CHECKED int tr_rows_new(tr_rows *r, size_t length, size_t capacity);
void tr_rows_free(tr_rows *r); /* a zeroed one is allowed */
void tr_rows_clear(tr_rows *r);

/* Append sequence `number` of the data. A row whose checksum fails is LM_EDATA. */
LM_CHECKED int tr_data_add(const tr_data *d, uint64_t number, tr_rows *r);

/* Sequences from .. from+count-1 of r as a batch; fills starts[] (room for all of r's). */
tr_batch tr_rows_batch(const tr_rows *r, size_t from, size_t count, uint32_t *starts);

/* "shard-00003.lms row 17: Book books.jsonl:12, ...": where sequence `number` comes from. */
void tr_data_lineage(const tr_data *d, uint64_t number, char *text, size_t size);

#endif
