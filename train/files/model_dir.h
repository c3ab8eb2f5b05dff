/* model_dir.h -- a Hugging Face model directory: the names of its files, and how a new model
 * replaces the one that is there. */
#ifndef TRAIN_FILES_MODEL_DIR_H
#define TRAIN_FILES_MODEL_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"

enum { MODEL_PATH = 4096, MODEL_NOTE = 400 };

#define MODEL_CONFIG "config.json"
#define MODEL_WEIGHTS "model.safetensors"
#define MODEL_INDEX "model.safetensors.index.json" /* of weights in many files */
#define MODEL_TOKENIZER "tokenizer.model"
#define MODEL_NEW_WEIGHTS "model.safetensors.new" /* complete, and not yet the model's */

/* path = dir/name. LM_EUSAGE where that is too long. */
LM_CHECKED int model_dir_path(char path[MODEL_PATH], const char *dir, const char *name);

/* Write an object as indented text. Takes `o`, also on an error; NULL is out of memory. */
LM_CHECKED int model_dir_write(const char *dir, const char *name, lm_json *o);

/* Is `path` a regular file, and what its name says? LM_EIO where it is absent, cannot be read, or is
 * a directory, a FIFO, a socket or a device; LM_EDATA for a pointer of git-lfs or a page of HTML.
 * Never waits. */
LM_CHECKED int model_dir_regular(const char *path);

/* Is `dir` a directory with a config.json and weights that can be read? LM_EDATA or LM_EIO says what
 * is there instead, and what to do. */
LM_CHECKED int model_dir_usable(const char *dir);

/* The files of a model besides config.json and weights: its tokenizer's, and others. Ends with
 * NULL. */
extern const char *const model_dir_companions[];

/* Call `each` with the name of every other tokenizer file in `dir` (tekken_240911.json, x.tiktoken,
 * tokenizer.model.v3). Returns the first that is not 0, or LM_EIO, LM_ENOMEM. */
LM_CHECKED int model_dir_other_tokenizers(const char *dir,
                                          int (*each)(void *context, const char *name),
                                          void *context);

/* A new model replaces the one in `dir`: its weights are written as MODEL_NEW_WEIGHTS, begin
 * removes checksums.json and config.json, other files follow, and commit writes checksums.json and
 * config.json last. Whoever reads the directory in between, or after a crash, finds no model, and
 * never the files of two. */
LM_CHECKED int model_dir_begin(const char *dir);

typedef struct model_origin {
    const char *from;      /* directory of the model's other files; NULL: none are copied */
    bool other_tokenizer;  /* its tokenizer is not the training data's: leave it there */
    uint64_t ids;          /* hash of the tokenizer of the training data; 0: not known */
    char note[MODEL_NOTE]; /* set by commit: about the tokenizer's files; "" */
} model_origin;

/* Begin, if that is not done; rename the new weights, copy the other files of the model as `origin`
 * says, write a tokenizer.json where it agrees with tokenizer.model (tokenizer_json.h), remove the
 * index of earlier weights (the files it names stay), write checksums.json, and `config` as
 * config.json. Takes `config`, also on an error. */
LM_CHECKED int model_dir_commit(const char *dir, model_origin *origin, lm_json *config);

/* A hash of config.json and of every .safetensors file of the directory, byte for byte, in the
 * order of their names: the same for a copy under another name. */
LM_CHECKED int model_dir_hash(const char *dir, uint64_t *out);

#endif
