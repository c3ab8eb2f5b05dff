/* steps.c -- any list of steps. Each step has a piece of the text and gives parts of it, one by one,
 * which are the pieces of the next step. A piece is all that an expression sees. */
#include "lib/tokenizer/pattern/internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/unicode/unicode.h"

#define MAX_STEPS 64

typedef struct step {
    enum lm_step_kind kind;
    lm_regex *regex;
    unsigned char *string;
    size_t size;
} step;

struct lm_step_list {
    size_t count;
    step steps[MAX_STEPS];
};

/* Offsets are those of the text. */
typedef struct level {
    size_t begin, end; /* the piece */
    size_t at;         /* what is before it has been given */
    size_t search;     /* where the next match is looked for */
    size_t last_end;   /* of the last match; SIZE_MAX: there was none */
    size_t match, match_end;
    bool matched; /* the match has not been given yet */
    bool over;    /* there are no more matches */
    bool skip;    /* the piece has no ids */
} level;

typedef struct part {
    size_t begin, end;
    bool skip;
} part;

struct lm_splitter {
    const lm_step_list *list;
    lm_matcher *matcher;
    const unsigned char *text; /* what was cut last, */
    size_t n, done;            /* up to here */
    level levels[MAX_STEPS];
};

static int add_step(lm_step_list *l, const lm_step *from)
{
    step *s = &l->steps[l->count++];
    s->kind = from->kind;
    switch (from->kind) {
    case LM_STEP_REGEX:
    case LM_STEP_MATCH: return lm_regex_new(&s->regex, from->text, from->kind);
    case LM_STEP_DIGITS: return LM_OK;
    case LM_STEP_STRING:
        s->size = strlen(from->text);
        if (!s->size) return lm_fail(LM_EDATA, "a step splits at an empty string");
        s->string = (unsigned char *)strdup(from->text);
        return s->string ? LM_OK : lm_fail_nomem(s->size);
    }
    return lm_fail(LM_EUSAGE, "unknown kind of step");
}

int lm_step_list_new(lm_step_list **out, const lm_step *steps, size_t count)
{
    *out = NULL;
    if (!count || count > MAX_STEPS)
        return lm_fail(LM_EDATA, "a pre-tokenizer of %zu steps: 1 to %d are possible", count,
                       MAX_STEPS);
    lm_step_list *l = calloc(1, sizeof *l);
    if (!l) return lm_fail_nomem(sizeof *l);
    for (size_t i = 0; i < count; i++) {
        int rc = add_step(l, &steps[i]);
        if (rc) return lm_step_list_free(l), rc;
    }
    *out = l;
    return LM_OK;
}

void lm_step_list_free(lm_step_list *l)
{
    if (!l) return;
    for (size_t i = 0; i < l->count; i++) {
        lm_regex_free(l->steps[i].regex);
        free(l->steps[i].string);
    }
    free(l);
}

bool lm_step_list_restarts(const lm_step_list *l)
{
    /* The end of a part need not be one of the step before. */
    if (l->count > 1) return false;
    return !l->steps[0].regex || lm_regex_restarts(l->steps[0].regex);
}

int lm_splitter_new(lm_splitter **out, const lm_step_list *l)
{
    lm_splitter *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) return lm_fail_nomem(sizeof *s);
    s->list = l;
    int rc = lm_matcher_new(&s->matcher);
    if (rc) return free(s), rc;
    *out = s;
    return LM_OK;
}

void lm_splitter_free(lm_splitter *s)
{
    if (!s) return;
    lm_matcher_free(s->matcher);
    free(s);
}

static void begin_piece(level *l, part p)
{
    *l = (level){ .begin = p.begin, .end = p.end, .at = p.begin, .search = p.begin };
    l->last_end = SIZE_MAX;
    l->over = l->skip = p.skip;
}

/* The first match from l->search on. 1, 0 or negative. */
static int match(lm_splitter *s, const step *st, level *l)
{
    const unsigned char *text = s->text;
    if (st->regex) {
        size_t a, b;
        int rc = lm_match(st->regex, s->matcher, text + l->begin, l->end - l->begin,
                          l->search - l->begin, &a, &b);
        if (rc <= 0) return rc;
        l->match = l->begin + a;
        l->match_end = l->begin + b;
        return 1;
    }
    if (st->kind == LM_STEP_STRING) {
        const unsigned char *p = memmem(text + l->search, l->end - l->search, st->string, st->size);
        if (!p) return 0;
        l->match = (size_t)(p - text);
        l->match_end = l->match + st->size;
        return 1;
    }
    for (size_t i = l->search, size; i < l->end; i += size) {
        uint32_t c = 0;
        size = lm_utf8_decode(text + i, l->end - i, &c);
        if (!lm_unicode_is_digit(c)) continue;
        l->match = i;
        l->match_end = i + size;
        return 1;
    }
    return 0;
}

/* As the iterators of the libraries: an empty match directly after another match is none, and the
 * next one is looked for a character later. */
static int find(lm_splitter *s, const step *st, level *l)
{
    for (;;) {
        int rc = match(s, st, l);
        if (rc <= 0) return rc;
        l->search = l->match_end;
        if (l->match < l->match_end || l->last_end != l->match_end) {
            l->last_end = l->match_end;
            return 1;
        }
        if (l->search == l->end) return 0;
        uint32_t c = 0;
        l->search += lm_utf8_decode(s->text + l->search, l->end - l->search, &c);
    }
}

/* The next part of a piece. 1, 0 if there is none, or negative. */
static int next_of_piece(lm_splitter *s, const step *st, level *l, part *out)
{
    while (l->at < l->end) {
        if (!l->over && !l->matched) {
            int rc = find(s, st, l);
            if (rc < 0) return rc;
            l->matched = rc;
            l->over = !rc;
        }
        *out = (part){ l->at, l->end, l->skip };
        if (l->matched) {
            out->end = l->at < l->match ? l->match : l->match_end;
            l->matched = l->at < l->match;
            if (l->at < l->match && st->kind == LM_STEP_MATCH) out->skip = true;
        } else if (st->kind == LM_STEP_MATCH) {
            out->skip = true;
        }
        l->at = out->end;
        if (out->end > out->begin) return 1;
    }
    return 0;
}

/* The next part after step k. */
static int next_part(lm_splitter *s, size_t k, part *out)
{
    for (;;) {
        int rc = next_of_piece(s, &s->list->steps[k], &s->levels[k], out);
        part piece;
        if (rc || !k) return rc;
        rc = next_part(s, k - 1, &piece);
        if (rc <= 0) return rc;
        begin_piece(&s->levels[k], piece);
    }
}

static int begin_text(lm_splitter *s, const unsigned char *text, size_t n, size_t from)
{
    if (lm_utf8_valid(text, n) < n) return LM_EDATA; /* PCRE2 is promised valid text */
    s->text = text;
    s->n = n;
    s->done = 0;
    memset(s->levels, 0, s->list->count * sizeof *s->levels);
    begin_piece(&s->levels[0], (part){ 0, n, false });
    while (s->done < from) {
        part p;
        int rc = next_part(s, s->list->count - 1, &p);
        if (rc <= 0) return rc ? rc : lm_fail(LM_EUSAGE, "byte %zu is not the end of a part", from);
        s->done = p.end;
    }
    return LM_OK;
}

ptrdiff_t lm_split(lm_splitter *s, const unsigned char *text, size_t n, size_t from, uint32_t *ends,
                   size_t max)
{
    size_t count = 0;
    if (from == n) return 0;
    if (!from || s->text != text || s->n != n || s->done != from) {
        int rc = begin_text(s, text, n, from);
        if (rc) return s->text = NULL, rc;
    }
    while (count < max) {
        part p;
        int rc = next_part(s, s->list->count - 1, &p);
        if (rc < 0) return s->text = NULL, rc;
        if (!rc) break;
        s->done = p.end;
        ends[count++] = (uint32_t)p.end | (p.skip ? LM_CUT_SKIP : 0);
    }
    return (ptrdiff_t)count;
}
