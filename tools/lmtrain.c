/* lmtrain.c -- a model and packed shards make a model: LLaMA continual pretraining. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "train/run/run.h"

enum { BACKEND_CPU, BACKEND_CUDA };

static tr_options o = {
    .batch = 4000000,
    .slice = 2048,
    .keep = 2,
    .optimizer = { .lr = 2e-5, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip = 1 },
};
static int backend_kind, comm_kind, schedule, dtype, threads;
static const char *offload;
static uint64_t warmup;
static bool dry_run;
static lm_progress *live;

static const cli_opt opts[] = {
    { CLI_STR, "model", 'm', &o.model, "DIR",
      "Go on from this Hugging Face model directory: config.json, one or many .safetensors." },
    { CLI_STR, "init", 0, &o.init, "SHAPE",
      "Begin with random weights: llama2-7b, llama2-13b, llama2-70b, or a file like config.json." },
    { CLI_STR, "data", 'd', &o.data, "SHARDS",
      "What lmpack wrote: a directory, or one .lms file." },
    { CLI_STR, "eval-data", 0, &o.eval_data, "SHARDS",
      "Held-out shards; their loss is logged by domain." },
    { CLI_STR, "output", 'o', &o.out, "DIR", "Where the model, the checkpoints and the log go." },
    { CLI_CHOICE, "backend", 0, &backend_kind, "cpu|cuda", "What calculates." },
    { CLI_SIZE, "seq-len", 'L', &o.length, "N",
      "Tokens a sequence (the shards' rows). A row is cut into sequences without a rest." },
    { CLI_SIZE, "batch", 'b', &o.batch, "TOKENS",
      "Tokens a step, brought to whole sequences (4M). Gradients are accumulated over them." },
    { CLI_SIZE, "micro-batch", 0, &o.micro, "N",
      "Sequences in one forward and backward (as many as 4,096 tokens hold, at least one). "
      "Changes memory and speed, and the result at most by rounding." },
    { CLI_SIZE, "tokens", 'n', &o.tokens, "N", "Tokens to train on, brought to whole steps." },
    { CLI_REAL, "lr", 0, &o.optimizer.lr, "X", "Learning rate (2e-5).", 0, 1e3 },
    { CLI_CHOICE, "schedule", 0, &schedule, "constant|linear|cosine",
      "How the rate goes on after the warm-up." },
    { CLI_SIZE, "warmup", 0, &warmup, "TOKENS", "Tokens over which the rate rises from 0 (none)." },
    { CLI_REAL, "min-lr", 0, &o.optimizer.min_lr, "X", "What linear and cosine end at (0).", 0,
      1e3 },
    { CLI_REAL, "weight-decay", 0, &o.optimizer.decay, "X", "Decoupled decay of matrices (0.1).", 0,
      1e3 },
    { CLI_REAL, "beta1", 0, &o.optimizer.beta1, "X", "AdamW's first (0.9).", 0, 0.999999 },
    { CLI_REAL, "beta2", 0, &o.optimizer.beta2, "X", "AdamW's second (0.95).", 0, 0.999999 },
    { CLI_REAL, "eps", 0, &o.optimizer.eps, "X", "AdamW's epsilon (1e-8).", 0, 1 },
    { CLI_REAL, "clip", 0, &o.optimizer.clip, "X", "Largest norm of the gradient; 0 for none (1).",
      0, 1e9 },
    { CLI_REAL, "rope-base", 0, &o.rope_base, "X",
      "RoPE's base (the model's). For 80K tokens with LLaMA-2: 2.076e6.", 0, 1e12 },
    { CLI_STR, "attention", 'a', &o.attention, "rope|dca|dca:chunkllama|dca:CHUNK,LOCAL",
      "Plain RoPE (the default), or Dual Chunk Attention: see lmgen(1). With it the trained length "
      "that config.json states stays as it is." },
    { CLI_FLAG, "doc-mask", 0, &o.doc_mask, NULL,
      "Attention does not cross documents, positions begin anew in each, and no document's first "
      "token is predicted." },
    { CLI_FLAG, "recompute", 0, &o.recompute, NULL,
      "Keep only each layer's input and compute the rest again on the way back. Same bits, less "
      "memory." },
    { CLI_FLAG, "keep-attention", 0, &o.keep_attention, NULL,
      "With --recompute: keep attention's output, so that it is not computed again. Same bits." },
    { CLI_STR, "offload", 0, &offload, "WHAT",
      "Keep in host memory, apart from the device's: optimizer (its state passes the device once "
      "a step), checkpoints (with --recompute: the layers' inputs), or both with a comma. "
      "Same bits." },
    { CLI_SIZE, "slice", 0, &o.slice, "TOKENS",
      "The MLP and the loss take so many tokens at a time (2048). Same bits at any value; on a "
      "GPU, "
      "at multiples of 2048." },
    { CLI_SIZE, "save-every", 0, &o.save_every, "TOKENS",
      "Save a checkpoint every so many tokens (at the end)." },
    { CLI_SIZE, "keep", 0, &o.keep, "N", "Checkpoints that stay (2)." },
    { CLI_SIZE, "eval-every", 0, &o.eval_every, "TOKENS",
      "Held-out loss at the start and every so many tokens (at the end)." },
    { CLI_SIZE, "eval-tokens", 0, &o.eval_tokens, "N",
      "Use at most N tokens of the held-out shards, spread over them (all)." },
    { CLI_SIZE, "seed", 's', &o.seed, "N", "Of the order of rows, and of random weights (0)." },
    { CLI_FLAG, "resume", 0, &o.resume, NULL,
      "Go on from the last checkpoint in the output directory; begin where there is none." },
    { CLI_FLAG, "dry-run", 0, &dry_run, NULL, "Print the memory plan and stop." },
    { CLI_CHOICE, "dtype", 0, &dtype, "as-read|float32|bfloat16|float16",
      "How the model's weights are written at the end. Checkpoints are float32." },
    { CLI_STR, "log", 0, &o.log, "FILE", "The log, JSON lines (DIR/log.jsonl)." },
    { CLI_CHOICE, "comm", 0, &comm_kind, "auto|none|mpi|nccl",
      "How the processes that mpirun or srun started train one model together: mpi with --backend "
      "cpu, nccl with cuda. none: each for itself." },
    { CLI_THREADS, "threads", 'j', &threads, "N",
      "Threads (all cores). The result does not depend on it.", 0, 4096 },
    { .kind = CLI_END },
};

static void show_step(void *arg, const tr_report *r)
{
    (void)arg;
    char line[160];
    uint64_t left = (uint64_t)r->seconds_left;
    snprintf(line, sizeof line,
             "step %" PRIu64 "/%" PRIu64 "  loss %.4f  norm %.3f  %.0f tokens/s  MFU %.0f%%  "
             "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left",
             r->step, r->steps, r->loss, r->norm, r->tokens_per_second, 100 * r->mfu, left / 3600,
             left / 60 % 60, left % 60);
    if (live->show) live->show(live->arg, line);
    else cli_verbose("%s", line);
}

static void show_note(void *arg, const char *line)
{
    (void)arg;
    cli_note("%s", line);
}

static int parse_offload(void)
{
    for (const char *at = offload; at && *at;) {
        size_t n = strcspn(at, ",");
        if (n == 9 && !memcmp(at, "optimizer", n)) o.offload_optimizer = true;
        else if (n == 11 && !memcmp(at, "checkpoints", n)) o.offload_checkpoints = true;
        else return cli_usage("--offload %s: not optimizer, checkpoints, or both", offload);
        at += n + (at[n] == ',');
    }
    if (o.offload_checkpoints && !o.recompute)
        return cli_usage("--offload checkpoints is for what --recompute keeps");
    return LM_OK;
}

static int check_options(void)
{
    if (!o.data) return cli_usage("--data is missing");
    if (!o.model == !o.init) return cli_usage("one of --model and --init is needed");
    if (!dry_run && !o.out) return cli_usage("--output is missing");
    if (!dry_run && !o.tokens) return cli_usage("--tokens is missing");
    if (!o.tokens) o.tokens = 1;
    if (!o.keep) return cli_usage("--keep 0: the last checkpoint has to stay");
    if (!o.slice || o.slice > INT32_MAX)
        return cli_usage("--slice %" PRIu64 ": out of range", o.slice);
    if (!o.batch) return cli_usage("--batch 0: a step needs tokens");
    if (o.keep_attention && !o.recompute)
        return cli_usage("--keep-attention says what --recompute keeps");
    return parse_offload();
}

/* Everything that may fail on one rank alone ends in an agreement. */
static int train(comm **c, backend **b, tr_run **r)
{
    lm_buf plan = LM_BUF_INIT(1 << 16);
    tr_watch watch = { show_step, show_note, NULL };
    int rc = bk_open(b, backend_kind == BACKEND_CUDA ? "cuda" : "cpu", threads);
    rc = comm_agree(*c, rc);
    if (!rc) rc = comm_attach(c, *b, (enum comm_kind)comm_kind);
    o.ranks = *c;
    if (!rc) rc = tr_run_open(r, &o, *b, &watch);
    if (!rc) rc = tr_run_plan(*r, &plan);
    const char *text = (const char *)plan.data;
    if (!rc && dry_run && !o.ranks->rank) cli_print("%.*s", (int)plan.size, text);
    if (!rc && !dry_run) {
        if (!o.ranks->rank) cli_verbose("%.*s", (int)plan.size, text);
        rc = tr_run_train(*r);
    }
    lm_buf_free(&plan);
    return rc;
}

static int run(void)
{
    backend *b = NULL;
    tr_run *r = NULL;
    comm *c = NULL;
    live = cli_progress("steps", 0);
    o.optimizer.schedule = (enum tr_schedule)schedule;
    o.optimizer.warmup = (double)warmup;
    o.dtype = dtype - 1;
    int rc = comm_open(&c, (enum comm_kind)comm_kind);
    if (rc) return rc;
    rc = check_options();
    if (!rc) rc = train(&c, &b, &r);
    tr_run_close(r);
    if (b) b->close(b);
    if (c->rank) rc = 0; /* what ended one rank ended all, and rank 0 tells */
    c->close(c);
    return rc;
}

static const cli_tool tool = {
    .name = "lmtrain",
    .summary = "train a LLaMA on packed shards",
    .about =
        "Trains a model of the LLaMA family, read from a Hugging Face directory or made with "
        "random weights, on "
        "what lmpack wrote, and writes such a directory. The CPU calculates in float32.\n\n"
        "The order of rows is a function of --seed and the step. A run that was stopped, by "
        "SIGTERM or by any "
        "accident, goes on with --resume from its last whole checkpoint, and ends with the bits "
        "of a run that was "
        "never stopped; a checkpoint of other data is refused. The number of threads changes no "
        "bit.\n\n"
        "Started by mpirun or srun, its processes train one model: each takes its share of a "
        "step's rows and keeps its share of the optimizer's state. The first one writes and "
        "tells.\n\n"
        "Memory is planned before it is allocated: --dry-run prints the plan, and what cannot fit "
        "is refused with "
        "the option that would make it fit. Nothing of the size of sequence x sequence or "
        "sequence x "
        "vocabulary is ever made.",
    .opts = opts,
    .examples =
        "# what a 7B model would need for these rows\n"
        "lmtrain --init llama2-7b --data shards --dry-run --recompute\n"
        "# a small model from scratch; held-out shards would stand apart from the others\n"
        "lmtrain --init tiny.json --data shards --eval-data shards --eval-tokens 8K -o model -b 8K "
        "-n 32K --lr 1e-3 --schedule cosine --warmup 8K --eval-every 16K\n"
        "# the same again, in case it was stopped\n"
        "lmtrain --init tiny.json --data shards --eval-data shards --eval-tokens 8K -o model -b 8K "
        "-n 32K --lr 1e-3 --schedule cosine --warmup 8K --eval-every 16K --resume\n",
    .see = "lmpack(1), lmimport(1), lmgen(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
