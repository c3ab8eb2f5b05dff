/* lmeval.c -- what a model is worth: the evaluations of eval/, each by its name. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "eval/harness/harness.h"
#include "model_options.h"

static eval_options o;
static model_options model;
static cli_list args, text, haystack;
static const char *output;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &args, "NAME [FILE...]", "Which evaluation; see above.", 1, 0 },
    { CLI_STR, "output", 'o', &output, "RESULTS.jsonl",
      "Append result lines here; what the file holds already is not measured again. Without it "
      "they "
      "go to standard output." },
    MODEL_OPTIONS(model),
    { CLI_STR, "lengths", 'L', &o.lengths, "N,N,...", "Lengths to measure at, in tokens." },
    { CLI_SIZE, "seed", 's', &o.seed, "N", "Of all random choices (0)." },

    { CLI_LIST, "text", 't', &text, "FILE",
      "ppl: text, or a directory of *.txt; may be given again." },
    { CLI_STR, "data", 'd', &o.data, "SHARDS",
      "ppl, domains: what lmpack wrote; domains: also what lmtok wrote, whole documents." },
    { CLI_STR, "bin", 0, &o.bin, "FILE",
      "ppl: ids without a header, little-endian, as ChunkLlama's scripts keep them." },
    { CLI_CHOICE, "bin-type", 0, &o.bin_type, "uint16|uint32", "ppl: the ids of --bin." },
    { CLI_SIZE, "stride", 0, &o.stride, "N",
      "ppl: tokens from one window's start to the next, and tokens that count as a window's tail "
      "(256)." },
    { CLI_SIZE, "windows", 0, &o.windows, "N",
      "ppl: at most N windows a length, spread over the text (all)." },
    { CLI_SIZE, "bins", 0, &o.bins, "N", "ppl: bins of the loss by position (32; 0: none)." },

    { CLI_CHOICE, "by", 0, &o.by, "position|row|length",
      "domains: a range is one of a token's position in its document, of its position in the "
      "packed "
      "row, or of the document's length." },
    { CLI_STR, "ranges", 0, &o.ranges, "N,N,...",
      "domains: where ranges end; the first begins at 0, and of a document no more than the last "
      "is "
      "read (4096,131072)." },
    { CLI_STR, "at", 0, &o.at, "N,N,...",
      "domains: places for the loss at a position (1Ki,16Ki,32Ki,64Ki,128Ki)." },
    { CLI_SIZE, "at-width", 0, &o.at_width, "N",
      "domains: tokens up to such a place that it is the mean of (1024)." },
    { CLI_SIZE, "documents", 0, &o.documents, "N",
      "domains: at most N documents of each domain, or rows in all, spread over the data (all)." },
    { CLI_SIZE, "bootstrap", 0, &o.bootstrap, "N",
      "domains, compare: times that documents are drawn again for standard errors (1000)." },

    { CLI_STR, "depths", 0, &o.depths, "P,P,...",
      "needle, passkey: where the needle goes, in percent of the context." },
    { CLI_LIST, "haystack", 0, &haystack, "FILE",
      "needle, ruler: the book, or a directory of *.txt; may be given again." },
    { CLI_STR, "needle", 0, &o.needle, "TEXT",
      "needle: what is hidden (the authors' sandwich in Dolores Park)." },
    { CLI_STR, "question", 0, &o.question, "TEXT", "needle: what is asked." },
    { CLI_STR, "answer", 0, &o.answer, "TEXT", "needle: what a perfect answer says." },
    { CLI_STR, "prompt", 0, &o.prompt, "TEXT",
      "needle: what is around {context} and {question} (the authors')." },
    { CLI_SIZE, "new-tokens", 0, &o.new_tokens, "N", "needle: tokens of an answer at most (50)." },
    { CLI_SIZE, "buffer", 0, &o.buffer, "N",
      "needle: tokens of a length that are kept free of book and needle, for prompt and answer "
      "(200)." },
    { CLI_FLAG, "bos-quirk", 0, &o.bos_quirk, NULL,
      "needle: leave a beginning-of-text before the needle, as the authors' code does." },
    { CLI_CHOICE, "variant", 0, &o.variant, "clean|landmark|chunkllama|chunkllama-needle",
      "passkey: whose; see docs/evaluation.md (clean)." },
    { CLI_SIZE, "trials", 0, &o.trials, "N", "passkey: keys a cell (the variant's own)." },

    { CLI_SIZE, "samples", 0, &o.samples, "N", "ruler: samples of a task at a length (500)." },
    { CLI_SIZE, "max-prompt", 0, &o.max_prompt, "N",
      "Tokens of a prompt. mmlu: examples are left out of a longer one (2048). bookqa: the middle "
      "is "
      "cut out of a longer one (128000). fewshot, leval: documents are cut so that prompt and "
      "answer "
      "have about so many (16000)." },
    { CLI_INT, "shots", 0, &o.shots, "N",
      "mmlu, fewshot: examples before a question (mmlu 5; narrative_qa 0, qasper 2, quality 2, "
      "qmsum "
      "1).",
      0, 1000 },
    { CLI_CHOICE, "exemplars", 0, &o.exemplars, "given|random|best|worst",
      "fewshot: which examples: those that the file gives with a question, or from --pool some at "
      "random, those most like the question by BM25, or those least like it." },
    { CLI_STR, "pool", 0, &o.pool, "FILE", "fewshot: what to choose examples from; as the files." },
    { CLI_FLAG, "one-space", 0, &o.one_space, NULL,
      "mmlu: one space before the subject, as EleutherAI's harness has it, not the original's "
      "two." },
    { CLI_FLAG, "print-prompts", 0, &o.print_prompts, NULL,
      "All that ask: print the prompts and ask nothing." },

    { CLI_SWITCH, "share", 0, &o.share, NULL,
      "All that ask: do not read again what a prompt shares with the one before it (yes). Changes "
      "no "
      "number." },
    { .kind = CLI_END },
};

static void show_note(void *arg, const char *line)
{
    (void)arg;
    cli_note("%s", line);
}

static int write_line(void *arg, const void *p, size_t n)
{
    (void)arg;
    return cli_write(p, n);
}

/* ---- options that the evaluation does not use ------------------------------------------ */

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; *p; p += *p == ' ') {
        size_t k = strcspn(p, " ");
        if (k == n && !memcmp(p, word, n)) return true;
        p += k;
    }
    return false;
}

static size_t value_size(enum cli_kind kind)
{
    switch (kind) {
    case CLI_FLAG:
    case CLI_SWITCH: return sizeof(bool);
    case CLI_STR: return sizeof(const char *);
    case CLI_SIZE: return sizeof(uint64_t);
    case CLI_REAL: return sizeof(double);
    default: return sizeof(int);
    }
}

/* Whether an option of the evaluations stands on the command line with another value than its
 * default. */
static bool changed(const cli_opt *opt)
{
    const char *at = opt->value, *base = (const char *)&o;
    if (opt->kind == CLI_LIST) return ((const cli_list *)opt->value)->n > 0;
    if (at < base || at >= base + sizeof o || opt->value == &o.seed) return false;
    return memcmp(at, (const char *)&eval_defaults + (at - base), value_size(opt->kind)) != 0;
}

static int check_options(const eval_entry *e)
{
    for (const cli_opt *opt = opts; opt->kind != CLI_END; opt++)
        if (opt->name && changed(opt) && !has_word(e->options, opt->name))
            return cli_usage("--%s: %s does not use it", opt->name, e->name);
    if (e->model && !model.model) return cli_usage("--model is missing");
    if (args.n > 1 && !has_word(e->options, "FILE"))
        return cli_usage("%s: %s takes no files", args.v[1], e->name);
    return LM_OK;
}

/* ---- running --------------------------------------------------------------------------- */

static int unknown(const char *name)
{
    char list[512];
    size_t n = 0;
    for (const eval_entry *e = eval_list; e->name; e++)
        n += (size_t)snprintf(list + n, n < sizeof list ? sizeof list - n : 0, "%s%s",
                              n ? ", " : "", e->name);
    return cli_usage("%s: no such evaluation (%s)", name, list);
}

static int run(void)
{
    const eval_entry *e = eval_find(args.v[0]);
    if (!e) return unknown(args.v[0]);
    o.files = (eval_paths){ args.v + 1, args.n - 1 };
    o.text = (eval_paths){ text.v, text.n };
    o.haystack = (eval_paths){ haystack.v, haystack.n };
    lm_progress *live = cli_progress("tokens", 0);
    eval_context c = { .o = &o,
                       .output = output,
                       .sink = { write_line, NULL },
                       .watch = { show_note, live->show, NULL } };
    model_run m = { 0 };
    int rc = check_options(e);
    if (!rc && e->model) rc = model_open_backend(&m, &model);
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
        "evaluation, model, attention, length, value, seed, and all settings that it depends on. A "
        "run that was stopped goes on where it was: what RESULTS.jsonl holds is not measured "
        "again; "
        "a file with results of other settings is refused.\n\n"
        "ppl: perplexity over sliding windows of --text, --data or --bin, by the windows and the "
        "formula of ChunkLlama's script; of the last --stride tokens of each window alone; and the "
        "loss by position.\n\n"
        "domains: loss of held-out documents by domain, in ranges of their positions. compare: "
        "what "
        "domains wrote for several models, as differences from the first with standard errors "
        "(Table 5 of Fu et al. 2024).\n\n"
        "needle: a sentence hidden in a book of essays and a question about it, by length and "
        "depth, as "
        "Fu et al. 2024 do it (their 40 lengths and 10 depths unless given), by four scores.\n\n"
        "passkey: a number in the middle of nonsense, by length and depth, in the forms of three "
        "papers' "
        "code.\n\n"
        "ruler [TASK...]: the synthetic tasks of RULER: needles among lines, needles or essays "
        "(--haystack), variable tracking, common and frequent words. Without names, all that the "
        "data "
        "allows.\n\n"
        "mmlu DIR: the subjects in DIR/test and DIR/dev, five examples before a question, by the "
        "likelihood of the four letters.\n\n"
        "bookqa FILE, fewshot FILE..., leval FILE...: questions about books (longbook_qa_eng.jsonl "
        "of "
        "InfiniteBench), after examples (few_shot_*.jsonl of ChunkLlama), and L-Eval's "
        "coursera.jsonl, "
        "quality.jsonl, tpo.jsonl, sci_fi.jsonl, asked and scored as the authors do.\n\n"
        "score KIND FILE...: predictions that were made elsewhere, without a model. KIND is "
        "needle, "
        "passkey, ruler, bookqa, narrative_qa, qasper, quality, qmsum, leval-coursera, "
        "leval-quality, "
        "leval-tpo or leval-sci_fi; a line of FILE has prediction and answers.\n\n"
        "docs/evaluation.md says how each is measured and where its numbers come from.",
    .opts = opts,
    .examples =
        "# perplexity at three lengths\n"
        "lmeval ppl --model model --text recipes/README.md --lengths 64,128,256 --windows 4 "
        "-o ppl.jsonl\n"
        "# a sentence in a book, at two lengths and three depths\n"
        "lmeval needle --model model --haystack recipes/README.md --lengths 800,1200 --depths "
        "0,50,100 "
        "--buffer 300 "
        "-o needle.jsonl\n"
        "# held-out documents as the model reads them\n"
        "lmtok -m model/tokenizer.model corpus/train-00002.jsonl -o held-out.lmt\n"
        "# their loss by domain, two documents of each; and the same with another attention\n"
        "lmeval domains --model model --data held-out.lmt --documents 2 --ranges 64,256 --at 256 "
        "-o "
        "a.jsonl\n"
        "lmeval domains --model model --data held-out.lmt --documents 2 --ranges 64,256 --at 256 "
        "--attention dca:12,4 -o b.jsonl\n"
        "# what that changed\n"
        "lmeval compare a.jsonl b.jsonl\n"
        "# what two of RULER's tasks ask at 1024 tokens\n"
        "lmeval ruler niah_single_1 fwe --model model --lengths 1024 --samples 1 --print-prompts\n"
        "# predictions from elsewhere\n"
        "echo '{\"prediction\": \"John Smith.\", \"answers\": [\"John Smith\"]}' | "
        "lmeval score bookqa -\n",
    .see = "lmgen(1), lmplot(1), lmtrain(1)",
    .run = run,
};

int main(int argc, char **argv)
{
    o = eval_defaults;
    return cli_main(argc, argv, &tool);
}
