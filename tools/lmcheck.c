/* lmcheck.c -- verify stores, shards, manifests and plans. */
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

static bool quick;
static int threads;
static cli_list inputs;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &inputs, "PATH",
      "A store (.lmt), a shard (.lms), a manifest.json next to its shards, a plan, or a directory "
      "of these. - is a token stream on standard input.",
      1, 0 },
    { CLI_FLAG, "quick", 0, &quick, NULL,
      "Verify headers, tables, indices and end markers, but neither the rows of shards nor the "
      "records of stores." },
    { CLI_THREADS, "threads", 'j', &threads, "N", "Files checked in parallel (all cores).", 0,
      4096 },
    { .kind = CLI_END },
};

/* ---- the files to check ------------------------------------------------------------- */

enum kind { SHARD, STORE, STREAM, JSON, MANIFEST, PARTS, INCOMPLETE, UNREADABLE, EMPTY };

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

/* Add the stores and shards of a directory, and a check that they are complete. */
static int add_directory(const char *dir)
{
    char **names = NULL;
    size_t n = 0, before = n_items;
    bool shards = false, manifest = false, parts = false;
    int rc = LM_OK;
    DIR *d = opendir(dir);
    if (!d) return add(UNREADABLE, dir, NULL);
    for (const struct dirent *e; !rc && (e = readdir(d));) {
        char **more = realloc(names, (n + 1) * sizeof *names);
        if (more) names = more;
        if (!more || !(names[n] = strdup(e->d_name))) rc = lm_fail_nomem((n + 1) * sizeof *names);
        else n++;
    }
    closedir(d);
    if (n) qsort(names, n, sizeof *names, lm_by_name);
    for (size_t i = 0; i < n && !rc; i++) {
        bool shard = lm_has_suffix(names[i], ".lms"), store = lm_has_suffix(names[i], ".lmt");
        bool receipt = !strcmp(names[i], "manifest.json");
        bool unfinished =
            (lm_has_suffix(names[i], ".tmp") || lm_has_suffix(names[i], ".partial")) &&
            (strstr(names[i], ".lm") || !strncmp(names[i], "manifest.json", 13));
        shards |= shard;
        manifest |= receipt;
        parts |= store && !strncmp(names[i], "part-", 5);
        if (shard || store || unfinished)
            rc = add(shard ? SHARD : store ? STORE : INCOMPLETE, dir, names[i]);
    }
    if (!rc && parts) rc = add(PARTS, dir, NULL);
    if (!rc && (shards || manifest)) rc = add(MANIFEST, dir, "manifest.json");
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
    return S_ISDIR(st.st_mode) ? add_directory(path) : add(kind_of(path), path, NULL);
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
    bool file = i->kind == SHARD || i->kind == STORE || i->kind == JSON || i->kind == UNREADABLE;
    int rc = file ? readable(i->path) : LM_OK;
    if (rc) return rc;
    switch (i->kind) {
    case SHARD: return check_shard(i->path, found, size);
    case STORE: return check_store(i->path, found, size);
    case STREAM: return check_stream(i->path, found, size);
    case JSON: return check_json(i->path, found, size);
    case MANIFEST: return check_manifest(i->path, found, size);
    case PARTS: return check_parts(i->path, found, size);
    case INCOMPLETE:
        return lm_fail(LM_EDATA, "%s: incomplete: the program that writes it has not finished",
                       i->path);
    case EMPTY: return lm_fail(LM_EDATA, "%s: contains nothing to check", i->path);
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
        bool partly = quick && (i->kind == SHARD || i->kind == STORE);
        if (!rc)
            cli_print("ok %s: %s%s\n", cli_name(i->path), found,
                      partly ? " (quick: its tokens were not read)" : "");
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
    .summary = "verify stores, shards, manifests and plans",
    .about =
        "Verifies token stores, packed shards, manifests and plans. For each valid file a line "
        "\"ok FILE: description\" goes to standard output. For each invalid one a line with "
        "the byte offset of the first error goes to standard error; the other files are still "
        "checked, and the exit status is 1.\n\n"
        "In a directory every store and shard is checked, then that all parts or shards exist "
        "and that manifest.json equals the sums of the shards. Unfinished files (.partial, "
        ".tmp) are errors.",
    .opts = opts,
    .examples = "# every byte of what lmpack wrote\n"
                "lmcheck shards\n"
                "# without reading all of it\n"
                "lmcheck --quick store.lmt shards\n",
    .see = "lmcat(1), lmpack(1), lmtok(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
