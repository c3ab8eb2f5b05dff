/* lmpack.c -- pack a token stream into fixed-length rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "lib/io/output.h"
#include "longmix/pack.h"
#include "longmix/shard.h"

static uint64_t length, shard_bytes, pad_id = UINT64_MAX;
static bool labels, force;
static int how, threads;
static cli_part part;
static const char *output;
static cli_list inputs;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &inputs, "STREAM",
      "A token stream: a file, a store in a directory of parts, or - for standard input (the "
      "default)." },
    { CLI_SIZE, "length", 'L', &length, "N", "Tokens per row: 4096, 128Ki. Required." },
    { CLI_STR, "output", 'o', &output, "DIR",
      "Directory for shard-00000.lms, shard-00001.lms, ... and manifest.json; created if absent. "
      "Required." },
    { CLI_FLAG, "labels", 0, &labels, NULL,
      "Rows of N + 1 tokens, for trainers that need the label of the last token." },
    { CLI_CHOICE, "pack", 0, &how, "concat|best-fit",
      "concat (the default): rows are consecutive windows of the mixture, regardless of document "
      "boundaries. best-fit: only documents longer than a row are cut, rows are padded." },
    { CLI_SIZE, "pad-id", 0, &pad_id, "ID",
      "Padding id in best-fit. Default: the EOS id of the stream, or 0 without one." },
    { CLI_PART, "part", 0, &part, "k/K",
      "Write only part k of K of the shards, counted from 1. The stream is lmmix --part k/K or the "
      "whole mixture." },
    { CLI_SIZE, "shard-bytes", 0, &shard_bytes, "SIZE",
      "Shard size for streams without shard marks, such as a store or a mixture in order of "
      "arrival "
      "(1Gi)." },
    { CLI_FLAG, "force", 0, &force, NULL, "Replace the files of another mixture in DIR." },
    { CLI_THREADS, "threads", 'j', &threads, "N",
      "Threads (all cores): with more than one, a shard is synced to disk while the next one is "
      "packed. The output does not depend on it.",
      0, 4096 },
    { .kind = CLI_END },
};

/* The default padding id. */
static uint64_t default_pad(const lm_meta *m) { return m->eos >= 0 ? (uint64_t)m->eos : 0; }

static void report(const lm_pack_sums *s)
{
    uint64_t all = s->tokens + s->padding;
    cli_note("%s rows, %s tokens in %s shard%s", cli_count(s->rows), cli_count(s->tokens),
             cli_count(s->shards), s->shards == 1 ? "" : "s");
    if (how == LM_PACK_BEST_FIT)
        cli_note("%s tokens of padding (%.3f %%)", cli_count(s->padding),
                 all ? 100.0 * (double)s->padding / (double)all : 0);
    if (s->dropped)
        cli_note("%s tokens after the last whole row are dropped", cli_count(s->dropped));
    if (s->complete) cli_note("the receipt is %s/manifest.json", output);
    else cli_note("%s is incomplete: the part that finishes last writes manifest.json", output);
}

/* `name` in DIR, which is written or with --force removed, is not the input or a part of it. */
static int refuse(const char *name, const char *path)
{
    int rc = lm_output_refuse_input(name, &path, 1);
    return rc ? rc : lm_output_refuse_inputs_in(name, path);
}

static int refuse_input(const char *path)
{
    struct stat st;
    uint64_t *number = NULL;
    size_t n = 0;
    char *name = NULL;
    int rc = lm_output_refuse_input(output, &path, 1);
    if (rc || stat(output, &st) || !S_ISDIR(st.st_mode)) return rc;
    if (asprintf(&name, "%s/manifest.json", output) < 0) return lm_fail_nomem(strlen(output));
    rc = refuse(name, path);
    free(name);
    /* Without --force nothing is written to what is not a shard of this mixture. */
    if (!rc && force) rc = lm_shards_list(&number, &n, output);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = lm_shard_path(&name, output, number[i]);
        if (!rc) rc = refuse(name, path);
        free(name);
    }
    free(number);
    return rc;
}

static int run(void)
{
    lm_stream *in = NULL;
    lm_pack_sums sums;
    if (inputs.n > 1) return cli_usage("%s: expected one stream", inputs.v[1]);
    if (!length) return cli_usage("-L N, the tokens per row, is required");
    if (!output) return cli_usage("-o DIR is required");
    const char *path = inputs.n ? inputs.v[0] : "-";
    if (!strcmp(path, "-") && isatty(STDIN_FILENO))
        return cli_usage("standard input is a terminal: pipe lmmix into it");

    int rc = refuse_input(path);
    if (!rc) rc = lm_stream_open(&in, path);
    if (rc) return rc;
    uint64_t pad = pad_id != UINT64_MAX ? pad_id : default_pad(lm_stream_meta(in));
    lm_pack_options o = { .length = length,
                          .labels = labels,
                          .how = (enum lm_pack_how)how,
                          .part = part.k,
                          .parts = part.n,
                          .shard_bytes = shard_bytes,
                          .pad = (uint32_t)pad,
                          .threads = threads,
                          .progress = cli_progress("rows", 0) };
    rc = pad > UINT32_MAX ? cli_usage("--pad-id %s: not a token id", cli_count(pad))
                          : lm_pack(in, &o, output, force, &sums);
    if (!rc) report(&sums);
    lm_stream_close(in);
    return rc;
}

static const cli_tool tool = {
    .name = "lmpack",
    .summary = "pack a token stream into fixed-length rows",
    .about = "Reads a token stream, usually a mixture from lmmix, and writes packed shards: rows "
             "of exactly N tokens, each with the lineage of its tokens (domain, file, line, offset "
             "in the document, hash of its text), and a receipt, manifest.json, with the planned "
             "and the actual composition.\n\n"
             "Rows and shards are a pure function of the stream and the options. Parts written "
             "separately, on other machines or at other times, are bit-identical to those of a "
             "single run; the part that finishes last writes the receipt. A shard is renamed into "
             "place atomically when complete: after a crash, run the same command again. DIR is "
             "locked: a part that is already being written, or a whole run while another process "
             "writes to DIR, is refused with the PID of that process.\n\n"
             "In concat the tokens after the last whole row are dropped and counted. In best-fit "
             "nothing is dropped; padding is counted.",
    .opts = opts,
    .examples = "# a mixture in rows of 4,096 tokens\n"
                "lmmix plan.json store.lmt | lmpack -L 4096 -o shards\n"
                "# fewer cut documents, with padding\n"
                "lmmix plan.json store.lmt | lmpack -L 4096 --pack best-fit -o fitted\n"
                "# a store as it is, with labels\n"
                "lmpack -L 1024 --labels -o plain store.lmt\n",
    .see = "lmmix(1), lmcheck(1), lmcat(1), lmhist(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
