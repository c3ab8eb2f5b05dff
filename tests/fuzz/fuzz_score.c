/* Any bytes as an answer and, after a NUL, as the reference: scores are in range, symmetric scores
 * are equal both ways, and the reference itself scores full marks. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eval/metrics/bm25.h"
#include "eval/metrics/score.h"
#include "must.h"

static int one_or_none(double x) { return x == 1 || x == 0; }

static void check_scores(const char *r, const char *e)
{
    static score_fn *const ALL[] = { score_needle_repo, score_needle_dedup, score_exact,
                                     score_recall,      score_f1,           score_em,
                                     score_leval_em,    score_leval_single, score_leval_several };
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        double s = ALL[i](r, e);
        MUST(s >= 0 && s <= 1);
    }
    MUST(score_rouge1(r, e) >= 0 && score_rouge1(r, e) <= 10);
    MUST(score_f1(r, e) == score_f1(e, r) && score_em(r, e) == score_em(e, r));
    MUST(one_or_none(score_needle_dedup(e, e)) && one_or_none(score_recall(e, e)));
    MUST(one_or_none(score_exact(e, e)) && one_or_none(score_f1(e, e)) && score_em(e, e) == 1);
    MUST(score_needle_repo(e, e) >= score_needle_repo(r, e));
    MUST(score_ruler(e, &e, 1) == 1);
    double a[3], b[3];
    MUST(score_rouge(a, r, e, true) == 0 && score_rouge(b, e, r, true) == 0);
    for (int i = 0; i < 3; i++) MUST(a[i] == b[i] && a[i] >= 0 && a[i] <= 1);
    MUST(score_leval_judge(a, r, e) == 0 && one_or_none(a[0]) && one_or_none(a[1]));
}

static void check_letters(const char *r)
{
    for (int several = 0; several < 2; several++) {
        char out[SCORE_LETTERS];
        score_leval_letters(out, r, several);
        MUST(strspn(out, "ABCD") == strlen(out) || !strcmp(out, "None"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 2);
    if (!text || size > 4096) {
        free(text);
        return 0;
    }
    if (size) memcpy(text, data, size);
    text[size] = text[size + 1] = 0;
    const char *r = text, *e = text + strlen(text) + (strlen(text) < size);
    check_scores(r, e);
    check_letters(r);
    double score[2];
    const char *both[] = { r, e };
    bm25 *x = NULL;
    MUST(bm25_new(&x, both, 2) == 0 && bm25_scores(x, e, score) == 0);
    MUST(isfinite(score[0]) && score[0] >= 0 && isfinite(score[1]) && score[1] >= 0);
    bm25_free(x);
    char *piece = score_fewshot_piece(text);
    MUST(piece >= text && piece + strlen(piece) <= text + size);
    free(text);
    return 0;
}
