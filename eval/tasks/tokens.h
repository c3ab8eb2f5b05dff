/* tokens.h -- one sequence of ids that perplexity is measured over: texts, packed shards, or the
 * headerless file of ids that ChunkLlama's scripts read. */
#ifndef EVAL_TASKS_TOKENS_H
#define EVAL_TASKS_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "eval/harness/harness.h"

typedef struct eval_tokens eval_tokens;

/* One of these is set. */
typedef struct eval_tokens_source {
    cli_list text;          /* --text */
    const char *data, *bin; /* --data, --bin */
    int bin_type;           /* 0: uint16, 1: uint32 */
    bool other_tokenizer;   /* --data of another tokenizer than the model's is allowed */
} eval_tokens_source;

/* Where --text: the files one after the other, a beginning-of-text before each (opens the
 * tokenizer). Where --data: the rows of shards end to end, without padding and without the token by
 * which rows with labels overlap. Where --bin: raw little-endian uint16 or uint32, nothing else in
 * the file. Exactly one of them, or LM_EUSAGE. The last two are read as they are needed. */
LM_CHECKED int eval_tokens_open(eval_tokens **out, eval_context *c, const eval_tokens_source *from);
void eval_tokens_close(eval_tokens *t); /* NULL is allowed */

uint64_t eval_tokens_count(const eval_tokens *t);
uint64_t eval_tokens_hash(const eval_tokens *t); /* of the ids, or of the files that hold them */

/* ids[n] from `start` on. LM_EDATA, with file and position, for an id that is not below `vocab`. */
LM_CHECKED int eval_tokens_get(eval_tokens *t, uint64_t start, size_t n, size_t vocab,
                               int32_t *ids);

#endif
