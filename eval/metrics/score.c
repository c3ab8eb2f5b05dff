/* score.c -- overlaps of words: the needle, questions, summaries, retrieval. */
#include "eval/metrics/score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/metrics/words.h"

/* A response and an answer as numbered words. */
struct pair {
    eval_words r, e;
    uint32_t *rn, *en; /* [r.count], [e.count]: the words' numbers */
    size_t distinct;
};

static int pair_make(struct pair *p, const char *response, const char *expected,
                     enum eval_split how)
{
    *p = (struct pair){ 0 };
    int rc = eval_words_cut(&p->r, response, how);
    if (!rc) rc = eval_words_cut(&p->e, expected, how);
    if (!rc) rc = eval_words_number(&p->r, &p->e, &p->rn, &p->en, &p->distinct);
    return rc;
}

static void pair_free(struct pair *p)
{
    eval_words_free(&p->r);
    eval_words_free(&p->e);
    free(p->rn);
}

/* How many distinct words of the answer the response has; *own: how many the answer has. */
static int common_words(const struct pair *p, size_t *common, size_t *own)
{
    unsigned char *seen = calloc(p->distinct + 1, 1);
    if (!seen) return lm_fail_nomem(p->distinct);
    *common = *own = 0;
    for (size_t i = 0; i < p->r.count; i++) seen[p->rn[i]] = 1;
    for (size_t i = 0; i < p->e.count; i++) {
        unsigned char *s = &seen[p->en[i]];
        if (*s & 2) continue;
        *common += *s;
        ++*own;
        *s |= 2;
    }
    free(seen);
    return 0;
}

/* `all`: over every word of the answer, else over the distinct ones. */
static double overlap(const char *response, const char *expected, enum eval_split how, bool all)
{
    struct pair p;
    size_t common = 0, own = 0;
    int rc = pair_make(&p, response, expected, how);
    if (!rc) rc = common_words(&p, &common, &own);
    size_t of = all ? p.e.count : own;
    pair_free(&p);
    return rc ? rc : of ? (double)common / (double)of : 0;
}

double score_needle_repo(const char *response, const char *expected)
{
    return overlap(response, expected, EVAL_SPLIT_PLAIN, true);
}

double score_needle_dedup(const char *response, const char *expected)
{
    return overlap(response, expected, EVAL_SPLIT_STRIPPED, false);
}

double score_recall(const char *response, const char *expected)
{
    return overlap(response, expected, EVAL_SPLIT_PLAIN, false);
}

double score_exact(const char *response, const char *expected)
{
    struct pair p;
    int rc = pair_make(&p, response, expected, EVAL_SPLIT_STRIPPED);
    bool found = false;
    if (!rc && p.e.count)
        for (size_t i = 0; i + p.e.count <= p.r.count && !found; i++)
            found = !memcmp(p.rn + i, p.en, p.e.count * sizeof *p.en);
    pair_free(&p);
    return rc ? rc : found;
}

static double f_measure(double same, size_t response, size_t expected)
{
    if (same <= 0) return 0;
    double precision = same / (double)response, recall = same / (double)expected;
    return 2 * precision * recall / (precision + recall);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* How many of two multisets are common; both are sorted. */
static size_t common_sorted(uint64_t *a, size_t na, uint64_t *b, size_t nb)
{
    size_t same = 0;
    qsort(a, na, sizeof *a, by_number);
    qsort(b, nb, sizeof *b, by_number);
    for (size_t i = 0, j = 0; i < na && j < nb;) {
        if (a[i] == b[j]) {
            same++;
            i++;
            j++;
        } else if (a[i] < b[j]) {
            i++;
        } else {
            j++;
        }
    }
    return same;
}

/* F of the grams of `order` (1 or 2) words. */
static int grams_f(double *f, const struct pair *p, size_t order)
{
    size_t nr = p->r.count + 1 > order ? p->r.count + 1 - order : 0;
    size_t ne = p->e.count + 1 > order ? p->e.count + 1 - order : 0;
    uint64_t *g = malloc((nr + ne + 1) * sizeof *g), *h = g ? g + nr : NULL;
    if (!g) return lm_fail_nomem((nr + ne) * sizeof *g);
    for (size_t i = 0; i < nr; i++)
        g[i] = (uint64_t)p->rn[i] << 32 | (order == 2 ? p->rn[i + 1] : 0);
    for (size_t i = 0; i < ne; i++)
        h[i] = (uint64_t)p->en[i] << 32 | (order == 2 ? p->en[i + 1] : 0);
    *f = f_measure((double)common_sorted(g, nr, h, ne), nr, ne);
    free(g);
    return 0;
}

/* F of the longest common subsequence. */
static int longest_f(double *f, const struct pair *p)
{
    size_t *row = calloc(p->e.count + 1, sizeof *row);
    if (!row) return lm_fail_nomem((p->e.count + 1) * sizeof *row);
    for (size_t i = 0; i < p->r.count; i++) {
        size_t diagonal = 0; /* row[j - 1] of the word before */
        for (size_t j = 1; j <= p->e.count; j++) {
            size_t above = row[j];
            if (p->rn[i] == p->en[j - 1]) row[j] = diagonal + 1;
            else if (row[j - 1] > row[j]) row[j] = row[j - 1];
            diagonal = above;
        }
    }
    *f = f_measure((double)row[p->e.count], p->r.count, p->e.count);
    free(row);
    return 0;
}

int score_rouge(double f[3], const char *response, const char *expected, bool stem)
{
    struct pair p;
    int rc = pair_make(&p, response, expected, stem ? EVAL_SPLIT_STEMMED : EVAL_SPLIT_ROUGE);
    if (!rc) rc = grams_f(&f[0], &p, 1);
    if (!rc) rc = grams_f(&f[1], &p, 2);
    if (!rc) rc = longest_f(&f[2], &p);
    pair_free(&p);
    return rc;
}

double score_rouge_mean(const double means[3]) { return cbrt(means[0] * means[1] * means[2]); }

char *score_fewshot_piece(char *answer)
{
    static const char MARK[] = "Question:";
    for (char *from = answer;;) {
        char *end = strstr(from, MARK);
        size_t n = end ? (size_t)(end - from) : strlen(from), characters = 0;
        for (size_t i = 0; i < n; i++) characters += from[i] != '\n' && (from[i] & 0xc0) != 0x80;
        if (characters > 1) {
            from[n] = 0;
            return from;
        }
        if (!end) return answer;
        from = end + strlen(MARK);
    }
}

/* F of single words, cut as said. */
static double words_f(const char *response, const char *expected, enum eval_split how)
{
    struct pair p;
    double f = 0;
    int rc = pair_make(&p, response, expected, how);
    if (!rc) rc = grams_f(&f, &p, 1);
    pair_free(&p);
    return rc ? rc : f;
}

double score_rouge1(const char *response, const char *expected)
{
    double f = words_f(response, expected, EVAL_SPLIT_STEMMED);
    return f < 0 ? f : 10 * f;
}

double score_f1(const char *response, const char *expected)
{
    return words_f(response, expected, EVAL_SPLIT_ANSWER);
}

double score_em(const char *response, const char *expected)
{
    struct pair p;
    int rc = pair_make(&p, response, expected, EVAL_SPLIT_ANSWER);
    bool same = !rc && p.r.count == p.e.count && !memcmp(p.rn, p.en, p.r.count * sizeof *p.rn);
    pair_free(&p);
    return rc ? rc : same;
}

double score_best(score_fn *fn, const char *response, const char *const *answers, size_t n)
{
    double best = 0;
    for (size_t i = 0; i < n; i++) {
        double s = fn(response, answers[i]);
        if (s < 0) return s;
        if (s > best) best = s;
    }
    return best;
}

double score_ruler(const char *response, const char *const *references, size_t n)
{
    lm_buf low = LM_BUF_INIT(EVAL_TEXT_MAX), one = LM_BUF_INIT(EVAL_TEXT_MAX);
    size_t found = 0;
    int rc = eval_lower(&low, response);
    if (!rc) rc = lm_buf_add(&low, "", 1);
    for (size_t i = 0; i < n && !rc; i++) {
        lm_buf_reset(&one, one.cap);
        rc = eval_lower(&one, references[i]);
        if (!rc) rc = lm_buf_add(&one, "", 1);
        if (!rc) found += strstr((char *)low.data, (char *)one.data) != NULL;
    }
    lm_buf_free(&low);
    lm_buf_free(&one);
    return rc ? rc : n ? (double)found / (double)n : 0;
}

bool score_passkey_number(const char *response, uint64_t key)
{
    const char *s = response + strcspn(response, "0123456789");
    if (!*s) return false;
    errno = 0;
    return strtoull(s, NULL, 10) == key && !errno;
}

bool score_passkey_ids(const int32_t *got, size_t n, const int32_t *key, size_t key_n)
{
    return n >= key_n && !memcmp(got, key, key_n * sizeof *key);
}
