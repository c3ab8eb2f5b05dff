/* lmtag.c -- JSONL in, JSONL out: each document with the name of its domain. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "cli_inputs.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "lib/io/output.h"
#include "longmix/zio.h"

enum { UNKNOWN_TABLE, UNKNOWN_KEEP, UNKNOWN_STOP };
enum { ZSTD_LEVEL = 3, KEEP_BYTES = 4 * 1024 * 1024 };

static cli_inputs inputs;
static const char *only, *bad_lines = "stop", *out_path = "-";
static int unknown = UNKNOWN_TABLE, threads;
static cli_list operands;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &operands, "FILE", CLI_INPUTS_HELP },
    CLI_INPUTS_OPTIONS(inputs),
    { CLI_STR, "only", 0, &only, "LIST",
      "Keep only documents of these domains (names, separated by commas)." },
    { CLI_CHOICE, "unknown", 0, &unknown, "table|keep|stop",
      "How to treat a document that no rule matches: keep tags it \"unknown\", stop makes it a "
      "bad line, table does what the table says (the default; the built-in one keeps)." },
    { CLI_STR, "bad-lines", 0, &bad_lines, "stop|quarantine:FILE",
      "How to treat an invalid line: stop (the default) ends the run; quarantine "
      "writes it as it is to FILE, reports position and reason, and continues. FILE is renamed "
      "into "
      "place when it is complete, and must not exist before." },
    { CLI_STR, "output", 'o', &out_path, "FILE",
      "Write to FILE, compressed if its name ends in .zst. It is renamed into place when it is "
      "complete." },
    { CLI_THREADS, "threads", 'j', &threads, "N", "Threads. The output does not depend on them.", 0,
      4096 },
    { .kind = CLI_END },
};

static lm_domains *domains;
static lm_schema schema;
static bool *wanted;             /* by domain */
static lm_out *out, *quarantine; /* NULL if bad lines stop the run */
static lm_progress *progress;

/* The inputs, under the lock of `turns`. */
static lm_turns *turns;
static lm_files files;
static size_t next_file;
static lm_chunker *chunker; /* of file next_file - 1 */
static bool ended;

/* Counts of a thread. */
typedef struct tally {
    uint64_t parsed; /* lines that are documents, whatever their domain */
    uint64_t documents, bad, written, repaired;
    uint64_t by_domain[LM_DOMAINS_MAX];
} tally;
static tally *tallies;

/* One thread's chunk and its results. */
typedef struct job {
    lm_chunk chunk;
    size_t file;        /* its number */
    uint64_t raw_bytes; /* of the input, read since the last chunk */
    lm_line_parser *parser;
    lm_buf out, bad, notes; /* lines; refused lines; a message for each, NUL-ended */
    tally *count;
} job;

/* Under the lock: the next chunk of the inputs; 0 when there is none. */
static int next_chunk(job *j)
{
    int rc = 0;
    while (!ended && !rc) {
        if (!chunker) {
            lm_in *in = NULL;
            if (next_file == files.n) break;
            rc = lm_in_open(&in, files.path[next_file]);
            if (!rc) rc = lm_chunker_new(&chunker, in);
            if (rc) break;
            next_file++;
        }
        lm_in *in = lm_chunker_in(chunker);
        uint64_t before = lm_in_raw_offset(in);
        rc = lm_chunker_next(chunker, &j->chunk);
        j->raw_bytes = lm_in_raw_offset(in) - before;
        j->file = next_file - 1;
        if (rc == 0) {
            lm_chunker_free(chunker);
            chunker = NULL;
        }
    }
    if (rc <= 0) ended = true;
    return rc;
}

/* A file, as messages name it. */
static const char *file_name(size_t i)
{
    return strcmp(files.path[i], "-") ? files.path[i] : "stdin";
}

/* A line that is no document: lm_err() is the reason. */
static int refuse(job *j, const char *s, size_t n, uint64_t line, uint64_t offset)
{
    int rc = lm_line_error(file_name(j->file), line, offset, lm_err());
    if (!quarantine) return rc;
    j->count->bad++;
    rc = lm_buf_add(&j->notes, lm_err(), strlen(lm_err()) + 1);
    return rc ? rc : lm_buf_add(&j->bad, s, n + 1); /* with its LF */
}

static int end_line(job *j, const char *s, size_t n)
{
    int rc = lm_buf_add(&j->out, s, n);
    return rc ? rc : lm_buf_add(&j->out, "\n", 1);
}

/* Append the n bytes at `s`, an accepted line, with its domain named, and an LF. */
static int write_line(job *j, const char *s, size_t n, size_t id)
{
    const char *name = lm_domains_name(domains, id), *value;
    size_t k = strlen(name), size;
    if (!lm_line_member(s, n, "domain", &value, &size)) {
        const char *after = memchr(s, '{', n);
        size_t head = (size_t)(after + 1 - s);
        int rc = lm_buf_add(&j->out, s, head);
        if (!rc) rc = lm_buf_printf(&j->out, "\"domain\":\"%s\",", name);
        return rc ? rc : end_line(j, s + head, n - head);
    }
    /* Its own domain stays if no rule gives a better one. */
    bool same = size == k + 2 && !memcmp(value + 1, name, k);
    if (same || id + 1 == lm_domains_count(domains)) return end_line(j, s, n);
    size_t head = (size_t)(value - s), rest = head + size;
    int rc = lm_buf_add(&j->out, s, head);
    if (!rc) rc = lm_buf_printf(&j->out, "\"%s\"", name);
    return rc ? rc : end_line(j, s + rest, n - rest);
}

static int tag_line(job *j, const char *s, size_t n, uint64_t line, uint64_t offset)
{
    lm_line doc;
    size_t fault = 0;
    int rc = lm_line_parse(j->parser, s, n, &doc, &fault);
    if (rc == 0) return LM_OK;
    j->count->parsed += rc > 0;
    int id = rc < 0 ? rc
                    : lm_domains_tag(domains, doc.label, doc.labels, files.full[j->file],
                                     files.top[j->file]);
    if (id == LM_EDATA) return refuse(j, s, n, line, offset + fault);
    if (id < 0) return id;
    j->count->documents++;
    j->count->repaired += doc.repaired.s != NULL;
    j->count->by_domain[id]++;
    if (!wanted[id]) return LM_OK;
    j->count->written++;
    return write_line(j, doc.repaired.s ? doc.repaired.s : s, doc.repaired.s ? doc.repaired.n : n,
                      (size_t)id);
}

static int tag_chunk(job *j)
{
    const char *s = (const char *)j->chunk.bytes.data, *end = s + j->chunk.bytes.size;
    uint64_t line = j->chunk.line, offset = j->chunk.offset;
    j->out.max = j->bad.max = 2 * LM_LINE_MAX;
    j->notes.max = LM_LINE_MAX;
    lm_buf_reset(&j->out, KEEP_BYTES);
    lm_buf_reset(&j->bad, KEEP_BYTES);
    lm_buf_reset(&j->notes, KEEP_BYTES);
    int rc = LM_OK;
    while (!rc && s < end) {
        size_t n = (size_t)((const char *)memchr(s, '\n', (size_t)(end - s)) - s);
        rc = tag_line(j, s, n, line, offset);
        s += n + 1;
        offset += n + 1;
        line++;
    }
    lm_line_parser_trim(j->parser);
    return rc;
}

/* Of the file whose lines are being written, in the order of the input. */
static struct {
    size_t file;
    uint64_t parsed, bad;
} current;

/* A file of bad lines only is no JSON lines: to pass over it would be to lose it. */
static int end_file(void)
{
    if (current.bad && !current.parsed)
        return lm_fail(LM_EDATA, "%s: no line is a document, and %s are invalid",
                       file_name(current.file), cli_count(current.bad));
    return LM_OK;
}

/* `before`: the counts without this chunk. */
static int count_chunk(const job *j, const tally *before)
{
    int rc = j->file == current.file ? LM_OK : end_file();
    if (j->file != current.file) {
        current.file = j->file;
        current.parsed = current.bad = 0;
    }
    current.parsed += j->count->parsed - before->parsed;
    current.bad += j->count->bad - before->bad;
    return rc;
}

/* In order: report, quarantine, write. */
static int hand_on(job *j, const tally *before)
{
    for (size_t i = 0; i < j->notes.size; i += strlen((char *)j->notes.data + i) + 1)
        cli_warn("%s", (char *)j->notes.data + i);
    int rc = count_chunk(j, before);
    if (!rc && quarantine) rc = lm_out_write(quarantine, j->bad.data, j->bad.size);
    if (!rc) rc = lm_out_write(out, j->out.data, j->out.size);
    lm_progress_text(progress, j->chunk.bytes.size);
    lm_progress_add(progress, j->raw_bytes, j->count->documents - before->documents);
    return rc;
}

static int work(void *arg, int t)
{
    (void)arg;
    job j = { .count = &tallies[t] };
    int rc = lm_line_parser_new(&j.parser, &schema);
    while (!rc) {
        tally before = *j.count;
        lm_turns_enter(turns);
        int got = next_chunk(&j);
        if (got == 0) {
            lm_turns_leave(turns);
            break;
        }
        /* An error also waits for its turn: the first one in the input is reported. */
        uint64_t ticket = lm_turns_claim(turns);
        rc = got < 0 ? got : tag_chunk(&j);
        if (!lm_turns_wait(turns, ticket)) {
            rc = LM_OK; /* another thread reports the error */
            break;
        }
        if (!rc) rc = hand_on(&j, &before);
        if (rc) break;
        lm_turns_done(turns, ticket);
    }
    if (rc) lm_turns_stop(turns);
    lm_line_parser_free(j.parser);
    lm_buf_free(&j.chunk.bytes);
    lm_buf_free(&j.out);
    lm_buf_free(&j.bad);
    lm_buf_free(&j.notes);
    return rc;
}

/* ---- set-up and report ------------------------------------------------------------------- */

static int choose_domains(void)
{
    size_t n = lm_domains_count(domains);
    wanted = calloc(n, sizeof *wanted);
    if (!wanted) return lm_fail_nomem(n);
    if (!only) {
        memset(wanted, true, n);
        return LM_OK;
    }
    for (const char *s = only;; s++) {
        size_t k = strcspn(s, ",");
        int id = lm_domains_find(domains, s, k);
        if (id < 0) return cli_usage("--only: no domain is named \"%.*s\"", (int)k, s);
        wanted[id] = true;
        s += k;
        if (!*s) return LM_OK;
    }
}

/* Another file that is there holds someone's lines: those of an earlier run, notes, an input. */
static int open_quarantine(const char *path)
{
    struct stat st;
    if (!stat(path, &st) && S_ISREG(st.st_mode))
        return lm_fail(
            LM_EUSAGE,
            "%s: exists already, and this run did not write it; remove it, or name another file",
            path);
    int rc = lm_output_refuse_input(path, (const char *const *)files.path, files.n);
    return rc ? rc : lm_out_open(&quarantine, path, LM_OUT_PLAIN, 0);
}

static int open_outputs(void)
{
    static const char prefix[] = "quarantine:";
    size_t k = sizeof prefix - 1;
    bool zst = lm_has_suffix(out_path, ".zst");
    int rc = lm_output_refuse_input(out_path, (const char *const *)files.path, files.n);
    if (rc) return rc;
    if (!strncmp(bad_lines, prefix, k) && bad_lines[k]) {
        rc = open_quarantine(bad_lines + k);
        if (rc) return rc;
    } else if (strcmp(bad_lines, "stop")) {
        return cli_usage("--bad-lines %s: not stop or quarantine:FILE", bad_lines);
    }
    return lm_out_open(&out, out_path, zst ? LM_OUT_ZSTD : LM_OUT_PLAIN, ZSTD_LEVEL);
}

/* Bytes on disk, for the progress line; 0 where an input is a pipe. */
static uint64_t input_bytes(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < files.n; i++) {
        struct stat st;
        if (stat(files.path[i], &st) || !S_ISREG(st.st_mode)) return 0;
        sum += (uint64_t)st.st_size;
    }
    return sum;
}

static void report(void)
{
    tally all = { 0 };
    size_t n = lm_domains_count(domains);
    for (int t = 0; t < threads; t++) {
        all.documents += tallies[t].documents;
        all.written += tallies[t].written;
        all.bad += tallies[t].bad;
        all.repaired += tallies[t].repaired;
        for (size_t i = 0; i < n; i++) all.by_domain[i] += tallies[t].by_domain[i];
    }
    for (size_t i = 0; i < n; i++)
        if (all.by_domain[i])
            cli_verbose("%-16s %15s", lm_domains_name(domains, i), cli_count(all.by_domain[i]));
    cli_verbose("documents read: %s, written: %s", cli_count(all.documents),
                cli_count(all.written));
    if (all.by_domain[n - 1])
        cli_note("documents of no known domain: %s", cli_count(all.by_domain[n - 1]));
    if (all.repaired)
        cli_note("documents with characters or numbers replaced: %s", cli_count(all.repaired));
    if (all.bad) cli_note("bad lines quarantined: %s", cli_count(all.bad));
}

static int run(void)
{
    int rc = cli_inputs_open(&domains, &schema, &inputs);
    if (!rc) rc = choose_domains();
    if (!rc) rc = lm_files_expand(&files, operands.v, operands.n, &schema);
    if (!rc) cli_inputs_report(&files);
    if (!rc) rc = open_outputs();
    if (!rc) rc = lm_turns_new(&turns);
    if (rc) goto out;
    if (unknown != UNKNOWN_TABLE) lm_domains_on_unknown(domains, unknown == UNKNOWN_STOP);
    tallies = calloc((size_t)threads, sizeof *tallies);
    if (!tallies) {
        rc = lm_fail_nomem((size_t)threads * sizeof *tallies);
        goto out;
    }
    progress = cli_progress("documents", input_bytes());
    rc = lm_parallel(threads, work, NULL);
    if (!rc) rc = end_file();
    if (!rc && quarantine) {
        rc = lm_out_commit(quarantine);
        quarantine = NULL;
    }
    if (!rc) {
        rc = lm_out_commit(out);
        out = NULL;
    }
    if (!rc) report();
out:
    lm_out_abandon(quarantine);
    lm_out_abandon(out);
    lm_chunker_free(chunker);
    lm_files_free(&files);
    lm_turns_free(turns);
    lm_domains_free(domains);
    free(tallies);
    free(wanted);
    return rc;
}

int main(int argc, char **argv)
{
    static const cli_tool tool = {
        .name = "lmtag",
        .summary = "write the domain of each document into JSONL",
        .about =
            "Reads JSONL documents (one JSON object per line, with a string member \"text\" or "
            "--text-key) and "
            "writes them with the member \"domain\", the name of their source. Every other "
            "byte of a line is kept. A line that already names its domain is not changed.\n\n"
            "The domain is found by a label in the document (\"domain\", or SlimPajama's "
            "\"meta.redpajama_set_name\"), else by the name of the file. docs/domains.md has "
            "the rules, docs/jsonl.md defines what is accepted.",
        .opts = opts,
        .examples = "# name the domains of a corpus and keep the long sources\n"
                    "lmtag --only ArXiv,Book corpus > long.jsonl\n"
                    "# one set, compressed; -v counts documents by domain\n"
                    "lmtag -v --only C4 -o c4.jsonl.zst corpus\n"
                    "# a table that comes with longmix\n"
                    "lmtag -d slimpajama corpus > again.jsonl\n"
                    "# quarantine broken lines\n"
                    "lmtag --bad-lines quarantine:bad.txt corpus > tagged.jsonl\n",
        .see = "lmtok(1), lmhist(1)",
        .run = run,
    };
    return cli_main(argc, argv, &tool);
}
