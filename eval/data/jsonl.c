#include "eval/data/jsonl.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/buf.h"
#include "lib/base/text.h"
#include "lib/tokenizer/plain.h"
#include "longmix/zio.h"

#define LINE_MAX_BYTES ((size_t)1 << 30)
enum { PIECE = 1 << 18 };

typedef struct reader {
    const char *path;
    lm_in *in;
    lm_buf bytes;
    size_t at; /* in bytes: the start of the next line */
    bool end;
    uint64_t number, offset; /* of the line that was read last */
    uint64_t next;           /* offset of the one after it */
} reader;

static int read_more(reader *r)
{
    if (r->at) memmove(r->bytes.data, r->bytes.data + r->at, r->bytes.size - r->at);
    r->bytes.size -= r->at;
    r->at = 0;
    int rc = lm_buf_reserve(&r->bytes, PIECE);
    if (rc) return rc;
    ssize_t k = lm_in_read(r->in, r->bytes.data + r->bytes.size, PIECE);
    if (k < 0) return (int)k;
    r->bytes.size += (size_t)k;
    r->end = k == 0;
    return LM_OK;
}

/* The next line, without its LF, borrowed until the next call: 1, 0 at the end, or an error. */
static int next_line(reader *r, const char **line, size_t *n)
{
    for (size_t looked = 0;;) {
        size_t left = r->bytes.size - r->at;
        unsigned char *from = left ? r->bytes.data + r->at : NULL,
                      *lf = left > looked ? memchr(from + looked, '\n', left - looked) : NULL;
        if (lf || (r->end && left)) {
            *line = (const char *)from;
            *n = lf ? (size_t)(lf - from) : left;
            r->at += *n + (lf != NULL);
            r->number++;
            r->offset = r->next;
            r->next += *n + (lf != NULL);
            return 1;
        }
        if (r->end) return 0;
        looked = left;
        int rc = read_more(r);
        if (rc) return rc;
    }
}

static int parse_line(const reader *r, const char *line, size_t n, lm_json **out)
{
    char name[4096];
    snprintf(name, sizeof name, "%s:%" PRIu64, r->path, r->number);
    int rc = lm_plain_text(line, n, r->offset, name);
    if (!rc) rc = lm_json_parse(out, line, n, name);
    if (!rc && lm_json_type(*out) != LM_JSON_OBJECT) {
        rc = lm_json_fail(*out, "expected an object");
        lm_json_free(*out);
        *out = NULL;
    }
    return rc;
}

int eval_jsonl(const char *path, uint64_t *hash,
               int (*each)(void *arg, const lm_json *line, size_t i), void *arg)
{
    reader r = { .path = path, .bytes = LM_BUF_INIT(LINE_MAX_BYTES) };
    const char *line = NULL;
    size_t n = 0, i = 0;
    int rc = lm_in_open(&r.in, path);
    while (!rc && (rc = next_line(&r, &line, &n)) == 1) {
        lm_json *o = NULL;
        rc = lm_is_blank(line, n) ? 1 : parse_line(&r, line, n, &o);
        if (!rc) rc = each(arg, o, i++);
        else if (rc > 0) rc = 0;
        lm_json_free(o);
    }
    if (!rc && hash) *hash = lm_in_raw_hash(r.in);
    lm_in_close(r.in);
    lm_buf_free(&r.bytes);
    return rc;
}

int eval_get_texts(eval_texts *out, const lm_json *line, const char *key, size_t least)
{
    const lm_json *v;
    *out = (eval_texts){ 0 };
    int rc = lm_json_need(&v, line, key);
    if (rc) return rc;
    bool list = lm_json_type(v) == LM_JSON_ARRAY;
    size_t n = list ? lm_json_size(v) : 1;
    if (n < least) return lm_json_fail(v, "expected at least %zu strings", least);
    out->v = malloc((n ? n : 1) * sizeof *out->v);
    if (!out->v) return lm_fail_nomem(n * sizeof *out->v);
    for (; !rc && out->n < n; out->n++)
        rc = lm_json_str(&out->v[out->n], list ? lm_json_at(v, out->n) : v, NULL);
    if (rc) {
        free(out->v);
        *out = (eval_texts){ 0 };
    }
    return rc;
}

int eval_set_text(lm_json *o, const char *key, const char *text)
{
    lm_buf b = LM_BUF_INIT(LINE_MAX_BYTES);
    size_t n = strlen(text);
    int rc = lm_buf_reserve(&b, n + 1);
    while (n && !rc) {
        uint32_t c;
        size_t k = lm_utf8_decode((const unsigned char *)text, n, &c);
        rc = k ? lm_buf_add(&b, text, k) : lm_buf_add(&b, LM_UTF8_REPLACEMENT, 3);
        text += k ? k : 1;
        n -= k ? k : 1;
    }
    if (!rc) rc = lm_buf_add(&b, "", 1);
    if (!rc) lm_json_set_str(o, key, (char *)b.data);
    lm_buf_free(&b);
    return rc;
}
