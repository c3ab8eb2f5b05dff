/* Input of evaluations: texts, lists of numbers. */
#include "eval/harness/harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "eval/data/identity.h"
#include "lib/base/hash.h"
#include "lib/tokenizer/plain.h"
#include "longmix/zio.h"

enum { LIST_MAX = 100000 };

/* ---- texts ----------------------------------------------------------------------------- */

static int add_file(const char *path, lm_buf *out)
{
    lm_in *in = NULL;
    int rc = lm_in_open(&in, path);
    if (!rc) rc = lm_in_all(in, out);
    lm_in_close(in);
    return rc;
}

static int add_files(char *const *files, size_t n, lm_buf *out,
                     int (*each)(void *arg, const char *name, size_t end), void *arg)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        size_t from = out->size;
        rc = add_file(files[i], out);
        if (!rc) rc = lm_plain_text(out->data + from, out->size - from, 0, files[i]);
        if (!rc && each) rc = each(arg, files[i], out->size);
    }
    return rc;
}

int eval_load_text(const cli_list *paths, lm_buf *out, uint64_t *hash,
                   int (*each)(void *arg, const char *name, size_t end), void *arg)
{
    size_t from = out->size;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < paths->n; i++) {
        struct stat st;
        char **files = NULL;
        size_t n = 0;
        if (stat(paths->v[i], &st) || !S_ISDIR(st.st_mode)) {
            rc = add_files(paths->v + i, 1, out, each, arg);
            continue;
        }
        rc = eval_dir_files(paths->v[i], ".txt", &files, &n);
        if (!rc && !n) rc = lm_fail(LM_EUSAGE, "%s: the directory has no .txt file", paths->v[i]);
        if (!rc) rc = add_files(files, n, out, each, arg);
        eval_dir_free(files, n);
    }
    if (!rc && hash) *hash = lm_hash64(out->data + from, out->size - from);
    return rc;
}

/* ---- numbers --------------------------------------------------------------------------- */

/* The next word of a comma-separated list, into word[size]; *text moves past it. */
static int next_word(const char *option, const char **text, char *word, size_t size)
{
    size_t n = strcspn(*text, ",");
    if (!n || n >= size)
        return lm_fail(LM_EUSAGE, "--%s: expected numbers separated by commas", option);
    memcpy(word, *text, n);
    word[n] = 0;
    *text += n + ((*text)[n] == ',' && (*text)[n + 1] ? 1 : 0);
    if (**text == ',') return lm_fail(LM_EUSAGE, "--%s: it ends in a comma", option);
    return LM_OK;
}

static size_t words_in(const char *text)
{
    size_t n = 1;
    for (; *text; text++) n += *text == ',';
    return n;
}

int eval_sizes(const char *option, const char *text, uint64_t least, uint64_t **out, size_t *n)
{
    char word[32];
    size_t most = words_in(text);
    *n = 0;
    *out = most <= LIST_MAX ? malloc(most * sizeof **out) : NULL;
    if (!*out) return lm_fail_nomem(most * sizeof **out);
    int rc = LM_OK;
    while (!rc && (*text || !*n)) {
        uint64_t v = 0;
        rc = next_word(option, &text, word, sizeof word);
        if (!rc) rc = lm_parse_size(word, &v);
        if (!rc && (v < least || v > INT32_MAX || (*n && v <= (*out)[*n - 1])))
            rc = lm_fail(LM_EUSAGE,
                         "--%s: %s: the numbers must increase, from %" PRIu64 " to 2^31 - 1",
                         option, word, least);
        if (!rc) (*out)[(*n)++] = v;
    }
    if (rc) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int eval_depths(const char *text, double **out, size_t *n)
{
    char word[32];
    size_t most = words_in(text);
    *n = 0;
    *out = most <= LIST_MAX ? malloc(most * sizeof **out) : NULL;
    if (!*out) return lm_fail_nomem(most * sizeof **out);
    int rc = LM_OK;
    while (!rc && (*text || !*n)) {
        char *end = NULL;
        rc = next_word("depths", &text, word, sizeof word);
        double v = rc ? 0 : strtod(word, &end);
        if (!rc && (*end || strspn(word, "0123456789.") != strlen(word) || v > 100 ||
                    (*n && v <= (*out)[*n - 1])))
            rc = lm_fail(LM_EUSAGE, "--depths: %s: percentages must increase, from 0 to 100", word);
        if (!rc) (*out)[(*n)++] = v;
    }
    if (rc) {
        free(*out);
        *out = NULL;
    }
    return rc;
}
