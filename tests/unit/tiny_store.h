/* tiny_store.h -- stores of a few synthetic documents, for the tests of the store. */
#ifndef LM_TEST_TINY_STORE_H
#define LM_TEST_TINY_STORE_H

#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/endian.h"
#include "lib/base/rng.h"
#include "longmix/store.h"

enum { TINY_DOCS = 5, TINY_FILES = 3 };
static const uint64_t tiny_tokens[TINY_DOCS] = { 3, 0, 8, 1, 6 };
static const uint32_t tiny_file[TINY_DOCS] = { 0, 0, 1, 1, 2 };

/* What the header says about all inputs. */
static inline void tiny_inputs(lm_json *header, uint64_t hash)
{
    lm_json *inputs = lm_json_object();
    lm_json_set_u64(inputs, "files", TINY_FILES);
    lm_json_set_hex64(inputs, "xxh3", hash);
    lm_json_set(header, "inputs", inputs);
}

/* The header of part k of n with files first .. first+files-1. */
static inline lm_json *tiny_header(uint64_t vocab, uint32_t first, uint32_t files, uint32_t k,
                                   uint32_t n)
{
    static const char *const name[TINY_FILES] = { "a.jsonl", "b/b.jsonl.zst", "c.jsonl.gz" };
    lm_json *j = lm_json_object(), *t = lm_json_object(), *domains = lm_json_array(),
            *list = lm_json_array(), *part = lm_json_object();
    lm_json_set_str(j, "format", LM_STORE_FORMAT);
    lm_json_set_str(j, "longmix", "0.0.0");
    tiny_inputs(j, 0xfedcba9876543210);
    lm_json_set_str(t, "name", "tiny.model");
    lm_json_set_hex64(t, "xxh3", 0x0123456789abcdef);
    lm_json_set_u64(t, "vocab", vocab);
    lm_json_set_u64(t, "bos", 1);
    lm_json_set(j, "tokenizer", t);
    lm_json_set_str(domains, NULL, "C4");
    lm_json_set_str(domains, NULL, "unknown");
    lm_json_set(j, "domains", domains);
    for (uint32_t f = first; f < first + files; f++) lm_json_set_str(list, NULL, name[f]);
    lm_json_set(j, "files", list);
    lm_json_set_u64(part, "k", k);
    lm_json_set_u64(part, "of", n);
    lm_json_set(j, "part", part);
    return j;
}

static inline lm_doc tiny_doc(unsigned i)
{
    return (lm_doc){
        .key = lm_hash4(1, i, 0, 0), .line = i + 1, .file = tiny_file[i], .domain = i % 2
    };
}

/* Append document i as a record, numbering files from `first`. */
static inline void tiny_add(lm_buf *b, unsigned i, uint32_t first, unsigned width)
{
    size_t at = 0;
    lm_doc d = tiny_doc(i);
    d.file -= first;
    NEED(lm_record_begin(b, false, &at) == 0);
    for (uint64_t k = 0; k < tiny_tokens[i]; k++) {
        unsigned char id[4];
        lm_put32(id, (uint32_t)(lm_hash4(2, i, k, 0) % 32000));
        NEED(lm_buf_add(b, id, width) == 0);
    }
    NEED(lm_record_end(b, at, false, width, &d) == 0);
}

/* The end of a chunk. */
static inline void tiny_chunk(lm_buf *b, uint32_t file, uint64_t lines)
{
    lm_record r = { .kind = LM_REC_CHUNK,
                    .chunk = { .file = file,
                               .lines = lines,
                               .hash = lm_hash4(4, file, lines, 0),
                               .bad_bytes = 10 * file,
                               .bad_hash = lm_hash4(5, file, lines, 0) } };
    NEED(lm_record_add(b, 2, &r) == 0);
}

/* All records of files first .. first+files-1: documents, the end of each file, a bad line. */
static inline void tiny_records(lm_buf *b, uint32_t first, uint32_t files, unsigned width)
{
    for (uint32_t f = first; f < first + files; f++) {
        lm_record end = {
            .kind = LM_REC_FILE,
            .file = { .file = f - first, .raw_bytes = 100 + f, .raw_hash = lm_hash4(3, f, 0, 0) }
        };
        for (unsigned i = 0; i < TINY_DOCS; i++)
            if (tiny_file[i] == f) tiny_add(b, i, first, width), end.file.documents++;
        if (f == 1) {
            lm_record bad = { .kind = LM_REC_BAD,
                              .bad = { .file = f - first, .line = 7, .offset = 70, .bytes = 9 } };
            NEED(lm_record_add(b, width, &bad) == 0);
            end.file.bad_lines = 1;
        }
        end.file.lines = end.file.documents + end.file.bad_lines;
        tiny_chunk(b, f - first, end.file.lines);
        NEED(lm_record_add(b, width, &end) == 0);
    }
}

static inline void tiny_write(const char *path, uint64_t vocab, uint32_t first, uint32_t files,
                              uint32_t k, uint32_t n)
{
    lm_json *header = tiny_header(vocab, first, files, k, n);
    lm_store_writer *w = NULL;
    lm_buf b = LM_BUF_INIT(1 << 20);
    tiny_records(&b, first, files, vocab <= 65536 ? 2 : 4);
    NEED(lm_store_writer_open(&w, path, header, LM_STORE_ONCE, NULL, NULL) == 0);
    NEED(lm_store_append(w, b.data, b.size) == 0);
    NEED(lm_store_finish(w) == 0);
    lm_buf_free(&b);
    lm_json_free(header);
}

static inline size_t tiny_load(const char *path, unsigned char *p, size_t max)
{
    FILE *f = fopen(path, "rb");
    NEED(f);
    size_t n = fread(p, 1, max, f);
    NEED(n < max);
    fclose(f);
    return n;
}

static inline void tiny_save(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    NEED(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* Read a stream to its end: 0 or the error. */
static inline int tiny_drain(const char *path, uint64_t *documents)
{
    lm_stream *s = NULL;
    lm_record r;
    *documents = 0;
    int rc = lm_stream_open(&s, path);
    if (rc) return rc;
    while ((rc = lm_stream_next(s, &r)) == 1) *documents += r.kind == LM_REC_DOC;
    lm_stream_close(s);
    return rc;
}

#endif
