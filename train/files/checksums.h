/* checksums.h -- checksums.json of a model directory: the size and the XXH3-64 of each of its files.
 * It is written before config.json, so that a directory which looks complete has it, and removed
 * before anything else changes. */
#ifndef TRAIN_FILES_CHECKSUMS_H
#define TRAIN_FILES_CHECKSUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#define MODEL_CHECKSUMS "checksums.json"

/* Write it over the model files that lie in `dir`, with `config` as the text of the config.json to
 * come. `ids`: the hash of the tokenizer that made the ids of the training data; 0: not known. */
LM_CHECKED int checksums_write(const char *dir, const lm_buf *config, uint64_t ids);

/* Compare the files with it: sizes, and with `whole` every byte. 1 where all agree; 0 where there is
 * no checksums.json; LM_EDATA with the names of all files that are missing, differ, or are not listed
 * and would be read (another index, another tokenizer). `files` (may be NULL): how many are listed. */
LM_CHECKED int checksums_compare(const char *dir, bool whole, size_t *files);

/* The tokenizer of the model in `dir`: 1 with the hash of its tokenizer.model; without one, of the
 * tokenizer that made its training data, if a checksums.json or run.json says so; or 0. */
LM_CHECKED int checksums_tokenizer(const char *dir, uint64_t *hash);

/* Are the ids in `data`, of a tokenizer with hash `ids` (0: not known), those of the model in `model`,
 * of any of its tokenizer files?
 * LM_EDATA where they are of another tokenizer and that is not allowed. */
enum { CHECKSUMS_IDS_SAME, CHECKSUMS_IDS_UNKNOWN, CHECKSUMS_IDS_OTHER };
LM_CHECKED int checksums_ids(const char *model, const char *data, uint64_t ids, bool allow);

/* A row of an option table that sets a bool, for `allow`. */
/* clang-format off */
#define CHECKSUMS_IDS_OPTION(allowed)                                                              \
    { CLI_FLAG, "allow-tokenizer-mismatch", 0, &(allowed), NULL,                                   \
      "Take data whose ids were made by another tokenizer than the model's, which is refused "     \
      "otherwise: such ids stand for other text." }
/* clang-format on */

#endif
