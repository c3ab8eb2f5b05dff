/* lmeval.c -- measure a model: the evaluations of eval/, each by its name. */
#include "cli.h"
#include "eval/harness/harness.h"
#include "model_options.h"

static model_options model;
static uint64_t seed;
static const char *output;

static const cli_opt opts[] = {
    { CLI_STR, "output", 'o', &output, "RESULTS.jsonl",
      "Append result lines to this file; what it holds already is not measured again. Without it "
      "they go to standard output." },
    { CLI_SIZE, "seed", 's', &seed, "N", "Seed for all random choices (0)." },
    { .kind = CLI_END },
};
static const cli_opt model_opts[] = {
    MODEL_OPTIONS(model),
    { .kind = CLI_END },
};

static const cli_command *command(size_t i) { return eval_list[i] ? &eval_list[i]->command : NULL; }

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

static int write_line(void *arg, const void *p, size_t n)
{
    (void)arg;
    return cli_write(p, n);
}

static int run(void)
{
    const eval_entry *e = eval_list[cli_chosen()];
    eval_context c = { .seed = seed,
                       .output = output,
                       .sink = { write_line, NULL },
                       .watch = { show_note, cli_progress("tokens", 0)->show, NULL,
                                  show_warning } };
    model_run m = { 0 };
    int rc = LM_OK;
    if (e->command.model)
        rc = model.model ? model_open_backend(&m, &model) : cli_usage("--model is missing");
    c.model = model_infer_options(&model, 0);
    c.b = m.backend;
    if (!rc) rc = eval_run(&c, e);
    model_close(&m);
    return rc;
}

static const cli_tool tool = {
    .name = "lmeval",
    .summary = "measure a model",
    .about =
        "Runs one evaluation of a model, at each length, and appends a JSON line for every number: "
        "evaluation, model, attention, length, value, seed, and all settings that it depends on. "
        "An interrupted run resumes: what RESULTS.jsonl holds is not measured again. A file with "
        "results of other settings is refused.\n\n"
        "docs/evaluation.md says how each is measured and where its numbers come from.",
    .opts = opts,
    .see = "lmgen(1), lmplot(1), lmtrain(1)",
    .run = run,
    .noun = "evaluation",
    .command = command,
    .model_opts = model_opts,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
