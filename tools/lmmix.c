/* lmmix.c -- sample and shuffle a mixture. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "longmix/mix.h"
#include "lib/io/output.h"

static const char *output = "-";
static cli_part part;
static int threads;
static cli_list inputs;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &inputs, "PLAN [STORE|-]",
      "A plan of lmplan, and a token store (a .lmt file, or a directory of parts), or - for a "
      "token "
      "stream on standard input (the default).",
      1, 0 },
    { CLI_PART, "part", 0, &part, "k/K",
      "Only part k of K, counted from 1: a range of the mixture's shards, for lmpack --part k/K. "
      "Needs a store." },
    { CLI_STR, "output", 'o', &output, "FILE", "Output file (standard output)." },
    { CLI_THREADS, "threads", 'j', &threads, "N",
      "Threads (all cores). The output does not depend on it.", 0, 4096 },
    { .kind = CLI_END },
};

/* The output may replace neither the plan nor the store. */
static int check_output(const lm_store *s, const char *source)
{
    const char *const given[] = { inputs.v[0], source };
    if (s && strcmp(output, "-") && lm_store_is(s, output)) /* a part of it */
        return lm_fail(LM_EUSAGE, "%s: is an input, too (%s); choose another output", output,
                       source);
    return lm_output_refuse_input(output, given, 2);
}

static int mix_store(const lm_plan *p, const char *path, const lm_mix_options *o)
{
    lm_store *s = NULL;
    int rc = lm_store_open(&s, path);
    if (!rc) rc = check_output(s, path);
    if (!rc) rc = lm_mix_store(p, s, o, output);
    lm_store_close(s);
    return rc;
}

static int mix_stream(const lm_plan *p, const char *path, const lm_mix_options *o)
{
    lm_stream *s = NULL;
    int rc = lm_stream_open(&s, path);
    if (!rc) rc = check_output(NULL, path);
    if (!rc) rc = lm_mix_stream(p, s, o, output);
    lm_stream_close(s);
    return rc;
}

static int run(void)
{
    lm_plan p = { 0 };
    if (inputs.n > 2) return cli_usage("%s: expected one plan and one store", inputs.v[2]);
    const char *source = inputs.n == 2 ? inputs.v[1] : "-";
    bool piped = !strcmp(source, "-");
    if (piped && isatty(STDIN_FILENO))
        return cli_usage("standard input is a terminal: name a store");
    if (piped && part.n > 1)
        return cli_usage("--part needs a store: a stream cannot be read from its middle");
    if (!strcmp(output, "-") && isatty(STDOUT_FILENO))
        return cli_usage("standard output is a terminal: pipe it into lmpack, or use -o FILE");

    int rc = lm_plan_load(&p, inputs.v[0]);
    if (!rc) {
        lm_mix_options o = { .part = part.k,
                             .parts = part.n,
                             .threads = threads,
                             .progress = cli_progress(piped ? "documents" : "units", 0) };
        rc = piped ? mix_stream(&p, source, &o) : mix_store(&p, source, &o);
    }
    lm_plan_free(&p);
    return rc;
}

static const cli_tool tool = {
    .name = "lmmix",
    .summary = "sample and shuffle a mixture",
    .about = "Writes the documents that a plan selects, cut and repeated as planned, as a token "
             "stream for lmpack. Documents of a store are shuffled; those of a pipe stay in order "
             "of arrival. Both select the same documents.\n\n"
             "The output is a pure function of plan and store: it does not depend on threads or "
             "machines, and parts generated separately are bit-identical to those of the whole. "
             "Memory does not grow with the store or the mixture; pieces of long documents are "
             "spooled to an unlinked temporary file in $TMPDIR or /tmp.",
    .opts = opts,
    .examples = "# shuffled and packed into rows of 4,096 tokens\n"
                "lmmix plan.json store.lmt | lmpack -L 4096 -o shards\n"
                "# the second of two parts\n"
                "lmmix plan.json store.lmt --part 2/2 > part-2.lmt\n",
    .see = "lmplan(1), lmpack(1), lmtok(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
