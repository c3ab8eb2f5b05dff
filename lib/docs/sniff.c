/* sniff.c -- which files of a folder are JSON lines: by name where that is enough, so that a corpus of
 * many files is not opened twice; else by content. */
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/base/threads.h"
#include "lib/docs/internal.h"
#include "lib/io/foreign.h"
#include "lib/io/unpack.h"

enum { STEP = 64 * 1024, SNIFF_MAX = 64 << 20 };

/* Does the name (n bytes of it) end in one of the suffixes? */
static bool ends_in(const char *name, size_t n, const char *const *tails)
{
    for (; *tails; tails++) {
        size_t k = strlen(*tails);
        if (n > k && !strncasecmp(name + n - k, *tails, k)) return true;
    }
    return false;
}

static bool named_jsonl(const char *path)
{
    static const char *const tails[] = { ".jsonl", ".ndjson", ".jsonlines", NULL };
    size_t n = strlen(path);
    if (lm_packing_named(path) != LM_PLAIN) n = (size_t)(strrchr(path, '.') - path);
    return ends_in(path, n, tails);
}

static bool named_unfinished(const char *path)
{
    static const char *const tails[] = { ".tmp", ".part", ".partial", ".crdownload", "~", NULL };
    return ends_in(path, strlen(path), tails);
}

/* What comes first in the file: up to the end of the first line that is not blank, or to the first
 * byte that cannot begin an object. */
static int read_first_line(lm_in *in, lm_buf *b)
{
    b->max = SNIFF_MAX + STEP;
    size_t first = 0, searched = 0; /* blank up to here; without LF up to here */
    for (;;) {
        int rc = lm_check_interrupt();
        if (!rc) rc = lm_buf_reserve(b, STEP);
        ssize_t got = rc ? rc : lm_in_read(in, b->data + b->size, STEP);
        if (got <= 0) return (int)got;
        b->size += (size_t)got;
        const char *s = (const char *)b->data;
        if (b->size < LM_FOREIGN_HEAD) continue;
        if (first == 0 && !memcmp(s, "\xef\xbb\xbf", 3)) first = 3;
        while (first < b->size && s[first] && strchr(" \t\r\n", s[first])) first++;
        if (first < b->size && s[first] != '{') return LM_OK;
        if (searched < first) searched = first;
        if (memchr(s + searched, '\n', b->size - searched)) return LM_OK;
        searched = b->size;
        if (b->size >= SNIFF_MAX) return LM_OK;
    }
}

/* Is the first line in `b` a document? As lm_sniff. */
static int judge(lm_buf *b, lm_line_parser *parser, const char **why, const char **help)
{
    const lm_foreign *f = lm_foreign_format(b->data, b->size);
    if (f) {
        *why = f->name;
        *help = f->help;
        return 0;
    }
    const char *s = (const char *)b->data, *end = s + b->size;
    if (b->size >= 3 && !memcmp(s, "\xef\xbb\xbf", 3)) s += 3;
    while (s < end && *s && strchr(" \t\r\n", *s)) s++;
    *why = b->size ? "not JSON lines" : "empty";
    if (s == end || *s != '{') return 0;
    const char *lf = memchr(s, '\n', (size_t)(end - s));
    *why = "a first line over 64 MiB";
    if (!lf && b->size >= SNIFF_MAX) return 0;
    size_t n = (size_t)((lf ? lf : end) - s), fault;
    lm_line line;
    int rc = lm_line_parse(parser, s, n, &line, &fault);
    *why = "no document in its first line";
    if (rc != LM_EDATA) return rc;
    if (strncmp(lm_err(), LM_NO_MEMBER, strlen(LM_NO_MEMBER))) return 0;
    *why = "JSON without the text key";
    *help = "name the key of the text (--text-key)";
    return 0;
}

int lm_sniff(const char *path, const lm_schema *schema, lm_line_parser **parser, const char **why,
             const char **help)
{
    lm_in *in = NULL;
    lm_buf b = { 0 };
    *help = NULL;
    if (named_jsonl(path)) return 1;
    *why = "unfinished";
    if (named_unfinished(path)) return 0;
    int rc = lm_in_open(&in, path);
    if (!rc) rc = read_first_line(in, &b);
    if (!rc) rc = lm_buf_reserve(&b, LM_LINE_PAD);
    if (!rc && !*parser) rc = lm_line_parser_new(parser, schema);
    if (!rc) {
        memset(b.data + b.size, 0, LM_LINE_PAD);
        rc = judge(&b, *parser, why, help);
        lm_line_parser_trim(*parser);
    } else if (rc == LM_EDATA) {
        /* Damaged: whoever reads it will say so, where its name promises something to read. */
        *why = "damaged";
        rc = lm_packing_named(path) != LM_PLAIN;
    }
    lm_in_close(in);
    lm_buf_free(&b);
    return rc;
}
