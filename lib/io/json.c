/* json.c -- jansson parses; the tree is our own, because each node must know its parent (errors
 * name the path) and because numbers are written in the shortest form that reads back. */
#include "longmix/json.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "longmix/zio.h"

enum { DEPTH_MAX = 64, MEMBERS_MAX = 1 << 30 };
#define TEXT_MAX ((size_t)1 << 30) /* bytes of a file that lm_json_write writes */

struct lm_json {
    enum lm_json_type type;
    bool broken;            /* something could not be put into it: lm_json_dump fails */
    struct lm_json *parent; /* NULL for a root */
    char *key;              /* in an object; of a root: the name of the document, or NULL */
    union {
        bool truth;
        int64_t integer;
        double real;
        char *string;
        struct {
            struct lm_json **kids; /* of an array or object, in order */
            size_t count, room;
        };
    };
};

static bool is_container(const lm_json *v)
{
    return v->type == LM_JSON_ARRAY || v->type == LM_JSON_OBJECT;
}

static lm_json *new_node(enum lm_json_type type)
{
    lm_json *v = calloc(1, sizeof *v);
    if (v) v->type = type;
    return v;
}

void lm_json_free(lm_json *root)
{
    if (!root) return;
    if (is_container(root)) {
        for (size_t i = 0; i < root->count; i++) lm_json_free(root->kids[i]);
        free(root->kids);
    } else if (root->type == LM_JSON_STRING) {
        free(root->string);
    }
    free(root->key);
    free(root);
}

/* Put `child` at the end of `o`, under a copy of `key`. Takes it; false when there is no memory. */
static bool adopt(lm_json *o, const char *key, lm_json *child)
{
    if (!child) return false;
    if (o->count == o->room) {
        lm_json **kids = lm_grow(o->kids, &o->room, sizeof(lm_json *), MEMBERS_MAX);
        if (!kids) goto fail;
        o->kids = kids;
    }
    free(child->key);
    child->key = key ? strdup(key) : NULL;
    if (key && !child->key) goto fail;
    child->parent = o;
    o->kids[o->count++] = child;
    return true;
fail:
    lm_json_free(child);
    return false;
}

/* ---- messages -------------------------------------------------------------------------- */

/* Append the path of v to the text in s; one that is too long is cut. */
static void add_path(const lm_json *v, char *s, size_t size)
{
    if (!v->parent) return;
    add_path(v->parent, s, size);
    size_t n = strlen(s), i = 0;
    if (v->key) {
        snprintf(s + n, size - n, "%s%s", n ? "." : "", v->key);
        return;
    }
    while (v->parent->kids[i] != v) i++;
    snprintf(s + n, size - n, "[%zu]", i);
}

/* Fail at member `key` of `v`, or at `v` itself when key is NULL. */
static int fail_at(const lm_json *v, const char *key, const char *what)
{
    const lm_json *root = v;
    while (root->parent) root = root->parent;
    char path[256] = "";
    add_path(v, path, sizeof path);
    size_t n = strlen(path);
    if (key) snprintf(path + n, sizeof path - n, "%s%s", n ? "." : "", key);
    return lm_fail(LM_EDATA, "%s%s%s%s%s", root->key ? root->key : "", root->key ? ": " : "", path,
                   *path ? ": " : "", what);
}

int lm_json_fail(const lm_json *v, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fail_at(v, NULL, text);
}

/* ---- reading --------------------------------------------------------------------------- */

/* A copy of jansson's tree, or NULL: too deep (*deep) or no memory. */
static lm_json *convert(json_t *j, int depth, bool *deep)
{
    if (depth > DEPTH_MAX) {
        *deep = true;
        return NULL;
    }
    lm_json *v = new_node(json_is_object(j)    ? LM_JSON_OBJECT
                          : json_is_array(j)   ? LM_JSON_ARRAY
                          : json_is_string(j)  ? LM_JSON_STRING
                          : json_is_integer(j) ? LM_JSON_INT
                          : json_is_real(j)    ? LM_JSON_REAL
                          : json_is_boolean(j) ? LM_JSON_BOOL
                                               : LM_JSON_NULL);
    if (!v) return NULL;
    bool good = true;
    if (v->type == LM_JSON_OBJECT) {
        const char *key;
        json_t *child;
        json_object_foreach (j, key, child) {
            good = adopt(v, key, convert(child, depth + 1, deep));
            if (!good) break;
        }
    } else if (v->type == LM_JSON_ARRAY) {
        for (size_t i = 0; good && i < json_array_size(j); i++)
            good = adopt(v, NULL, convert(json_array_get(j, i), depth + 1, deep));
    } else if (v->type == LM_JSON_STRING) {
        v->string = strdup(json_string_value(j));
        good = v->string != NULL;
    } else if (v->type == LM_JSON_INT) {
        v->integer = json_integer_value(j);
    } else if (v->type == LM_JSON_REAL) {
        v->real = json_real_value(j);
    } else if (v->type == LM_JSON_BOOL) {
        v->truth = json_is_true(j);
    }
    if (good) return v;
    lm_json_free(v);
    return NULL;
}

/* jansson 2.14 does not survive a failed allocation: it may return changed text, or damage the heap. So
 * the parser is left from within the allocation. What it had allocated is lost. */
static _Thread_local jmp_buf *no_memory;
static json_malloc_t jansson_malloc;

static void *watched_malloc(size_t n)
{
    void *p = jansson_malloc(n);
    if (!p && n && no_memory) longjmp(*no_memory, 1);
    return p;
}

static void watch_allocations(void)
{
    json_free_t jansson_free;
    json_get_alloc_funcs(&jansson_malloc, &jansson_free);
    json_set_alloc_funcs(watched_malloc, jansson_free);
}

int lm_json_parse(lm_json **out, const void *p, size_t n, const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = NULL;
    pthread_once(&once, watch_allocations);
    jmp_buf back;
    if (setjmp(back)) {
        no_memory = NULL;
        return lm_fail_nomem(n);
    }
    json_error_t e;
    no_memory = &back;
    json_t *j = json_loadb(n ? p : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    no_memory = NULL;
    if (!j) return lm_fail(LM_EDATA, "%s:%d:%d: %s", name, e.line, e.column, e.text);
    bool deep = false;
    lm_json *v = convert(j, 1, &deep);
    json_decref(j);
    if (v) v->key = strdup(name);
    if (v && v->key) {
        *out = v;
        return LM_OK;
    }
    lm_json_free(v);
    return deep ? lm_fail(LM_EDATA, "%s: nested deeper than %d levels", name, DEPTH_MAX)
                : lm_fail_nomem(n);
}

/* A FIFO or a device at a path would block or never end. Pipes that come as descriptors (process
 * substitution) are meant. */
static int refuse_odd_files(const char *path)
{
    struct stat st;
    int fd;
    if (!strcmp(path, "-") || stat(path, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
        !strcmp(path, "/dev/stdin") || sscanf(path, "/dev/fd/%d", &fd) == 1 ||
        sscanf(path, "/proc/self/fd/%d", &fd) == 1)
        return LM_OK;
    return lm_fail(LM_EIO, "%s: not a regular file, but a %s", path,
                   S_ISFIFO(st.st_mode)   ? "FIFO"
                   : S_ISSOCK(st.st_mode) ? "socket"
                                          : "device");
}

int lm_json_load(lm_json **out, const char *path, size_t max)
{
    *out = NULL;
    lm_in *in = NULL;
    lm_buf text = LM_BUF_INIT(max);
    int rc = refuse_odd_files(path);
    if (!rc) rc = lm_in_open(&in, path);
    if (!rc) rc = lm_in_all(in, &text);
    if (!rc && lm_is_blank((const char *)text.data, text.size))
        rc = lm_fail(LM_EDATA,
                     "%s: is empty; the command that was to write it may have failed (with -o FILE "
                     "a failed one leaves no file)",
                     lm_in_name(in));
    if (!rc) rc = lm_json_parse(out, text.data, text.size, lm_in_name(in));
    lm_buf_free(&text);
    lm_in_close(in);
    return rc;
}

const lm_json *lm_json_get(const lm_json *o, const char *key)
{
    if (!o || o->type != LM_JSON_OBJECT) return NULL;
    for (size_t i = 0; i < o->count; i++)
        if (!strcmp(o->kids[i]->key, key)) return o->kids[i];
    return NULL;
}

int lm_json_need(const lm_json **out, const lm_json *o, const char *key)
{
    *out = lm_json_get(o, key);
    if (*out) return LM_OK;
    if (!o) return lm_fail_nomem(sizeof *o);
    return o->type == LM_JSON_OBJECT ? fail_at(o, key, "is missing")
                                     : fail_at(o, NULL, "expected an object");
}

size_t lm_json_size(const lm_json *v) { return v && is_container(v) ? v->count : 0; }

const lm_json *lm_json_at(const lm_json *array, size_t i)
{
    return array && array->type == LM_JSON_ARRAY && i < array->count ? array->kids[i] : NULL;
}

bool lm_json_member(const lm_json *o, size_t i, const char **key, const lm_json **value)
{
    if (!o || o->type != LM_JSON_OBJECT || i >= o->count) return false;
    *key = o->kids[i]->key;
    *value = o->kids[i];
    return true;
}

enum lm_json_type lm_json_type(const lm_json *v) { return v->type; }

/* The value that a getter reads. */
static int pick(const lm_json **v, const lm_json *o, const char *key)
{
    *v = o;
    return key ? lm_json_need(v, o, key) : LM_OK;
}

int lm_json_str(const char **out, const lm_json *o, const char *key)
{
    const lm_json *v;
    int rc = pick(&v, o, key);
    if (rc) return rc;
    if (v->type != LM_JSON_STRING) return fail_at(v, NULL, "expected a string");
    *out = v->string;
    return LM_OK;
}

int lm_json_u64(uint64_t *out, const lm_json *o, const char *key)
{
    const lm_json *v;
    int rc = pick(&v, o, key);
    if (rc) return rc;
    if (v->type != LM_JSON_INT || v->integer < 0)
        return fail_at(v, NULL, "expected a whole number, not negative");
    *out = (uint64_t)v->integer;
    return LM_OK;
}

int lm_json_f64(double *out, const lm_json *o, const char *key)
{
    const lm_json *v;
    int rc = pick(&v, o, key);
    if (rc) return rc;
    if (v->type == LM_JSON_INT) *out = (double)v->integer;
    else if (v->type == LM_JSON_REAL) *out = v->real;
    else return fail_at(v, NULL, "expected a number");
    return LM_OK;
}

int lm_json_bool(bool *out, const lm_json *o, const char *key)
{
    const lm_json *v;
    int rc = pick(&v, o, key);
    if (rc) return rc;
    if (v->type != LM_JSON_BOOL) return fail_at(v, NULL, "expected true or false");
    *out = v->truth;
    return LM_OK;
}

int lm_json_hex64(uint64_t *out, const lm_json *o, const char *key)
{
    const lm_json *v;
    int rc = pick(&v, o, key);
    if (rc) return rc;
    if (v->type != LM_JSON_STRING || lm_unhex64(v->string, out))
        return fail_at(v, NULL, "expected a string of up to 16 hexadecimal digits");
    return LM_OK;
}

int lm_json_tokens(uint64_t *out, const lm_json *o, const char *key)
{
    const lm_json *v;
    int rc = pick(&v, o, key);
    if (rc) return rc;
    if (v->type != LM_JSON_STRING) return lm_json_u64(out, v, NULL);
    return lm_parse_size(v->string, out) ? lm_json_fail(v, "%s", lm_err()) : LM_OK;
}

int lm_json_only(const lm_json *o, const char *const *keys)
{
    if (!o) return lm_fail_nomem(sizeof *o); /* it could not be built */
    if (o->type != LM_JSON_OBJECT) return fail_at(o, NULL, "expected an object");
    for (size_t i = 0; i < o->count; i++) {
        const char *const *k = keys;
        while (*k && strcmp(*k, o->kids[i]->key)) k++;
        if (!*k) return fail_at(o->kids[i], NULL, "no such field is known here");
    }
    return LM_OK;
}

/* ---- building -------------------------------------------------------------------------- */

lm_json *lm_json_object(void) { return new_node(LM_JSON_OBJECT); }
lm_json *lm_json_array(void) { return new_node(LM_JSON_ARRAY); }

void lm_json_set(lm_json *o, const char *key, lm_json *child)
{
    bool fits = o && o->type == (key ? LM_JSON_OBJECT : LM_JSON_ARRAY);
    if (!fits) {
        lm_json_free(child);
        if (o) o->broken = true;
        return;
    }
    lm_json *old = key ? (lm_json *)lm_json_get(o, key) : NULL;
    if (!adopt(o, key, child)) {
        o->broken = true;
    } else if (old) { /* the new value replaces the old one */
        size_t i = 0;
        while (o->kids[i] != old) i++;
        o->kids[i] = o->kids[--o->count];
        lm_json_free(old);
    }
}

static void set_string(lm_json *o, const char *key, const char *s)
{
    lm_json *v = new_node(LM_JSON_STRING);
    if (v && !(v->string = strdup(s))) {
        free(v);
        v = NULL;
    }
    lm_json_set(o, key, v);
}

void lm_json_set_str(lm_json *o, const char *key, const char *s) { set_string(o, key, s); }

void lm_json_set_u64(lm_json *o, const char *key, uint64_t v)
{
    /* JSON readers, jansson too, end at 2^63 - 1. */
    lm_json *n = v <= INT64_MAX ? new_node(LM_JSON_INT) : NULL;
    if (n) n->integer = (int64_t)v;
    lm_json_set(o, key, n);
}

void lm_json_set_f64(lm_json *o, const char *key, double v)
{
    lm_json *n = isfinite(v) ? new_node(LM_JSON_REAL) : NULL;
    if (n) n->real = v;
    lm_json_set(o, key, n);
}

void lm_json_set_bool(lm_json *o, const char *key, bool v)
{
    lm_json *n = new_node(LM_JSON_BOOL);
    if (n) n->truth = v;
    lm_json_set(o, key, n);
}

void lm_json_set_null(lm_json *o, const char *key) { lm_json_set(o, key, new_node(LM_JSON_NULL)); }

void lm_json_set_hex64(lm_json *o, const char *key, uint64_t v)
{
    char hex[17];
    lm_hex64(hex, v);
    set_string(o, key, hex);
}

static lm_json *copy(const lm_json *v)
{
    lm_json *c = new_node(v->type);
    if (!c) return NULL;
    c->broken = v->broken;
    if (is_container(v)) {
        for (size_t i = 0; i < v->count; i++)
            if (!adopt(c, v->type == LM_JSON_OBJECT ? v->kids[i]->key : NULL, copy(v->kids[i])))
                c->broken = true;
    } else if (v->type == LM_JSON_STRING) {
        c->string = strdup(v->string);
        if (!c->string) {
            free(c);
            return NULL;
        }
    } else if (v->type == LM_JSON_REAL) {
        c->real = v->real;
    } else if (v->type == LM_JSON_INT) {
        c->integer = v->integer;
    } else if (v->type == LM_JSON_BOOL) {
        c->truth = v->truth;
    }
    return c;
}

void lm_json_set_copy(lm_json *o, const char *key, const lm_json *child)
{
    lm_json_set(o, key, child ? copy(child) : NULL);
}

void lm_json_set_all(lm_json *o, const lm_json *from)
{
    const char *key = NULL;
    const lm_json *value = NULL;
    if (o && (!from || from->type != LM_JSON_OBJECT || from->broken)) o->broken = true;
    for (size_t i = 0; lm_json_member(from, i, &key, &value); i++) lm_json_set_copy(o, key, value);
}

/* ---- printing -------------------------------------------------------------------------- */

static int dump_string(const char *s, const lm_json *at, lm_buf *out)
{
    int rc = lm_buf_add(out, "\"", 1);
    const unsigned char *p = (const unsigned char *)s;
    size_t left = strlen(s);
    while (!rc && left) {
        const char *why = NULL;
        size_t n = lm_utf8_next(p, left, &why);
        if (!n) return fail_at(at, NULL, "not UTF-8, which JSON cannot contain");
        if (*p == '"' || *p == '\\') rc = lm_buf_printf(out, "\\%c", *p);
        else if (*p == '\n') rc = lm_buf_add(out, "\\n", 2);
        else if (*p == '\t') rc = lm_buf_add(out, "\\t", 2);
        else if (*p < 0x20 || *p == 0x7f) rc = lm_buf_printf(out, "\\u%04x", *p);
        else rc = lm_buf_add(out, p, n);
        p += n;
        left -= n;
    }
    return rc ? rc : lm_buf_add(out, "\"", 1);
}

static int dump_real(double v, lm_buf *out)
{
    char s[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (strtod(s, NULL) == v) break;
    }
    /* A real stays a real when it is read again. */
    return lm_buf_printf(out, "%s%s", s, strpbrk(s, ".e") ? "" : ".0");
}

static int new_line(int indent, int depth, lm_buf *out)
{
    return indent ? lm_buf_printf(out, "\n%*s", indent * depth, "") : LM_OK;
}

static int dump(const lm_json *v, int indent, int depth, lm_buf *out)
{
    if (v->broken)
        return fail_at(v, NULL,
                       "could not be built: out of memory, or a number that JSON cannot hold");
    switch (v->type) {
    case LM_JSON_NULL: return lm_buf_add(out, "null", 4);
    case LM_JSON_BOOL: return lm_buf_printf(out, "%s", v->truth ? "true" : "false");
    case LM_JSON_INT: return lm_buf_printf(out, "%" PRId64, v->integer);
    case LM_JSON_REAL: return dump_real(v->real, out);
    case LM_JSON_STRING: return dump_string(v->string, v, out);
    case LM_JSON_ARRAY:
    case LM_JSON_OBJECT: break;
    }
    bool object = v->type == LM_JSON_OBJECT;
    int rc = lm_buf_add(out, object ? "{" : "[", 1);
    for (size_t i = 0; !rc && i < v->count; i++) {
        if (i) rc = lm_buf_add(out, ",", 1);
        if (!rc) rc = new_line(indent, depth + 1, out);
        if (!rc && object) rc = dump_string(v->kids[i]->key, v, out);
        if (!rc && object) rc = lm_buf_add(out, ": ", indent ? 2 : 1);
        if (!rc) rc = dump(v->kids[i], indent, depth + 1, out);
    }
    if (!rc && v->count) rc = new_line(indent, depth, out);
    return rc ? rc : lm_buf_add(out, object ? "}" : "]", 1);
}

int lm_json_dump(const lm_json *v, int indent, lm_buf *out)
{
    return v ? dump(v, indent, 0, out) : lm_fail(LM_ENOMEM, "out of memory while building JSON");
}

int lm_json_print(const lm_json *v, int indent, lm_buf *out)
{
    int rc = lm_json_dump(v, indent, out);
    return rc ? rc : lm_buf_add(out, "\n", 1);
}

int lm_json_write(const char *path, const lm_json *v)
{
    lm_buf text = LM_BUF_INIT(TEXT_MAX);
    int rc = lm_json_print(v, 2, &text);
    if (!rc) rc = lm_write_file(path, text.data, text.size);
    lm_buf_free(&text);
    return rc;
}
