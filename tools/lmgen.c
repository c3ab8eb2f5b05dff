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

enum { READ_SIZE = 1 << 20, PREFILL = 4096 };

static model_options model;
static cli_list prompt;
static const char *file;
static uint64_t tokens = 256, length, top_k, seed;
static double temperature, top_p = 1;
static bool bos = true, logprobs;

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
    { CLI_SWITCH, "bos", 0, &bos, NULL, "Put the tokenizer's BOS before the prompt (yes)." },
    { CLI_FLAG, "logprobs", 0, &logprobs, NULL,
      "Write a JSON line per token instead of text: id, piece, logprob." },
    { .kind = CLI_END },
};

/* ---- output ---------------------------------------------------------------------------- */

/* Writes complete characters only: bytes of an incomplete one wait for the next byte piece. */
typedef struct writer {
    const lm_tokenizer *t;
    unsigned char bytes[4];
    size_t n;
    bool begins; /* the next token is the first */
    lm_buf one, two;
} writer;

/* The value of a byte piece, "<0x0A>", or -1. */
static int byte_of(const char *piece)
{
    char *end = NULL;
    if (!piece || strlen(piece) != 6 || strncmp(piece, "<0x", 3) || piece[5] != '>') return -1;
    long v = strtol(piece + 3, &end, 16);
    return end == piece + 5 ? (int)v : -1;
}

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
    while (w->n && (all || !unfinished(w->bytes, w->n))) {
        size_t k = lm_utf8_decode(w->bytes, w->n, &c);
        int rc = k ? cli_write(w->bytes, k) : cli_write(LM_UTF8_REPLACEMENT, 3);
        if (rc) return rc;
        if (!k) k = 1;
        memmove(w->bytes, w->bytes + k, w->n -= k);
    }
    return LM_OK;
}

static int write_token(writer *w, int32_t id)
{
    int byte = byte_of(lm_tokenizer_piece(w->t, (uint32_t)id));
    if (byte >= 0) {
        w->begins = false;
        w->bytes[w->n++] = (unsigned char)byte;
        return drain(w, false);
    }
    /* Decode drops the space before a text's first piece. So the piece is decoded twice in a row:
     * what the second one adds is its text inside a text. */
    unsigned char twice[8];
    unsigned width = lm_tokenizer_width(w->t);
    lm_ids_narrow(twice, (const int32_t[]){ id, id }, 2, width);
    lm_buf_reset(&w->one, 0);
    lm_buf_reset(&w->two, 0);
    int rc = drain(w, true);
    if (!rc) rc = lm_decode(w->t, twice, 1, &w->one);
    if (!rc) rc = lm_decode(w->t, twice, 2, &w->two);
    if (rc) return rc;
    if (w->begins) rc = cli_write(w->one.data, w->one.size);
    else rc = cli_write(w->two.data + w->one.size, w->two.size - w->one.size);
    w->begins = false;
    return rc;
}

static int write_line(const writer *w, int32_t id, const float *logits, size_t vocab)
{
    const char *piece = lm_tokenizer_piece(w->t, (uint32_t)id);
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "id", (uint64_t)id);
    lm_json_set_str(o, "piece", piece ? piece : "");
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

/* Generate until a token ends the text; *made counts the tokens. */
static int generate(model_run *r, writer *w, float *logits, tr_candidate *scratch, uint64_t *made)
{
    const lm_tokenizer *t = tr_text_tokenizer(r->text);
    size_t vocab = lm_tokenizer_vocab(t);
    tr_sampling how = { temperature, (size_t)top_k, top_p, seed };
    for (*made = 0; *made < tokens; ++*made) {
        if (lm_check_interrupt()) return LM_EINTR;
        int32_t id = tr_sample(&how, logits, vocab, *made, scratch);
        if (id < 0) return id;
        /* BOS starts another text. */
        if (id == lm_tokenizer_eos(t) || id == lm_tokenizer_bos(t)) break;
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
    writer w = { .t = tr_text_tokenizer(r->text),
                 .begins = begins,
                 .one = LM_BUF_INIT(1 << 16),
                 .two = LM_BUF_INIT(1 << 16) };
    float *logits = malloc(c->vocab * sizeof *logits);
    tr_candidate *scratch = malloc(c->vocab * sizeof *scratch);
    uint64_t made = 0;
    int rc = logits && scratch ? LM_OK : lm_fail_nomem(c->vocab * sizeof *scratch);
    double start = lm_seconds();
    if (!rc) rc = prefill(r->infer, ids, n, logits);
    if (!rc) {
        double read = lm_seconds();
        rc = generate(r, &w, logits, scratch, &made);
        if (isatty(1) && !logprobs) cli_print("\n");
        say_speed(n, read - start, made, lm_seconds() - read);
    }
    free(logits);
    free(scratch);
    lm_buf_free(&w.one);
    lm_buf_free(&w.two);
    return rc;
}

static int run(void)
{
    model_run r = { 0 };
    lm_buf text = LM_BUF_INIT((size_t)1 << 30);
    lm_ids ids = { 0 };
    int rc = model_open_tokenizer(&r, &model);
    if (!rc) rc = read_prompt(&text);
    if (!rc) rc = tr_text_encode(r.text, (const char *)text.data, text.size, bos, &ids);
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
        rc = go(&r, ids.v, ids.n, text.size == 0);
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
        "to standard output as it is generated, until the model ends the text (EOS, or BOS, which "
        "starts another) or --tokens are generated. Only complete characters are written. On a "
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
