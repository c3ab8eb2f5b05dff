/* lmtrain.c -- continual pretraining on packed shards. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "train/files/checksums.h"
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
      "Start from this Hugging Face model directory: config.json, one or many .safetensors." },
    { CLI_STR, "init", 0, &o.init, "SHAPE",
      "Start from random weights: llama2-7b, llama2-13b, llama2-70b, or a file like config.json." },
    { CLI_STR, "data", 'd', &o.data, "SHARDS",
      "What lmpack wrote: a directory, or one .lms file." },
    { CLI_STR, "eval-data", 0, &o.eval_data, "SHARDS",
      "Held-out shards; their loss is logged by domain." },
    { CLI_STR, "output", 'o', &o.out, "DIR",
      "Directory for the model, the checkpoints and the log." },
    { CLI_CHOICE, "backend", 0, &backend_kind, "cpu|cuda", "Compute backend." },
    { CLI_SIZE, "seq-len", 'L', &o.length, "N",
      "Tokens per sequence (the shards' rows). It must divide the row length." },
    { CLI_SIZE, "batch", 'b', &o.batch, "TOKENS",
      "Tokens per optimizer step, rounded to whole sequences (gradient accumulation) (4M)." },
    { CLI_SIZE, "micro-batch", 0, &o.micro, "N",
      "Sequences per forward and backward pass (as many as fit in 4,096 tokens, at least one). "
      "Changes memory and speed; the result differs by rounding at most." },
    { CLI_SIZE, "tokens", 'n', &o.tokens, "N", "Tokens to train on, rounded up to whole steps." },
    { CLI_REAL, "lr", 0, &o.optimizer.lr, "X", "Learning rate (2e-5).", 0, 1e3 },
    { CLI_CHOICE, "schedule", 0, &schedule, "constant|linear|cosine",
      "Learning-rate schedule after warmup." },
    { CLI_SIZE, "warmup", 0, &warmup, "TOKENS",
      "Tokens of linear learning-rate warmup from 0 (none)." },
    { CLI_REAL, "min-lr", 0, &o.optimizer.min_lr, "X",
      "Final learning rate of linear and cosine (0).", 0, 1e3 },
    { CLI_REAL, "weight-decay", 0, &o.optimizer.decay, "X",
      "Decoupled weight decay of matrices (0.1).", 0, 1e3 },
    { CLI_REAL, "beta1", 0, &o.optimizer.beta1, "X", "Beta 1 of AdamW (0.9).", 0, 0.999999 },
    { CLI_REAL, "beta2", 0, &o.optimizer.beta2, "X", "Beta 2 of AdamW (0.95).", 0, 0.999999 },
    { CLI_REAL, "eps", 0, &o.optimizer.eps, "X", "Epsilon of AdamW (1e-8).", 0, 1 },
    { CLI_REAL, "clip", 0, &o.optimizer.clip, "X",
      "Clip the global gradient norm to X; 0: never (1).", 0, 1e9 },
    { CLI_REAL, "rope-base", 0, &o.rope_base, "X",
      "Base of RoPE (the model's). For 80K tokens with LLaMA-2: 2.076e6.", 0, 1e12 },
    { CLI_STR, "attention", 'a', &o.attention, "rope|dca|dca:chunkllama|dca:CHUNK,LOCAL",
      "Plain RoPE, or Dual Chunk Attention: see lmgen(1), for the default, too. With it the "
      "trained "
      "length that config.json states stays as it is." },
    { CLI_FLAG, "doc-mask", 0, &o.doc_mask, NULL,
      "Attention does not cross documents, position ids restart at 0 in each, and the first token "
      "of a document is not predicted." },
    { CLI_FLAG, "recompute", 0, &o.recompute, NULL,
      "Activation checkpointing: store only each layer's input and recompute the rest in the "
      "backward pass. Less memory; bit-identical." },
    { CLI_FLAG, "keep-attention", 0, &o.keep_attention, NULL,
      "With --recompute: store attention outputs, too, so that attention is not recomputed. "
      "Bit-identical." },
    { CLI_STR, "offload", 0, &offload, "WHAT",
      "Offload to host memory: optimizer (its state is streamed through the device in each step), "
      "checkpoints (with --recompute: the layers' inputs), or both with a comma. Bit-identical." },
    { CLI_SIZE, "slice", 0, &o.slice, "TOKENS",
      "Tokens per chunk of the MLP and the logits (2048). Bit-identical at any value; on a GPU, at "
      "multiples of 2048." },
    { CLI_SIZE, "save-every", 0, &o.save_every, "TOKENS",
      "Save a checkpoint every so many tokens (at the end only)." },
    { CLI_SIZE, "keep", 0, &o.keep, "N", "Number of latest checkpoints to keep (2)." },
    { CLI_SIZE, "eval-every", 0, &o.eval_every, "TOKENS",
      "Evaluate held-out loss at the start and every so many tokens (at the end only)." },
    { CLI_SIZE, "eval-tokens", 0, &o.eval_tokens, "N",
      "Evaluate on at most N tokens, spread evenly over the held-out shards (all)." },
    { CLI_SIZE, "seed", 's', &o.seed, "N", "Random seed of the row order and of --init (0)." },
    { CLI_FLAG, "resume", 0, &o.resume, NULL,
      "Resume from the latest checkpoint in the output directory, or start where there is none. "
      "Options that change the result must be the same: see --override." },
    { CLI_STR, "override", 0, &o.override, "OPTION,...",
      "With --resume: options that may have other values than when the checkpoint was made: "
      "tokens, "
      "lr, schedule, warmup, min-lr, weight-decay, beta1, beta2, eps, clip, dtype, micro-batch, "
      "slice, backend, blas (another processor or OpenBLAS), ranks. run.json records the change. "
      "Any other difference is refused." },
    CHECKSUMS_IDS_OPTION(o.allow_tokenizer),
    { CLI_FLAG, "dry-run", 0, &dry_run, NULL, "Print the memory plan and exit." },
    { CLI_CHOICE, "dtype", 0, &dtype, "as-read|float32|bfloat16|float16",
      "Type of the weights written at the end. Checkpoints are float32." },
    { CLI_STR, "log", 0, &o.log, "FILE",
      "Log file, JSON Lines (DIR/log.jsonl). A file with text that this run has not written is "
      "refused." },
    { CLI_CHOICE, "comm", 0, &comm_kind, "auto|none|mpi|nccl",
      "Communication between the processes that mpirun or srun started, which train one model: mpi "
      "with --backend cpu, nccl with cuda. none: each process trains on its own." },
    { CLI_THREADS, "threads", 'j', &threads, "N",
      "Threads (all cores). The result does not depend on their number.", 0, 4096 },
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

static void show_warning(void *arg, const char *line)
{
    (void)arg;
    cli_warn("%s", line);
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
        return cli_usage("--offload checkpoints needs --recompute");
    return LM_OK;
}

static int check_options(void)
{
    if (!o.data) return cli_usage("--data is missing");
    if (!o.model == !o.init) return cli_usage("one of --model and --init is needed");
    if (!dry_run && !o.out) return cli_usage("--output is missing");
    if (!dry_run && !o.tokens) return cli_usage("--tokens is missing");
    if (!o.tokens) o.tokens = 1;
    if (!o.keep) return cli_usage("--keep 0: at least one checkpoint has to be kept");
    if (!o.slice || o.slice > INT32_MAX)
        return cli_usage("--slice %" PRIu64 ": out of range", o.slice);
    if (!o.batch) return cli_usage("--batch 0: a step needs at least one token");
    if (o.keep_attention && !o.recompute) return cli_usage("--keep-attention needs --recompute");
    return parse_offload();
}

/* Whatever may fail on one rank only is followed by comm_agree. */
static int train(comm **c, backend **b, tr_run **r)
{
    lm_buf plan = LM_BUF_INIT(1 << 16);
    tr_watch watch = { show_step, show_note, NULL, show_warning };
    int rc = o.model && !(*c)->rank ? checksums_compare(o.model, false, NULL) : LM_OK;
    if (rc == LM_EDATA) cli_warn("%s (lmcheck %s)", lm_err(), o.model);
    rc = bk_open(b, backend_kind == BACKEND_CUDA ? "cuda" : "cpu", threads);
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
    if (c->rank) rc = 0; /* an error ends all ranks, and rank 0 reports it */
    c->close(c);
    return rc;
}

static const cli_tool tool = {
    .name = "lmtrain",
    .summary = "train a model on packed shards",
    .about =
        "Trains a LLaMA, Qwen2, Qwen3 or Mistral on packed shards, from a Hugging Face model "
        "directory or from random weights, and writes a model directory. The CPU backend computes "
        "in "
        "float32.\n\n"
        "The order of rows is a function of --seed and the step. A run that was stopped, by "
        "SIGTERM "
        "or a crash, resumes with --resume from its latest complete checkpoint, and its result is "
        "bit-identical to that of an uninterrupted run; a checkpoint made with other data is "
        "refused. The result does not depend on the number of threads.\n\n"
        "Started by mpirun or srun, its processes train one model, data parallel with sharded "
        "optimizer state (ZeRO-1). Rank 0 writes files and logs.\n\n"
        "Memory is planned before it is allocated: --dry-run prints the plan, and a run that does "
        "not fit is refused with the options that would make it fit. No buffer has the size of "
        "sequence x sequence or sequence x vocabulary.",
    .opts = opts,
    .examples = "# the memory that a 7B model needs for these rows\n"
                "lmtrain --init llama2-7b --data shards --dry-run --recompute\n"
                "# a small model from scratch (real held-out shards would be separate ones)\n"
                "lmtrain --init tiny.json --data shards --eval-data shards --eval-tokens 8K -o "
                "trained -b 8K "
                "-n 32K --lr 1e-3 --schedule cosine --warmup 8K --eval-every 16K\n"
                "# the same command, resumed if it was stopped\n"
                "lmtrain --init tiny.json --data shards --eval-data shards --eval-tokens 8K -o "
                "trained -b 8K "
                "-n 32K --lr 1e-3 --schedule cosine --warmup 8K --eval-every 16K --resume\n",
    .see = "lmpack(1), lmimport(1), lmgen(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
