/* lmcat.c -- print stores, mixtures, shards, manifests and plans. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "longmix/buf.h"
#include "lib/base/endian.h"
#include "longmix/json.h"
#include "longmix/shard.h"
#include "longmix/store.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "lib/io/output.h"
#include "lib/tokenizer/directory.h"
#include "longmix/tokenizer.h"

#define LINE_MAX_BYTES ((size_t)4 << 30)
enum layout { OURS, FU };

static uint64_t head = UINT64_MAX, from;
static bool as_json, with_ids, with_text;
static int layout;
static const char *model, *pattern;
static cli_list inputs;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &inputs, "PATH",
      "A store or mixture (.lmt, a directory of parts, or - for standard input), a shard (.lms) or "
      "a directory of them, a manifest or a plan.",
      1, 0 },
    { CLI_SIZE, "head", 'n', &head, "N", "Only the first N documents or rows." },
    { CLI_SIZE, "from", 0, &from, "N", "Start with document or row number N (0)." },
    { CLI_FLAG, "json", 0, &as_json, NULL, "One JSON object per line." },
    { CLI_FLAG, "ids", 0, &with_ids, NULL,
      "Token ids, separated by spaces, a line per document or row; with --json, in the object." },
    { CLI_FLAG, "text", 0, &with_text, NULL, "The text; needs -m. With --json, in the object." },
    { CLI_STR, "model", 'm', &model, "MODEL",
      "The tokenizer of the tokens: a file, or a directory that holds one." },
    CLI_PATTERN_OPTION(pattern),
    { CLI_CHOICE, "format", 0, &layout, "longmix|fu",
      "With --json, the fields: longmix (docs/format-shard.md), or fu, those of the data released "
      "by Fu et al. 2024: input_ids, labels, source." },
    { .kind = CLI_END },
};

static lm_tokenizer *tokenizer;
static lm_buf line = LM_BUF_INIT(LINE_MAX_BYTES), text = LM_BUF_INIT(LINE_MAX_BYTES);

/* ---- pieces of output -------------------------------------------------------------------- */

static int print_line(void)
{
    int rc = lm_buf_add(&line, "\n", 1);
    if (!rc) rc = cli_write(line.data, line.size);
    lm_buf_reset(&line, 1 << 20);
    return rc;
}

static uint32_t id_at(const void *ids, unsigned width, uint64_t i)
{
    const unsigned char *p = (const unsigned char *)ids + i * width;
    return width == 2 ? lm_le16(p) : lm_le32(p);
}

static int add_ids(const void *ids, unsigned width, uint64_t n, const char *between)
{
    int rc = LM_OK;
    for (uint64_t i = 0; i < n && !rc; i++)
        rc = lm_buf_printf(&line, "%s%" PRIu32, i ? between : "", id_at(ids, width, i));
    return rc;
}

/* A member of a JSON object: any bytes, NUL included; bytes that are not UTF-8, where a row
 * starts inside a character, become U+FFFD. */
static int add_text(const char *key, const void *s, size_t n)
{
    int rc = lm_buf_printf(&line, "\"%s\":\"", key);
    for (const unsigned char *p = s, *end = p + n; p < end && !rc;) {
        uint32_t c;
        size_t k = lm_utf8_decode(p, (size_t)(end - p), &c);
        if (k == 0) rc = lm_buf_printf(&line, "\\ufffd");
        else if (*p == '"' || *p == '\\') rc = lm_buf_printf(&line, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f) rc = lm_buf_printf(&line, "\\u%04x", *p);
        else rc = lm_buf_add(&line, p, k);
        p += k ? k : 1;
    }
    return rc ? rc : lm_buf_add(&line, "\"", 1);
}

static int add_string(const char *key, const char *s) { return add_text(key, s, strlen(s)); }

/* Decode n ids into `text`. */
static int decode(const void *ids, unsigned width, uint64_t n)
{
    unsigned wide = lm_tokenizer_width(tokenizer);
    lm_buf same = LM_BUF_INIT(LINE_MAX_BYTES);
    int rc = LM_OK;
    if (wide != width) { /* rows come 32 bits wide */
        rc = lm_buf_reserve(&same, (size_t)n * wide + 1);
        for (uint64_t i = 0; i < n && !rc; i++) {
            if (wide == 2) lm_put16(same.data + 2 * i, (uint16_t)id_at(ids, width, i));
            else lm_put32(same.data + 4 * i, id_at(ids, width, i));
        }
        ids = same.data;
    }
    if (!rc) rc = lm_decode(tokenizer, ids, (size_t)n, &text);
    lm_buf_free(&same);
    return rc;
}

/* The tokenizer in `model`; of a directory with many, the one with the hash, if one has it. */
static int open_same(lm_tokenizer **out, uint64_t hash)
{
    struct stat st;
    lm_tokenizer_files files = { 0 };
    int rc = lm_tokenizer_open(out, model, pattern, 0);
    if (rc || lm_tokenizer_hash(*out) == hash || stat(model, &st) || !S_ISDIR(st.st_mode))
        return rc;
    rc = lm_tokenizer_files_list(&files, model);
    for (size_t i = 0; !rc && i < files.n && lm_tokenizer_hash(*out) != hash; i++) {
        lm_tokenizer *other = NULL;
        if (lm_tokenizer_open(&other, files.path[i], pattern, 0)) continue;
        lm_tokenizer_free(*out);
        *out = other;
    }
    lm_tokenizer_files_free(&files);
    return rc;
}

static int open_model(uint64_t hash)
{
    if (!with_text) return LM_OK;
    int rc = open_same(&tokenizer, hash);
    if (!rc && lm_tokenizer_hash(tokenizer) != hash)
        rc = lm_fail(LM_EUSAGE,
                     "%s: the tokens were made with another tokenizer (hash %016" PRIx64 ")", model,
                     hash);
    return rc;
}

/* The i-th string of a list of the identity. */
static const char *name_at(const lm_json *list, uint64_t i)
{
    const char *s = "?";
    return lm_json_at(list, i) && !lm_json_str(&s, lm_json_at(list, i), NULL) ? s : "?";
}

/* ---- rows ---------------------------------------------------------------------------------- */

static const char *flag_text(const lm_span *s)
{
    static char words[64];
    snprintf(
        words, sizeof words, "%s%s%s", s->flags & LM_SPAN_BEGINS ? "" : ", goes on from before",
        s->flags & LM_SPAN_ENDS ? "" : ", cut here", s->flags & LM_SPAN_TRIMMED ? ", trimmed" : "");
    return words;
}

/* The name of a span's file, or its number where no name is known. */
static const char *file_name(const lm_shards *all, const lm_span *s)
{
    static char number[32];
    const char *name = lm_shards_file(all, s->file);
    if (name) return name;
    snprintf(number, sizeof number, "file %" PRIu32, s->file);
    return number;
}

static int span_json(const lm_shards *all, const lm_json *identity, const lm_span *s)
{
    int rc = lm_buf_printf(&line, "{");
    if (!rc) rc = add_string("domain", name_at(lm_json_get(identity, "domains"), s->domain));
    if (!rc) rc = lm_buf_printf(&line, ",");
    if (!rc) rc = add_string("file", file_name(all, s));
    if (!rc)
        rc = lm_buf_printf(
            &line,
            ",\"line\":%" PRIu64 ",\"key\":\"%016" PRIx64 "\",\"doc_start\":%" PRIu64
            ",\"doc_tokens\":%" PRIu64 ",\"unit_tokens\":%" PRIu64 ",\"row_start\":%" PRIu32
            ",\"tokens\":%" PRIu32 ",\"copy\":%u,\"begins\":%s,\"ends\":%s,\"trimmed\":%s}",
            s->line, s->key, s->doc_start, s->doc_tokens, s->unit_tokens, s->row_start, s->tokens,
            s->copy, s->flags & LM_SPAN_BEGINS ? "true" : "false",
            s->flags & LM_SPAN_ENDS ? "true" : "false",
            s->flags & LM_SPAN_TRIMMED ? "true" : "false");
    return rc;
}

typedef struct row {
    const lm_shards *all;
    const lm_shard *shard;
    uint64_t number, at; /* of all rows, and in its shard */
    const uint32_t *ids;
    const lm_span *spans;
    size_t n;
    uint64_t tokens, fill; /* of the row, and not padding */
} row;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The text of each span, one after the other. */
static int row_text(const row *r)
{
    int rc = LM_OK;
    lm_buf_reset(&text, 1 << 20);
    for (size_t i = 0; i < r->n && !rc; i++) {
        if (i) rc = lm_buf_add(&text, "\n", 1);
        if (!rc) rc = decode(r->ids + r->spans[i].row_start, 4, r->spans[i].tokens);
    }
    return rc;
}

static int row_json(const row *r)
{
    const lm_json *identity = lm_shard_identity(r->shard);
    int rc = lm_buf_printf(&line, "{\"row\":%" PRIu64 ",", r->number);
    if (!rc) rc = add_string("shard", base_name(lm_shard_name(r->shard)));
    if (!rc)
        rc = lm_buf_printf(&line,
                           ",\"shard_row\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"padding\":%" PRIu64
                           ",\"spans\":[",
                           r->at, r->tokens, r->tokens - r->fill);
    for (size_t i = 0; i < r->n && !rc; i++) {
        if (i) rc = lm_buf_add(&line, ",", 1);
        if (!rc) rc = span_json(r->all, identity, &r->spans[i]);
    }
    if (!rc) rc = lm_buf_printf(&line, "]");
    if (!rc && with_ids) {
        rc = lm_buf_printf(&line, ",\"ids\":[");
        if (!rc) rc = add_ids(r->ids, 4, r->tokens, ",");
        if (!rc) rc = lm_buf_printf(&line, "]");
    }
    if (!rc && with_text) {
        rc = row_text(r);
        if (!rc) rc = lm_buf_printf(&line, ",");
        if (!rc) rc = add_text("text", text.data, text.size);
    }
    return rc ? rc : lm_buf_printf(&line, "}");
}

/* The fields of the released data: a sequence, the token after it (in rows with labels), and the
 * range of each document. */
static int row_fu(const row *r)
{
    bool labels = lm_shard_labels(r->shard);
    uint64_t length = r->tokens - labels;
    const lm_json *domains = lm_json_get(lm_shard_identity(r->shard), "domains");
    int rc = lm_buf_printf(&line, "{\"input_ids\":[");
    if (!rc) rc = add_ids(r->ids, 4, length, ",");
    if (!rc) rc = lm_buf_printf(&line, "],\"labels\":[");
    if (!rc) rc = add_ids(r->ids + length, 4, labels, ",");
    if (!rc) rc = lm_buf_printf(&line, "],\"source\":[");
    for (size_t i = 0; i < r->n && !rc; i++) {
        const lm_span *s = &r->spans[i];
        uint64_t end = (uint64_t)s->row_start + s->tokens;
        if (end > length) end = length;
        if (s->row_start >= length) break;
        rc = lm_buf_printf(&line, "%s{", i ? "," : "");
        if (!rc) rc = add_string("source", name_at(domains, s->domain));
        if (!rc)
            rc = lm_buf_printf(&line, ",\"start\":%" PRIu32 ",\"end\":%" PRIu64 "}", s->row_start,
                               end);
    }
    return rc ? rc : lm_buf_printf(&line, "]}");
}

static int row_view(const row *r)
{
    const lm_json *identity = lm_shard_identity(r->shard);
    int rc = lm_buf_printf(&line, "row %s, %s row %s: %zu span%s", cli_count(r->number),
                           cli_name(base_name(lm_shard_name(r->shard))), cli_count(r->at), r->n,
                           r->n == 1 ? "" : "s");
    for (size_t i = 0; i < r->n && !rc; i++) {
        const lm_span *s = &r->spans[i];
        rc = lm_buf_printf(
            &line, "\n%12s  %-14s %s:%" PRIu64 "  tokens %s to %s of %s%s", cli_count(s->row_start),
            cli_name(name_at(lm_json_get(identity, "domains"), s->domain)),
            cli_name(file_name(r->all, s)), s->line, cli_count(s->doc_start),
            cli_count(s->doc_start + s->tokens), cli_count(s->doc_tokens), flag_text(s));
        if (!rc && s->copy) rc = lm_buf_printf(&line, ", repetition %u", s->copy);
    }
    if (!rc && r->fill < r->tokens)
        rc = lm_buf_printf(&line, "\n%12s  padding", cli_count(r->fill));
    return rc;
}

static int show_row(const row *r)
{
    int rc;
    if (as_json) rc = layout == FU ? row_fu(r) : row_json(r);
    else if (with_ids) rc = add_ids(r->ids, 4, r->tokens, " ");
    else if (with_text) {
        rc = row_text(r);
        if (!rc) rc = lm_buf_add(&line, text.data, text.size);
    } else rc = row_view(r);
    return rc ? rc : print_line();
}

static void shards_view(const lm_shards *s, const char *path)
{
    const lm_shard *first = lm_shards_at(s, 0);
    const char *how = "?";
    const lm_json *pack = lm_json_get(lm_shard_identity(first), "pack");
    if (pack && lm_json_str(&how, pack, "how")) how = "?";
    cli_print("%s: %s shard%s, %s rows of %s tokens%s, packed by %s, %s ids of %u bytes\n",
              cli_name(path), cli_count(lm_shards_count(s)), lm_shards_count(s) == 1 ? "" : "s",
              cli_count(lm_shards_rows(s)), cli_count(lm_shard_row_tokens(first)),
              lm_shard_labels(first) ? " (labels included)" : "", cli_name(how),
              cli_count(lm_shard_vocab(first)), lm_shard_width(first));
}

static int model_of_shards(const lm_shard *s)
{
    const lm_json *t = lm_json_get(lm_shard_identity(s), "tokenizer");
    uint64_t hash = 0;
    int rc = !with_text ? LM_OK
             : t        ? lm_json_hex64(&hash, t, "xxh3")
                        : lm_fail(LM_EDATA, "%s: has no tokenizer", lm_shard_name(s));
    return rc ? rc : open_model(hash);
}

static int cat_shards(const char *path)
{
    lm_shards *s = NULL;
    uint32_t *ids = NULL;
    int rc = lm_shards_open(&s, path);
    if (rc) return rc;
    rc = model_of_shards(lm_shards_at(s, 0));
    row r = { .all = s, .tokens = lm_shard_row_tokens(lm_shards_at(s, 0)) };
    if (!rc && !(ids = malloc((size_t)r.tokens * sizeof *ids)))
        rc = lm_fail_nomem((size_t)r.tokens * sizeof *ids);
    r.ids = ids;
    if (!rc && !as_json && !with_ids && !with_text) shards_view(s, path);
    uint64_t end = lm_shards_rows(s) - (from < lm_shards_rows(s) ? from : lm_shards_rows(s));
    for (uint64_t i = 0; i < end && i < head && !rc; i++) {
        r.number = from + i;
        rc = lm_check_interrupt();
        if (!rc) rc = lm_shards_find(s, r.number, &r.shard, &r.at);
        if (!rc) rc = lm_shard_row(r.shard, r.at, ids);
        if (!rc) rc = lm_shard_spans(r.shard, r.at, &r.spans, &r.n);
        if (rc) break;
        r.fill = r.n ? r.spans[r.n - 1].row_start + r.spans[r.n - 1].tokens : 0;
        rc = show_row(&r);
    }
    free(ids);
    lm_shards_close(s);
    return rc;
}

/* ---- documents ----------------------------------------------------------------------------- */

static int document_json(const lm_meta *m, const lm_doc *d, const void *tokens, uint64_t number)
{
    int rc = lm_buf_printf(&line, "{\"document\":%" PRIu64 ",", number);
    if (!rc) rc = add_string("domain", m->domain[d->domain]);
    if (!rc) rc = lm_buf_printf(&line, ",");
    if (!rc) rc = add_string("file", m->file[d->file]);
    if (!rc)
        rc = lm_buf_printf(&line,
                           ",\"line\":%" PRIu64 ",\"key\":\"%016" PRIx64 "\",\"tokens\":%" PRIu64,
                           d->line, d->key, d->tokens);
    if (!rc && m->plan)
        rc = lm_buf_printf(&line,
                           ",\"doc_start\":%" PRIu64 ",\"doc_tokens\":%" PRIu64
                           ",\"unit_tokens\":%" PRIu64 ",\"copy\":%u,\"trimmed\":%s,\"overlap\":%s",
                           d->start, d->doc_tokens, d->unit_tokens, d->copy,
                           d->flags & LM_DOC_TRIMMED ? "true" : "false",
                           d->flags & LM_DOC_OVERLAP ? "true" : "false");
    if (!rc && with_ids) {
        rc = lm_buf_printf(&line, ",\"ids\":[");
        if (!rc) rc = add_ids(tokens, m->width, d->tokens, ",");
        if (!rc) rc = lm_buf_printf(&line, "]");
    }
    if (!rc && with_text) {
        lm_buf_reset(&text, 1 << 20);
        rc = decode(tokens, m->width, d->tokens);
        if (!rc) rc = lm_buf_printf(&line, ",");
        if (!rc) rc = add_text("text", text.data, text.size);
    }
    return rc ? rc : lm_buf_printf(&line, "}");
}

static int document_view(const lm_meta *m, const lm_doc *d, uint64_t number)
{
    int rc = lm_buf_printf(&line, "%12s  %-14s %s:%" PRIu64 "  %s tokens", cli_count(number),
                           cli_name(m->domain[d->domain]), cli_name(m->file[d->file]), d->line,
                           cli_count(d->tokens));
    if (!rc && d->tokens < d->doc_tokens)
        rc = lm_buf_printf(&line, ", from %s of %s", cli_count(d->start), cli_count(d->doc_tokens));
    if (!rc && d->copy) rc = lm_buf_printf(&line, ", repetition %u", d->copy);
    if (!rc && d->flags & LM_DOC_TRIMMED) rc = lm_buf_printf(&line, ", trimmed");
    if (!rc && d->flags & LM_DOC_OVERLAP) rc = lm_buf_printf(&line, ", overlap");
    return rc;
}

static int show_document(const lm_meta *m, const lm_record *r, uint64_t number)
{
    int rc;
    if (as_json) rc = document_json(m, &r->doc, r->tokens, number);
    else if (with_ids) rc = add_ids(r->tokens, m->width, r->doc.tokens, " ");
    else if (with_text) {
        lm_buf_reset(&text, 1 << 20);
        rc = decode(r->tokens, m->width, r->doc.tokens);
        if (!rc) rc = lm_buf_add(&line, text.data, text.size);
    } else rc = document_view(m, &r->doc, number);
    return rc ? rc : print_line();
}

/* Records other than documents, in the readable view only. */
static void show_other(const lm_meta *m, const lm_record *r)
{
    switch (r->kind) {
    case LM_REC_SHARD:
        cli_print("-- shard %s begins at token %s\n", cli_count(r->shard.shard),
                  cli_count(r->shard.start));
        break;
    case LM_REC_FILE:
        if (r->file.set_aside) {
            cli_print("-- %s: quarantined at byte %s of %s: %s\n", m->file[r->file.file],
                      cli_count(r->file.fault), cli_count(r->file.raw_bytes),
                      cli_name(r->file.set_aside));
            break;
        }
        cli_print("-- %s: %s lines, %s documents, %s bad lines; %s bytes, xxh3 %016" PRIx64 "\n",
                  cli_name(m->file[r->file.file]), cli_count(r->file.lines),
                  cli_count(r->file.documents), cli_count(r->file.bad_lines),
                  cli_count(r->file.raw_bytes), r->file.raw_hash);
        break;
    case LM_REC_BAD:
        cli_print("-- %s:%" PRIu64 ": quarantined: %s bytes at byte %s\n",
                  cli_name(m->file[r->bad.file]), r->bad.line, cli_count(r->bad.bytes),
                  cli_count(r->bad.offset));
        break;
    case LM_REC_DOC:
    case LM_REC_CHUNK: break;
    }
}

static int cat_stream(const char *path)
{
    lm_stream *s = NULL;
    lm_record r;
    uint64_t seen = 0;
    bool view = !as_json && !with_ids && !with_text;
    if (layout == FU) return cli_usage("--format fu needs rows: pack the stream first");
    int rc = lm_stream_open(&s, path);
    if (rc) return rc;
    const lm_meta *m = lm_stream_meta(s);
    rc = open_model(m->tokenizer);
    if (!rc && view)
        cli_print("%s: %s, %s files, %s ids of %u bytes\n", cli_name(path),
                  m->plan ? "mixture" : "store", cli_count(m->files), cli_count(m->vocab),
                  m->width);
    while (!rc && (seen < from || seen - from < head) && (rc = lm_stream_next(s, &r)) == 1) {
        rc = lm_check_interrupt();
        bool document = r.kind == LM_REC_DOC;
        if (!rc && document && seen >= from) rc = show_document(m, &r, seen);
        else if (!rc && !document && view && seen >= from) show_other(m, &r);
        seen += document;
    }
    lm_stream_close(s);
    return rc;
}

/* ---- formats ---------------------------------------------------------------------------- */

static int cat_json(const char *path)
{
    lm_json *j = NULL;
    int rc = lm_json_load(&j, path, LINE_MAX_BYTES);
    if (!rc) rc = cli_write_json(j, as_json ? 0 : 2);
    lm_json_free(j);
    return rc;
}

static int cat(const char *path)
{
    struct stat st;
    char magic[8] = "";
    if (!strcmp(path, "-")) return cat_stream(path);
    if (stat(path, &st)) return lm_fail_errno(errno, "%s", path);
    if (S_ISDIR(st.st_mode)) {
        uint64_t *numbers = NULL;
        size_t n = 0;
        int rc = lm_shards_list(&numbers, &n, path);
        free(numbers);
        return rc ? rc : n ? cat_shards(path) : cat_stream(path);
    }
    FILE *f = S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    size_t n = f ? fread(magic, 1, sizeof magic, f) : 0;
    if (f) fclose(f);
    if (n == sizeof magic && !memcmp(magic, "LMSHARD\n", sizeof magic)) return cat_shards(path);
    return n && (magic[0] == '{' || magic[0] == '[') ? cat_json(path) : cat_stream(path);
}

static int run(void)
{
    int rc = LM_OK;
    if (with_text && !model) return cli_usage("--text needs -m MODEL");
    if (layout == FU && !as_json) return cli_usage("--format fu needs --json");
    if (!as_json && with_ids && with_text)
        return cli_usage("--ids and --text together need --json");
    rc = lm_output_refuse_input("-", (const char *const *)inputs.v, inputs.n);
    for (size_t i = 0; i < inputs.n && !rc; i++) {
        rc = cat(inputs.v[i]);
        lm_tokenizer_free(tokenizer);
        tokenizer = NULL;
    }
    lm_buf_free(&line);
    lm_buf_free(&text);
    return rc;
}

static const cli_tool tool = {
    .name = "lmcat",
    .summary = "print stores, mixtures, shards, manifests and plans",
    .about =
        "Prints the documents of a token stream or the rows of packed shards, each with its "
        "source: domain, file, line, offset in the document. Manifests and plans are printed as "
        "they are.\n\n"
        "Everything printed has been verified: a damaged record or row is an error with its byte "
        "offset.",
    .opts = opts,
    .examples = "# the lineage of the first row\n"
                "lmcat --head 1 shards\n"
                "# the same for a program\n"
                "lmcat --head 1 --json shards\n"
                "# ids of the first documents of a store\n"
                "lmcat --head 2 --ids store.lmt\n",
    .see = "lmcheck(1), lmpack(1), lmtok(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
