/* score_leval.c -- L-Eval's reading of answers: letters, and true or false. */
#include <stdlib.h>
#include <string.h>

#include "eval/metrics/score.h"
#include "eval/metrics/words.h"

static bool is_choice(char c) { return c >= 'A' && c <= 'D'; }

/* The set of the letters in `from` as an ordered text. */
static void letters_sorted(char out[SCORE_LETTERS], const char *from, size_t n)
{
    size_t k = 0;
    for (char c = 'A'; c <= 'D'; c++)
        if (memchr(from, c, n)) out[k++] = c;
    out[k] = 0;
}

/* The capitals A to D before a blank, a period or a bracket, added to the set in found[0..3]. */
static void marked_letters(bool found[4], const char *s, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (is_choice(s[i]) && (s[i + 1] == '.' || s[i + 1] == ')' || eval_blank(s + i + 1)))
            found[s[i] - 'A'] = true;
}

static void run_of_letters(char out[SCORE_LETTERS], const char *s, size_t n)
{
    size_t i = 0, k = 0;
    while (i < n && !is_choice(s[i])) i++;
    while (i < n && is_choice(s[i]) && k + 1 < SCORE_LETTERS) out[k++] = s[i++];
    out[k] = 0;
}

void score_leval_letters(char out[SCORE_LETTERS], const char *response, bool several)
{
    if (strstr("ABCD", response)) {
        memcpy(out, response, strlen(response) + 1);
        return;
    }
    size_t first = strcspn(response, "ABCD"), lead = strspn(response, "ABCD");
    if (!several && response[first]) {
        out[0] = response[first];
        out[1] = 0;
        return;
    }
    letters_sorted(out, response, lead);
    if (lead > 1) return;
    const char *rest = response + lead, *question = strstr(rest, "Question");
    size_t n = question ? (size_t)(question - rest) : strlen(rest);
    bool found[4] = { false };
    if (lead) found[response[0] - 'A'] = true;
    marked_letters(found, rest, n);
    size_t k = 0;
    for (int i = 0; i < 4; i++)
        if (found[i]) out[k++] = (char)('A' + i);
    out[k] = 0;
    if (!k) run_of_letters(out, rest, n);
    if (!*out) memcpy(out, "None", 5);
}

void score_leval_truth(char out[SCORE_LETTERS], const char *answer)
{
    size_t k = 0, n;
    while (*answer && (n = eval_blank(answer))) answer += n;
    for (; *answer && !eval_blank(answer) && k + 1 < SCORE_LETTERS; answer++)
        if (is_choice(*answer)) out[k++] = *answer;
    out[k] = 0;
}

/* The words of a text, one blank between two: what the authors call normalized, case kept. */
static int normalized(lm_buf *out, const char *text)
{
    eval_words w;
    int rc = eval_words_cut(&w, text, EVAL_SPLIT_CASED);
    for (size_t i = 0; i < w.count && !rc; i++) {
        if (i) rc = lm_buf_add(out, " ", 1);
        if (!rc) rc = lm_buf_add(out, eval_word(&w, i), strlen(eval_word(&w, i)));
    }
    if (!rc) rc = lm_buf_add(out, "", 1);
    eval_words_free(&w);
    return rc;
}

/* A whole text as a number. */
static bool number(double *out, const char *s)
{
    char *end;
    *out = strtod(s, &end);
    if (end == s) return false;
    while (*end && eval_blank(end)) end += eval_blank(end);
    return !*end;
}

/* Lower case, without spaces. */
static int squeezed(lm_buf *out, const char *text)
{
    lm_buf low = LM_BUF_INIT(EVAL_TEXT_MAX);
    int rc = eval_lower(&low, text);
    for (size_t i = 0; i < low.size && !rc; i++)
        if (low.data[i] != ' ') rc = lm_buf_add(out, low.data + i, 1);
    if (!rc) rc = lm_buf_add(out, "", 1);
    lm_buf_free(&low);
    return rc;
}

static double letters_em(const char *response, const char *expected)
{
    if (!strcmp(response, expected)) return 1;
    return response[strspn(response, expected)] ? 0 : 0.25;
}

static int text_em(double *out, const char *response, const char *expected)
{
    double r, e;
    if (number(&r, response) && number(&e, expected)) {
        *out = r == e;
        return 0;
    }
    lm_buf a = LM_BUF_INIT(EVAL_TEXT_MAX), b = LM_BUF_INIT(EVAL_TEXT_MAX);
    int rc = squeezed(&a, response);
    if (!rc) rc = squeezed(&b, expected);
    if (!rc) *out = strstr((char *)a.data, (char *)b.data) != NULL;
    lm_buf_free(&a);
    lm_buf_free(&b);
    return rc;
}

double score_leval_em(const char *response, const char *expected)
{
    lm_buf r = LM_BUF_INIT(EVAL_TEXT_MAX), e = LM_BUF_INIT(EVAL_TEXT_MAX);
    double score = 0;
    int rc = normalized(&r, response);
    if (!rc) rc = normalized(&e, expected);
    if (!rc && ((char *)e.data)[strspn((char *)e.data, "ABCD")])
        rc = text_em(&score, response, expected);
    else if (!rc) score = letters_em((char *)r.data, (char *)e.data);
    lm_buf_free(&r);
    lm_buf_free(&e);
    return rc ? rc : score;
}

static double choice(const char *response, const char *expected, bool several)
{
    char got[SCORE_LETTERS], truth[SCORE_LETTERS];
    score_leval_letters(got, response, several);
    score_leval_truth(truth, expected);
    return score_leval_em(got, truth);
}

double score_leval_single(const char *response, const char *expected)
{
    return choice(response, expected, false);
}

double score_leval_several(const char *response, const char *expected)
{
    return choice(response, expected, true);
}

/* The first word of n bytes that holds true or false, as that; "<error>" where none does. */
static const char *verdict(const char *s, size_t n)
{
    const char *end = s + n;
    while (s < end) {
        size_t blank = eval_blank(s);
        if (blank) {
            s += blank;
            continue;
        }
        const char *from = s;
        while (s < end && !eval_blank(s)) s++;
        if (memmem(from, (size_t)(s - from), "true", 4)) return "true";
        if (memmem(from, (size_t)(s - from), "false", 5)) return "false";
    }
    return "<error>";
}

/* The two parts of a text in lower case. The last character of the fact is its bracket, and goes
 * whatever it is. */
static void parts(const char *low, size_t n[2], const char *part[2])
{
    const char *mark = strstr(low, "[fact:");
    part[0] = low;
    n[0] = mark ? (size_t)(mark - low) : strlen(low);
    part[1] = mark ? mark + strlen("[fact:") : low + n[0];
    const char *next = strstr(part[1], "[fact:");
    n[1] = next ? (size_t)(next - part[1]) : strlen(part[1]);
    if (n[1]) n[1]--;
}

static void trim(const char **s, size_t *n)
{
    size_t b;
    while (*n && (b = eval_blank(*s))) {
        *s += b;
        *n -= b;
    }
    while (*n && strchr(" \t\n\v\f\r", (*s)[*n - 1])) --*n;
}

int score_leval_judge(double out[2], const char *response, const char *expected)
{
    lm_buf r = LM_BUF_INIT(EVAL_TEXT_MAX), e = LM_BUF_INIT(EVAL_TEXT_MAX);
    int rc = eval_lower(&r, response);
    if (!rc) rc = lm_buf_add(&r, "", 1);
    if (!rc) rc = eval_lower(&e, expected);
    if (!rc) rc = lm_buf_add(&e, "", 1);
    if (!rc) {
        const char *got[2], *want[2];
        size_t ng[2], nw[2];
        parts((char *)r.data, ng, got);
        parts((char *)e.data, nw, want);
        for (int i = 0; i < 2; i++) {
            const char *v = verdict(got[i], ng[i]);
            trim(&want[i], &nw[i]);
            out[i] = nw[i] && memmem(v, strlen(v), want[i], nw[i]);
        }
    }
    lm_buf_free(&r);
    lm_buf_free(&e);
    return rc;
}
