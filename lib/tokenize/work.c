/* work.c -- a chunk of lines to records. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "lib/base/rng.h"
#include "lib/tokenize/internal.h"

/* ---- a sample of the documents is compared with the reference --------------------------- */

/* SentencePiece takes some hundred bytes of memory per character: longer texts are not sampled. */
enum { TEXT_MAX = 64 * 1024, SAMPLE_SEED = 0x5350 };

void tok_check_init(tok_check *c, const lm_tokenize_options *o)
{
    /* Without the fast path there is nothing to compare. */
    bool fast = !lm_tokenizer_slow_reason(o->tokenizer);
    *c = (tok_check){ .fast = o->tokenizer,
                      .parse = o->parse_special,
                      .every = fast ? o->check_every : 0,
                      .ids = LM_BUF_INIT((size_t)1 << 30) };
    pthread_mutex_init(&c->lock, NULL);
}

void tok_check_destroy(tok_check *c)
{
    lm_encoder_free(c->encoder);
    lm_tokenizer_free(c->tokenizer);
    lm_buf_free(&c->ids);
    pthread_mutex_destroy(&c->lock);
}

static bool is_sampled(const tok_check *c, uint64_t key, size_t size)
{
    return c->every && size <= TEXT_MAX && lm_hash4(SAMPLE_SEED, key, 0, 0) % c->every == 0;
}

static int compare(tok_check *c, const lm_line *doc, const void *ids, size_t n)
{
    int rc = LM_OK;
    if (!c->tokenizer) rc = lm_tokenizer_open_again(&c->tokenizer, c->fast, LM_TOKENIZER_REFERENCE);
    if (!rc && !c->encoder) rc = lm_encoder_new(&c->encoder, c->tokenizer);
    if (!rc) lm_encoder_parse_special(c->encoder, c->parse);
    c->ids.size = 0;
    if (!rc) rc = lm_encode(c->encoder, doc->text, doc->text_size, &c->ids);
    if (rc) return rc;
    c->done++;
    if (c->ids.size == n && !memcmp(c->ids.data, ids, n)) return LM_OK;
    const unsigned char *a = c->ids.data, *b = ids;
    unsigned width = lm_tokenizer_width(c->tokenizer);
    size_t i = 0, min = c->ids.size < n ? c->ids.size : n;
    while (i < min && a[i] == b[i]) i++;
    return lm_fail(
        LM_EDATA,
        "token %zu is not the reference's; please report this, and use --reference until then",
        i / width);
}

static int check_document(tok_check *c, const lm_line *doc, const void *ids, size_t n)
{
    pthread_mutex_lock(&c->lock);
    int rc = compare(c, doc, ids, n);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* A longer text is encoded in slices, and its memory is released as soon as possible. */
enum { LONG_TEXT = 4 << 20 };

int tok_work_open(tok_work *w, tok_run *run)
{
    const lm_tokenize_options *o = run->o;
    *w = (tok_work){ .run = run,
                     .bos = o->bos ? lm_tokenizer_bos(o->tokenizer) : -1,
                     .eos = o->eos ? lm_tokenizer_eos(o->tokenizer) : -1 };
    const lm_schema schema = { lm_domains_text(o->domains), lm_domains_keys(o->domains),
                               o->replace };
    int rc = lm_line_parser_new(&w->parser, &schema);
    if (!rc) rc = lm_encoder_new(&w->encoder, run->o->tokenizer);
    if (!rc) lm_encoder_parse_special(w->encoder, o->parse_special);
    return rc;
}

void tok_work_close(tok_work *w)
{
    lm_encoder_free(w->encoder);
    lm_line_parser_free(w->parser);
    lm_buf_free(&w->chunk.bytes);
}

/* The file, as messages name it. */
static const char *shown_name(const tok_work *w) { return tok_shown(&w->run->in, w->job->file); }

static int put_id(tok_work *w, int64_t id)
{
    unsigned char p[4];
    lm_put32(p, (uint32_t)id);
    return lm_buf_add(&w->job->records, p, w->run->width);
}

/* Encode a large text, and release each slice of it that is done. */
static int encode_long(tok_work *w, const lm_line *doc)
{
    const char *p = doc->text, *end = p + doc->text_size;
    bool first = true;
    while (p < end) {
        size_t used = 0;
        int rc = lm_encode_some(w->encoder, p, (size_t)(end - p), first, &w->job->records, &used);
        if (rc) return rc;
        tok_discard(p, used);
        p += used;
        first = false;
    }
    return LM_OK;
}

/* Append the ids of a document. Its text may be released. */
static int add_ids(tok_work *w, const lm_line *doc, uint64_t key)
{
    lm_buf *b = &w->job->records;
    int rc = w->bos >= 0 ? put_id(w, w->bos) : LM_OK;
    size_t at = b->size;
    if (rc) return rc;
    if (doc->text_size > LONG_TEXT) rc = encode_long(w, doc);
    else rc = lm_encode(w->encoder, doc->text, doc->text_size, b);
    if (!rc && is_sampled(&w->run->check, key, doc->text_size))
        rc = check_document(&w->run->check, doc, b->data + at, b->size - at);
    return rc || w->eos < 0 ? rc : put_id(w, w->eos);
}

static int add_document(tok_work *w, const lm_line *doc, uint64_t line, int domain)
{
    tok_job *job = w->job;
    lm_doc d = { .key = lm_hash64(doc->text, doc->text_size),
                 .line = line,
                 .file = (uint32_t)job->file,
                 .domain = (uint16_t)domain };
    size_t at = 0, text_bytes = doc->text_size;
    int rc = lm_record_begin(&job->records, false, &at);
    if (rc) return rc;
    rc = add_ids(w, doc, d.key);
    if (!rc) rc = lm_record_end(&job->records, at, false, w->run->width, &d);
    if (rc) {
        job->records.size = at;
        return rc;
    }
    job->documents++;
    job->text_bytes += text_bytes;
    bool unknown = (size_t)domain + 1 == lm_domains_count(w->run->o->domains);
    if (unknown && !job->unknown++) job->first_unknown = line;
    return LM_OK;
}

/* An invalid line, for the reason in lm_err(). Where files may be quarantined it is not yet decided
 * whether it ends the run: that depends on the rest of its file. */
static int refuse(tok_work *w, const char *s, size_t n, uint64_t line, uint64_t offset,
                  size_t fault)
{
    tok_job *job = w->job;
    const tok_run *r = w->run;
    if (!r->bad.name && !r->o->bad_files)
        return lm_line_error(shown_name(w), line, offset + fault, lm_err());
    if (!job->bad_lines++) {
        job->first_bad = line;
        snprintf(job->bad_message, sizeof job->bad_message, "%" PRIu64 ": byte %" PRIu64 ": %s",
                 line, offset + fault, lm_err());
    }
    if (!r->bad.name) return LM_OK;
    lm_bad_line bad = { .file = (uint32_t)job->file, .line = line, .offset = offset, .bytes = n };
    int rc = lm_record_add(&job->records, r->width, &(lm_record){ .kind = LM_REC_BAD, .bad = bad });
    return rc ? rc : lm_buf_add(&job->bad, s, n + 1); /* with its LF */
}

/* Release a long line except its text, which is in it or in the parser. */
static void discard_rest(const char *s, size_t n, const lm_line *doc)
{
    const char *end = s + n;
    bool inside = doc->text >= s && doc->text < end;
    const char *text = inside ? doc->text : end;
    tok_discard(s, (size_t)(text - s));
    if (inside) tok_discard(text + doc->text_size, (size_t)(end - text) - doc->text_size);
}

static int find_domain(const tok_work *w, const lm_line *doc)
{
    const tok_inputs *in = &w->run->in;
    const lm_files *f = in->files;
    size_t i = in->given[w->job->file]; /* a file that is read is given */
    return lm_domains_tag(w->run->o->domains, doc->label, doc->labels,
                          f->full ? f->full[i] : f->path[i], f->top ? f->top[i] : 0);
}

static int read_line(tok_work *w, char *s, size_t n, uint64_t line, uint64_t offset)
{
    lm_line doc;
    size_t fault = 0;
    bool quarantine = w->run->bad.name != NULL;
    /* A line that may still be quarantined, because of its domain, must not be changed. */
    int rc = quarantine ? lm_line_parse(w->parser, s, n, &doc, &fault)
                        : lm_line_spend(w->parser, s, n, &doc, &fault);
    if (rc == 0) return LM_OK;
    int domain = rc;
    if (rc > 0) domain = find_domain(w, &doc);
    if (domain == LM_EDATA) return refuse(w, s, n, line, offset, fault);
    if (domain < 0) return domain;
    w->job->repaired += doc.repaired.s != NULL;
    if (n > LONG_TEXT) discard_rest(s, n, &doc);
    rc = add_document(w, &doc, line, domain);
    return rc == LM_EDATA ? lm_line_error(shown_name(w), line, offset, lm_err()) : rc;
}

static int read_lines(tok_work *w)
{
    char *s = (char *)w->chunk.bytes.data, *end = s + w->chunk.bytes.size;
    uint64_t line = w->chunk.line, offset = w->chunk.offset;
    while (s < end) {
        char *lf = memchr(s, '\n', (size_t)(end - s));
        size_t n = (size_t)(lf - s);
        int rc = w->job->skipped ? LM_OK : read_line(w, s, n, line, offset);
        if (rc) return rc;
        w->job->lines++;
        s = lf + 1;
        offset += n + 1;
        line++;
    }
    return LM_OK;
}

int tok_work_lines(tok_work *w)
{
    const tok_state *done = &w->run->done;
    w->job->skipped = w->job->file == done->file && w->chunk.line <= done->open.lines;
    w->job->hash = lm_hash64(w->chunk.bytes.data, w->chunk.bytes.size);
    int rc = read_lines(w);
    if (w->job->large) { /* before other jobs take its share of the budget */
        lm_buf_reset(&w->chunk.bytes, 0);
        lm_line_parser_trim(w->parser);
    }
    return rc;
}
