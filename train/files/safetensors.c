#include "train/files/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/endian.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "longmix/json.h"
#include "longmix/zio.h"
#include "train/files/model_dir.h"

enum { HEADER_MAX = 100 * 1000 * 1000, CHUNK = 1 << 16, FILES_MAX = 4096 };

static const struct {
    const char *code, *name;
    size_t bytes;
} dtypes[] = {
    [ST_F32] = { "F32", "float32", 4 },
    [ST_BF16] = { "BF16", "bfloat16", 2 },
    [ST_F16] = { "F16", "float16", 2 },
};

const char *st_dtype_name(enum st_dtype d) { return dtypes[d].name; }

/* ---- number formats -------------------------------------------------------------------- */

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static uint32_t to_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

float st_from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, part = h & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000 | part << 13);
    if (exponent) return from_bits(sign | (exponent + 112) << 23 | part << 13);
    float small = (float)part * 0x1p-24f;
    return sign ? -small : small;
}

/* Both round to the nearest, ties to even, and keep infinities and NaNs. */
static uint16_t to_bfloat(float f)
{
    uint32_t u = to_bits(f);
    if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static uint16_t to_half(float f)
{
    uint32_t u = to_bits(f), sign = u >> 16 & 0x8000, mag = u & 0x7fffffff;
    if (mag > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (mag >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* rounds past 65504 */
    if (mag < 0x38800000) {
        float part = rintf(fabsf(f) * 0x1p24f);
        return (uint16_t)(sign | (uint32_t)part);
    }
    mag += 0xfff + (mag >> 13 & 1);
    return (uint16_t)(sign | (mag - 0x38000000) >> 13);
}

/* ---- reading --------------------------------------------------------------------------- */

typedef struct source {
    char *path;
    int fd;
    lm_json *header;
} source;

struct st_reader {
    source *sources;
    size_t n_sources;
    st_tensor *tensors; /* in the order of their names */
    size_t n, cap;
};

static int by_place(const void *a, const void *b)
{
    const st_tensor *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x->count < y->count ? -1 : x->count > y->count;
}

/* One member of the header. `data` is the file offset of the numbers, `end` the file's size. */
static int read_entry(st_tensor *t, const lm_json *e, uint64_t data, uint64_t end)
{
    const char *code = NULL;
    const lm_json *shape = NULL, *place = NULL;
    int rc = lm_json_str(&code, e, "dtype");
    if (!rc) rc = lm_json_need(&shape, e, "shape");
    if (!rc) rc = lm_json_need(&place, e, "data_offsets");
    if (rc) return rc;
    size_t d = 0, kinds = sizeof dtypes / sizeof *dtypes;
    while (d < kinds && strcmp(code, dtypes[d].code)) d++;
    if (d == kinds)
        return lm_json_fail(e, "numbers of type \"%s\" (F32, BF16 and F16 are read)", code);
    t->dtype = (enum st_dtype)d;
    t->rank = lm_json_size(shape);
    if (lm_json_type(shape) != LM_JSON_ARRAY || t->rank > ST_RANK_MAX)
        return lm_json_fail(shape, "not a shape of at most %d sizes", ST_RANK_MAX);
    t->count = 1;
    for (size_t i = 0; !rc && i < t->rank; i++) {
        rc = lm_json_u64(&t->shape[i], lm_json_at(shape, i), NULL);
        if (!rc && t->shape[i] && t->count > UINT64_MAX / 8 / t->shape[i])
            rc = lm_json_fail(shape, "too large");
        if (!rc) t->count *= t->shape[i];
    }
    uint64_t from = 0, to = 0;
    if (!rc && lm_json_size(place) != 2) rc = lm_json_fail(place, "not two offsets");
    if (!rc) rc = lm_json_u64(&from, lm_json_at(place, 0), NULL);
    if (!rc) rc = lm_json_u64(&to, lm_json_at(place, 1), NULL);
    if (rc) return rc;
    if (to < from || to > end - data || to - from != t->count * dtypes[d].bytes)
        return lm_json_fail(place,
                            "bytes %" PRIu64 " to %" PRIu64 " do not hold %" PRIu64
                            " numbers, or lie past the end of the file",
                            from, to, t->count);
    t->offset = data + from;
    return LM_OK;
}

/* The numbers must follow each other without gap or overlap to the end of the file. */
static int check_places(const st_tensor *tensors, size_t n, uint64_t data, uint64_t end,
                        const char *path)
{
    if (!n) return lm_fail(LM_EDATA, "%s: holds no tensors", path);
    st_tensor *t = malloc(n * sizeof *t);
    if (!t) return lm_fail_nomem(n * sizeof *t);
    memcpy(t, tensors, n * sizeof *t);
    qsort(t, n, sizeof *t, by_place);
    uint64_t at = data;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        if (t[i].offset != at)
            rc = lm_fail(LM_EDATA, "%s: tensor %s begins at byte %" PRIu64 ", expected %" PRIu64,
                         path, t[i].name, t[i].offset, at);
        at = t[i].offset + t[i].count * dtypes[t[i].dtype].bytes;
    }
    if (!rc && at != end)
        rc = lm_fail(LM_EDATA,
                     "%s: tensors end at byte %" PRIu64 ", the file at %" PRIu64
                     ": cut short or not whole",
                     path, at, end);
    free(t);
    return rc;
}

static int add_tensors(st_reader *r, size_t source_index, uint64_t data, uint64_t end)
{
    const source *s = &r->sources[source_index];
    size_t first = r->n;
    const char *name = NULL;
    const lm_json *e = NULL;
    for (size_t i = 0; lm_json_member(s->header, i, &name, &e); i++) {
        if (!strcmp(name, "__metadata__")) continue;
        if (r->n == r->cap) {
            st_tensor *p = lm_grow(r->tensors, &r->cap, sizeof *p, SIZE_MAX);
            if (!p) return LM_ENOMEM;
            r->tensors = p;
        }
        st_tensor *t = &r->tensors[r->n];
        *t = (st_tensor){ .name = name, .file = s->path, .source = source_index };
        int rc = read_entry(t, e, data, end);
        if (rc) return rc;
        r->n++;
    }
    return check_places(r->tensors ? r->tensors + first : NULL, r->n - first, data, end, s->path);
}

static int add_file(st_reader *r, const char *path)
{
    if (r->n_sources == FILES_MAX)
        return lm_fail(LM_EDATA, "%s: more than %d files", path, FILES_MAX);
    source *p = realloc(r->sources, (r->n_sources + 1) * sizeof *p);
    if (!p) return lm_fail_nomem((r->n_sources + 1) * sizeof *p);
    r->sources = p;
    source *s = &r->sources[r->n_sources++];
    *s = (source){ .path = strdup(path), .fd = -1 };
    if (!s->path) return lm_fail_nomem(strlen(path));
    int rc = model_dir_regular(path);
    if (rc) return rc;
    s->fd = lm_fd_open_regular(path);
    struct stat st;
    if (s->fd < 0) return s->fd;
    if (fstat(s->fd, &st)) return lm_fail_errno(errno, "%s", path);
    uint64_t end = (uint64_t)st.st_size, length = 0;
    unsigned char head[8];
    if (end < 8) return lm_fail(LM_EDATA, "%s: not a safetensors file", path);
    rc = lm_pread_all(s->fd, head, 8, 0, path);
    if (rc) return rc;
    length = lm_le64(head);
    if (length > HEADER_MAX || length > end - 8)
        return lm_fail(LM_EDATA,
                       "%s: a header of %" PRIu64 " bytes: damaged, or not a safetensors file",
                       path, length);
    char *text = malloc(length + 1);
    if (!text) return lm_fail_nomem(length);
    rc = lm_pread_all(s->fd, text, length, 8, path);
    if (!rc) rc = lm_json_parse(&s->header, text, length, path);
    free(text);
    return rc ? rc : add_tensors(r, r->n_sources - 1, 8 + length, end);
}

/* The files of an index, each once. */
static int add_indexed(st_reader *r, const char *dir, const char *index)
{
    lm_json *root = NULL;
    const lm_json *map = NULL, *value = NULL;
    int rc = lm_json_load(&root, index, HEADER_MAX);
    if (!rc) rc = lm_json_need(&map, root, "weight_map");
    const char *key = NULL, *file = NULL;
    for (size_t i = 0; !rc && lm_json_member(map, i, &key, &value); i++) {
        rc = lm_json_str(&file, value, NULL);
        if (rc) break;
        if (strchr(file, '/')) {
            rc = lm_json_fail(value, "a file name was expected");
            break;
        }
        char path[MODEL_PATH];
        rc = model_dir_path(path, dir, file);
        size_t k = 0;
        while (!rc && k < r->n_sources && strcmp(r->sources[k].path, path)) k++;
        if (!rc && k == r->n_sources) rc = add_file(r, path);
    }
    if (r->n) qsort(r->tensors, r->n, sizeof *r->tensors, lm_by_name);
    for (size_t i = 0; !rc && lm_json_member(map, i, &key, &value); i++)
        if (!st_find(r, key)) rc = lm_json_fail(value, "tensor %s is not in this file", key);
    lm_json_free(root);
    return rc;
}

/* An index, and a single file that it does not name, are two models. */
static int refuse_both(const st_reader *r, const char *dir, const char *one)
{
    if (access(one, F_OK)) return LM_OK;
    for (size_t i = 0; i < r->n_sources; i++)
        if (!strcmp(r->sources[i].path, one)) return LM_OK;
    return lm_fail(LM_EDATA,
                   "%s: holds two models, " MODEL_WEIGHTS " and the files of " MODEL_INDEX
                   "; remove the one of these two that is not wanted",
                   dir);
}

static int add_dir(st_reader *r, const char *dir)
{
    char one[MODEL_PATH], index[MODEL_PATH];
    int rc = model_dir_path(one, dir, MODEL_WEIGHTS);
    if (!rc) rc = model_dir_path(index, dir, MODEL_INDEX);
    if (rc) return rc;
    if (access(index, F_OK)) return add_file(r, one);
    rc = add_indexed(r, dir, index);
    return rc ? rc : refuse_both(r, dir, one);
}

int st_open(st_reader **out, const char *path)
{
    *out = NULL;
    st_reader *r = calloc(1, sizeof *r);
    if (!r) return lm_fail_nomem(sizeof *r);
    struct stat st;
    int rc = !stat(path, &st) && S_ISDIR(st.st_mode) ? add_dir(r, path) : add_file(r, path);
    if (r->n) qsort(r->tensors, r->n, sizeof *r->tensors, lm_by_name);
    for (size_t i = 1; !rc && i < r->n; i++)
        if (!strcmp(r->tensors[i - 1].name, r->tensors[i].name))
            rc = lm_fail(LM_EDATA, "%s: tensor %s is also in %s", r->tensors[i].file,
                         r->tensors[i].name, r->tensors[i - 1].file);
    if (rc) st_close(r);
    else *out = r;
    return rc;
}

void st_close(st_reader *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->n_sources; i++) {
        if (r->sources[i].fd >= 0) close(r->sources[i].fd);
        lm_json_free(r->sources[i].header);
        free(r->sources[i].path);
    }
    free(r->sources);
    free(r->tensors);
    free(r);
}

size_t st_count(const st_reader *r) { return r->n; }
const st_tensor *st_at(const st_reader *r, size_t i) { return i < r->n ? &r->tensors[i] : NULL; }

const st_tensor *st_find(const st_reader *r, const char *name)
{
    st_tensor key = { .name = name };
    return r->n ? bsearch(&key, r->tensors, r->n, sizeof key, lm_by_name) : NULL;
}

int st_read(const st_reader *r, const st_tensor *t, uint64_t first, float *dst, size_t n)
{
    if (first > t->count || n > t->count - first)
        return lm_fail(LM_EUSAGE, "tensor %s: numbers past its end were asked for", t->name);
    const source *s = &r->sources[t->source];
    unsigned char raw[CHUNK];
    size_t width = dtypes[t->dtype].bytes, step = CHUNK / width;
    for (size_t at = 0; at < n; at += step) {
        size_t m = n - at < step ? n - at : step;
        int rc = lm_pread_all(s->fd, raw, m * width, t->offset + (first + at) * width, s->path);
        if (rc) return rc;
        for (size_t i = 0; i < m; i++)
            dst[at + i] = t->dtype == ST_F32    ? from_bits(lm_le32(raw + 4 * i))
                          : t->dtype == ST_BF16 ? from_bits((uint32_t)lm_le16(raw + 2 * i) << 16)
                                                : st_from_half(lm_le16(raw + 2 * i));
    }
    return LM_OK;
}

/* ---- writing --------------------------------------------------------------------------- */

typedef struct run {
    uint64_t end; /* of the numbers of this type */
    enum st_dtype dtype;
} run;

struct st_writer {
    lm_out *out;
    char *path;
    run *runs; /* a run of numbers for each tensor */
    size_t n, at;
    uint64_t written; /* numbers */
};

/* The header, and the runs of numbers that follow it. */
static int header_json(lm_buf *text, const st_spec *specs, size_t n, run *runs)
{
    lm_json *root = lm_json_object(), *meta = lm_json_object();
    lm_json_set_str(meta, "format", "pt"); /* transformers refuses files without it */
    lm_json_set(root, "__metadata__", meta);
    uint64_t at = 0, numbers = 0;
    for (size_t i = 0; i < n; i++) {
        enum st_dtype dtype = runs[i].dtype;
        lm_json *e = lm_json_object(), *shape = lm_json_array(), *place = lm_json_array();
        uint64_t count = 1;
        for (size_t k = 0; k < specs[i].rank; k++) {
            lm_json_set_u64(shape, NULL, specs[i].shape[k]);
            count *= specs[i].shape[k];
        }
        lm_json_set_str(e, "dtype", dtypes[dtype].code);
        lm_json_set(e, "shape", shape);
        lm_json_set_u64(place, NULL, at);
        at += count * dtypes[dtype].bytes;
        lm_json_set_u64(place, NULL, at);
        lm_json_set(e, "data_offsets", place);
        lm_json_set(root, specs[i].name, e);
        runs[i].end = numbers += count;
    }
    int rc = lm_json_dump(root, 0, text);
    lm_json_free(root);
    while (!rc && text->size % 8) rc = lm_buf_add(text, " ", 1);
    return rc;
}

/* `one`: the type of all tensors; NULL: as each of the specs says. */
static int create(st_writer **out, const char *path, const st_spec *specs, size_t n,
                  const enum st_dtype *one)
{
    *out = NULL;
    lm_buf text = LM_BUF_INIT(HEADER_MAX);
    unsigned char head[8];
    st_writer *w = calloc(1, sizeof *w);
    if (!w) return lm_fail_nomem(sizeof *w);
    w->n = n;
    w->path = strdup(path);
    w->runs = calloc(n ? n : 1, sizeof *w->runs);
    int rc = w->path && w->runs ? LM_OK : lm_fail_nomem(strlen(path) + n * sizeof *w->runs);
    for (size_t i = 0; !rc && i < n; i++) w->runs[i].dtype = one ? *one : specs[i].dtype;
    if (!rc) rc = header_json(&text, specs, n, w->runs);
    if (!rc) rc = lm_out_open(&w->out, path, LM_OUT_PLAIN, 0);
    lm_put64(head, text.size);
    if (!rc) rc = lm_out_write(w->out, head, 8);
    if (!rc) rc = lm_out_write(w->out, text.data, text.size);
    lm_buf_free(&text);
    if (rc) st_abandon(w);
    else *out = w;
    return rc;
}

int st_create(st_writer **out, const char *path, const st_spec *specs, size_t n,
              enum st_dtype dtype)
{
    return create(out, path, specs, n, &dtype);
}

int st_create_each(st_writer **out, const char *path, const st_spec *specs, size_t n)
{
    return create(out, path, specs, n, NULL);
}

int st_write(st_writer *w, const float *src, size_t n)
{
    unsigned char raw[CHUNK];
    for (size_t at = 0, m; at < n; at += m) {
        while (w->at < w->n && w->written == w->runs[w->at].end) w->at++;
        if (w->at == w->n)
            return lm_fail(LM_EUSAGE, "%s: more numbers than were announced", w->path);
        const run *r = &w->runs[w->at];
        size_t width = dtypes[r->dtype].bytes;
        m = n - at < CHUNK / width ? n - at : CHUNK / width;
        if (m > r->end - w->written) m = (size_t)(r->end - w->written);
        for (size_t i = 0; i < m; i++) {
            if (r->dtype == ST_F32) lm_put32(raw + 4 * i, to_bits(src[at + i]));
            else
                lm_put16(raw + 2 * i,
                         r->dtype == ST_BF16 ? to_bfloat(src[at + i]) : to_half(src[at + i]));
        }
        int rc = lm_out_write(w->out, raw, m * width);
        if (rc) return rc;
        w->written += m;
    }
    return LM_OK;
}

int st_commit(st_writer *w)
{
    int rc = LM_OK;
    uint64_t expected = w->n ? w->runs[w->n - 1].end : 0;
    if (w->written != expected) {
        rc = lm_fail(LM_EUSAGE, "%s: %" PRIu64 " numbers were written, %" PRIu64 " announced",
                     w->path, w->written, expected);
    } else {
        rc = lm_out_commit(w->out);
        w->out = NULL;
    }
    st_abandon(w);
    return rc;
}

void st_abandon(st_writer *w)
{
    if (!w) return;
    lm_out_abandon(w->out);
    free(w->path);
    free(w->runs);
    free(w);
}
