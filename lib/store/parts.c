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

/* What parts must have in common, as text. */
static int common_text(const lm_json *json, lm_buf *out)
{
    lm_json *whole = as_whole(json, lm_json_array());
    out->size = 0;
    int rc = lm_json_dump(whole, 0, out);
    lm_json_free(whole);
    return rc;
}

static int join(const lmstore_parts *p, const lm_meta *metas, lm_meta *out)
{
    lm_buf first = LM_BUF_INIT(LM_META_MAX), text = LM_BUF_INIT(LM_META_MAX);
    lm_json *files = lm_json_array(), *whole = NULL;
    int rc = common_text(metas[0].json, &first);
    for (size_t i = 0; i < p->n && !rc; i++) {
        const lm_meta *m = &metas[i];
        rc = common_text(m->json, &text);
        if (rc) break;
        if (m->part != i + 1 || m->parts != p->n)
            rc = lm_fail(LM_EDATA, "%s: its header says part %" PRIu32 " of %" PRIu32, p->path[i],
                         m->part, m->parts);
        else if (text.size != first.size || memcmp(text.data, first.data, text.size))
            rc =
                lm_fail(LM_EDATA, "%s: was made with another tokenizer, domains or options than %s",
                        p->path[i], p->path[0]);
        for (size_t f = 0; f < m->files; f++) lm_json_set_str(files, NULL, m->file[f]);
    }
    if (rc) lm_json_free(files);
    else whole = as_whole(metas[0].json, files);
    lm_buf_free(&first);
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
