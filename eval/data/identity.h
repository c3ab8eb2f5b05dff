/* identity.h -- hashes that identify the model and the files of a result. */
#ifndef EVAL_DATA_IDENTITY_H
#define EVAL_DATA_IDENTITY_H

#include <stdint.h>

#include "longmix/err.h"
#include "longmix/shard.h"

/* A hash of all rows of shards: of the hashes that their seals hold. */
LM_CHECKED int eval_shards_hash(const lm_shards *shards, uint64_t *out);

/* The hash of the tokenizer that made the ids of shards; 0 where they do not say. */
LM_CHECKED int eval_shards_tokenizer(const lm_shards *shards, uint64_t *out);

/* The names in a directory that end in `suffix`, sorted bytewise, as DIR/NAME; free each and the
 * list. 0 or LM_EIO. */
LM_CHECKED int eval_dir_files(const char *dir, const char *suffix, char ***out, size_t *n);
void eval_dir_free(char **files, size_t n);

#endif
