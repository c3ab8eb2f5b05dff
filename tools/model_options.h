/* model_options.h -- the options that all programs share which run a model (model, backend,
 * attention), and opening the model. Their option tables begin with MODEL_OPTIONS. */
#ifndef TOOLS_MODEL_OPTIONS_H
#define TOOLS_MODEL_OPTIONS_H

#include "cli.h"
#include "train/infer/infer.h"
#include "train/infer/text.h"

typedef struct model_options {
    const char *model, *attention, *scaling;
    double rope_base;
    int backend, parts, mscale, weights; /* indexes in the lists below */
    int threads;
} model_options;

/* Rows of a cli_opt table; `o` is a file-static model_options. */
/* clang-format off */
#define MODEL_OPTIONS(o)                                                                          \
    { CLI_STR, "model", 'm', &(o).model, "DIR",                                                   \
      "A Hugging Face model directory: config.json, one or many .safetensors, and a "             \
      "tokenizer (tokenizer.model, tokenizer.json, tekken.json)." },                                                                       \
    { CLI_CHOICE, "backend", 0, &(o).backend, "cpu|cuda", "Compute backend." },                   \
    { CLI_STR, "attention", 'a', &(o).attention, "rope|dca|dca:chunkllama|dca:CHUNK,LOCAL",       \
      "Plain RoPE, or Dual Chunk Attention: as in its paper (chunks of 3/4 of the trained "       \
      "length), as in its authors' code, or with this chunk and local window, in tokens "         \
      "(the model's dual_chunk_attention_config; rope without one)." },                           \
    { CLI_CHOICE, "dca-parts", 0, &(o).parts, "all|intra+inter|intra",                            \
      "Ablation of the paper: no attention to the preceding chunk, or to any other chunk." },     \
    { CLI_STR, "rope-scaling", 0, &(o).scaling, "linear:F|ntk:F|dynamic:F|yarn:F",                \
      "RoPE scaling by the factor F, in place of the model's own." },                             \
    { CLI_REAL, "rope-base", 0, &(o).rope_base, "X", "Base of RoPE (the model's).", 1, 1e12 },    \
    { CLI_CHOICE, "mscale", 0, &(o).mscale, "model|none|0.05|0.1",                                \
      "Multiply attention scores by (a ln(length/trained) + 1)^2 past the trained length, with "  \
      "this a. model: 0.1 with the model's own Dual Chunk Attention, else none." },               \
    { CLI_CHOICE, "weights", 0, &(o).weights, "model|float32|bfloat16",                           \
      "Type of the weights in memory on the CPU: by default bfloat16 for a model in bfloat16, "   \
      "which is exact, and float32 for others. With bfloat16 they are rounded, in half the "      \
      "memory. Sums are in float32." },                                                           \
    { CLI_THREADS, "threads", 'j', &(o).threads, "N",                                             \
      "Threads (all cores). The result does not depend on their number.", 0, 4096 }
/* clang-format on */

/* An open model. Zeroed, it may be closed. */
typedef struct model_run {
    tr_text *text;
    backend *backend;
    tr_infer *infer;
} model_run;

/* Open the tokenizer only, to know the length of a prompt. LM_EUSAGE without --model, or
 * tr_text_open's errors. */
LM_CHECKED int model_open_tokenizer(model_run *r, const model_options *o);

/* Open the backend only. LM_EUSAGE also for options that contradict each other. */
LM_CHECKED int model_open_backend(model_run *r, const model_options *o);

/* Open backend and session, for sequences of at most `length` tokens. tr_infer_open's errors; and
 * tr_text_check's where the tokenizer is open. */
LM_CHECKED int model_open(model_run *r, const model_options *o, size_t length);

void model_close(model_run *r);

/* As options of tr_infer_open and tr_infer_set; strings are borrowed. */
tr_infer_options model_infer_options(const model_options *o, size_t length);

#endif
