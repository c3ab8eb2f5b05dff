#include "longmix/domain.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "longmix/json.h"

enum { TABLE_BYTES_MAX = 1024 * 1024, KEYS_MAX = 8, NAME_BYTES_MAX = 63 };

/* SlimPajama's sets, in the order of the ids. The form is that of a user's file. */
static const char built_in[] =
    "{\"domains\": ["
    "{\"name\": \"CommonCrawl\","
    " \"aliases\": [\"RedPajamaCommonCrawl\", \"common_crawl\", \"cc\"]},"
    "{\"name\": \"C4\", \"aliases\": [\"RedPajamaC4\"]},"
    "{\"name\": \"GitHub\", \"aliases\": [\"RedPajamaGithub\"]},"
    "{\"name\": \"ArXiv\", \"aliases\": [\"RedPajamaArXiv\"]},"
    "{\"name\": \"Book\", \"aliases\": [\"RedPajamaBook\", \"RedPajamaBooks\", \"books\"]},"
    "{\"name\": \"Wikipedia\", \"aliases\": [\"RedPajamaWikipedia\", \"wiki\"]},"
    "{\"name\": \"StackExchange\","
    " \"aliases\": [\"RedPajamaStackExchange\", \"stack_exchange\"]}]}";

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
    const char *keys[KEYS_MAX + 1];
    rules labels; /* names and aliases */
    rules files;  /* patterns, in order */
    bool stop;
};

void lm_domains_free(lm_domains *d)
{
    if (!d) return;
    lm_json_free(d->table);
    free(d->names);
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
static int add_label(lm_domains *d, const lm_json *at, const char *word, size_t id)
{
    int known = lm_domains_find(d, word, strlen(word));
    if (!*word) return lm_json_fail(at, "an empty name");
    if (known >= 0 && known != (int)id)
        return lm_json_fail(at, "\"%s\" already names the domain %s", word, d->names[known]);
    return known >= 0 ? LM_OK : add_rule(&d->labels, word, id);
}

/* Call for each string of the array `key` of `o`, if there is one. */
static int each_word(lm_domains *d, const lm_json *o, const char *key, size_t id, bool pattern)
{
    const lm_json *list = lm_json_get(o, key);
    if (!list) return LM_OK;
    if (lm_json_type(list) != LM_JSON_ARRAY)
        return lm_json_fail(list, "expected an array of strings");
    for (size_t i = 0; i < lm_json_size(list); i++) {
        const char *word;
        const lm_json *at = lm_json_at(list, i);
        int rc = lm_json_str(&word, at, NULL);
        if (!rc) rc = pattern ? add_rule(&d->files, word, id) : add_label(d, at, word, id);
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
    static const char *const fields[] = { "name", "aliases", "files", NULL };
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
    rc = add_label(d, name, d->names[id], id);
    if (!rc) rc = each_word(d, o, "aliases", id, false);
    if (!rc) rc = each_word(d, o, "files", id, true);
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
    rc = add_rule(&d->labels, LM_DOMAIN_UNKNOWN, n);
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

int lm_domains_open(lm_domains **out, const char *path)
{
    static const char *const fields[] = { "keys", "domains", "unknown", NULL };
    lm_domains *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d) return lm_fail_nomem(sizeof *d);
    int rc = path ? lm_json_load(&d->table, path, TABLE_BYTES_MAX)
                  : lm_json_parse(&d->table, built_in, sizeof built_in - 1, "built-in domains");
    if (!rc) rc = lm_json_only(d->table, fields);
    if (!rc) rc = read_keys(d);
    if (!rc) rc = read_unknown(d);
    if (!rc) rc = read_domains(d);
    if (rc) lm_domains_free(d);
    else *out = d;
    return rc;
}

void lm_domains_on_unknown(lm_domains *d, bool stop) { d->stop = stop; }

size_t lm_domains_count(const lm_domains *d) { return d->count; }
const char *lm_domains_name(const lm_domains *d, size_t i) { return d->names[i]; }
const char *const *lm_domains_keys(const lm_domains *d) { return d->keys; }

int lm_domains_find(const lm_domains *d, const char *name, size_t n)
{
    for (size_t i = 0; i < d->labels.n; i++) {
        const rule *r = &d->labels.v[i];
        if (r->size == n && !strncasecmp(r->word, name, n)) return r->id;
    }
    return -1;
}

/* A pattern is matched with the whole path, and with the file's own name. */
static int find_file(const lm_domains *d, const char *file)
{
    const char *slash = strrchr(file, '/');
    for (size_t i = 0; i < d->files.n; i++) {
        const char *pattern = d->files.v[i].word;
        if (!fnmatch(pattern, file, 0) || (slash && !fnmatch(pattern, slash + 1, 0)))
            return d->files.v[i].id;
    }
    return -1;
}

int lm_domains_tag(const lm_domains *d, const char *label, size_t n, const char *file)
{
    int id = label ? lm_domains_find(d, label, n) : -1;
    if (id < 0 && d->files.n) id = find_file(d, file);
    if (id >= 0) return id;
    if (d->stop && label)
        return lm_fail(LM_EDATA, "no domain is named \"%.*s\"", (int)(n < 200 ? n : 200), label);
    if (d->stop)
        return lm_fail(LM_EDATA, "nothing names the domain: no label, and no pattern for the file");
    return (int)d->count - 1;
}
