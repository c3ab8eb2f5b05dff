/* parts.c -- a directory of parts, which together are one store. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/store/internal.h"

int lm_part_name(char out[LM_PART_NAME], uint32_t k, uint32_t n)
{
    return snprintf(out, LM_PART_NAME, "part-%05" PRIu32 "-of-%05" PRIu32 ".lmt", k, n);
}

/* The number of parts that the file names in `path` give; all must give the same. */
static int count_parts(const char *path, uint32_t *out)
{
    uint32_t count = 0;
    int rc = LM_OK;
    DIR *d = opendir(path);
    if (!d) return lm_fail_errno(errno, "%s: cannot open the directory", path);
    for (struct dirent *e = NULL; !rc && (e = readdir(d));) {
        char name[LM_PART_NAME];
        unsigned k = 0, n = 0;
        if (sscanf(e->d_name, "part-%5u-of-%5u", &k, &n) != 2) continue;
        lm_part_name(name, k, n);
        if (strcmp(name, e->d_name) || k == 0 || k > n) continue;
        if (count && count != n)
            rc = lm_fail(LM_EDATA,
                         "%s: holds parts of two stores: some of %" PRIu32 ", some of %u parts",
                         path, count, n);
        count = n;
    }
    closedir(d);
    if (!rc && count == 0)
        rc = lm_fail(LM_EDATA,
                     "%s: no part of a store (part-00001-of-00003.lmt ...) is in this directory",
                     path);
    *out = count;
    return rc;
}

int lmstore_parts_find(lmstore_parts *out, const char *path)
{
    struct stat st;
    bool directory = strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode);
    uint32_t count = 1;
    *out = (lmstore_parts){ 0 };
    int rc = directory ? count_parts(path, &count) : LM_OK;
    if (rc) return rc;
    out->path = calloc(count, sizeof *out->path);
    out->first_file = calloc((size_t)count + 1, sizeof *out->first_file);
    if (!out->path || !out->first_file) rc = lm_fail_nomem(count * 2 * sizeof(uint64_t));
    for (uint32_t k = 1; k <= count && !rc; k++) {
        char name[LM_PART_NAME];
        size_t n = strlen(path) + LM_PART_NAME + 1;
        char *s = malloc(n);
        if (!s) {
            rc = lm_fail_nomem(n);
            break;
        }
        lm_part_name(name, k, count);
        snprintf(s, n, directory ? "%s/%s" : "%s", path, name);
        out->path[out->n++] = s;
        if (directory && stat(s, &st))
            rc = lm_fail_errno(errno, "%s: part %" PRIu32 " of %" PRIu32 " is missing: %s", path, k,
                               count, s);
    }
    if (rc) lmstore_parts_free(out);
    return rc;
}

void lmstore_parts_free(lmstore_parts *p)
{
    for (size_t i = 0; i < p->n; i++) free(p->path[i]);
    free(p->path);
    free(p->first_file);
    *p = (lmstore_parts){ 0 };
}

/* The header of one part with these files, as a part that is the whole. */
static lm_json *as_whole(const lm_json *json, lm_json *files)
{
    lm_json *whole = lm_json_object(), *part = lm_json_object();
    const char *key = NULL;
    const lm_json *value = NULL;
    lm_json_set_u64(part, "k", 1);
    lm_json_set_u64(part, "of", 1);
    for (size_t i = 0; lm_json_member(json, i, &key, &value); i++) {
        if (!strcmp(key, "files")) lm_json_set(whole, key, files);
        else if (!strcmp(key, "part")) lm_json_set(whole, key, part);
        else lm_json_set_copy(whole, key, value);
    }
    return whole;
}

/* What parts must have in common, as text: all but files and part; "inputs", which has a message of its
 * own; and "not_read", which a program that writes into the folder changes. */
static int common_text(const lm_json *json, lm_buf *out)
{
    lm_json *common = lm_json_object();
    const char *key = NULL;
    const lm_json *value = NULL;
    for (size_t i = 0; lm_json_member(json, i, &key, &value); i++)
        if (strcmp(key, "files") && strcmp(key, "part") && strcmp(key, "inputs") &&
            strcmp(key, "not_read"))
            lm_json_set_copy(common, key, value);
    out->size = 0;
    int rc = lm_json_dump(common, 0, out);
    lm_json_free(common);
    return rc;
}

/* The member "inputs" as text; empty where it is absent. */
static int inputs_text(const lm_json *json, lm_buf *out)
{
    const lm_json *inputs = lm_json_get(json, "inputs");
    out->size = 0;
    return inputs ? lm_json_dump(inputs, 0, out) : LM_OK;
}

static bool same_text(const lm_buf *a, const lm_buf *b)
{
    return a->size == b->size && (a->size == 0 || !memcmp(a->data, b->data, a->size));
}

/* Does part i agree with the first one, whose texts are given? */
static int check_part(const lmstore_parts *p, const lm_meta *m, size_t i, const lm_buf *common,
                      const lm_buf *inputs, lm_buf *text)
{
    int rc = common_text(m->json, text);
    if (rc) return rc;
    if (m->part != i + 1 || m->parts != p->n)
        return lm_fail(LM_EDATA, "%s: its header says part %" PRIu32 " of %" PRIu32, p->path[i],
                       m->part, m->parts);
    if (!same_text(text, common))
        return lm_fail(LM_EDATA, "%s: was made with another tokenizer, domains or options than %s",
                       p->path[i], p->path[0]);
    rc = inputs_text(m->json, text);
    if (!rc && !same_text(text, inputs))
        rc = lm_fail(LM_EDATA,
                     "%s: was made when the inputs had other names or sizes than for %s; make one "
                     "of them again from the inputs of the other",
                     p->path[i], p->path[0]);
    return rc;
}

static int join(const lmstore_parts *p, const lm_meta *metas, lm_meta *out)
{
    lm_buf common = LM_BUF_INIT(LM_META_MAX), inputs = LM_BUF_INIT(LM_META_MAX),
           text = LM_BUF_INIT(LM_META_MAX);
    lm_json *files = lm_json_array(), *whole = NULL;
    int rc = common_text(metas[0].json, &common);
    if (!rc) rc = inputs_text(metas[0].json, &inputs);
    for (size_t i = 0; i < p->n && !rc; i++) {
        rc = check_part(p, &metas[i], i, &common, &inputs, &text);
        for (size_t f = 0; f < metas[i].files; f++) lm_json_set_str(files, NULL, metas[i].file[f]);
    }
    if (rc) lm_json_free(files);
    else whole = as_whole(metas[0].json, files);
    lm_buf_free(&common);
    lm_buf_free(&inputs);
    lm_buf_free(&text);
    if (rc) return rc;
    return lm_meta_from_json(out, whole);
}

int lmstore_parts_meta(lmstore_parts *p, lm_meta *metas, lm_meta *out)
{
    for (size_t i = 0; i < p->n; i++) p->first_file[i + 1] = p->first_file[i] + metas[i].files;
    if (p->n == 1) {
        *out = metas[0];
        return LM_OK;
    }
    int rc = join(p, metas, out);
    for (size_t i = 0; i < p->n; i++) lm_meta_free(&metas[i]);
    return rc;
}
