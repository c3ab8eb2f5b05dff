#include "eval/data/results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/hash.h"
#include "longmix/progress.h"
#include "longmix/version.h"
#include "longmix/zio.h"

#define FILE_MAX ((size_t)1 << 30)
enum { LINE_MAX_BYTES = 1 << 24, EVAL_LINES_MAX = 1 << 24, SYNC_SECONDS = 1 };

typedef struct result_line {
    lm_json *json;
    uint64_t cell;
    size_t number; /* in the file, from 1; 0: added by this run */
} result_line;

struct eval_results {
    char *name;
    int fd;        /* -1: no file */
    bool unsynced; /* lines have been written since */
    double synced; /* seconds: the last sync */
    eval_sink sink;
    char *eval;
    lm_json *labels, *settings;
    uint64_t hash;  /* of the settings */
    result_line *v; /* of this evaluation; before begin, of all */
    size_t n, room;
    size_t *slots;  /* a hash table by cell: 1 + an index into v, 0 where free */
    size_t n_slots; /* a power of two, at least twice n */
};

/* ---- lines in memory ------------------------------------------------------------------- */

static void put_slot(eval_results *r, size_t i)
{
    size_t at = (size_t)r->v[i].cell & (r->n_slots - 1);
    while (r->slots[at]) at = (at + 1) & (r->n_slots - 1);
    r->slots[at] = i + 1;
}

static int grow_slots(eval_results *r)
{
    if (r->n_slots >= 2 * (r->n + 1)) return LM_OK;
    size_t want = r->n_slots ? r->n_slots : 64;
    while (want < 4 * (r->n + 1)) want *= 2;
    size_t *fresh = calloc(want, sizeof *fresh);
    if (!fresh) return lm_fail_nomem(want * sizeof *fresh);
    free(r->slots);
    r->slots = fresh;
    r->n_slots = want;
    for (size_t i = 0; i < r->n; i++) put_slot(r, i);
    return LM_OK;
}

/* Takes `json`. */
static int keep_line(eval_results *r, lm_json *json, size_t number)
{
    if (r->n == r->room) {
        result_line *v = lm_grow(r->v, &r->room, sizeof *v, EVAL_LINES_MAX);
        if (!v) {
            lm_json_free(json);
            return LM_ENOMEM;
        }
        r->v = v;
    }
    r->v[r->n++] = (result_line){ json, 0, number };
    return LM_OK;
}

static int hash_json(const lm_json *v, const char *eval, uint64_t *out)
{
    lm_buf text = LM_BUF_INIT(LINE_MAX_BYTES);
    int rc = lm_buf_printf(&text, "%s ", eval);
    if (!rc) rc = lm_json_dump(v, 0, &text);
    if (!rc) *out = lm_hash64(text.data, text.size);
    lm_buf_free(&text);
    return rc;
}

/* ---- the file -------------------------------------------------------------------------- */

static int parse_lines(eval_results *r, const char *text, size_t size)
{
    size_t number = 1;
    for (size_t at = 0; at < size; number++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        char name[4200];
        snprintf(name, sizeof name, "%s:%zu", r->name, number);
        lm_json *json = NULL;
        int rc = lm_json_parse(&json, text + at, n, name);
        const char *eval;
        if (!rc) rc = lm_json_str(&eval, json, "eval");
        if (!rc) rc = keep_line(r, json, number);
        else lm_json_free(json);
        if (rc) return rc;
        at += n + 1;
    }
    return LM_OK;
}

static int read_file(eval_results *r, size_t *torn)
{
    struct stat st;
    if (fstat(r->fd, &st)) return lm_fail_errno(errno, "%s", r->name);
    if (!S_ISREG(st.st_mode)) return lm_fail(LM_EUSAGE, "%s: not a file", r->name);
    size_t size = (size_t)st.st_size;
    if (size > FILE_MAX) return lm_fail(LM_EDATA, "%s: longer than 1 GiB", r->name);
    char *text = malloc(size + 1);
    if (!text) return lm_fail_nomem(size + 1);
    int rc = lm_pread_all(r->fd, text, size, 0, r->name);
    size_t whole = size;
    while (!rc && whole && text[whole - 1] != '\n') whole--;
    if (!rc && whole < size) {
        if (!torn)
            rc = lm_fail(LM_EDATA, "%s: the last line is incomplete; lmeval -o measures it again",
                         r->name);
        else if (ftruncate(r->fd, (off_t)whole)) rc = lm_fail_errno(errno, "%s: cutting", r->name);
        else *torn = size - whole;
    }
    if (!rc) rc = parse_lines(r, text, whole);
    free(text);
    return rc;
}

static int new_results(eval_results **out, const char *name)
{
    *out = NULL;
    eval_results *r = calloc(1, sizeof *r);
    if (!r) return lm_fail_nomem(sizeof *r);
    r->fd = -1;
    r->name = strdup(name);
    if (!r->name) {
        free(r);
        return lm_fail_nomem(strlen(name));
    }
    *out = r;
    return LM_OK;
}

int eval_results_open(eval_results **out, const char *path, const eval_sink *sink, size_t *torn)
{
    size_t cut = 0;
    eval_results *r = NULL;
    int rc = new_results(&r, path ? path : "standard output");
    *out = NULL;
    if (rc) return rc;
    if (sink) r->sink = *sink;
    if (path) {
        r->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
        if (r->fd < 0) rc = lm_fail_errno(errno, "%s", path);
        /* Without locks (some network file systems) lines stay whole, as each is one write to the
         * end of the file, but two programs may measure the same. */
        else if (flock(r->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
            rc = lm_fail(LM_EUSAGE, "%s: another program is writing to it", path);
        else rc = read_file(r, &cut);
        if (!rc) rc = lm_sync_dir(path); /* a new file's name */
    }
    if (torn) *torn = cut;
    if (rc) eval_results_close(r);
    else *out = r;
    return rc;
}

void eval_results_close(eval_results *r)
{
    if (!r) return;
    if (r->fd >= 0) close(r->fd);
    for (size_t i = 0; i < r->n; i++) lm_json_free(r->v[i].json);
    lm_json_free(r->labels);
    lm_json_free(r->settings);
    free(r->v);
    free(r->slots);
    free(r->eval);
    free(r->name);
    free(r);
}

/* ---- lines of this evaluation, and their settings ------------------------------- */

static bool is_eval(const lm_json *line, const char *eval)
{
    const char *name;
    return !lm_json_str(&name, line, "eval") && !strcmp(name, eval);
}

static int text_of(const lm_json *v, lm_buf *out)
{
    lm_buf_reset(out, 4096);
    int rc = v ? lm_json_dump(v, 0, out) : lm_buf_add(out, "absent", 6);
    return rc ? rc : lm_buf_add(out, "", 1);
}

/* LM_EUSAGE with the first setting in which `line` differs from ours. */
static int name_difference(const eval_results *r, const result_line *line)
{
    lm_buf ours = LM_BUF_INIT(LINE_MAX_BYTES), theirs = LM_BUF_INIT(LINE_MAX_BYTES);
    const char *key = NULL;
    const lm_json *value = NULL;
    int rc = LM_OK;
    for (size_t i = 0; !rc && lm_json_member(r->settings, i, &key, &value); i++) {
        rc = text_of(value, &ours);
        if (!rc) rc = text_of(lm_json_get(line->json, key), &theirs);
        if (rc || !strcmp((char *)ours.data, (char *)theirs.data)) continue;
        rc =
            lm_fail(LM_EUSAGE,
                    "%s:%zu: a result of %s with other settings: \"%s\" is %.200s there and %.200s "
                    "here; such results cannot share a file; give another -o",
                    r->name, line->number, r->eval, key, (char *)theirs.data, (char *)ours.data);
    }
    if (!rc)
        rc = lm_fail(LM_EUSAGE, "%s:%zu: a result of %s with other settings; give another -o",
                     r->name, line->number, r->eval);
    lm_buf_free(&ours);
    lm_buf_free(&theirs);
    return rc;
}

/* Keep the lines of this evaluation, with their cells. */
static int pick_lines(eval_results *r)
{
    size_t kept = 0;
    int rc = LM_OK;
    for (size_t i = 0; i < r->n; i++) {
        result_line *l = &r->v[i];
        if (rc || !is_eval(l->json, r->eval)) {
            lm_json_free(l->json);
            continue;
        }
        rc = lm_json_hex64(&l->cell, l->json, "cell");
        r->v[kept++] = *l;
    }
    r->n = kept;
    if (!rc) rc = grow_slots(r);
    return rc;
}

int eval_results_begin(eval_results *r, const char *eval, const lm_json *labels,
                       const lm_json *settings)
{
    r->eval = strdup(eval);
    r->labels = lm_json_object();
    r->settings = lm_json_object();
    if (!r->eval || !r->labels || !r->settings) return lm_fail_nomem(64);
    lm_json_set_all(r->labels, labels);
    lm_json_set_all(r->settings, settings);
    int rc = hash_json(r->settings, eval, &r->hash);
    if (!rc) rc = pick_lines(r);
    for (size_t i = 0; !rc && i < r->n; i++) {
        uint64_t theirs;
        rc = lm_json_hex64(&theirs, r->v[i].json, "settings");
        if (!rc && theirs != r->hash) rc = name_difference(r, &r->v[i]);
    }
    return rc;
}

int eval_results_load(eval_results **out, const char *path, const char *eval)
{
    eval_results *r = NULL;
    uint64_t first = 0, hash = 0;
    *out = NULL;
    int rc = new_results(&r, path);
    if (rc) return rc;
    r->fd = lm_fd_open_regular(path);
    if (r->fd < 0) rc = r->fd;
    if (!rc) rc = read_file(r, NULL);
    if (!rc && !(r->eval = strdup(eval))) rc = lm_fail_nomem(strlen(eval));
    if (!rc) rc = pick_lines(r);
    for (size_t i = 0; !rc && i < r->n; i++) {
        rc = lm_json_hex64(&hash, r->v[i].json, "settings");
        if (!i) first = hash;
        if (!rc && hash != first)
            rc = lm_fail(LM_EDATA, "%s:%zu: a result of %s with other settings than line %zu", path,
                         r->v[i].number, eval, r->v[0].number);
    }
    if (rc) eval_results_close(r);
    else *out = r;
    return rc;
}

/* ---- finding and adding ---------------------------------------------------------------- */

static const lm_json *find_hash(const eval_results *r, uint64_t hash)
{
    for (size_t at = (size_t)hash & (r->n_slots - 1); r->n_slots && r->slots[at];
         at = (at + 1) & (r->n_slots - 1))
        if (r->v[r->slots[at] - 1].cell == hash) return r->v[r->slots[at] - 1].json;
    return NULL;
}

const lm_json *eval_results_find(const eval_results *r, const lm_json *cell)
{
    uint64_t hash;
    return hash_json(cell, r->eval, &hash) ? NULL : find_hash(r, hash);
}

const char *eval_results_name(const eval_results *r) { return r->name; }
size_t eval_results_count(const eval_results *r) { return r->n; }
const lm_json *eval_results_at(const eval_results *r, size_t i) { return r->v[i].json; }

static lm_json *make_line(const eval_results *r, const lm_json *cell, uint64_t cell_hash,
                          double value, const lm_json *more, double seconds)
{
    lm_json *line = lm_json_object();
    lm_json_set_str(line, "eval", r->eval);
    lm_json_set_all(line, r->labels);
    lm_json_set_all(line, r->settings);
    lm_json_set_all(line, cell);
    if (isfinite(value)) lm_json_set_f64(line, "value", value);
    else lm_json_set_null(line, "value");
    lm_json_set_all(line, more);
    lm_json_set_hex64(line, "settings", r->hash);
    lm_json_set_hex64(line, "cell", cell_hash);
    lm_json_set_str(line, "commit", lm_commit());
    lm_json_set_f64(line, "seconds", round(seconds * 1e3) / 1e3);
    return line;
}

int eval_results_sync(eval_results *r)
{
    if (!r || r->fd < 0 || !r->unsynced) return LM_OK;
    if (fsync(r->fd) && errno != EINVAL) return lm_fail_errno(errno, "%s: cannot sync", r->name);
    r->unsynced = false;
    r->synced = lm_seconds();
    return LM_OK;
}

static int write_line(eval_results *r, const lm_json *line)
{
    lm_buf text = LM_BUF_INIT(LINE_MAX_BYTES);
    int rc = lm_json_print(line, 0, &text);
    if (!rc && r->fd >= 0) {
        rc = lm_write_all(r->fd, text.data, text.size, r->name);
        r->unsynced = true;
        if (!rc && lm_seconds() - r->synced >= SYNC_SECONDS) rc = eval_results_sync(r);
    } else if (!rc && r->sink.write) rc = r->sink.write(r->sink.arg, text.data, text.size);
    lm_buf_free(&text);
    return rc;
}

int eval_results_add(eval_results *r, lm_json *cell, double value, lm_json *more, double seconds)
{
    uint64_t hash = 0;
    lm_json *line = NULL;
    int rc = hash_json(cell, r->eval, &hash);
    if (!rc && !find_hash(r, hash)) {
        line = make_line(r, cell, hash, value, more, seconds);
        rc = write_line(r, line);
        if (rc) lm_json_free(line);
        else rc = keep_line(r, line, 0);
        if (!rc) {
            r->v[r->n - 1].cell = hash;
            size_t slots = r->n_slots;
            rc = grow_slots(r);
            if (!rc && slots == r->n_slots) put_slot(r, r->n - 1);
        }
    }
    lm_json_free(cell);
    lm_json_free(more);
    return rc;
}
