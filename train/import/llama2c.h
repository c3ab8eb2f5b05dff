/* llama2c.h -- checkpoints of llama2.c (its first format) as Hugging Face model directories. */
#ifndef TRAIN_IMPORT_LLAMA2C_H
#define TRAIN_IMPORT_LLAMA2C_H

#include <stddef.h>

#include "longmix/err.h"

/* Read MODEL.bin and TOKENIZER.bin, and write into the directory `out` (made where it is absent)
 * config.json, model.safetensors, tokenizer.model (SentencePiece, BPE with byte fallback), the files
 * of tokenizer_json.h, where they can be written (else note[size] says why not), and
 * checksums.json. 0, LM_EIO, or LM_EDATA for a file that is cut short, too long, or holds
 * a shape that cannot be. */
LM_CHECKED int tr_import_llama2c(const char *model, const char *tokenizer, const char *out,
                                 char *note, size_t size);

#endif
