#include "longmix/domain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/base/endian.h"
#include "lib/base/hash.h"
#include "lib/domain/internal.h"
#include "longmix/json.h"

#define BUILT_IN "slimpajama"

enum { TABLE_BYTES_MAX = 1024 * 1024, KEYS_MAX = 8, NAME_BYTES_MAX = 63 };

/* A rule: a name, alias or pattern, and the domain that it leads to. */
typedef struct rule {
    const char *word; /* borrowed from the table */
    size_t size;
    int id;
} rule;

typedef struct rules {
    rule *v;
    size_t n;
} rules;

struct lm_domains {
    lm_json *table; /* owns all strings */
    const char **names;
    size_t count;
    const char *text; /* NULL: the default */
    const char *keys[KEYS_MAX + 1];
    rules words;         /* names and aliases */
    rules labels, files; /* patterns, in order */
    bool stop;
    bool built_in; /* and not changed */
};

void lm_domains_free(lm_domains *d)
{
    if (!d) return;
    lm_json_free(d->table);
    free(d->names);
    free(d->words.v);
    free(d->labels.v);
    free(d->files.v);
    free(d);
}

static int add_rule(rules *r, const char *word, size_t id)
{
    rule *v = realloc(r->v, (r->n + 1) * sizeof *v);
    if (!v) return lm_fail_nomem((r->n + 1) * sizeof *v);
    r->v = v;
    v[r->n++] = (rule){ word, strlen(word), (int)id };
    return LM_OK;
}

/* A word must lead to one domain only. */
static int add_word(lm_domains *d, const lm_json *at, const char *word, size_t id)
{
    int known = lm_domains_find(d, word, strlen(word));
    if (!*word) return lm_json_fail(at, "an empty name");
    if (known >= 0 && known != (int)id)
        return lm_json_fail(at, "\"%s\" already names the domain %s", word, d->names[known]);
    return known >= 0 ? LM_OK : add_rule(&d->words, word, id);
}

/* Add each string of the array `key` of `o`, if there is one: to `patterns`, or as a word. */
static int each_word(lm_domains *d, const lm_json *o, const char *key, size_t id, rules *patterns)
{
    const lm_json *list = lm_json_get(o, key);
    if (!list) return LM_OK;
    if (lm_json_type(list) != LM_JSON_ARRAY)
        return lm_json_fail(list, "expected an array of strings");
    for (size_t i = 0; i < lm_json_size(list); i++) {
        const char *word;
        const lm_json *at = lm_json_at(list, i);
        int rc = lm_json_str(&word, at, NULL);
        if (!rc) rc = patterns ? add_rule(patterns, word, id) : add_word(d, at, word, id);
        if (rc) return rc;
    }
    return LM_OK;
}

/* Names appear in JSON, in lists separated by commas and in tables. */
static bool is_plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || strchr(",\"\\\x7f", *s)) return false;
    return true;
}

static int read_domain(lm_domains *d, const lm_json *o, size_t id)
{
    static const char *const fields[] = { "name", "aliases", "labels", "files", NULL };
    int rc = lm_json_only(o, fields);
    if (!rc) rc = lm_json_str(&d->names[id], o, "name");
    if (rc) return rc;
    const lm_json *name = lm_json_get(o, "name");
    if (strlen(d->names[id]) > NAME_BYTES_MAX || !is_plain(d->names[id]))
        return lm_json_fail(name,
                            "expected at most %d bytes, and no comma, quote, backslash or "
                            "control character among them",
                            NAME_BYTES_MAX);
    int known = lm_domains_find(d, d->names[id], strlen(d->names[id]));
    if (known >= 0)
        return lm_json_fail(name, "\"%s\" already names the domain %s", d->names[id],
                            d->names[known]);
    rc = add_word(d, name, d->names[id], id);
    if (!rc) rc = each_word(d, o, "aliases", id, NULL);
    if (!rc) rc = each_word(d, o, "labels", id, &d->labels);
    if (!rc) rc = each_word(d, o, "files", id, &d->files);
    return rc;
}

static int read_domains(lm_domains *d)
{
    const lm_json *list;
    int rc = lm_json_need(&list, d->table, "domains");
    if (rc) return rc;
    size_t n = lm_json_size(list);
    if (lm_json_type(list) != LM_JSON_ARRAY || n == 0 || n >= LM_DOMAINS_MAX)
        return lm_json_fail(list, "expected an array of 1 to %d domains", LM_DOMAINS_MAX - 1);
    d->names = calloc(n + 1, sizeof *d->names);
    if (!d->names) return lm_fail_nomem(n * sizeof *d->names);
    /* "unknown" is the last, and no other domain may have its name. */
    d->count = n + 1;
    d->names[n] = LM_DOMAIN_UNKNOWN;
    rc = add_rule(&d->words, LM_DOMAIN_UNKNOWN, n);
    for (size_t i = 0; !rc && i < n; i++) rc = read_domain(d, lm_json_at(list, i), i);
    return rc;
}

static int read_keys(lm_domains *d)
{
    const lm_json *list = lm_json_get(d->table, "keys");
    if (!list) {
        d->keys[0] = "domain";
        d->keys[1] = "meta.redpajama_set_name";
        return LM_OK;
    }
    if (lm_json_type(list) != LM_JSON_ARRAY || lm_json_size(list) > KEYS_MAX)
        return lm_json_fail(list, "expected an array of at most %d keys", KEYS_MAX);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < lm_json_size(list); i++)
        rc = lm_json_str(&d->keys[i], lm_json_at(list, i), NULL);
    return rc;
}

static int read_unknown(lm_domains *d)
{
    const char *s = "keep";
    const lm_json *v = lm_json_get(d->table, "unknown");
    int rc = v ? lm_json_str(&s, v, NULL) : LM_OK;
    if (rc) return rc;
    d->stop = !strcmp(s, "stop");
    if (d->stop || !strcmp(s, "keep")) return LM_OK;
    return lm_json_fail(v, "\"%s\" is neither \"keep\" nor \"stop\"", s);
}

static int read_table(lm_domains *d)
{
    static const char *const fields[] = { "text_key", "keys", "domains", "unknown", NULL };
    const lm_json *text = lm_json_get(d->table, "text_key");
    int rc = lm_json_only(d->table, fields);
    if (!rc && text) rc = lm_json_str(&d->text, text, NULL);
    if (!rc) rc = read_keys(d);
    if (!rc) rc = read_unknown(d);
    return rc ? rc : read_domains(d);
}

const char *lm_domains_preset(size_t i) { return lm_presets[i].name; }

static const lm_preset *find_preset(const char *name)
{
    const lm_preset *p = lm_presets;
    while (p->name && strcmp(p->name, name)) p++;
    return p->name ? p : NULL;
}

static int no_table(const char *path)
{
    lm_buf list = LM_BUF_INIT(4096);
    int rc = LM_OK;
    for (size_t i = 0; !rc && lm_presets[i].name; i++)
        rc = lm_buf_printf(&list, "%s%s", i ? ", " : "", lm_presets[i].name);
    if (!rc) rc = lm_fail(LM_EIO, "%s: no such file, and no preset: those are %s", path, list.data);
    lm_buf_free(&list);
    return rc;
}

/* A file is preferred to a preset of that name; a folder is none. */
static int load(lm_domains *d, const char *path)
{
    struct stat st;
    const lm_preset *preset = find_preset(path ? path : BUILT_IN);
    bool missing = path && stat(path, &st), folder = path && !missing && S_ISDIR(st.st_mode);
    if (path && missing && !preset && errno == ENOENT) return no_table(path);
    if (path && (!preset || !(missing || folder)))
        return lm_json_load(&d->table, path, TABLE_BYTES_MAX);
    d->built_in = !strcmp(preset->name, BUILT_IN);
    return lm_json_parse(&d->table, preset->json, strlen(preset->json), preset->name);
}

int lm_domains_open(lm_domains **out, const char *table)
{
    lm_domains *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d) return lm_fail_nomem(sizeof *d);
    int rc = load(d, table);
    if (!rc) rc = read_table(d);
    if (rc) lm_domains_free(d);
    else *out = d;
    return rc;
}

void lm_domains_on_unknown(lm_domains *d, bool stop)
{
    if (stop != d->stop) d->built_in = false;
    d->stop = stop;
}

void lm_domains_set_text(lm_domains *d, const char *key)
{
    if (key) d->text = key;
}

int lm_domains_set_keys(lm_domains *d, const char *const *keys, size_t n)
{
    if (n > KEYS_MAX) return lm_fail(LM_EUSAGE, "more than %d keys to find a domain by", KEYS_MAX);
    if (n == 0) return LM_OK;
    d->built_in = false;
    for (size_t i = 0; i <= KEYS_MAX; i++) d->keys[i] = i < n ? keys[i] : NULL;
    return LM_OK;
}

size_t lm_domains_count(const lm_domains *d) { return d->count; }
const char *lm_domains_name(const lm_domains *d, size_t i) { return d->names[i]; }
const char *lm_domains_text(const lm_domains *d) { return d->text; }
const char *const *lm_domains_keys(const lm_domains *d) { return d->keys; }

/* ---- the domain of a document ---------------------------------------------------------- */

/* The hash of one more word with its id, begun with that of what is before it. */
static uint64_t hash_word(uint64_t before, const char *word, int id)
{
    unsigned char part[24];
    lm_put64(part, before);
    lm_put64(part + 8, lm_hash64(word, strlen(word)));
    lm_put64(part + 16, (uint64_t)id);
    return lm_hash64(part, sizeof part);
}

static uint64_t hash_rules(uint64_t h, const rules *r)
{
    for (size_t i = 0; i < r->n; i++) h = hash_word(h, r->v[i].word, r->v[i].id);
    return hash_word(h, "", -1);
}

uint64_t lm_domains_rules(const lm_domains *d)
{
    if (d->built_in) return 0;
    uint64_t h = d->stop;
    for (size_t i = 0; d->keys[i]; i++) h = hash_word(h, d->keys[i], 0);
    return hash_rules(hash_rules(hash_rules(h, &d->words), &d->labels), &d->files);
}

int lm_domains_find(const lm_domains *d, const char *name, size_t n)
{
    for (size_t i = 0; i < d->words.n; i++) {
        const rule *r = &d->words.v[i];
        if (r->size == n && !strncasecmp(r->word, name, n)) return r->id;
    }
    return -1;
}

static int find_label(const lm_domains *d, const lm_string *label)
{
    int id = lm_domains_find(d, label->s, label->n);
    for (size_t i = 0; id < 0 && i < d->labels.n; i++)
        if (lm_glob(d->labels.v[i].word, label->s, label->n, true)) id = d->labels.v[i].id;
    return id;
}

/* Does the pattern match the path, or the rest of it after any slash? "*" + "/" at its begin stands
 * for any folders, or none. A wildcard there does not reach above `top`: the name of a project's
 * folder decides nothing. */
static bool matches(const char *pattern, const char *file, size_t top)
{
    while (!strncmp(pattern, "*/", 2)) pattern += 2;
    const char *at = file + (*pattern && strchr("*?[", *pattern) ? top : 0);
    for (;;) {
        if (lm_glob(pattern, at, strlen(at), false)) return true;
        at = strchr(at, '/');
        if (!at) return false;
        at++;
    }
}

static int find_file(const lm_domains *d, const char *file, size_t top)
{
    for (size_t i = 0; i < d->files.n; i++)
        if (matches(d->files.v[i].word, file, top)) return d->files.v[i].id;
    return -1;
}

int lm_domains_tag(const lm_domains *d, const lm_string *labels, size_t n, const char *file,
                   size_t top)
{
    int unknown = (int)d->count - 1, id;
    bool keep = !d->stop;
    for (size_t i = 0; i < n; i++) {
        id = find_label(d, &labels[i]);
        if (id >= 0 && id != unknown) return id;
        keep |= id == unknown; /* it says so itself */
    }
    id = find_file(d, file, top);
    if (id >= 0) return id;
    if (keep) return unknown;
    if (n)
        return lm_fail(LM_EDATA, "no domain is named \"%.*s\"",
                       (int)(labels->n < 200 ? labels->n : 200), labels->s);
    return lm_fail(LM_EDATA, "nothing names the domain: no label, and no pattern for the file");
}
