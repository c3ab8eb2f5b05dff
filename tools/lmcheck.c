/* lmcheck.c -- verify stores, shards, manifests, plans, models and checkpoints. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "longmix/pack.h"
#include "longmix/plan.h"
#include "longmix/shard.h"
#include "longmix/store.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "train/files/checksums.h"
#include "train/files/model_dir.h"
#include "train/files/safetensors.h"
#include "train/run/checkpoint.h"

static bool quick;
static int threads;
static cli_list inputs;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &inputs, "PATH",
      "A store (.lmt), a shard (.lms), a manifest.json next to its shards, a plan, a directory "
      "of these, a model's directory, or a checkpoint. - is a token stream on standard input.",
      1, 0 },
    { CLI_FLAG, "quick", 0, &quick, NULL,
      "Verify headers, tables, indices and end markers, but neither the rows of shards nor the "
      "records of stores; of models and checkpoints sizes and headers." },
    { CLI_THREADS, "threads", 'j', &threads, "N", "Files checked in parallel (all cores).", 0,
      4096 },
    { .kind = CLI_END },
};

/* ---- the files to check ------------------------------------------------------------- */

enum kind {
    SHARD,
    STORE,
    STREAM,
    JSON,
    MANIFEST,
    PARTS,
    MODEL,
    CHECKPOINT,
    INCOMPLETE,
    UNREADABLE,
    NO_FILE,
    EMPTY
};

typedef struct item {
    enum kind kind;
    char *path;
} item;

static item *items;
static size_t n_items, next_item;

static int add(enum kind kind, const char *dir, const char *name)
{
    item *more = realloc(items, (n_items + 1) * sizeof *items);
    if (!more) return lm_fail_nomem((n_items + 1) * sizeof *items);
    items = more;
    char *path = NULL;
    if (asprintf(&path, "%s%s%s", dir, name ? "/" : "", name ? name : "") < 0)
        return lm_fail_nomem(strlen(dir));
    items[n_items++] = (item){ kind, path };
    return LM_OK;
}

/* By name, so that a damaged first byte cannot turn a shard into something else; other names by the
 * first bytes. */
static enum kind kind_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!strcmp(path, "-")) return STREAM;
    if (lm_has_suffix(path, ".tmp") || lm_has_suffix(path, ".partial")) return INCOMPLETE;
    if (lm_has_suffix(path, ".lms")) return SHARD;
    if (lm_has_suffix(path, ".lmt")) return STORE;
    if (!strcmp(slash ? slash + 1 : path, "manifest.json")) return MANIFEST;
    if (lm_has_suffix(path, ".json")) return JSON;
    char magic[8] = "";
    int fd = lm_fd_open_regular(path);
    if (fd < 0) return UNREADABLE;
    ssize_t n = lm_fd_read(fd, magic, sizeof magic, 0, path);
    close(fd);
    return n == 8 && !memcmp(magic, "LMSHARD\n", 8) ? SHARD : magic[0] == '{' ? JSON : STORE;
}

/* The names in a directory, sorted; free each and the list. */
static int list_names(char ***out, size_t *count, DIR *d)
{
    char **names = NULL;
    size_t n = 0;
    int rc = LM_OK;
    for (const struct dirent *e; !rc && (e = readdir(d));) {
        char **more = realloc(names, (n + 1) * sizeof *names);
        if (more) names = more;
        if (!more || !(names[n] = strdup(e->d_name))) rc = lm_fail_nomem((n + 1) * sizeof *names);
        else n++;
    }
    if (n) qsort(names, n, sizeof *names, lm_by_name);
    *out = names;
    *count = n;
    return rc;
}

/* What a directory holds, besides its files. */
typedef struct contents {
    bool shards, manifest, parts, model, checkpoint;
} contents;

static bool begins(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

/* Is `name` a file that its writer has not finished? */
static bool is_unfinished(const char *name)
{
    bool temporary = lm_has_suffix(name, ".tmp") || lm_has_suffix(name, ".partial");
    return !strcmp(name, MODEL_NEW_WEIGHTS) ||
           (temporary && (strstr(name, ".lm") || begins(name, "manifest.json") ||
                          strstr(name, ".safetensors") || begins(name, "checkpoint-") ||
                          begins(name, "config.json") || begins(name, MODEL_CHECKSUMS)));
}

/* Add one name of a directory, if it is a file to check or a checkpoint. */
static int add_name(const char *dir, const char *name, contents *has)
{
    if (is_unfinished(name)) return add(INCOMPLETE, dir, name);
    has->manifest |= !strcmp(name, "manifest.json");
    has->checkpoint |= !strcmp(name, "run.json");
    has->model |= lm_has_suffix(name, ".safetensors") || !strcmp(name, MODEL_CHECKSUMS) ||
                  !strcmp(name, MODEL_INDEX);
    if (begins(name, "checkpoint-")) return add(CHECKPOINT, dir, name);
    bool shard = lm_has_suffix(name, ".lms"), store = lm_has_suffix(name, ".lmt");
    has->shards |= shard;
    has->parts |= store && begins(name, "part-");
    return shard || store ? add(shard ? SHARD : STORE, dir, name) : LM_OK;
}

/* Add the stores, shards, model and checkpoints of a directory, and a check that they are
 * complete. */
static int add_directory(const char *dir)
{
    char **names = NULL;
    size_t n = 0, before = n_items;
    contents has = { 0 };
    DIR *d = opendir(dir);
    if (!d) return add(UNREADABLE, dir, NULL);
    int rc = list_names(&names, &n, d);
    closedir(d);
    for (size_t i = 0; i < n && !rc; i++) rc = add_name(dir, names[i], &has);
    if (!rc && has.parts) rc = add(PARTS, dir, NULL);
    if (!rc && (has.shards || has.manifest)) rc = add(MANIFEST, dir, "manifest.json");
    if (!rc && has.checkpoint) rc = add(CHECKPOINT, dir, NULL);
    else if (!rc && has.model) rc = add(MODEL, dir, NULL);
    if (!rc && n_items == before) rc = add(EMPTY, dir, NULL);
    for (size_t i = 0; i < n; i++) free(names[i]);
    free(names);
    return rc;
}

static int add_path(const char *path)
{
    struct stat st;
    if (!strcmp(path, "-")) return add(STREAM, path, NULL);
    if (stat(path, &st)) return add(UNREADABLE, path, NULL);
    if (S_ISDIR(st.st_mode)) return add_directory(path);
    return add(S_ISREG(st.st_mode) ? kind_of(path) : NO_FILE, path, NULL);
}

/* ---- checking: 0 and a description, or an error ------------------------------- */

static int check_shard(const char *path, char *found, size_t size)
{
    lm_shard *s = NULL;
    int rc = lm_shard_check(path, quick);
    if (!rc) rc = lm_shard_open(&s, path);
    if (!rc)
        snprintf(found, size, "shard %s, %s rows of %s tokens", cli_count(lm_shard_number(s)),
                 cli_count(lm_shard_rows(s)), cli_count(lm_shard_row_tokens(s)));
    lm_shard_close(s);
    return rc;
}

static int check_store(const char *path, char *found, size_t size)
{
    lm_store *s = NULL;
    int rc = lm_store_check(path, quick);
    if (!rc) rc = lm_store_open(&s, path);
    if (!rc)
        snprintf(found, size, "%s, %s documents, %s tokens",
                 lm_store_meta(s)->plan ? "mixture" : "store", cli_count(lm_store_documents(s)),
                 cli_count(lm_store_tokens(s)));
    lm_store_close(s);
    return rc;
}

static int check_stream(const char *path, char *found, size_t size)
{
    lm_stream *s = NULL;
    lm_record r;
    uint64_t documents = 0, tokens = 0;
    int rc = lm_stream_open(&s, path);
    if (rc) return rc;
    while ((rc = lm_stream_next(s, &r)) == 1) {
        if (r.kind != LM_REC_DOC) continue;
        documents++;
        tokens += r.doc.tokens;
    }
    if (!rc)
        snprintf(found, size, "stream, %s documents, %s tokens", cli_count(documents),
                 cli_count(tokens));
    lm_stream_close(s);
    return rc;
}

/* All parts of a store exist and agree. */
static int check_parts(const char *path, char *found, size_t size)
{
    lm_store *s = NULL;
    int rc = lm_store_open(&s, path);
    if (!rc)
        snprintf(found, size, "all parts, %s documents, %s tokens",
                 cli_count(lm_store_documents(s)), cli_count(lm_store_tokens(s)));
    lm_store_close(s);
    return rc;
}

static int check_manifest(const char *path, char *found, size_t size)
{
    struct stat st;
    lm_shards *s = NULL;
    const char *slash = strrchr(path, '/');
    char *dir = slash == path ? strdup("/")
                : slash       ? strndup(path, (size_t)(slash - path))
                              : strdup(".");
    if (!dir) return lm_fail_nomem(strlen(path));
    int rc = lm_shards_open(&s, dir);
    if (!rc && stat(path, &st))
        rc = lm_fail(LM_EDATA, "%s is missing: packing was not finished", path);
    if (!rc) rc = lm_manifest_check(dir);
    if (!rc)
        snprintf(found, size, "manifest, shards: %s, rows: %s", cli_count(lm_shards_count(s)),
                 cli_count(lm_shards_rows(s)));
    lm_shards_close(s);
    free(dir);
    return rc;
}

static int check_json(const char *path, char *found, size_t size)
{
    lm_plan p;
    int rc = lm_plan_load(&p, path);
    if (rc) return rc;
    snprintf(found, size, "plan of %s, %s tokens", cli_name(p.recipe), cli_count(p.tokens));
    lm_plan_free(&p);
    return LM_OK;
}

/* A model without checksums: its files can be read, and hold what they say. */
static int check_headers(const char *path, char *found, size_t size)
{
    char config[MODEL_PATH];
    lm_json *json = NULL;
    st_reader *r = NULL;
    int rc = model_dir_path(config, path, MODEL_CONFIG);
    if (!rc) rc = model_dir_usable(path);
    if (!rc) rc = lm_json_load(&json, config, (size_t)64 << 20);
    if (!rc) rc = st_open(&r, path);
    if (!rc)
        snprintf(found, size, "model, %s tensors (without " MODEL_CHECKSUMS ": headers and sizes)",
                 cli_count(st_count(r)));
    st_close(r);
    lm_json_free(json);
    return rc;
}

/* Weights of an earlier model, which no reader takes without their index: how many, and one. */
static size_t count_other_weights(const char *dir, char name[256])
{
    size_t n = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (!lm_has_suffix(e->d_name, ".safetensors") || !strcmp(e->d_name, MODEL_WEIGHTS))
            continue;
        snprintf(name, 256, "%s", e->d_name);
        n++;
    }
    if (d) closedir(d);
    return n;
}

static int check_model(const char *path, char *found, size_t size)
{
    char other[256];
    st_reader *r = NULL;
    size_t files = 0, others = 0;
    int rc = model_dir_usable(path);
    if (!rc) rc = checksums_compare(path, !quick, &files);
    if (rc <= 0) return rc ? rc : check_headers(path, found, size);
    rc = st_open(&r, path);
    if (!rc) others = count_other_weights(path, other);
    if (!rc && others)
        snprintf(found, size, "model, %s tensors, %s files; not part of it: %.80s%s",
                 cli_count(st_count(r)), cli_count(files), other, others > 1 ? " and others" : "");
    else if (!rc)
        snprintf(found, size, "model, %s tensors, %s files", cli_count(st_count(r)),
                 cli_count(files));
    st_close(r);
    return rc;
}

static int check_checkpoint(const char *path, char *found, size_t size)
{
    uint64_t step = 0;
    int rc = tr_checkpoint_check(path, quick, &step);
    if (!rc) snprintf(found, size, "checkpoint of step %s", cli_count(step));
    return rc;
}

/* Anything else than a regular file might wait indefinitely. */
static int readable(const char *path)
{
    int fd = lm_fd_open_regular(path);
    if (fd < 0) return fd;
    close(fd);
    return LM_OK;
}

static int check(const item *i, char *found, size_t size)
{
    bool file = i->kind == SHARD || i->kind == STORE || i->kind == JSON || i->kind == NO_FILE ||
                i->kind == UNREADABLE || (i->kind == MANIFEST && !access(i->path, F_OK));
    int rc = file ? readable(i->path) : LM_OK;
    if (rc) return rc;
    switch (i->kind) {
    case SHARD: return check_shard(i->path, found, size);
    case STORE: return check_store(i->path, found, size);
    case STREAM: return check_stream(i->path, found, size);
    case JSON: return check_json(i->path, found, size);
    case MANIFEST: return check_manifest(i->path, found, size);
    case PARTS: return check_parts(i->path, found, size);
    case MODEL: return check_model(i->path, found, size);
    case CHECKPOINT: return check_checkpoint(i->path, found, size);
    case INCOMPLETE:
        return lm_fail(LM_EDATA, "%s: incomplete: the program that writes it has not finished",
                       i->path);
    case EMPTY: return lm_fail(LM_EDATA, "%s: contains nothing to check", i->path);
    case NO_FILE:
    case UNREADABLE: break;
    }
    return lm_fail(LM_EIO, "%s: cannot be read", i->path);
}

/* ---- in parallel, reported in order ---------------------------------------------------- */

static lm_turns *turns;
static size_t faults;

static int work(void *arg, int thread)
{
    (void)arg, (void)thread;
    for (;;) {
        char found[160] = "";
        lm_turns_enter(turns);
        if (next_item == n_items || lm_interrupted()) {
            lm_turns_leave(turns);
            return lm_check_interrupt();
        }
        const item *i = &items[next_item++];
        uint64_t ticket = lm_turns_claim(turns);
        int rc = check(i, found, sizeof found);
        if (!lm_turns_wait(turns, ticket)) return LM_OK;
        bool tokens = i->kind == SHARD || i->kind == STORE,
             numbers = i->kind == MODEL || i->kind == CHECKPOINT;
        if (!rc)
            cli_print("ok %s: %s%s\n", cli_name(i->path), found,
                      quick && tokens    ? " (quick: its tokens were not read)"
                      : quick && numbers ? " (quick: its numbers were not read)"
                                         : "");
        else if (rc != LM_EINTR) cli_warn("%s", lm_err());
        faults += rc != 0;
        lm_turns_done(turns, ticket);
    }
}

static int run(void)
{
    int rc = LM_OK;
    for (size_t i = 0; i < inputs.n && !rc; i++) rc = add_path(inputs.v[i]);
    if (!rc) rc = lm_turns_new(&turns);
    if (!rc) rc = lm_parallel((size_t)threads < n_items ? threads : (int)n_items, work, NULL);
    lm_turns_free(turns);
    for (size_t i = 0; i < n_items; i++) free(items[i].path);
    free(items);
    return rc ? rc : faults ? 1 : 0;
}

static const cli_tool tool = {
    .name = "lmcheck",
    .summary = "verify stores, shards, manifests, plans and models",
    .about =
        "Verifies token stores, packed shards, manifests, plans, models and checkpoints. For each "
        "valid file a line \"ok FILE: description\" goes to standard output. For each invalid one "
        "a "
        "line with the byte offset of the first error goes to standard error; the other files are "
        "still checked, and the exit status is 1.\n\n"
        "A model that lmtrain or lmimport has written is compared with its checksums.json, byte "
        "for "
        "byte; every file that is missing, has changed or does not belong to it is named. Of other "
        "models only headers and sizes can be verified.\n\n"
        "In a directory every store and shard is checked, then that all parts or shards exist "
        "and that manifest.json equals the sums of the shards. Unfinished files (.partial, "
        ".tmp) are errors.",
    .opts = opts,
    .examples = "# every byte of what lmpack wrote\n"
                "lmcheck shards\n"
                "# without reading all of it\n"
                "lmcheck --quick store.lmt shards\n"
                "# every byte of a model\n"
                "lmcheck model\n",
    .see = "lmcat(1), lmpack(1), lmtok(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
