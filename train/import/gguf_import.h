/* gguf_import.h -- models in GGUF files as Hugging Face model directories. */
#ifndef TRAIN_IMPORT_GGUF_IMPORT_H
#define TRAIN_IMPORT_GGUF_IMPORT_H

#include "longmix/err.h"

typedef struct gguf_import {
    int dtype; /* an st_dtype for all tensors; -1: F16 and BF16 models stay so, others are float32 */
    char note[800];  /* set: about the tokenizer; "" */
    char about[400]; /* set: what the file holds, a line */
} gguf_import;

/* Read `file` (of a split model the first of its files), and write into the directory `out` (made
 * where it is absent) config.json, model.safetensors, the files of its tokenizer and checksums.json.
 * Quantized numbers are converted to float32, row by row. What the file asks for and is not supported
 * is refused by the name of its key or tensor before the directory changes: LM_EDATA. Otherwise 0,
 * LM_EIO, LM_ENOMEM or LM_EINTR. */
LM_CHECKED int tr_import_gguf(gguf_import *o, const char *file, const char *out);

#endif
