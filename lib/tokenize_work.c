/* tokenize_work.c -- a chunk of lines to records. */
#include <string.h>

#include "longmix/endian.h"
#include "longmix/hash.h"
#include "tokenize_internal.h"

enum { KEEP_BYTES = 4 << 20,      /* of a buffer, from one chunk to the next */
       LONG_TEXT = 4 << 20 };     /* a text over this is encoded bit by bit, and given back */
/* The longest line, if each byte became an id of 4 bytes, and room for SentencePiece's way. */
#define RECORDS_MAX ((size_t)64 << 30)

int tok_work_open(tok_work *w, tok_run *run)
{
    *w = (tok_work){ .run = run,
                     .records = LM_BUF_INIT(RECORDS_MAX),
                     .bad = LM_BUF_INIT(2 * LM_LINE_MAX) };
    int rc = lm_line_parser_new(&w->parser, lm_domains_keys(run->o->domains));
    return rc ? rc : lm_encoder_new(&w->encoder, run->o->tokenizer);
}

void tok_work_close(tok_work *w)
{
    lm_encoder_free(w->encoder);
    lm_line_parser_free(w->parser);
    lm_buf_free(&w->chunk.bytes);
    lm_buf_free(&w->records);
    lm_buf_free(&w->bad);
}

void tok_work_clear(tok_work *w)
{
    if (w->taken) {
        /* Before others take its room. */
        lm_buf_reset(&w->chunk.bytes, KEEP_BYTES);
        lm_line_parser_trim(w->parser);
    }
    lm_buf_reset(&w->records, KEEP_BYTES);
    lm_buf_reset(&w->bad, KEEP_BYTES);
    w->lines = w->documents = w->bad_lines = w->unknown = w->text_bytes = 0;
}

static const char *file_of(const tok_work *w) { return w->run->files[w->file]; }

/* The file, as messages name it. */
static const char *shown_name(const tok_work *w)
{
    return strcmp(file_of(w), "-") ? file_of(w) : "stdin";
}

static int put_id(tok_work *w, int64_t id)
{
    unsigned char p[4];
    lm_put32(p, (uint32_t)id);
    return lm_buf_add(&w->records, p, w->run->width);
}

/* Encode a text that is large, and let go of each piece of it that is done. */
static int encode_long(tok_work *w, const lm_line *doc)
{
    const char *p = doc->text, *end = p + doc->text_size;
    bool first = true;
    while (p < end) {
        size_t used = 0;
        int rc = lm_encode_some(w->encoder, p, (size_t)(end - p), first, &w->records, &used);
        if (rc) return rc;
        tok_give_back(p, used);
        p += used;
        first = false;
    }
    return LM_OK;
}

/* Append the document's record. Its text may be gone afterwards. */
static int add_document(tok_work *w, const lm_line *doc, uint64_t line, int domain)
{
    const lm_tokenize_options *o = w->run->o;
    int64_t bos = o->bos ? lm_tokenizer_bos(o->tokenizer) : -1,
            eos = o->eos ? lm_tokenizer_eos(o->tokenizer) : -1;
    lm_doc d = { .key = lm_hash64(doc->text, doc->text_size),
                 .line = line,
                 .file = (uint32_t)w->file,
                 .domain = (uint16_t)domain };
    size_t at = 0;
    int rc = lm_record_begin(&w->records, false, &at);
    if (rc) return rc;
    if (bos >= 0) rc = put_id(w, bos);
    size_t ids = w->records.size;
    if (!rc)
        rc = doc->text_size > LONG_TEXT
                 ? encode_long(w, doc)
                 : lm_encode(w->encoder, doc->text, doc->text_size, &w->records);
    if (!rc && tok_check_drawn(&w->run->check, d.key, doc->text_size))
        rc = tok_check_document(&w->run->check, doc, w->records.data + ids, w->records.size - ids);
    if (!rc && eos >= 0) rc = put_id(w, eos);
    if (!rc) rc = lm_record_end(&w->records, at, false, w->run->width, &d);
    if (rc) {
        w->records.size = at;
        return rc;
    }
    w->documents++;
    w->text_bytes += doc->text_size;
    if ((size_t)domain + 1 == lm_domains_count(o->domains) && !w->unknown++)
        w->first_unknown = line;
    return LM_OK;
}

/* A line that is no document, for the reason in lm_err(). */
static int refuse(tok_work *w, const char *s, size_t n, uint64_t line, uint64_t offset,
                  size_t fault)
{
    if (w->run->aside < 0) return lm_line_error(shown_name(w), line, offset + fault, lm_err());
    lm_record bad = { .kind = LM_REC_BAD,
                      .bad = {
                          .file = (uint32_t)w->file, .line = line, .offset = offset, .bytes = n } };
    if (!w->bad_lines++) w->first_bad = line;
    int rc = lm_record_add(&w->records, w->run->width, &bad);
    return rc ? rc : lm_buf_add(&w->bad, s, n + 1); /* with its LF */
}

/* Let go of a long line but for its text, which is in it or in the parser. */
static void give_back_rest(const char *s, size_t n, const lm_line *doc)
{
    const char *end = s + n;
    bool inside = doc->text >= s && doc->text < end;
    const char *text = inside ? doc->text : end;
    tok_give_back(s, (size_t)(text - s));
    if (inside) tok_give_back(text + doc->text_size, (size_t)(end - text) - doc->text_size);
}

static int read_line(tok_work *w, char *s, size_t n, uint64_t line, uint64_t offset)
{
    lm_line doc;
    size_t fault = 0;
    bool aside = w->run->aside >= 0;
    /* A line that may yet be set aside, because of its domain, must not be spent. */
    int rc = aside ? lm_line_parse(w->parser, s, n, &doc, &fault)
                   : lm_line_spend(w->parser, s, n, &doc, &fault);
    if (rc == 0) return LM_OK;
    int domain = rc;
    if (rc > 0)
        domain = lm_domains_tag(w->run->o->domains, doc.label, doc.label_size, file_of(w));
    if (domain == LM_EDATA) return refuse(w, s, n, line, offset, fault);
    if (domain < 0) return domain;
    if (n > LONG_TEXT) give_back_rest(s, n, &doc);
    rc = add_document(w, &doc, line, domain);
    return rc == LM_EDATA ? lm_line_error(shown_name(w), line, offset, lm_err()) : rc;
}

int tok_work_lines(tok_work *w)
{
    char *s = (char *)w->chunk.bytes.data, *end = s + w->chunk.bytes.size;
    uint64_t line = w->chunk.line, offset = w->chunk.offset;
    uint64_t done = w->file == w->run->done_file ? w->run->done_lines : 0;
    while (s < end) {
        char *lf = memchr(s, '\n', (size_t)(end - s));
        size_t n = (size_t)(lf - s);
        if (line > done) {
            int rc = read_line(w, s, n, line, offset);
            if (rc) return rc;
            w->lines++;
        }
        s = lf + 1;
        offset += n + 1;
        line++;
    }
    return LM_OK;
}
