/* inputs.c -- the files of a part, the header that lists them, and what an output may not replace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "longmix/version.h"
#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "lib/tokenize/internal.h"

#define FORMAT_1 "longmix store 1"

/* ---- which files -------------------------------------------------------------------- */

/* Bytes of a file on disk. */
static int file_size(const char *path, double *out)
{
    struct stat st;
    if (stat(path, &st)) return lm_fail_errno(errno, "%s", path);
    *out = (double)st.st_size;
    return LM_OK;
}

int lm_tokenize_part(char *const *files, size_t n, uint32_t part, uint32_t parts, size_t *first,
                     size_t *count)
{
    double total = 0, before = 0, size = 0;
    int rc = LM_OK;
    *first = 0;
    *count = n;
    if (parts == 1) return LM_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        if (!strcmp(files[i], "-"))
            return lm_fail(LM_EUSAGE, "standard input cannot be divided into parts");
        rc = file_size(files[i], &size);
        total += size;
    }
    *first = *count = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        rc = file_size(files[i], &size);
        /* A file is in the part where its middle is; without bytes, where its number says. */
        double middle = total > 0 ? (before + size / 2) / total : (double)i / (double)n;
        uint32_t k = (uint32_t)(middle * parts);
        if (k >= parts) k = parts - 1;
        before += size;
        if (k + 1 < part) *first = i + 1;
        if (k + 1 == part) ++*count;
    }
    return rc;
}

/* ---- the header of an earlier run ------------------------------------------------------- */

static bool is_regular(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Read the header at the front of `path`. What is no store is left to the writer to report. */
static int read_header(tok_inputs *in, const char *path)
{
    lm_stream *s = NULL;
    int rc = lm_stream_open(&s, path);
    if (rc == LM_EDATA) return LM_OK;
    if (rc) return rc;
    lm_json *copy = lm_json_object();
    lm_json_set_all(copy, lm_stream_meta(s)->json);
    lm_stream_close(s);
    rc = lm_meta_from_json(&in->earlier, copy);
    in->has_earlier = !rc;
    return rc;
}

/* The header of the store at `path`, or of its unfinished form. */
static int find_earlier(tok_inputs *in, const char *path)
{
    char *partial = NULL;
    if (!strcmp(path, "-")) return LM_OK;
    if (is_regular(path)) return read_header(in, path);
    if (asprintf(&partial, "%s.partial", path) < 0) return lm_fail_nomem(strlen(path));
    int rc = is_regular(partial) ? read_header(in, partial) : LM_OK;
    if (!rc && in->has_earlier && in->earlier.version < LM_STORE_VERSION)
        rc = lm_fail(LM_EUSAGE,
                     "%s: was started with other inputs or options: an earlier version of longmix "
                     "began it, which alone can finish it",
                     partial);
    free(partial);
    return rc;
}

/* Is its list of files to be kept? Only where the given one may lack files that it has, or where
 * it divides the list in parts in another way. tok_inputs_match then compares them. */
static bool keeps_list(const tok_inputs *in, const lm_tokenize_options *o)
{
    const lm_meta *m = &in->earlier;
    uint64_t all = 0;
    if (!in->has_earlier || m->version < LM_STORE_VERSION) return false;
    if (m->part != o->part || m->parts != o->parts) return false;
    const lm_json *inputs = lm_json_get(m->json, "inputs");
    if (!inputs || lm_json_u64(&all, inputs, "files")) return false;
    return o->parts > 1 ? in->files->n <= all : in->files->n < m->files;
}

/* ---- the header --------------------------------------------------------------------- */

/* The number of all inputs, and a hash of their names and sizes: parts made from different lists
 * differ in it. */
static int inputs_json(const lm_files *f, lm_json *header)
{
    lm_hasher *h = NULL;
    int rc = lm_hasher_new(&h);
    if (rc) return rc;
    for (size_t i = 0; i < f->n; i++) {
        struct stat st;
        unsigned char size[8];
        bool known = strcmp(f->path[i], "-") && !stat(f->path[i], &st) && S_ISREG(st.st_mode);
        lm_put64(size, known ? (uint64_t)st.st_size : 0);
        lm_hasher_add(h, f->name[i], strlen(f->name[i]) + 1);
        lm_hasher_add(h, size, sizeof size);
    }
    lm_json *j = lm_json_object();
    lm_json_set_u64(j, "files", f->n);
    lm_json_set_hex64(j, "xxh3", lm_hasher_digest(h));
    lm_json_set(header, "inputs", j);
    lm_hasher_free(h);
    return LM_OK;
}

/* Does an earlier run's "inputs" stay? Its part of the list does, whatever has changed since. */
static bool keeps_inputs(const tok_inputs *in)
{
    return in->keeps || (in->has_earlier && in->earlier.parts > 1);
}

static bool is_old(const tok_inputs *in)
{
    return in->has_earlier && in->earlier.version < LM_STORE_VERSION;
}

static int put_inputs(const tok_inputs *in, lm_json *header)
{
    const lm_json *inputs = in->has_earlier ? lm_json_get(in->earlier.json, "inputs") : NULL;
    if (is_old(in)) return LM_OK;
    if (!inputs || !keeps_inputs(in)) return inputs_json(in->files, header);
    lm_json_set_copy(header, "inputs", inputs);
    return LM_OK;
}

static void put_files(const tok_inputs *in, lm_json *header)
{
    lm_json *names = lm_json_array();
    for (size_t i = 0; i < in->count; i++) {
        const char *name = in->keeps    ? in->earlier.file[i]
                           : is_old(in) ? in->files->path[in->first + i]
                                        : in->files->name[in->first + i];
        lm_json_set_str(names, NULL, name);
    }
    lm_json_set(header, "files", names);
}

/* What the folders hold besides; of an earlier run, what they held when it began: the store itself may
 * be in one of them. */
static void put_not_read(const tok_inputs *in, lm_json *header)
{
    if (in->has_earlier && in->earlier.not_read)
        lm_json_set_copy(header, "not_read", in->earlier.not_read);
    if (in->has_earlier || in->files->skips == 0) return;
    lm_json *not_read = lm_json_array();
    for (size_t i = 0; i < in->files->skips; i++)
        lm_json_set_str(not_read, NULL, in->files->skipped[i]);
    lm_json_set(header, "not_read", not_read);
}

/* What of the reading of lines differs from the default. */
static void put_schema(const lm_tokenize_options *o, lm_json *header)
{
    const char *text = lm_domains_text(o->domains);
    uint64_t rules = lm_domains_rules(o->domains);
    if (text && strcmp(text, LM_TEXT_KEY)) lm_json_set_str(header, "text_key", text);
    if (o->replace) lm_json_set_str(header, "invalid", "replace");
    if (rules) lm_json_set_hex64(header, "domain_rules", rules);
}

static int make_header(tok_inputs *in, const lm_tokenize_options *o, bool complete)
{
    const char *slash = strrchr(o->model, '/'), *version = LM_VERSION;
    lm_json *j = in->header = lm_json_object(), *t = lm_json_object(), *domains = lm_json_array(),
            *part = lm_json_object();
    /* A complete store is what it is, whichever version made it. */
    if (in->has_earlier && complete && lm_json_str(&version, in->earlier.json, "longmix"))
        version = LM_VERSION;
    lm_json_set_str(j, "format", is_old(in) ? FORMAT_1 : LM_STORE_FORMAT);
    lm_json_set_str(j, "longmix", version);
    int rc = put_inputs(in, j); /* near the front: a resumed run may have to change it in place */
    lm_json_set_str(t, "name", slash ? slash + 1 : o->model);
    lm_json_set_hex64(t, "xxh3", lm_tokenizer_hash(o->tokenizer));
    lm_json_set_u64(t, "vocab", lm_tokenizer_vocab(o->tokenizer));
    int64_t bos = lm_tokenizer_bos(o->tokenizer), eos = lm_tokenizer_eos(o->tokenizer);
    if (o->bos && bos >= 0) lm_json_set_u64(t, "bos", (uint64_t)bos);
    if (o->eos && eos >= 0) lm_json_set_u64(t, "eos", (uint64_t)eos);
    if (o->parse_special) lm_json_set_str(t, "special_text", "parse");
    lm_json_set(j, "tokenizer", t);
    if (!is_old(in)) put_schema(o, j);
    for (size_t i = 0; i < lm_domains_count(o->domains); i++)
        lm_json_set_str(domains, NULL, lm_domains_name(o->domains, i));
    lm_json_set(j, "domains", domains);
    put_files(in, j);
    put_not_read(in, j);
    lm_json_set_u64(part, "k", o->part);
    lm_json_set_u64(part, "of", o->parts);
    lm_json_set(j, "part", part);
    return rc;
}

int tok_inputs_open(tok_inputs *in, const lm_tokenize_options *o, const lm_files *files,
                    const char *path)
{
    *in = (tok_inputs){ .files = files, .earlier = { .bos = -1 } };
    int rc = lm_tokenize_part(files->path, files->n, o->part, o->parts, &in->first, &in->count);
    if (!rc && !o->force) rc = find_earlier(in, path);
    if (rc) return rc;
    in->keeps = keeps_list(in, o);
    if (in->keeps) in->count = in->earlier.files;
    in->given = malloc((in->count + 1) * sizeof *in->given);
    if (!in->given) return lm_fail_nomem((in->count + 1) * sizeof *in->given);
    for (size_t i = 0; i < in->count; i++) in->given[i] = in->keeps ? NOT_GIVEN : in->first + i;
    return make_header(in, o, is_regular(path));
}

void tok_inputs_close(tok_inputs *in)
{
    lm_json_free(in->header);
    lm_meta_free(&in->earlier);
    free(in->given);
}

/* ---- an earlier list and the given one --------------------------------------------------- */

/* Match the earlier list with the given one from number `at` on. `all`: every quarantined file is
 * missing; otherwise those that do not match. The number after the last match, or NOT_GIVEN. */
static size_t match_from(tok_inputs *in, const bool *quarantined, size_t at, bool all)
{
    for (size_t i = 0; i < in->count; i++) {
        bool same = at < in->files->n && !strcmp(in->earlier.file[i], in->files->name[at]);
        if (quarantined[i] && (all || !same)) in->given[i] = NOT_GIVEN;
        else if (same) in->given[i] = at++;
        else return NOT_GIVEN;
    }
    return at;
}

/* A part is at one place of the given list: where it would be now or, if that has moved, at the only
 * one with its names. */
static bool match_part(tok_inputs *in, const bool *quarantined)
{
    size_t places = 0, place = 0;
    bool place_all = false;
    if (match_from(in, quarantined, in->first, false) != NOT_GIVEN) return true;
    for (int all = 0; all < 2; all++)
        for (size_t at = 0; at <= in->files->n; at++) {
            if (match_from(in, quarantined, at, all) == NOT_GIVEN) continue;
            if (places && place == at) continue; /* the same, but for how it was found */
            places++;
            place = at;
            place_all = all;
        }
    return places == 1 && match_from(in, quarantined, place, place_all) != NOT_GIVEN;
}

static bool match_whole(tok_inputs *in, const bool *quarantined)
{
    return match_from(in, quarantined, 0, true) == in->files->n ||
           match_from(in, quarantined, 0, false) == in->files->n;
}

int tok_inputs_match(tok_inputs *in, const bool *quarantined, const char *store)
{
    if (!in->keeps) return LM_OK;
    if (in->earlier.parts > 1 ? match_part(in, quarantined) : match_whole(in, quarantined))
        return LM_OK;
    size_t i = 0, from = in->earlier.parts > 1 ? in->first : 0;
    while (i < in->count && from + i < in->files->n &&
           !strcmp(in->earlier.file[i], in->files->name[from + i]))
        i++;
    return lm_fail(LM_EUSAGE,
                   "%s: was started with other inputs or options: its \"files\" differs: input %zu "
                   "was %s, now it is %s, and only quarantined files may be left out",
                   store, i + 1, i < in->count ? in->earlier.file[i] : "absent",
                   from + i < in->files->n ? in->files->name[from + i] : "absent");
}

/* ---- names ------------------------------------------------------------------------------ */

const char *tok_path(const tok_inputs *in, size_t file)
{
    return in->given[file] == NOT_GIVEN ? NULL : in->files->path[in->given[file]];
}

const char *tok_name(const tok_inputs *in, size_t file)
{
    return in->keeps ? in->earlier.file[file] : in->files->name[in->given[file]];
}

const char *tok_shown(const tok_inputs *in, size_t file)
{
    const char *path = tok_path(in, file);
    return !path ? tok_name(in, file) : strcmp(path, "-") ? path : "stdin";
}

/* ---- what an output may not be ------------------------------------------------------------ */

int tok_inputs_guard(const lm_tokenize_options *o, const lm_files *files, const char *store,
                     const char *bad, const char *list)
{
    const char *const outputs[] = { store, bad, list };
    size_t n = files->n;
    const char **inputs = malloc((n + 4) * sizeof *inputs);
    if (!inputs) return lm_fail_nomem((n + 4) * sizeof *inputs);
    memcpy(inputs, files->path, n * sizeof *inputs);
    inputs[n++] = o->model;
    if (o->table) inputs[n++] = o->table;
    int rc = LM_OK;
    for (size_t i = 0; i < 3 && !rc; i++) {
        if (!outputs[i]) continue;
        for (size_t k = 0; k < i && !rc; k++)
            if (outputs[k] && !strcmp(outputs[i], outputs[k]) && strcmp(outputs[i], "/dev/null"))
                rc =
                    lm_fail(LM_EUSAGE, "%s: is to be two outputs; choose another name", outputs[i]);
        if (!rc) rc = lm_output_refuse_input(outputs[i], inputs, n);
    }
    if (!rc && bad) rc = lm_output_refuse_input(bad, &store, strcmp(store, "-") != 0);
    if (!rc && list) rc = lm_output_refuse_input(list, &store, strcmp(store, "-") != 0);
    if (!rc && list && bad) rc = lm_output_refuse_input(list, &bad, 1);
    free(inputs);
    return rc;
}
