/* lmgen.c -- text generation. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "longmix/json.h"
#include "lib/base/threads.h"
#include "lib/base/text.h"
#include "lib/tokenizer/plain.h"
#include "longmix/zio.h"
#include "model_options.h"
#include "train/infer/sample.h"
#include "train/infer/stops.h"

enum { SPECIAL_PARSE, SPECIAL_KEEP };
enum { READ_SIZE = 1 << 20, PREFILL = 4096 };

static model_options model;
static cli_list prompt;
static const char *file;
static uint64_t tokens = 256, length, top_k, seed;
static double temperature, top_p = 1;
static bool bos = true, logprobs, with_ids;
static int special;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &prompt, "PROMPT",
      "The prompt; without it and --file, standard input is read." },
    MODEL_OPTIONS(model),
    { CLI_STR, "file", 'f', &file, "FILE",
      "Read the prompt from a whole file (plain, .zst or .gz)." },
    { CLI_SIZE, "tokens", 'n', &tokens, "N", "Generate at most N tokens (256)." },
    { CLI_SIZE, "length", 'L', &length, "N",
      "Context length to allocate (prompt plus --tokens). Dynamic scaling and mscale depend on "
      "it." },
    { CLI_REAL, "temperature", 't', &temperature, "X",
      "Sampling temperature; 0: greedy decoding (argmax, ties to the lowest id) (0).", 0, 1e6 },
    { CLI_SIZE, "top-k", 0, &top_k, "N", "Sample from the N most probable tokens only (all)." },
    { CLI_REAL, "top-p", 0, &top_p, "X",
      "Sample from the smallest set of most probable tokens that reaches the probability X (1).", 0,
      1 },
    { CLI_SIZE, "seed", 's', &seed, "N", "Random seed of sampling (0)." },
    { CLI_SWITCH, "bos", 0, &bos, NULL,
      "Put the tokenizer's BOS before the prompt, if it does not begin with it (yes)." },
    { CLI_CHOICE, "special-text", 0, &special, "parse|keep",
      "How to treat text in the prompt that spells a special token (\"<|im_start|>\"): parse makes "
      "the token's id of it (the default); keep takes it as any other text." },
    { CLI_FLAG, "ids", 0, &with_ids, NULL,
      "The prompt is a list of ids, separated by white space or commas, and ids are written. The "
      "model needs no tokenizer." },
    { CLI_FLAG, "logprobs", 0, &logprobs, NULL,
      "Write a JSON line per token instead of text: id, piece, logprob." },
    { .kind = CLI_END },
};

/* ---- output ---------------------------------------------------------------------------- */

/* Writes complete characters only: bytes of an incomplete one wait for the next token. */
typedef struct writer {
    const lm_tokenizer *t; /* NULL: ids are written */
    bool begins;           /* the next token is the first */
    lm_buf bytes;          /* not yet written */
} writer;

/* Could more bytes complete a character? */
static bool unfinished(const unsigned char *s, size_t n)
{
    size_t want = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n >= want) return false;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return false;
    return true;
}

/* Write the complete characters; invalid bytes become U+FFFD, as in SentencePiece's Decode. */
static int drain(writer *w, bool all)
{
    uint32_t c;
    size_t at = 0, n = w->bytes.size;
    const unsigned char *p = w->bytes.data;
    int rc = LM_OK;
    while (!rc && at < n && (all || !unfinished(p + at, n - at))) {
        size_t k = lm_utf8_decode(p + at, n - at, &c);
        rc = k ? cli_write(p + at, k) : cli_write(LM_UTF8_REPLACEMENT, 3);
        at += k ? k : 1;
    }
    w->bytes.size = n - at;
    if (at) memmove(w->bytes.data, p + at, n - at);
    return rc;
}

static int write_id(writer *w, int32_t id)
{
    cli_print("%s%" PRId32, w->begins ? "" : " ", id);
    w->begins = false;
    return LM_OK;
}

static int write_token(writer *w, int32_t id)
{
    size_t before = w->bytes.size;
    if (!w->t) return write_id(w, id);
    int rc = lm_tokenizer_bytes(w->t, (uint32_t)id, &w->bytes);
    /* The space before a text's first piece is not part of it, where Decode drops it. */
    if (!rc && w->begins && w->bytes.size > before && w->bytes.data[before] == ' ') {
        unsigned char raw[4];
        lm_ids_narrow(raw, &id, 1, lm_tokenizer_width(w->t));
        w->bytes.size = before;
        rc = lm_decode(w->t, raw, 1, &w->bytes);
    }
    w->begins = false;
    return rc ? rc : drain(w, false);
}

static int write_line(const writer *w, int32_t id, const float *logits, size_t vocab)
{
    const char *piece = w->t ? lm_tokenizer_piece(w->t, (uint32_t)id) : NULL;
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "id", (uint64_t)id);
    if (w->t) lm_json_set_str(o, "piece", piece ? piece : "");
    lm_json_set_f64(o, "logprob", tr_logprob(logits, vocab, id));
    int rc = cli_write_json(o, 0);
    lm_json_free(o);
    return rc;
}

/* ---- generation ------------------------------------------------------------------------ */

static int read_prompt(lm_buf *out)
{
    lm_in *in = NULL;
    if (prompt.n > 1) return cli_usage("%s: only one PROMPT is allowed; quote it", prompt.v[1]);
    if (prompt.n && file) return cli_usage("--file and PROMPT exclude each other");
    if (prompt.n) {
        int bad = lm_plain_text(prompt.v[0], strlen(prompt.v[0]), 0, "PROMPT");
        return bad ? bad : lm_buf_add(out, prompt.v[0], strlen(prompt.v[0]));
    }
    int rc = lm_in_open(&in, file ? file : "-");
    for (ssize_t got = 1; !rc && got > 0;) {
        rc = lm_buf_reserve(out, READ_SIZE);
        if (rc) break;
        got = lm_in_read(in, out->data + out->size, READ_SIZE);
        if (got < 0) rc = (int)got;
        else out->size += (size_t)got;
    }
    if (!rc) rc = lm_plain_text(out->data, out->size, 0, lm_in_name(in));
    lm_in_close(in);
    return rc;
}

/* The ids of a prompt that is a list of them. */
static int read_ids(const lm_buf *text, lm_ids *out)
{
    const char *p = (const char *)text->data, *end = p + text->size;
    while (p < end) {
        int32_t id = 0;
        const char *start = p;
        while (p < end && strchr(" \t\r\n,", *p)) p++;
        if (p == end) break;
        for (start = p; p < end && *p >= '0' && *p <= '9' && p < start + 9; p++)
            id = id * 10 + (*p - '0');
        if (p == start || (p < end && !strchr(" \t\r\n,", *p)))
            return lm_fail(LM_EDATA, "the prompt: byte %td: not an id",
                           p - (const char *)text->data);
        int rc = lm_ids_add(out, &id, 1);
        if (rc) return rc;
    }
    return LM_OK;
}

/* Evaluate the prompt, in parts so that progress can be shown. */
static int prefill(tr_infer *s, const int32_t *ids, size_t n, float *logits)
{
    lm_progress *live = cli_progress("tokens", 0);
    double started = lm_seconds();
    for (size_t at = 0, part = 0; at < n; at += part) {
        char line[120];
        part = n - at < PREFILL ? n - at : PREFILL;
        int rc = tr_infer_eval(s, ids + at, part, at + part == n ? logits : NULL, NULL, NULL);
        if (rc) return rc;
        snprintf(line, sizeof line, "prompt: %s of %s tokens, %.0f tokens/s", cli_count(at + part),
                 cli_count(n), (double)(at + part) / (lm_seconds() - started));
        if (live->show) live->show(live->arg, at + part < n ? line : "");
    }
    return LM_OK;
}

/* Does an id end the text? BOS starts another. */
static bool ends(const lm_tokenizer *t, const lm_ids *stops, int32_t id)
{
    for (size_t i = 0; i < stops->n; i++)
        if (stops->v[i] == id) return true;
    return t && (id == lm_tokenizer_eos(t) || id == lm_tokenizer_bos(t));
}

/* Generate until a token ends the text; *made counts the tokens. */
static int generate(model_run *r, writer *w, float *logits, tr_candidate *scratch,
                    const lm_ids *stops, uint64_t *made)
{
    const lm_tokenizer *t = tr_text_tokenizer(r->text);
    size_t vocab = t ? lm_tokenizer_vocab(t) : tr_infer_config(r->infer)->vocab;
    tr_sampling how = { temperature, (size_t)top_k, top_p, seed };
    for (*made = 0; *made < tokens; ++*made) {
        if (lm_check_interrupt()) return LM_EINTR;
        int32_t id = tr_sample(&how, logits, vocab, *made, scratch);
        if (id < 0) return id;
        if (ends(t, stops, id)) break;
        int rc = logprobs ? write_line(w, id, logits, vocab) : write_token(w, id);
        if (!rc) rc = cli_flush();
        if (!rc && *made + 1 < tokens) rc = tr_infer_eval(r->infer, &id, 1, logits, NULL, NULL);
        if (rc) return rc;
    }
    return drain(w, true);
}

static void say_speed(size_t read, double reading, uint64_t made, double making)
{
    char line[160];
    snprintf(line, sizeof line,
             "prompt: %s tokens, %.1f tokens/s; generated: %s tokens, %.1f tokens/s",
             cli_count(read), (double)read / reading, cli_count(made), (double)made / making);
    if (isatty(2)) cli_note("%s", line);
    else cli_verbose("%s", line);
}

static int check_length(size_t n)
{
    if (!n) return lm_fail(LM_EUSAGE, "the prompt is empty and has no BOS");
    if (tokens > INT32_MAX || n > INT32_MAX)
        return lm_fail(LM_EUSAGE, "a prompt of %zu tokens and %" PRIu64 " to generate: too many", n,
                       tokens);
    if (!length) length = n + (tokens ? tokens : 1);
    if (n + tokens > length)
        return lm_fail(LM_EUSAGE,
                       "--length %" PRIu64 ": too short for a prompt of %zu tokens and "
                       "%" PRIu64 " to generate",
                       length, n, tokens);
    return LM_OK;
}

static int go(model_run *r, const int32_t *ids, size_t n, bool begins)
{
    const tr_config *c = tr_infer_config(r->infer);
    writer w = { .t = tr_text_tokenizer(r->text), .begins = begins, .bytes = LM_BUF_INIT(1 << 20) };
    lm_ids stops = { 0 };
    float *logits = malloc(c->vocab * sizeof *logits);
    tr_candidate *scratch = malloc(c->vocab * sizeof *scratch);
    uint64_t made = 0;
    int rc = logits && scratch ? LM_OK : lm_fail_nomem(c->vocab * sizeof *scratch);
    double start = lm_seconds();
    if (!rc) rc = tr_stops_load(&stops, model.model);
    if (!rc) rc = prefill(r->infer, ids, n, logits);
    if (!rc) {
        double read = lm_seconds();
        rc = generate(r, &w, logits, scratch, &stops, &made);
        if (!logprobs && (isatty(1) || with_ids)) cli_print("\n");
        say_speed(n, read - start, made, lm_seconds() - read);
    }
    free(logits);
    free(scratch);
    lm_buf_free(&w.bytes);
    lm_ids_free(&stops);
    return rc;
}

static int run(void)
{
    model_run r = { 0 };
    lm_buf text = LM_BUF_INIT((size_t)1 << 30);
    lm_ids ids = { 0 };
    int rc = with_ids ? LM_OK : model_open_tokenizer(&r, &model);
    if (!rc && r.text) tr_text_parse_special(r.text, special == SPECIAL_PARSE);
    if (!rc) rc = read_prompt(&text);
    if (!rc && with_ids) rc = read_ids(&text, &ids);
    else if (!rc) rc = tr_text_encode(r.text, (const char *)text.data, text.size, bos, &ids);
    if (!rc) rc = check_length(ids.n);
    if (!rc) rc = model_open(&r, &model, (size_t)length);
    if (!rc) {
        const tr_config *c = tr_infer_config(r.infer);
        size_t trained = tr_config_trained(c);
        bool rope = model.attention ? *model.attention == 'r' : !c->dual.chunk;
        if (length > trained && !model.scaling && rope)
            cli_note("a context of %s tokens, longer than the %s the model was trained at; see "
                     "--attention dca",
                     cli_count(length), cli_count(trained));
        rc = go(&r, ids.v, ids.n, with_ids || text.size == 0);
    }
    model_close(&r);
    lm_buf_free(&text);
    lm_ids_free(&ids);
    return rc;
}

static const cli_tool tool = {
    .name = "lmgen",
    .summary = "generate text from a prompt",
    .about =
        "Reads a prompt (an operand, a file or standard input) and writes the model's continuation "
        "to standard output as it is generated, until the model ends the text (EOS, an "
        "eos_token_id of "
        "generation_config.json or config.json, or BOS, which starts another) or --tokens are "
        "generated. Only complete characters are written. On a "
        "terminal, or with -v, the throughput is reported at the end.\n\n"
        "Decoding is greedy (argmax, ties to the lowest id), or with --temperature by sampling, "
        "which is a function of --seed. Prompts may be longer than the model was trained at: see "
        "--attention and --rope-scaling. The prompt is evaluated in chunks; only the KV cache "
        "grows "
        "with it, and a context that does not fit in memory is refused before anything is "
        "computed.",
    .opts = opts,
    .examples =
        "# greedy decoding\n"
        "lmgen --model model -n 20 'Once upon a time'\n"
        "# three sampled tokens with their log-probabilities\n"
        "lmgen --model model -n 3 -t 0.8 --top-p 0.9 --seed 7 --logprobs 'Once upon a time'\n"
        "# a prompt from a file, longer than the trained length\n"
        "lmgen --model model --attention dca -n 20 --file recipes/README.md\n",
    .see = "lmimport(1), lmtrain(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
