/* score.h -- scores of an answer, by every measure that the papers and their tasks use. Pure
 * functions of NUL-ended UTF-8 strings. Each gives a number from 0 to 1 (score_rouge1: to 10), or a
 * negative LM_ENOMEM. A quirk of the published code is kept and documented at the function;
 * docs/evaluation.md has the list. */
#ifndef EVAL_METRICS_SCORE_H
#define EVAL_METRICS_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

/* A measure of a response against one expected answer. */
typedef double score_fn(const char *response, const char *expected);

/* The greatest over n answers; 0 for none. */
double score_best(score_fn *fn, const char *response, const char *const *answers, size_t n);

/* ---- the needle (Fu et al. 2024) ---- */

/* The authors' heatmap: distinct words (lower case, cut at blanks) common to both, over ALL words
 * of `expected`. With an expected word that occurs twice a perfect response stays under 1; a period
 * that is missing costs a word. */
score_fn score_needle_repo;
/* The same over distinct words, without punctuation: a perfect response scores 1. */
score_fn score_needle_dedup;
/* The number in the authors' result files: 10 times ROUGE-1 F of stemmed words. */
score_fn score_rouge1;
/* 1 where the words of `expected`, lower case and without punctuation, occur in the response one
 * after the other. */
score_fn score_exact;

/* ---- questions ---- */

/* BookQA as Fu et al. print it: distinct words of the answer (lower case, cut at blanks) that the
 * response has, over the distinct words of the answer. */
score_fn score_recall;
/* SQuAD's F1 and exact match: lower case, without punctuation and a, an, the; words counted with
 * their number. F1 of two texts without words is 0. InfiniteBench, NarrativeQA and Qasper take F1,
 * QuALITY the match. */
score_fn score_f1;
score_fn score_em;

/* ---- summaries ---- */

/* F of ROUGE-1, ROUGE-2 and ROUGE-L, words not stemmed (`stem`: stemmed). 0 or LM_ENOMEM. */
LM_CHECKED int score_rouge(double f[3], const char *response, const char *expected, bool stem);
/* QMSum's number: the geometric mean of three means over the corpus. */
double score_rouge_mean(const double means[3]);

/* What ChunkLlama's few-shot script keeps of an answer: the first of the pieces between "Question:"
 * that has more than one character besides line feeds; all of it where none has. Cuts `answer` and
 * returns the piece. */
char *score_fewshot_piece(char *answer);

/* ---- L-Eval (An et al. 2024 run its code) ---- */

enum { SCORE_LETTERS = 64 };

/* The letters that a response to a multiple choice question names. `several`: more than one may be
 * right (Coursera). A response that is a part of "ABCD", the empty one too, is taken as it is. With
 * one right letter, the first capital A to D anywhere ("Answer" gives A). Else the leading letters;
 * else, before the word "Question", every capital with a blank, period or bracket after it; else
 * the first run of A to D. "None" where there is none. A run longer than SCORE_LETTERS - 1 is cut
 * there. */
void score_leval_letters(char out[SCORE_LETTERS], const char *response, bool several);
/* The letters of the right answer: A to D in its first word. */
void score_leval_truth(char out[SCORE_LETTERS], const char *answer);
/* L-Eval's exact match of letters: 1 where equal, 0.25 where all of the response's are right, even
 * where it has none. Of other texts: equal numbers, or the expected text inside the response, case
 * and spaces apart. */
score_fn score_leval_em;
/* Both steps for the tasks with one right letter (TOEFL, QuALITY) and with several (Coursera). */
score_fn score_leval_single, score_leval_several;
/* SFiction, whose texts are "LOYALTY [fact: FACT]": the first word of each part that holds "true"
 * or "false". out[0] is loyalty to the story, out[1] to the facts. A response without a fact part,
 * on which the authors' code stops, is wrong there. 0 or LM_ENOMEM. */
LM_CHECKED int score_leval_judge(double out[2], const char *response, const char *expected);

/* ---- retrieval ---- */

/* RULER: the fraction of the n references that occur in the response, ignoring case. */
double score_ruler(const char *response, const char *const *references, size_t n);

/* Passkey. Landmark's: is the first number of the response the key? */
bool score_passkey_number(const char *response, uint64_t key);
/* ChunkLlama's: as many ids as the key has, all equal. */
bool score_passkey_ids(const int32_t *got, size_t n, const int32_t *key, size_t key_n);

#endif
