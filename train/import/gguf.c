#include "train/import/gguf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/endian.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "longmix/zio.h"
#include "train/files/model_dir.h"

#define HEAD_MAX ((size_t)1 << 30) /* metadata and the list of tensors */

enum {
    STEP = 1 << 20, /* bytes of the head that are read at once */
    KEY_MAX = 65535,
    NAME_MAX_BYTES = 255,
    ALIGNMENT = 32,
    ALIGNMENT_MAX = 1 << 20,
    PARTS_MAX = 1000,
    KEY_BYTES = 8 + 1 + 4 + 1, /* the shortest entry */
    TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8
};

/* One file. The head is kept in memory as far as it was needed. */
typedef struct part {
    char *path;
    int fd;
    uint64_t size;
    lm_buf head;
    gguf_value *values;
    size_t n_values;
    uint64_t n_tensors;
    uint64_t at; /* while the head is read */
} part;

struct gguf {
    part *parts;
    size_t n_parts;
    gguf_tensor *tensors;
    size_t n_tensors;
};

static const size_t widths[GGUF_TYPES] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,   [GGUF_U16] = 2, [GGUF_I16] = 2, [GGUF_U32] = 4, [GGUF_I32] = 4,
    [GGUF_F32] = 4, [GGUF_BOOL] = 1, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

/* ---- bytes of the head ---------------------------------------------------------------------- */

/* Have `n` bytes from p->at in memory: LM_EDATA where the file ends before, within `what`. */
static int need(part *p, uint64_t n, const char *what)
{
    if (n > p->size - p->at)
        return lm_fail(LM_EDATA,
                       "%s: ends at byte %" PRIu64 " within %s, of which %" PRIu64
                       " bytes are expected from byte %" PRIu64 ": cut short or damaged",
                       p->path, p->size, what, n, p->at);
    uint64_t end = p->at + n, have = p->head.size;
    if (end <= have) return LM_OK;
    if (end < have + STEP) end = have + STEP;
    if (end > p->size) end = p->size;
    if (end > HEAD_MAX)
        return lm_fail(LM_EDATA, "%s: metadata of more than %zu bytes", p->path, HEAD_MAX);
    int rc = lm_buf_reserve(&p->head, (size_t)(end - have));
    if (!rc) rc = lm_pread_all(p->fd, p->head.data + have, (size_t)(end - have), have, p->path);
    if (!rc) p->head.size = (size_t)end;
    return rc;
}

static int take_u32(part *p, uint32_t *out, const char *what)
{
    int rc = need(p, 4, what);
    if (rc) return rc;
    *out = lm_le32(p->head.data + p->at);
    p->at += 4;
    return LM_OK;
}

static int take_u64(part *p, uint64_t *out, const char *what)
{
    int rc = need(p, 8, what);
    if (rc) return rc;
    *out = lm_le64(p->head.data + p->at);
    p->at += 8;
    return LM_OK;
}

/* A name in new memory: UTF-8 without NUL, of 1 to `max` bytes. */
static int take_name(part *p, char **out, uint64_t max, const char *what)
{
    uint64_t n = 0, at = p->at;
    int rc = take_u64(p, &n, what);
    if (!rc && (n < 1 || n > max))
        return lm_fail(LM_EDATA,
                       "%s: %s at byte %" PRIu64 " has %" PRIu64 " bytes, 1 to %" PRIu64
                       " are possible",
                       p->path, what, at, n, max);
    if (!rc) rc = need(p, n, what);
    if (rc) return rc;
    const unsigned char *s = p->head.data + p->at;
    for (size_t i = 0, k; i < n; i += k) {
        uint32_t c = 0;
        k = lm_utf8_decode(s + i, (size_t)n - i, &c);
        if (!k || !c)
            return lm_fail(LM_EDATA, "%s: %s at byte %" PRIu64 " is not text in UTF-8", p->path,
                           what, at);
    }
    *out = strndup((const char *)s, (size_t)n);
    if (!*out) return lm_fail_nomem((size_t)n);
    p->at += n;
    return LM_OK;
}

/* ---- metadata ------------------------------------------------------------------------------- */

static int skip_string(part *p, const char *what)
{
    uint64_t n = 0;
    int rc = take_u64(p, &n, what);
    if (!rc) rc = need(p, n, what);
    if (!rc) p->at += n;
    return rc;
}

static int skip_elements(part *p, const gguf_value *v)
{
    uint64_t width = v->type == GGUF_STRING ? 8 : widths[v->type]; /* a string has 8 at least */
    if (v->count > (p->size - p->at) / width)
        return lm_fail(LM_EDATA,
                       "%s: %s: %" PRIu64 " elements from byte %" PRIu64
                       " do not fit into a file of %" PRIu64 " bytes: cut short or damaged",
                       p->path, v->key, v->count, p->at, p->size);
    int rc = LM_OK;
    if (v->type != GGUF_STRING) {
        rc = need(p, v->count * width, v->key);
        if (!rc) p->at += v->count * width;
    }
    for (uint64_t i = 0; !rc && v->type == GGUF_STRING && i < v->count; i++)
        rc = skip_string(p, v->key);
    return rc;
}

static int take_type(part *p, const char *key, enum gguf_type *out)
{
    uint32_t type = 0;
    uint64_t at = p->at;
    int rc = take_u32(p, &type, key);
    if (!rc && type >= GGUF_TYPES)
        rc = lm_fail(LM_EDATA,
                     "%s: %s: at byte %" PRIu64 " a value of type %" PRIu32
                     ", which GGUF does not have",
                     p->path, key, at, type);
    *out = (enum gguf_type)type;
    return rc;
}

static int read_value(part *p, gguf_value *v)
{
    char *key = NULL;
    int rc = take_name(p, &key, KEY_MAX, "a key");
    v->key = key;
    v->count = 1;
    if (!rc) rc = take_type(p, v->key, &v->type);
    if (!rc && v->type == GGUF_ARRAY) {
        v->array = true;
        rc = take_type(p, v->key, &v->type);
        if (!rc && v->type == GGUF_ARRAY)
            rc = lm_fail(LM_EDATA, "%s: %s: an array of arrays at byte %" PRIu64 " is not read",
                         p->path, v->key, p->at);
        if (!rc) rc = take_u64(p, &v->count, v->key);
    }
    v->at = p->at;
    return rc ? rc : skip_elements(p, v);
}

static int read_values(part *p, uint64_t n)
{
    p->values = calloc(n ? n : 1, sizeof *p->values);
    if (!p->values) return lm_fail_nomem(n * sizeof *p->values);
    for (uint64_t i = 0; i < n; i++) {
        gguf_value v = { 0 };
        int rc = read_value(p, &v);
        p->values[p->n_values++] = v;
        if (rc) return rc;
    }
    qsort(p->values, p->n_values, sizeof *p->values, lm_by_name);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(p->values[i - 1].key, p->values[i].key))
            return lm_fail(LM_EDATA, "%s: %s is there twice, at bytes %" PRIu64 " and %" PRIu64,
                           p->path, p->values[i].key, p->values[i - 1].at, p->values[i].at);
    return LM_OK;
}

/* Magic, version and counts. */
static int read_head(part *p, uint64_t *n_values)
{
    uint32_t version = 0;
    int rc = need(p, 4, "the magic number");
    if (rc) return rc;
    if (memcmp(p->head.data, "GGUF", 4))
        return lm_fail(LM_EDATA, "%s: not a GGUF file: it begins with bytes %02x %02x %02x %02x",
                       p->path, p->head.data[0], p->head.data[1], p->head.data[2], p->head.data[3]);
    p->at = 4;
    rc = take_u32(p, &version, "the version");
    if (!rc && version && !(version & 0xffff))
        return lm_fail(LM_EDATA,
                       "%s: a big-endian GGUF file (version at byte 4); only "
                       "little-endian ones are read",
                       p->path);
    if (!rc && version != 2 && version != 3)
        return lm_fail(LM_EDATA, "%s: GGUF version %" PRIu32 " at byte 4 is not read, only 2 and 3",
                       p->path, version);
    if (!rc) rc = take_u64(p, &p->n_tensors, "the number of tensors");
    if (!rc) rc = take_u64(p, n_values, "the number of keys");
    if (!rc && p->n_tensors > (p->size - p->at) / TENSOR_BYTES)
        rc = lm_fail(LM_EDATA, "%s: %" PRIu64 " tensors (byte 8) do not fit into %" PRIu64 " bytes",
                     p->path, p->n_tensors, p->size);
    if (!rc && *n_values > (p->size - p->at) / KEY_BYTES)
        rc = lm_fail(LM_EDATA, "%s: %" PRIu64 " keys (byte 16) do not fit into %" PRIu64 " bytes",
                     p->path, *n_values, p->size);
    return rc;
}

static int open_part(part *p, const char *path)
{
    struct stat st;
    uint64_t n = 0;
    *p = (part){ .path = strdup(path), .fd = -1, .head = LM_BUF_INIT(HEAD_MAX) };
    if (!p->path) return lm_fail_nomem(strlen(path));
    int rc = model_dir_regular(path);
    if (rc) return rc;
    p->fd = lm_fd_open_regular(path);
    if (p->fd < 0) return p->fd;
    if (fstat(p->fd, &st)) return lm_fail_errno(errno, "%s", path);
    p->size = (uint64_t)st.st_size;
    rc = read_head(p, &n);
    return rc ? rc : read_values(p, n);
}

static const gguf_value *find_value(const part *p, const char *key)
{
    gguf_value want = { .key = key };
    return p->n_values ? bsearch(&want, p->values, p->n_values, sizeof want, lm_by_name) : NULL;
}

size_t gguf_values(const gguf *g) { return g->parts->n_values; }
const gguf_value *gguf_value_at(const gguf *g, size_t i) { return &g->parts->values[i]; }
const gguf_value *gguf_find(const gguf *g, const char *key) { return find_value(g->parts, key); }
const char *gguf_path(const gguf *g) { return g->parts->path; }

/* ---- the values ----------------------------------------------------------------------------- */

static int fail_at(const part *p, const char *key, const gguf_value *v, const char *text)
{
    if (!v) return lm_fail(LM_EDATA, "%s: %s %s", p->path, key, text);
    return lm_fail(LM_EDATA, "%s: %s at byte %" PRIu64 ": %s", p->path, key, v->at, text);
}

int gguf_fail(const gguf *g, const char *key, const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fail_at(g->parts, key, gguf_find(g, key), text);
}

static int pick(const part *p, const char *key, const gguf_value **out)
{
    *out = find_value(p, key);
    return *out ? LM_OK : fail_at(p, key, NULL, "is missing in the metadata");
}

/* Element i as a whole number: false where the type is another, or it is negative. */
static bool whole(const part *p, const gguf_value *v, uint64_t i, uint64_t *out)
{
    const unsigned char *b = p->head.data + v->at + i * widths[v->type];
    int64_t x = 0;
    switch (v->type) {
    case GGUF_U8: x = b[0]; break;
    case GGUF_I8: x = (int8_t)b[0]; break;
    case GGUF_U16: x = lm_le16(b); break;
    case GGUF_I16: x = (int16_t)lm_le16(b); break;
    case GGUF_U32: x = lm_le32(b); break;
    case GGUF_I32: x = (int32_t)lm_le32(b); break;
    case GGUF_U64:
    case GGUF_I64: x = (int64_t)lm_le64(b); break;
    default: return false;
    }
    if (x < 0) return false;
    *out = (uint64_t)x;
    return true;
}

static int part_u64(const part *p, const char *key, uint64_t *out)
{
    const gguf_value *v = NULL;
    uint64_t other = 0;
    int rc = pick(p, key, &v);
    if (rc) return rc;
    if (v->array && !v->count) return fail_at(p, key, v, "an empty array");
    for (uint64_t i = 0; i < v->count; i++) {
        if (!whole(p, v, i, i ? &other : out))
            return fail_at(p, key, v, "expected a whole number, not negative");
        if (i && other != *out)
            return fail_at(p, key, v, "numbers that differ by layer are not supported");
    }
    return LM_OK;
}

int gguf_u64(const gguf *g, const char *key, uint64_t *out) { return part_u64(g->parts, key, out); }

int gguf_f64(const gguf *g, const char *key, double *out)
{
    const gguf_value *v = NULL;
    uint64_t n = 0;
    int rc = pick(g->parts, key, &v);
    if (rc) return rc;
    const unsigned char *b = g->parts->head.data + v->at;
    if (!v->array && v->type == GGUF_F32) {
        uint32_t u = lm_le32(b);
        float f;
        memcpy(&f, &u, 4);
        *out = (double)f;
    } else if (!v->array && v->type == GGUF_F64) {
        uint64_t u = lm_le64(b);
        memcpy(out, &u, 8);
    } else if (!v->array && whole(g->parts, v, 0, &n)) {
        *out = (double)n;
    } else {
        return fail_at(g->parts, key, v, "expected a number");
    }
    return LM_OK;
}

int gguf_bool(const gguf *g, const char *key, bool *out)
{
    const gguf_value *v = NULL;
    int rc = pick(g->parts, key, &v);
    if (rc) return rc;
    unsigned char b = g->parts->head.data[v->at];
    if (v->array || v->type != GGUF_BOOL || b > 1)
        return fail_at(g->parts, key, v, "expected true or false");
    *out = b;
    return LM_OK;
}

/* The string at *at, which moves past it. The head holds it: it was skipped once. */
static int string_at(const part *p, const gguf_value *v, uint64_t *at, lm_string *out)
{
    const unsigned char *b = p->head.data + *at;
    size_t n = (size_t)lm_le64(b);
    b += 8;
    for (size_t i = 0, k; i < n; i += k) {
        uint32_t c = 0;
        k = lm_utf8_decode(b + i, n - i, &c);
        if (!k || !c)
            return lm_fail(LM_EDATA,
                           "%s: %s: the text at byte %" PRIu64 " is not UTF-8 without NUL", p->path,
                           v->key, *at);
    }
    *out = (lm_string){ (const char *)b, n };
    *at += 8 + n;
    return LM_OK;
}

int gguf_string(const gguf *g, const char *key, lm_string *out)
{
    const gguf_value *v = NULL;
    int rc = pick(g->parts, key, &v);
    if (rc) return rc;
    if (v->array || v->type != GGUF_STRING) return fail_at(g->parts, key, v, "expected a string");
    uint64_t at = v->at;
    return string_at(g->parts, v, &at, out);
}

/* New memory for the elements of an array. */
static int array_of(const gguf *g, const char *key, const gguf_value **v, size_t size, void **out)
{
    int rc = pick(g->parts, key, v);
    if (rc) return rc;
    if (!(*v)->array) return fail_at(g->parts, key, *v, "expected an array");
    *out = calloc((*v)->count ? (*v)->count : 1, size);
    return *out ? LM_OK : lm_fail_nomem((*v)->count * size);
}

int gguf_strings(const gguf *g, const char *key, lm_string **out, size_t *n)
{
    const gguf_value *v = NULL;
    void *all = NULL;
    int rc = array_of(g, key, &v, sizeof **out, &all);
    if (rc) return rc;
    lm_string *s = all;
    if (v->type != GGUF_STRING) rc = fail_at(g->parts, key, v, "expected an array of strings");
    uint64_t at = v->at;
    for (uint64_t i = 0; !rc && i < v->count; i++) rc = string_at(g->parts, v, &at, &s[i]);
    if (rc) {
        free(s);
        return rc;
    }
    *out = s;
    *n = (size_t)v->count;
    return LM_OK;
}

int gguf_floats(const gguf *g, const char *key, float **out, size_t *n)
{
    const gguf_value *v = NULL;
    void *all = NULL;
    int rc = array_of(g, key, &v, sizeof **out, &all);
    if (!rc && v->type != GGUF_F32) rc = fail_at(g->parts, key, v, "expected an array of float32");
    if (rc) {
        free(all);
        return rc;
    }
    float *f = all;
    for (uint64_t i = 0; i < v->count; i++) {
        uint32_t u = lm_le32(g->parts->head.data + v->at + 4 * i);
        memcpy(&f[i], &u, 4);
    }
    *out = f;
    *n = (size_t)v->count;
    return LM_OK;
}

int gguf_u64s(const gguf *g, const char *key, uint64_t **out, size_t *n)
{
    const gguf_value *v = NULL;
    void *all = NULL;
    int rc = array_of(g, key, &v, sizeof **out, &all);
    uint64_t *x = all;
    for (uint64_t i = 0; !rc && i < v->count; i++)
        if (!whole(g->parts, v, i, &x[i]))
            rc = fail_at(g->parts, key, v, "expected an array of whole numbers, not negative");
    if (rc) {
        free(x);
        return rc;
    }
    *out = x;
    *n = (size_t)v->count;
    return LM_OK;
}

/* ---- tensors -------------------------------------------------------------------------------- */

static int check_type(const part *p, gguf_tensor *t, uint64_t at)
{
    t->type = ggml_type_of(t->id);
    if (t->type) return LM_OK;
    const char *name = ggml_type_name(t->id);
    char number[24];
    snprintf(number, sizeof number, "%" PRIu32, t->id);
    return lm_fail(LM_EDATA,
                   "%s: tensor %s at byte %" PRIu64 " is of type %s, which is not read (" GGML_READ
                   " are)",
                   p->path, t->name, at, name ? name : number);
}

/* GGUF lists the size of a row first. */
static int read_shape(part *p, gguf_tensor *t, uint64_t at)
{
    uint32_t rank = 0;
    int rc = take_u32(p, &rank, t->name);
    if (!rc && (rank < 1 || rank > GGUF_RANK_MAX))
        return lm_fail(LM_EDATA,
                       "%s: tensor %s at byte %" PRIu64 " has %" PRIu32
                       " dimensions, 1 to %d are possible",
                       p->path, t->name, at, rank, GGUF_RANK_MAX);
    t->rank = rank;
    t->count = 1;
    for (size_t i = rank; !rc && i-- > 0;) {
        uint64_t n = 0;
        rc = take_u64(p, &n, t->name);
        /* No type has more than two numbers in a byte. */
        if (!rc && (!n || n > 2 * p->size / t->count))
            return lm_fail(LM_EDATA,
                           "%s: tensor %s at byte %" PRIu64 ": dimension %" PRIu64
                           " cannot be: the file has %" PRIu64 " bytes",
                           p->path, t->name, at, n, p->size);
        t->shape[i] = n;
        t->count *= n;
    }
    return rc;
}

static int read_tensor(part *p, gguf_tensor *t)
{
    char *name = NULL;
    uint64_t at = p->at;
    t->file = p->path;
    int rc = take_name(p, &name, NAME_MAX_BYTES, "the name of a tensor");
    t->name = name;
    if (!rc) rc = read_shape(p, t, at);
    if (!rc) rc = take_u32(p, &t->id, t->name);
    if (!rc) rc = take_u64(p, &t->offset, t->name);
    if (!rc) rc = check_type(p, t, at);
    if (!rc && t->shape[t->rank - 1] % t->type->numbers)
        rc = lm_fail(LM_EDATA,
                     "%s: tensor %s at byte %" PRIu64 ": rows of %" PRIu64
                     " numbers are not whole blocks of %s",
                     p->path, t->name, at, t->shape[t->rank - 1], t->type->name);
    return rc;
}

static uint64_t bytes_of(const gguf_tensor *t)
{
    return t->count / t->type->numbers * t->type->bytes;
}

static int by_place(const void *a, const void *b)
{
    const gguf_tensor *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Offsets, which count from the aligned end of the list, become those of the file. */
static int place_tensors(part *p, gguf_tensor *t, size_t n)
{
    uint64_t alignment = ALIGNMENT, end = 0;
    const gguf_value *v = find_value(p, "general.alignment");
    int rc = v ? part_u64(p, v->key, &alignment) : LM_OK;
    if (!rc && (alignment < 1 || alignment > ALIGNMENT_MAX || (alignment & (alignment - 1))))
        rc = fail_at(p, v->key, v, "not a power of two up to 1048576");
    if (rc) return rc;
    uint64_t data = (p->at + alignment - 1) / alignment * alignment;
    uint64_t room = p->size > data ? p->size - data : 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = bytes_of(&t[i]);
        if (t[i].offset % alignment)
            return lm_fail(LM_EDATA,
                           "%s: tensor %s: offset %" PRIu64
                           " is not a multiple of the alignment %" PRIu64,
                           p->path, t[i].name, t[i].offset, alignment);
        if (t[i].offset > room || bytes > room - t[i].offset)
            return lm_fail(LM_EDATA,
                           "%s: tensor %s: %" PRIu64 " bytes at offset %" PRIu64
                           " of the data, which begin at byte %" PRIu64
                           ", lie past the end at byte %" PRIu64 ": cut short or damaged",
                           p->path, t[i].name, bytes, t[i].offset, data, p->size);
        t[i].offset += data;
    }
    qsort(t, n, sizeof *t, by_place);
    for (size_t i = 0; i < n; i++) {
        if (t[i].offset < end)
            return lm_fail(LM_EDATA, "%s: tensors %s and %s overlap at byte %" PRIu64, p->path,
                           t[i - 1].name, t[i].name, t[i].offset);
        end = t[i].offset + bytes_of(&t[i]);
    }
    return LM_OK;
}

static int read_tensors(gguf *g, size_t k)
{
    part *p = &g->parts[k];
    size_t first = g->n_tensors;
    if (p->n_tensors > SIZE_MAX / sizeof *g->tensors / 2 - first) return lm_fail_nomem(SIZE_MAX);
    gguf_tensor *all = realloc(g->tensors, (first + p->n_tensors + 1) * sizeof *all);
    if (!all) return lm_fail_nomem((first + p->n_tensors + 1) * sizeof *all);
    g->tensors = all;
    for (uint64_t i = 0; i < p->n_tensors; i++) {
        gguf_tensor t = { .part = k };
        int rc = read_tensor(p, &t);
        all[g->n_tensors++] = t;
        if (rc) return rc;
    }
    return place_tensors(p, all + first, (size_t)p->n_tensors);
}

/* ---- split models --------------------------------------------------------------------------- */

/* The length of "-00001-of-00003.gguf", and where the numbers lie in it. */
enum { TAIL = 20, NUMBER = 5 };

/* The path of part `k`, from that of the first. */
static int part_path(char *out, size_t size, const char *first, size_t k, size_t n)
{
    char tail[64];
    size_t length = strlen(first);
    snprintf(tail, sizeof tail, "-%05zu-of-%05zu.gguf", (size_t)1, n);
    if (length < TAIL || strcmp(first + length - TAIL, tail) || length >= size)
        return lm_fail(LM_EDATA, "%s: a model in %zu files: give the first, whose name ends in %s",
                       first, n, tail);
    snprintf(out, size, "%s", first);
    snprintf(tail, sizeof tail, "%05zu", k + 1);
    memcpy(out + length - TAIL + 1, tail, NUMBER);
    return LM_OK;
}

static int open_others(gguf *g, const char *path, size_t n)
{
    char name[MODEL_PATH];
    part *all = calloc(n, sizeof *all);
    if (!all) return lm_fail_nomem(n * sizeof *all);
    all[0] = g->parts[0];
    free(g->parts);
    g->parts = all;
    for (size_t k = 1; k < n; k++) {
        uint64_t no = 0, count = 0;
        int rc = part_path(name, sizeof name, path, k, n);
        if (rc) return rc;
        g->n_parts = k + 1;
        rc = open_part(&all[k], name);
        if (!rc) rc = part_u64(&all[k], "split.no", &no);
        if (!rc) rc = part_u64(&all[k], "split.count", &count);
        if (!rc && (no != k || count != n))
            rc = lm_fail(LM_EDATA,
                         "%s: split.no and split.count are %" PRIu64 " and %" PRIu64
                         ", not %zu and %zu",
                         name, no, count, k, n);
        if (rc) return rc;
    }
    return LM_OK;
}

static int open_split(gguf *g, const char *path)
{
    uint64_t n = 1, no = 0, want = 0, have = 0;
    int rc = LM_OK;
    if (!gguf_find(g, "split.count")) return LM_OK;
    rc = gguf_u64(g, "split.count", &n);
    if (!rc && (n < 1 || n > PARTS_MAX))
        rc = gguf_fail(g, "split.count", "%" PRIu64 " is not within 1..%d", n, PARTS_MAX);
    if (!rc && gguf_find(g, "split.no")) rc = gguf_u64(g, "split.no", &no);
    if (!rc && no)
        rc = gguf_fail(g, "split.no", "this is file %" PRIu64 " of %" PRIu64 "; give the first",
                       no + 1, n);
    if (!rc && n > 1) rc = open_others(g, path, (size_t)n);
    for (size_t k = 0; !rc && k < g->n_parts; k++) have += g->parts[k].n_tensors;
    if (!rc && gguf_find(g, "split.tensors.count")) {
        rc = gguf_u64(g, "split.tensors.count", &want);
        if (!rc && want != have)
            rc = gguf_fail(g, "split.tensors.count", "%" PRIu64 " tensors, the files hold %" PRIu64,
                           want, have);
    }
    return rc;
}

/* ---- opening -------------------------------------------------------------------------------- */

static int open_all(gguf *g, const char *path)
{
    g->n_parts = 1;
    int rc = open_part(g->parts, path);
    if (!rc) rc = open_split(g, path);
    for (size_t k = 0; !rc && k < g->n_parts; k++) rc = read_tensors(g, k);
    if (rc) return rc;
    if (!g->n_tensors) return lm_fail(LM_EDATA, "%s: holds no tensors", path);
    qsort(g->tensors, g->n_tensors, sizeof *g->tensors, lm_by_name);
    for (size_t i = 1; i < g->n_tensors; i++)
        if (!strcmp(g->tensors[i - 1].name, g->tensors[i].name))
            return lm_fail(LM_EDATA, "%s: tensor %s is there twice (also in %s)",
                           g->tensors[i].file, g->tensors[i].name, g->tensors[i - 1].file);
    return LM_OK;
}

int gguf_open(gguf **out, const char *path)
{
    *out = NULL;
    gguf *g = calloc(1, sizeof *g);
    if (!g) return lm_fail_nomem(sizeof *g);
    g->parts = calloc(1, sizeof *g->parts);
    int rc = g->parts ? open_all(g, path) : lm_fail_nomem(sizeof *g->parts);
    if (rc) gguf_close(g);
    else *out = g;
    return rc;
}

void gguf_close(gguf *g)
{
    if (!g) return;
    for (size_t k = 0; k < g->n_parts; k++) {
        part *p = &g->parts[k];
        for (size_t i = 0; i < p->n_values; i++) free((char *)p->values[i].key);
        free(p->values);
        lm_buf_free(&p->head);
        if (p->fd >= 0) close(p->fd);
        free(p->path);
    }
    for (size_t i = 0; i < g->n_tensors; i++) free((char *)g->tensors[i].name);
    free(g->tensors);
    free(g->parts);
    free(g);
}

size_t gguf_tensors(const gguf *g) { return g->n_tensors; }
const gguf_tensor *gguf_tensor_at(const gguf *g, size_t i) { return &g->tensors[i]; }

const gguf_tensor *gguf_tensor_find(const gguf *g, const char *name)
{
    gguf_tensor want = { .name = name };
    return bsearch(&want, g->tensors, g->n_tensors, sizeof want, lm_by_name);
}

int gguf_rows(const gguf *g, const gguf_tensor *t, uint64_t first, size_t n, lm_buf *raw,
              float *dst)
{
    uint64_t blocks = t->shape[t->rank - 1] / t->type->numbers, bytes = blocks * t->type->bytes;
    const part *p = &g->parts[t->part];
    raw->size = 0;
    int rc = lm_buf_reserve(raw, (size_t)(n * bytes));
    if (!rc)
        rc =
            lm_pread_all(p->fd, raw->data, (size_t)(n * bytes), t->offset + first * bytes, p->path);
    if (!rc) ggml_convert(t->type, raw->data, (size_t)(n * blocks), dst);
    return rc;
}
