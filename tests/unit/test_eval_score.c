/* The scorers, on hand-written answers; expected ROUGE values, stems and letters are those of
 * the packages and scripts that the papers used. */
#include <math.h>

#include "check.h"
#include "eval/metrics/score.h"
#include "eval/metrics/words.h"

#define NEAR(a, b) CHECK(fabs((a) - (b)) < 1e-9)

static const char ANSWER[] = "eat a sandwich and sit in Dolores Park on a sunny day.";
static const char NEEDLE[] = "\nThe best thing to do in San Francisco is eat a sandwich and sit in "
                             "Dolores Park on a sunny day.\n";

static void needle(void)
{
    /* twelve words, "a" twice: the ceiling is 11/12 */
    NEAR(score_needle_repo(ANSWER, ANSWER), 11.0 / 12);
    NEAR(score_needle_repo("Eat A Sandwich and sit in dolores park on a sunny day", ANSWER),
         10.0 / 12);
    NEAR(score_needle_repo(
             "to visit the Golden Gate Bridge and have a drink in a bar on the water.", ANSWER),
         4.0 / 12);
    NEAR(score_needle_repo("", ANSWER), 0);
    NEAR(score_needle_repo("eat", ""), 0);
    NEAR(score_needle_repo(NEEDLE, ANSWER), 11.0 / 12); /* surrounding text costs nothing */
    NEAR(score_needle_dedup(ANSWER, ANSWER), 1);
    NEAR(score_needle_dedup("eat a sandwich and sit in Dolores Park on a sunny day", ANSWER), 1);
    NEAR(score_needle_dedup(
             "to visit the Golden Gate Bridge and have a drink in a bar on the water.", ANSWER),
         4.0 / 11);
    NEAR(score_rouge1(ANSWER, NEEDLE), 10 * 8.0 / 11);
    NEAR(score_rouge1("eating sandwiches, sitting in the parks", NEEDLE), 10 * 4.0 / 9);
    NEAR(score_rouge1(NEEDLE, NEEDLE), 10);
    NEAR(score_rouge1("", NEEDLE), 0);
    NEAR(score_exact(" You should EAT a sandwich\nand sit in Dolores Park, on a sunny day! The",
                     ANSWER),
         1);
    NEAR(score_exact("eat a sandwich and then sit in Dolores Park on a sunny day.", ANSWER), 0);
    NEAR(score_exact("", ANSWER), 0);
    NEAR(score_exact("7391", "739"), 0); /* words, not letters */
    NEAR(score_exact("The number is 739.", "739"), 1);
}

static void questions(void)
{
    /* the authors' recall: case folded, punctuation kept, words once */
    NEAR(score_recall("It was JOHN smith, John Smith", "John Smith"), 1);
    NEAR(score_recall("John Smith.", "John Smith"), 0.5);
    NEAR(score_recall("the cat", "the the cat"), 1);
    NEAR(score_recall("nothing", "John Smith"), 0);
    NEAR(score_f1("It was John Smith.", "the John Smith"), 2 * 0.5 * 1 / 1.5);
    NEAR(score_f1("the the a cat cat", "cat"),
         2 * 0.5 * 1 / 1.5); /* articles are removed, duplicates count */
    NEAR(score_f1("the", "the"), 0);
    NEAR(score_f1("", "yes"), 0);
    NEAR(score_f1("well-known", "wellknown"), 1); /* removed punctuation leaves no space */
    NEAR(score_f1("\xe2\x80\x9cThe Cat\xe2\x80\x9d", "\xe2\x80\x9c cat\xe2\x80\x9d"), 1);
    NEAR(score_f1("\xc3\x89mile\xc2\xa0Zola", "\xc3\xa9mile zola"),
         1); /* É becomes é, NBSP a space */
    NEAR(score_em("The answer, is: a Cat.", "answer is cat"), 1);
    NEAR(score_em("answer is cats", "answer is cat"), 0);
    NEAR(score_em("", "the"), 1);
    const char *answers[] = { "a dog", "two cats", "cats" };
    NEAR(score_best(score_f1, "cats", answers, 3), 1);
    NEAR(score_best(score_f1, "cats", answers, 2), 2.0 / 3);
    NEAR(score_best(score_f1, "cats", answers, 0), 0);
}

static void summaries(void)
{
    double f[3];
    CHECK_OK(score_rouge(f, "The vote on the budget was postponed until March by the committee.",
                         "The committee agreed to postpone the vote on the budget until March.",
                         false));
    NEAR(f[0], 0.75);
    NEAR(f[1], 6.0 / 11);
    NEAR(f[2], 7.0 / 12);
    CHECK_OK(score_rouge(f, "a a b", "a b a b", false));
    NEAR(f[0], 6.0 / 7);
    NEAR(f[1], 0.4);
    NEAR(f[2], 6.0 / 7);
    CHECK_OK(score_rouge(f, "postponed", "postpone", false));
    NEAR(f[0], 0);
    CHECK_OK(score_rouge(f, "postponed", "postpone", true));
    NEAR(f[0], 1);
    NEAR(f[1], 0); /* no pairs */
    CHECK_OK(score_rouge(f, "", "", false));
    NEAR(f[0] + f[1] + f[2], 0);
    NEAR(score_rouge_mean((double[]){ 0.8, 0.1, 0.1 }), 0.2);
}

static const char *letters(const char *response, bool several)
{
    static char out[2][SCORE_LETTERS];
    static int turn;
    turn ^= 1;
    score_leval_letters(out[turn], response, several);
    return out[turn];
}

static void leval(void)
{
    static const struct {
        const char *response, *single, *several;
    } CASES[] = {
        { "", "", "" },
        { "B", "B", "B" },
        { "BC", "BC", "BC" }, /* part of ABCD */
        { "AC", "A", "AC" },  /* not */
        { "BA", "B", "AB" },
        { " B. because", "B", "B" },
        { "The Answer is C", "A", "A" },
        { "xBA end", "B", "A" },
        { "xBAx", "B", "BA" },
        { "no letters", "None", "None" },
        { "A B", "A", "A" },
        { "A. yes B) no HAD C", "A", "ABD" },
        { "AD, Question 2 B.", "A", "AD" },
        { "(none) Question A. b", "A", "None" },
        { "xABABABAB. ", "A", "B" },
        { "b) c)", "None", "None" },
        { "A, C and D.", "A", "ACD" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK_STR(letters(CASES[i].response, false), CASES[i].single);
        CHECK_STR(letters(CASES[i].response, true), CASES[i].several);
    }
    char many[400] = "x";
    memset(many + 1, 'B', sizeof many - 3);
    many[sizeof many - 2] = 'x';
    CHECK_EQ(strlen(letters(many, true)), SCORE_LETTERS - 1);
    char t[SCORE_LETTERS];
    score_leval_truth(t, " (B) Their subconscious");
    CHECK_STR(t, "B");
    score_leval_truth(t, "ABC");
    CHECK_STR(t, "ABC");
    score_leval_truth(t, "");
    CHECK_STR(t, "");

    NEAR(score_leval_several("A, C", "AC"), 0.25); /* nothing follows the last letter */
    NEAR(score_leval_several("A, C.", "AC"), 1);
    NEAR(score_leval_several("C", "AC"), 0.25);
    NEAR(score_leval_several("ABC", "AC"), 0);
    NEAR(score_leval_several("", "AC"), 0.25); /* no letter at all is a subset */
    NEAR(score_leval_several("nothing", "AC"), 0);
    NEAR(score_leval_several("xBAx", "AB"), 0.25); /* a run in the wrong order */
    NEAR(score_leval_single(" (C) He could not", "(C) He could not have gotten back"), 1);
    NEAR(score_leval_single("Because of D", "D"), 0); /* the B of "Because" */
    NEAR(score_leval_em("3.50", "3.5"), 1);
    NEAR(score_leval_em("The list [1, 2] is right", "[1,2]"), 1);
    NEAR(score_leval_em("no", "yes"), 0);

    double s[2];
    CHECK_OK(
        score_leval_judge(s, " True. [fact:  False. Humans have not</s>]", "True [fact: False]"));
    CHECK(s[0] == 1 && s[1] == 1);
    CHECK_OK(score_leval_judge(s, "untrue, I mean false [fact: it is TRUE]", "False [fact: True]"));
    CHECK(s[0] == 0 && s[1] == 1); /* the first word that contains either */
    CHECK_OK(score_leval_judge(s, "I cannot say [fact: ]", "False [fact: True]"));
    CHECK(s[0] == 0 && s[1] == 0);
    CHECK_OK(score_leval_judge(s, "False", "False [fact: False]"));
    CHECK(s[0] == 1 && s[1] == 0);
    CHECK_OK(score_leval_judge(s, "False [fact: maybe [fact: true]", "False [fact: True]"));
    CHECK(s[0] == 1 && s[1] == 0); /* the part between the two marks */
}

static void retrieval(void)
{
    const char *refs[] = { "ABCDE", "fghij", "KLMNO", "xyz" };
    NEAR(score_ruler(" abcde, FGHIJ and 4", refs, 4), 0.5);
    NEAR(score_ruler("xyzabcde", refs, 4), 0.5); /* substrings */
    NEAR(score_ruler("", refs, 4), 0);
    NEAR(score_ruler("abc", refs, 0), 0);
    CHECK(score_passkey_number(" 4711. 12", 4711));
    CHECK(score_passkey_number("it is 04711", 4711));
    CHECK(!score_passkey_number("1 4711", 4711));
    CHECK(!score_passkey_number("none", 0));
    CHECK(!score_passkey_number("99999999999999999999999", UINT64_MAX));
    const int32_t key[] = { 5, 6 }, got[] = { 5, 6, 7 };
    CHECK(score_passkey_ids(got, 3, key, 2));
    CHECK(!score_passkey_ids(got, 1, key, 2));
    CHECK(!score_passkey_ids(got + 1, 2, key, 2));
}

static void stems(void)
{
    static const char *const WORDS[][2] = {
        /* of Porter's paper */
        { "caresses", "caress" },
        { "ponies", "poni" },
        { "caress", "caress" },
        { "cats", "cat" },
        { "feed", "feed" },
        { "agreed", "agre" },
        { "plastered", "plaster" },
        { "bled", "bled" },
        { "motoring", "motor" },
        { "sing", "sing" },
        { "conflated", "conflat" },
        { "troubled", "troubl" },
        { "sized", "size" },
        { "hopping", "hop" },
        { "falling", "fall" },
        { "hissing", "hiss" },
        { "fizzed", "fizz" },
        { "failing", "fail" },
        { "filing", "file" },
        { "happy", "happi" },
        { "relational", "relat" },
        { "conditional", "condit" },
        { "rational", "ration" },
        { "digitizer", "digit" },
        { "conformabli", "conform" },
        { "radicalli", "radic" },
        { "vietnamization", "vietnam" },
        { "operator", "oper" },
        { "decisiveness", "decis" },
        { "formaliti", "formal" },
        { "sensibiliti", "sensibl" },
        { "triplicate", "triplic" },
        { "formative", "form" },
        { "electrical", "electr" },
        { "hopeful", "hope" },
        { "goodness", "good" },
        { "revival", "reviv" },
        { "allowance", "allow" },
        { "replacement", "replac" },
        { "adjustment", "adjust" },
        { "adoption", "adopt" },
        { "effective", "effect" },
        { "probate", "probat" },
        { "rate", "rate" },
        { "cease", "ceas" },
        { "controll", "control" },
        { "roll", "roll" },
        { "syzygy", "syzygi" },
        /* NLTK's own */
        { "dies", "die" },
        { "died", "die" },
        { "spied", "spi" },
        { "enjoy", "enjoy" },
        { "try", "tri" },
        { "dying", "die" },
        { "skies", "sky" },
        { "news", "news" },
        { "innings", "inning" },
        { "geologi", "geolog" },
        { "rationalli", "ration" },
        { "hopefulli", "hope" },
        { "ease", "eas" },
        { "using", "use" },
        { "by", "by" },
        { "4711s", "4711" },
    };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        char w[32];
        snprintf(w, sizeof w, "%s", WORDS[i][0]);
        w[eval_stem(w, strlen(w))] = 0;
        CHECK_STR(w, WORDS[i][1]);
    }
}

static void words(void)
{
    eval_words w;
    CHECK_OK(eval_words_cut(&w, "\xff The\tthe \xd0\x96\xe3\x80\x80\xce\x94x ", EVAL_SPLIT_PLAIN));
    CHECK_EQ(w.count, 5);
    CHECK_STR(eval_word(&w, 0), "\xff");
    CHECK_STR(eval_word(&w, 3), "\xd0\xb6");
    CHECK_STR(eval_word(&w, 4), "\xce\xb4x");
    eval_words_free(&w);
    CHECK_OK(
        eval_words_cut(&w, "The cat's, an A-team; then\xe2\x80\x94the end", EVAL_SPLIT_ANSWER));
    CHECK_EQ(w.count, 4);
    CHECK_STR(eval_word(&w, 1), "ateam");
    CHECK_STR(eval_word(&w, 2), "then\xe2\x80\x94"); /* the article after a dash is removed */
    eval_words_free(&w);
    CHECK_OK(eval_words_cut(&w, "It's R2-D2, sitting.", EVAL_SPLIT_STEMMED));
    CHECK_EQ(w.count, 5);
    CHECK_STR(eval_word(&w, 4), "sit");
    eval_words_free(&w);
    eval_words_free(&(eval_words){ 0 });
}

int main(void)
{
    needle();
    questions();
    summaries();
    leval();
    retrieval();
    stems();
    words();
    CHECK_END();
}
