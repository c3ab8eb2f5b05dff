/* lmtok.c -- JSONL to a token store, or to the same stream on standard output. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli_inputs.h"
#include "longmix/tokenize.h"

enum { UNKNOWN_TABLE, UNKNOWN_KEEP, UNKNOWN_STOP };
enum { SPECIAL_KEEP, SPECIAL_PARSE };
enum { LARGE_BYTES = 12 << 20 }; /* more than the window of one zstd file */

static cli_inputs inputs;
static const char *model, *pattern, *output = "-", *bad_lines = "stop", *bad_files = "stop";
static bool bos = true, eos, force, reference;
static int unknown = UNKNOWN_TABLE, special, threads;
static uint64_t check_every = 10000;
static cli_part part;
static cli_list operands;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &operands, "FILE", CLI_INPUTS_HELP },
    { CLI_STR, "model", 'm', &model, "MODEL",
      "The tokenizer: a SentencePiece model, a tokenizer.json, a tiktoken rank file, a "
      "tekken.json, "
      "or a directory that holds one of them. Needed." },
    CLI_PATTERN_OPTION(pattern),
    { CLI_STR, "output", 'o', &output, "STORE",
      "Write a store to STORE (STORE.partial until it is complete). Run again with the same "
      "arguments after an interruption, lmtok resumes from STORE.partial; the result is "
      "byte-identical. Without -o the same stream is written to standard output." },
    CLI_INPUTS_OPTIONS(inputs),
    { CLI_CHOICE, "unknown", 0, &unknown, "table|keep|stop",
      "How to treat a document that no rule matches: keep tags it \"unknown\", stop makes it a "
      "bad line, table does what the table says (the default; the built-in one keeps)." },
    { CLI_SWITCH, "bos", 0, &bos, NULL,
      "Put the model's BOS id before every document, as LLaMA does (the default)." },
    { CLI_SWITCH, "eos", 0, &eos, NULL, "Put the model's EOS id after every document." },
    { CLI_CHOICE, "special-text", 0, &special, "keep|parse",
      "How to treat text that spells a special token (\"<|endoftext|>\"): keep encodes it like any "
      "other text (the default); parse makes the token's id of it. The store records parse." },
    { CLI_THREADS, "threads", 'j', &threads, "N",
      "Threads (all cores). The output does not depend on them.", 0, 4096 },
    { CLI_PART, "part", 0, &part, "k/K",
      "Only the k-th of K parts of the files, counted from 1. STORE is then a directory that "
      "the K runs share; it is a store when all have finished. Parts are ranges of the list of "
      "files, about equal on disk." },
    { CLI_STR, "bad-lines", 0, &bad_lines, "stop|quarantine:FILE",
      "How to treat an invalid line: stop (the default) ends the run; quarantine "
      "writes it as it is to FILE (with --part: FILE.part-00001-of-00003), counts it, and "
      "continues. FILE is renamed into place when it is complete, and must not exist before." },
    { CLI_STR, "bad-files", 0, &bad_files, "stop|quarantine:LIST",
      "How to treat a file that cannot be read to its end (truncated, damaged, of another format), "
      "or "
      "of which no line is a document: stop (the default) ends the run; quarantine uses nothing of "
      "it, writes a JSON line with its name, byte and reason to LIST (with --part: "
      "LIST.part-00001-of-00003), counts it, and continues. A later run may leave such files "
      "out." },
    { CLI_FLAG, "force", 0, &force, NULL,
      "Start again: overwrite STORE, STORE.partial, and the files of --bad-lines and "
      "--bad-files." },
    { CLI_FLAG, "reference", 0, &reference, NULL,
      "Encode without the fast path: with SentencePiece itself or, for other kinds, with the "
      "simplest code (slow)." },
    { CLI_SIZE, "check-every", 0, &check_every, "N",
      "Encode one in N documents (10,000), chosen by key, with --reference too, and fail on a "
      "difference. 0 checks none. Texts over 64 KiB are not chosen." },
    { .kind = CLI_END },
};

static const char *file_name(const lm_files *files, size_t i)
{
    return strcmp(files->path[i], "-") ? files->path[i] : "stdin";
}

static void report(const lm_tokenize_sums *s, const lm_files *files, double seconds)
{
    if (s->already) {
        cli_note("%s: already complete", output);
        return;
    }
    if (s->resumed) cli_verbose("%s documents are from an earlier run", cli_count(s->resumed));
    cli_verbose("%s documents, %s tokens, %s files; %.1f MB of text, %.1f MB/s",
                cli_count(s->documents), cli_count(s->tokens), cli_count(s->files),
                (double)s->text_bytes / 1e6, (double)s->text_bytes / 1e6 / seconds);
    cli_verbose("thread seconds: %.2f reading and decompressing, %.2f JSON, tokens and hashes, "
                "%.2f writing, %.2f waiting for other threads",
                s->reading, s->working, s->writing, s->waiting);
    if (check_every && s->checked)
        cli_verbose("%s documents agree with the reference", cli_count(s->checked));
    if (s->unknown)
        cli_note("documents of no known domain, kept as \"unknown\": %s; the first is %s:%" PRIu64,
                 cli_count(s->unknown), file_name(files, s->unknown_file), s->unknown_line);
    if (s->bad_files)
        cli_note("files quarantined: %s; the first is %s", cli_count(s->bad_files),
                 s->first_bad_file);
    if (s->repaired)
        cli_note("documents with characters or numbers replaced: %s", cli_count(s->repaired));
    if (s->bad_lines)
        cli_note("bad lines quarantined: %s; the first is %s:%" PRIu64, cli_count(s->bad_lines),
                 file_name(files, s->bad_file), s->bad_line);
}

/* An error's message with what can be done about it. */
static int add_advice(int rc, bool begun)
{
    char message[1024];
    bool stored = strcmp(output, "-") != 0, advised = strstr(lm_err(), "--force");
    bool in_the_way = rc == LM_EDATA || strstr(lm_err(), "was started with other");
    snprintf(message, sizeof message, "%s", lm_err());
    if (stored && begun && !advised)
        return lm_fail(rc, "%s (the same command resumes from here)", message);
    if (stored && in_the_way && !advised) return lm_fail(rc, "%s (--force overwrites it)", message);
    return rc;
}

static int tokenize(lm_tokenize_options *o, const lm_files *files)
{
    lm_tokenize_sums sums;
    double started = lm_seconds();
    const char *slow = lm_tokenizer_slow_reason(o->tokenizer);
    const char *split = lm_tokenizer_pattern(o->tokenizer);
    cli_verbose("%s: %s, %s ids%s%s", o->model, lm_tokenizer_format(o->tokenizer),
                cli_count(lm_tokenizer_vocab(o->tokenizer)), split ? ", pattern " : "",
                split ? split : "");
    if (slow && !reference) cli_verbose("%s: slowly: %s", o->model, slow);
    if (bos && lm_tokenizer_bos(o->tokenizer) < 0)
        cli_verbose("%s: the tokenizer has no BOS; none is added", o->model);
    if (eos && lm_tokenizer_eos(o->tokenizer) < 0)
        cli_warn("%s: the tokenizer has no EOS; none is added", o->model);
    int rc = lm_tokenize(o, files, output, &sums);
    if (rc) return add_advice(rc, sums.begun);
    report(&sums, files, lm_seconds() - started);
    return LM_OK;
}

/* The file of "quarantine:FILE", NULL for "stop". False if it is neither. */
static bool quarantine_of(const char *value, const char **file)
{
    static const char quarantine[] = "quarantine:";
    size_t k = sizeof quarantine - 1;
    *file = !strncmp(value, quarantine, k) && value[k] ? value + k : NULL;
    return *file || !strcmp(value, "stop");
}

static int run(void)
{
    const char *lines_to = NULL, *files_to = NULL;
    if (!model) return cli_usage("-m MODEL is needed");
    if (!quarantine_of(bad_lines, &lines_to))
        return cli_usage("--bad-lines %s: not stop or quarantine:FILE", bad_lines);
    if (!quarantine_of(bad_files, &files_to))
        return cli_usage("--bad-files %s: not stop or quarantine:LIST", bad_files);
    if (!strcmp(output, "-") && isatty(STDOUT_FILENO))
        return cli_usage(
            "standard output is a terminal: use -o STORE, or pipe it into another program");
    if (operands.n == 0 && isatty(STDIN_FILENO))
        return cli_usage("standard input is a terminal: name files");

    /* Keep memory that each chunk and file needs again; return that of large documents. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);

    lm_tokenizer *tokenizer = NULL;
    lm_domains *domains = NULL;
    lm_files files = { 0 };
    lm_schema schema;
    int rc = cli_inputs_open(&domains, &schema, &inputs);
    if (!rc && unknown != UNKNOWN_TABLE) lm_domains_on_unknown(domains, unknown == UNKNOWN_STOP);
    if (!rc) rc = lm_files_expand(&files, operands.v, operands.n, &schema);
    if (!rc) cli_inputs_report(&files);
    if (!rc)
        rc = lm_tokenizer_open(&tokenizer, model, pattern, reference ? LM_TOKENIZER_REFERENCE : 0);
    if (!rc) {
        lm_tokenize_options o = {
            .tokenizer = tokenizer,
            .model = lm_tokenizer_path(tokenizer),
            .domains = domains,
            .replace = schema.replace,
            .bos = bos,
            .eos = eos,
            .parse_special = special == SPECIAL_PARSE,
            .threads = threads,
            .part = part.k,
            .parts = part.n,
            .force = force,
            .table = inputs.table,
            .quarantine = lines_to,
            .bad_files = files_to,
            .check_every = check_every,
            .progress = cli_progress("documents", 0),
        };
        rc = tokenize(&o, &files);
    }
    lm_files_free(&files);
    lm_domains_free(domains);
    lm_tokenizer_free(tokenizer);
    return rc;
}

int main(int argc, char **argv)
{
    static const cli_tool tool = {
        .name = "lmtok",
        .summary = "JSONL documents to a token store",
        .about =
            "Reads JSONL documents (one JSON object per line, with a string member \"text\" or "
            "--text-key), finds the source domain of each, and tokenizes it exactly as "
            "the library of the tokenizer's family does. The output is a token store: records, an "
            "index, an end "
            "marker (docs/format-store.md). lmhist, lmplan and lmmix read it.\n\n"
            "Documents are stored in the order of the files and lines. A document's key is the "
            "XXH3-64 of its text. docs/jsonl.md defines what is accepted; an invalid line is "
            "reported with its file, line and byte, and ends the run, unless --bad-lines "
            "quarantines it. A store is renamed into place when it is complete.",
        .opts = opts,
        .examples =
            "# a store of a corpus\n"
            "lmtok -m tokenizer.model -o store.lmt corpus\n"
            "# in three parts, which may run on three machines; parts is then a store\n"
            "for k in 1 2 3; do lmtok -m tokenizer.model -o parts --part $k/3 corpus; done\n"
            "# count the documents without a store\n"
            "lmtok -m tokenizer.model corpus | lmhist\n"
            "# quarantine bad lines\n"
            "lmtok -m tokenizer.model --bad-lines quarantine:bad.jsonl -o checked.lmt corpus\n",
        .see = "lmtag(1), lmhist(1), lmplan(1), lmmix(1), lmcheck(1), lmcat(1)",
        .run = run,
    };
    return cli_main(argc, argv, &tool);
}
