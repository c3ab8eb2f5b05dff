#include "cli_inputs.h"

#include <string.h>

/* The keys of --domain-key: at most eight. */
static int set_keys(lm_domains *d, const cli_list *list)
{
    static char *key[LM_LABELS_MAX + 1]; /* cut out of the command line */
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        for (char *s = list->v[i], *comma; s; s = comma) {
            comma = strchr(s, ',');
            if (comma) *comma++ = 0;
            if (n == LM_LABELS_MAX)
                return cli_usage("--domain-key: more than %d keys", LM_LABELS_MAX);
            key[n++] = s;
        }
    return lm_domains_set_keys(d, (const char *const *)key, n);
}

int cli_inputs_open(lm_domains **out, lm_schema *schema, const cli_inputs *o)
{
    lm_line_parser *parser = NULL;
    int rc = lm_domains_open(out, o->table);
    if (rc) return rc;
    lm_domains_set_text(*out, o->text_key);
    rc = set_keys(*out, &o->domain_key);
    *schema = (lm_schema){ lm_domains_text(*out), lm_domains_keys(*out), o->invalid == 1 };
    if (!rc) rc = lm_line_parser_new(&parser, schema); /* keys that are no paths */
    lm_line_parser_free(parser);
    return rc;
}

void cli_inputs_report(const lm_files *files)
{
    lm_buf text = LM_BUF_INIT(65536);
    if (!files->skips) return;
    if (!lm_files_summary(&text, files)) cli_note("%s; -v names them", (char *)text.data);
    lm_buf_free(&text);
    for (size_t i = 0; i < files->skips; i++)
        cli_verbose("not read: %s (%s)", files->skipped[i], files->why[i]);
}
