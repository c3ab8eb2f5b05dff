/* model_options.h -- what the programs that run a model share: the options that say which model,
 * on what, with which attention; and opening it. Their tables begin with MODEL_OPTIONS. */
#ifndef TOOLS_MODEL_OPTIONS_H
#define TOOLS_MODEL_OPTIONS_H

#include "cli.h"
#include "train/infer/infer.h"
#include "train/infer/text.h"

typedef struct model_options {
    const char *model, *attention, *scaling;
    double rope_base;
    int backend, parts, mscale; /* places in the lists below */
    int threads;
} model_options;

/* Rows of a cli_opt table; `o` is a file-static model_options. */
/* clang-format off: it takes the rows for blocks */
#define MODEL_OPTIONS(o)                                                                          \
    { CLI_STR,                                                                                    \
      "model",                                                                                    \
      'm',                                                                                        \
      &(o).model,                                                                                 \
      "DIR",                                                                                      \
      "A Hugging Face model directory: config.json, one or many .safetensors, and "               \
      "tokenizer.model." },                                                                       \
        { CLI_CHOICE, "backend", 0, &(o).backend, "cpu|cuda", "What calculates." },               \
        { CLI_STR,                                                                                \
          "attention",                                                                            \
          'a',                                                                                    \
          &(o).attention,                                                                         \
          "rope|dca|dca:chunkllama|dca:CHUNK,LOCAL",                                              \
          "Plain RoPE (the default); or Dual Chunk Attention as its paper has it (chunks of 3/4 " \
          "of "                                                                                   \
          "the trained length), as its authors' code has it, or with a chunk and a local window " \
          "of "                                                                                   \
          "one's own, in tokens." },                                                              \
        { CLI_CHOICE,                                                                             \
          "dca-parts",                                                                            \
          0,                                                                                      \
          &(o).parts,                                                                             \
          "all|intra+inter|intra",                                                                \
          "The paper's ablation: without attention to successive chunks, without any to other "   \
          "chunks." },                                                                            \
        { CLI_STR,                                                                                \
          "rope-scaling",                                                                         \
          0,                                                                                      \
          &(o).scaling,                                                                           \
          "linear:F|ntk:F|dynamic:F|yarn:F",                                                      \
          "Scale RoPE by the factor F in place of the model's own scaling." },                    \
        { CLI_REAL, "rope-base", 0, &(o).rope_base, "X", "RoPE's base (the model's).", 1, 1e12 }, \
        { CLI_CHOICE,                                                                             \
          "mscale",                                                                               \
          0,                                                                                      \
          &(o).mscale,                                                                            \
          "none|0.05|0.1",                                                                        \
          "Multiply scores by (a ln(length/trained) + 1)^2 past the trained length, with this "   \
          "a." },                                                                                 \
    {                                                                                             \
        CLI_THREADS, "threads", 'j', &(o).threads, "N",                                           \
            "Threads (all cores). The result does not depend on it.", 0, 4096                     \
    }
/* clang-format on */

/* A model that is open. Zeroed, it may be closed. */
typedef struct model_run {
    tr_text *text;
    backend *backend;
    tr_infer *infer;
} model_run;

/* The tokenizer alone: what it takes to know how long a prompt is. LM_EUSAGE without --model;
 * LM_EDATA where the directory has no tokenizer.model. */
LM_CHECKED int model_open_tokenizer(model_run *r, const model_options *o);

/* The backend alone; LM_EUSAGE also where the options contradict each other. */
LM_CHECKED int model_open_backend(model_run *r, const model_options *o);

/* Backend and session, for sequences of at most `length` tokens (tr_infer_open's errors); LM_EDATA
 * where a tokenizer is open whose ids go past the model's. */
LM_CHECKED int model_open(model_run *r, const model_options *o, size_t length);

void model_close(model_run *r);

/* The same as options of tr_infer_open and tr_infer_set; strings are borrowed. */
tr_infer_options model_infer_options(const model_options *o, size_t length);

#endif
