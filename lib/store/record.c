/* record.c -- records to bytes and back. */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/store/internal.h"

/* ---- writing ------------------------------------------------------------------------ */

static void put_head(unsigned char *p, uint32_t kind, uint32_t file)
{
    lm_put32(p + 8, kind);
    lm_put32(p + 12, file);
}

/* The last step: the check is over all bytes after itself. */
static void seal(unsigned char *p, size_t size) { lm_put64(p, lm_hash64(p + 8, size - 8)); }

int lm_record_begin(lm_buf *out, bool piece, size_t *at)
{
    size_t head = piece ? PIECE_HEAD : DOC_HEAD;
    int rc = lm_buf_reserve(out, head);
    if (rc) return rc;
    *at = out->size;
    out->size += head;
    return LM_OK;
}

int lm_record_end(lm_buf *out, size_t at, bool piece, unsigned width, const lm_doc *doc)
{
    static const unsigned char zero[8];
    size_t head = piece ? PIECE_HEAD : DOC_HEAD;
    size_t bytes = out->size - at - head;
    uint64_t tokens = bytes / width;
    if (bytes % width || tokens > DOC_TOKENS_MAX)
        return lm_fail(LM_EUSAGE, "a record of %zu bytes of tokens is not possible", bytes);
    int rc = lm_buf_add(out, zero, store_pad8(bytes) - bytes);
    if (rc) return rc;
    unsigned char *p = out->data + at;
    lm_put32(p + 8, piece ? KIND_PIECE : KIND_DOC);
    lm_put16(p + 12, doc->domain);
    p[14] = doc->copy;
    p[15] = doc->flags;
    lm_put64(p + 16, doc->key);
    lm_put64(p + 24, tokens);
    lm_put64(p + 32, doc->line);
    lm_put32(p + 40, doc->file);
    lm_put32(p + 44, 0);
    if (piece) {
        lm_put64(p + 48, doc->doc_tokens);
        lm_put64(p + 56, doc->start);
        lm_put64(p + 64, doc->unit_tokens);
    }
    seal(p, out->size - at);
    return LM_OK;
}

static int add_document(lm_buf *out, unsigned width, const lm_record *r)
{
    size_t at = 0;
    if (r->doc.tokens > DOC_TOKENS_MAX)
        return lm_fail(LM_EUSAGE, "a record of so many tokens is not possible");
    int rc = lm_record_begin(out, true, &at);
    if (!rc) rc = lm_buf_add(out, r->tokens, (size_t)r->doc.tokens * width);
    if (!rc) rc = lm_record_end(out, at, true, width, &r->doc);
    return rc;
}

/* Copy at most LM_REASON_MAX bytes of `from` as text that parse_aside accepts: how many. */
static size_t put_reason(unsigned char *to, const char *from)
{
    size_t n = strnlen(from, LM_REASON_MAX), at = 0;
    const char *why = NULL;
    while (at < n) {
        size_t k = lm_utf8_next((const unsigned char *)from + at, n - at, &why);
        if (k) memcpy(to + at, from + at, k);
        else to[at] = '?';
        at += k ? k : 1;
    }
    if (n == 0) to[n++] = '?';
    return n;
}

/* A quarantined file: fixed fields, then the reason. */
static int add_aside(lm_buf *out, const lm_file_end *f)
{
    unsigned char p[ASIDE_MAX] = { 0 };
    size_t n = put_reason(p + ASIDE_HEAD, f->set_aside);
    size_t size = ASIDE_HEAD + (size_t)store_pad8(n + 1); /* a NUL ends it */
    put_head(p, KIND_ASIDE, f->file);
    lm_put64(p + 16, f->raw_bytes);
    lm_put32(p + 24, (uint32_t)n);
    lm_put64(p + 32, f->raw_hash);
    lm_put64(p + 40, f->raw_read);
    lm_put64(p + 48, f->fault);
    seal(p, size);
    return lm_buf_add(out, p, size);
}

int lm_record_add(lm_buf *out, unsigned width, const lm_record *r)
{
    unsigned char p[FILE_RECORD] = { 0 };
    size_t size = 0;
    switch (r->kind) {
    case LM_REC_DOC: return add_document(out, width, r);
    case LM_REC_FILE:
        if (r->file.set_aside) return add_aside(out, &r->file);
        size = FILE_RECORD;
        put_head(p, KIND_FILE, r->file.file);
        lm_put64(p + 16, r->file.raw_bytes);
        lm_put64(p + 24, r->file.raw_hash);
        lm_put64(p + 32, r->file.lines);
        lm_put64(p + 40, r->file.documents);
        lm_put64(p + 48, r->file.bad_lines);
        break;
    case LM_REC_BAD:
        size = BAD_RECORD;
        put_head(p, KIND_BAD, r->bad.file);
        lm_put64(p + 16, r->bad.line);
        lm_put64(p + 24, r->bad.offset);
        lm_put64(p + 32, r->bad.bytes);
        break;
    case LM_REC_SHARD:
        size = SHARD_RECORD;
        put_head(p, KIND_SHARD, 0);
        lm_put64(p + 16, r->shard.shard);
        lm_put64(p + 24, r->shard.start);
        break;
    case LM_REC_CHUNK:
        size = CHUNK_RECORD;
        put_head(p, KIND_CHUNK, r->chunk.file);
        lm_put64(p + 16, r->chunk.lines);
        lm_put64(p + 24, r->chunk.hash);
        lm_put64(p + 32, r->chunk.bad_bytes);
        lm_put64(p + 40, r->chunk.bad_hash);
        break;
    }
    seal(p, size);
    return lm_buf_add(out, p, size);
}

/* ---- reading ------------------------------------------------------------------------ */

uint64_t lmstore_record_size(const unsigned char *p, unsigned width)
{
    uint32_t kind = lm_le32(p + 8);
    uint64_t tokens = lm_le64(p + 24);
    switch (kind) {
    case KIND_DOC:
    case KIND_PIECE:
        if (tokens > DOC_TOKENS_MAX) return 0;
        return (kind == KIND_DOC ? DOC_HEAD : PIECE_HEAD) + store_pad8(tokens * width);
    case KIND_FILE: return FILE_RECORD;
    case KIND_BAD: return BAD_RECORD;
    case KIND_SHARD: return SHARD_RECORD;
    case KIND_CHUNK: return CHUNK_RECORD;
    case KIND_ASIDE:
        tokens = lm_le32(p + 24); /* bytes of the reason */
        return tokens > LM_REASON_MAX ? 0 : ASIDE_HEAD + store_pad8(tokens + 1);
    default: return 0;
    }
}

/* Padding is zero, so that one document has one form. */
static bool padding_is_zero(const unsigned char *tokens, uint64_t bytes)
{
    for (uint64_t i = bytes; i < store_pad8(bytes); i++)
        if (tokens[i]) return false;
    return true;
}

static const char *parse_document(const unsigned char *p, const lmstore_limits *l, lm_record *out)
{
    bool piece = lm_le32(p + 8) == KIND_PIECE;
    lm_doc *d = &out->doc;
    out->kind = LM_REC_DOC;
    out->tokens = p + (piece ? PIECE_HEAD : DOC_HEAD);
    *d = (lm_doc){
        .key = lm_le64(p + 16),
        .tokens = lm_le64(p + 24),
        .line = lm_le64(p + 32),
        .file = lm_le32(p + 40),
        .domain = lm_le16(p + 12),
        .copy = p[14],
        .flags = p[15],
    };
    d->doc_tokens = piece ? lm_le64(p + 48) : d->tokens;
    d->start = piece ? lm_le64(p + 56) : 0;
    d->unit_tokens = piece ? lm_le64(p + 64) : d->tokens;
    if (d->domain >= l->domains) return "its domain is not in the header";
    if (d->file >= l->files) return "its file is not in the header";
    if (d->flags & ~(LM_DOC_OVERLAP | LM_DOC_TRIMMED)) return "it has unknown flags";
    if (d->unit_tokens > d->doc_tokens || d->tokens > d->unit_tokens ||
        d->start > d->doc_tokens - d->tokens)
        return "it reaches past its document";
    if (lm_le32(p + 44) || !padding_is_zero(out->tokens, d->tokens * l->width))
        return "bytes that must be zero are not";
    return NULL;
}

static const char *parse_aside(const unsigned char *p, uint64_t size, const lmstore_limits *l,
                               lm_record *out)
{
    size_t n = lm_le32(p + 24);
    const unsigned char *reason = p + ASIDE_HEAD;
    const char *why = NULL;
    out->kind = LM_REC_FILE;
    out->file = (lm_file_end){
        .file = lm_le32(p + 12),
        .raw_bytes = lm_le64(p + 16),
        .raw_hash = lm_le64(p + 32),
        .raw_read = lm_le64(p + 40),
        .fault = lm_le64(p + 48),
        .set_aside = (const char *)reason,
    };
    if (out->file.file >= l->files) return "its file is not in the header";
    if (lm_le32(p + 28)) return "bytes that must be zero are not";
    for (uint64_t i = ASIDE_HEAD + n; i < size; i++)
        if (p[i]) return "bytes that must be zero are not";
    if (n == 0) return "its reason is empty";
    for (size_t i = 0; i < n;) {
        size_t k = reason[i] ? lm_utf8_next(reason + i, n - i, &why) : 0;
        if (!k) return "its reason is not text";
        i += k;
    }
    return NULL;
}

lmstore_limits lmstore_limits_of(const lm_meta *m)
{
    return (lmstore_limits){
        .version = m->version, .width = m->width, .domains = m->domains, .files = m->files
    };
}

const char *lmstore_record_parse(const unsigned char *p, uint64_t size, const lmstore_limits *l,
                                 lm_record *out)
{
    if (lm_le64(p) != lm_hash64(p + 8, (size_t)size - 8)) return "its checksum does not match";
    uint32_t kind = lm_le32(p + 8), file = lm_le32(p + 12);
    out->tokens = NULL;
    if (l->version < 2 && (kind == KIND_CHUNK || kind == KIND_ASIDE))
        return "version 1 has no such record";
    switch (kind) {
    case KIND_DOC:
    case KIND_PIECE: return parse_document(p, l, out);
    case KIND_FILE:
        out->kind = LM_REC_FILE;
        out->file = (lm_file_end){
            .file = file,
            .raw_bytes = lm_le64(p + 16),
            .raw_hash = lm_le64(p + 24),
            .lines = lm_le64(p + 32),
            .documents = lm_le64(p + 40),
            .bad_lines = lm_le64(p + 48),
        };
        break;
    case KIND_BAD:
        out->kind = LM_REC_BAD;
        out->bad = (lm_bad_line){ .file = file,
                                  .line = lm_le64(p + 16),
                                  .offset = lm_le64(p + 24),
                                  .bytes = lm_le64(p + 32) };
        break;
    case KIND_ASIDE: return parse_aside(p, size, l, out);
    case KIND_CHUNK:
        out->kind = LM_REC_CHUNK;
        out->chunk = (lm_chunk_end){ .file = file,
                                     .lines = lm_le64(p + 16),
                                     .hash = lm_le64(p + 24),
                                     .bad_bytes = lm_le64(p + 32),
                                     .bad_hash = lm_le64(p + 40) };
        break;
    default:
        out->kind = LM_REC_SHARD;
        out->shard = (lm_shard_mark){ .shard = lm_le64(p + 16), .start = lm_le64(p + 24) };
        return file ? "bytes that must be zero are not" : NULL;
    }
    return file < l->files ? NULL : "its file is not in the header";
}
