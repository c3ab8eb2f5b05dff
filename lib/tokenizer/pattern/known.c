/* known.c -- the lists of steps that have scanners. */
#include "lib/tokenizer/pattern/internal.h"

#include <string.h>

/* Parts of the expressions. */
#define SMALL "'s|'t|'re|'ve|'m|'ll|'d"
#define ANY_CASE "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define ANY_CASE_SHORT "'(?i:[sdmt]|ll|ve|re)"
#define OTHER "[^\\s\\p{L}\\p{N}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define CAPITALS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALLS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define SPACES "\\s+(?!\\S)|\\s+"
#define LINES "\\s*[\\r\\n]+|" SPACES
#define CASED(contraction, numbers)                                                           \
    BEFORE CAPITALS "*" SMALLS "+" contraction "|" BEFORE CAPITALS "+" SMALLS "*" contraction \
                    "|" numbers "| ?" OTHER "+[\\r\\n/]*|" LINES

#define GPT2 SMALL "| ?\\p{L}+| ?\\p{N}+| ?" OTHER "+|" SPACES
#define LLAMA3 ANY_CASE "|" BEFORE "\\p{L}+|\\p{N}{1,3}| ?" OTHER "+[\\r\\n]*|" LINES
#define QWEN2 ANY_CASE "|" BEFORE "\\p{L}+|\\p{N}| ?" OTHER "+[\\r\\n]*|" LINES
#define QWEN35 \
    ANY_CASE "|" BEFORE "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES
#define O200K CASED(ANY_CASE "?", "\\p{N}{1,3}")
#define TEKKEN CASED("", "\\p{N}")
#define CL100K                                                  \
    ANY_CASE_SHORT "|" BEFORE "+\\p{L}++|\\p{N}{1,3}+| ?" OTHER \
                   "++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|"          \
                   "\\s+(?!\\S)|\\s"
#define DEEPSEEK_NUMBERS "\\p{N}{1,3}"
#define DEEPSEEK_CJK "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
#define DEEPSEEK_WORDS                                                                          \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}" \
    "\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES

static const lm_rules gpt2 = { "gpt2", LM_SCAN_GPT2 };
static const lm_rules digits_gpt2 = { "digits+gpt2", LM_SCAN_GPT2, .digits = true };
static const lm_rules llama3 = { "llama3", LM_SCAN_WORDS, .numbers = 3 };
static const lm_rules cl100k = { "cl100k", LM_SCAN_WORDS, .numbers = 3, .end_whole = true };
static const lm_rules qwen2 = { "qwen2", LM_SCAN_WORDS, .numbers = 1 };
static const lm_rules qwen35 = { "qwen3.5", LM_SCAN_WORDS, .numbers = 1, .marks = true };
static const lm_rules o200k = { "o200k", LM_SCAN_CASED, .numbers = 3, .contractions = true };
static const lm_rules tekken = { "tekken", LM_SCAN_CASED, .numbers = 1 };
static const lm_rules deepseek = { "deepseek", LM_SCAN_DEEPSEEK, .numbers = 3 };

/* Single expressions. Each matches all of a text, so that LM_STEP_REGEX and LM_STEP_MATCH agree. Where
 * `match_only`, the libraries read the expression differently: "$" may be the end of a line, and "{1,3}+"
 * a repeated repetition. */
static const struct {
    const char *text;
    const lm_rules *rules;
    bool match_only;
} known[] = {
    { GPT2, &gpt2 },
    { SMALL "| ?[\\p{L}]+| ?[\\p{N}]+| ?" OTHER "+|" SPACES, &gpt2 },
    { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?" OTHER "+|" SPACES, &gpt2 },
    { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?" OTHER "++|\\s++$|\\s+(?!\\S)|\\s", &gpt2,
      true },
    { LLAMA3, &llama3 },
    { ANY_CASE "|" BEFORE "+\\p{L}+|\\p{N}{1,3}| ?" OTHER "++[\\r\\n]*|\\s*[\\r\\n]|" SPACES,
      &llama3 },
    { ANY_CASE_SHORT "|" BEFORE "\\p{L}+|\\p{N}{1,3}| ?" OTHER "+[\\r\\n]*|" LINES, &llama3 },
    { ANY_CASE_SHORT "|" BEFORE "+\\p{L}+|\\p{N}{1,3}| ?" OTHER "++[\\r\\n]*|\\s*[\\r\\n]|" SPACES,
      &llama3 },
    { CL100K, &cl100k, true },
    { QWEN2, &qwen2 },
    { ANY_CASE_SHORT "|" BEFORE "\\p{L}+|\\p{N}| ?" OTHER "+[\\r\\n]*|" LINES, &qwen2 },
    { QWEN35, &qwen35 },
    { O200K, &o200k },
    { TEKKEN, &tekken },
};

/* Are the expressions equal? CR and LF may be in one of them as they are. */
static bool same(const char *a, const char *escaped)
{
    for (; *a; a++) {
        if (*a == '\n' || *a == '\r') {
            if (*escaped++ != '\\' || *escaped++ != (*a == '\n' ? 'n' : 'r')) return false;
        } else if (*a != *escaped++) {
            return false;
        }
    }
    return !*escaped;
}

static bool is_regex(const lm_step *s, const char *text)
{
    return s->kind == LM_STEP_REGEX && same(s->text, text);
}

const lm_rules *lm_rules_find(const lm_step *steps, size_t count)
{
    if (count == 1 && (steps->kind == LM_STEP_REGEX || steps->kind == LM_STEP_MATCH)) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (same(steps->text, known[i].text) &&
                (steps->kind == LM_STEP_MATCH || !known[i].match_only))
                return known[i].rules;
    }
    if (count == 2 && steps[0].kind == LM_STEP_DIGITS) {
        const lm_rules *r = lm_rules_find(steps + 1, 1);
        if (r == &gpt2) return &digits_gpt2;
    }
    if (count == 3 && is_regex(steps, DEEPSEEK_NUMBERS) && is_regex(steps + 1, DEEPSEEK_CJK) &&
        is_regex(steps + 2, DEEPSEEK_WORDS))
        return &deepseek;
    return NULL;
}

const lm_step *lm_pattern_named(const char *name, size_t *count)
{
    static const lm_step digits_steps[] = { { LM_STEP_DIGITS, NULL }, { LM_STEP_REGEX, GPT2 } };
    static const lm_step deepseek_steps[] = { { LM_STEP_REGEX, DEEPSEEK_NUMBERS },
                                              { LM_STEP_REGEX, DEEPSEEK_CJK },
                                              { LM_STEP_REGEX, DEEPSEEK_WORDS } };
    static const struct {
        const char *name;
        lm_step step;
    } single[] = {
        { "gpt2", { LM_STEP_MATCH, GPT2 } },      { "cl100k", { LM_STEP_MATCH, CL100K } },
        { "llama3", { LM_STEP_MATCH, LLAMA3 } },  { "qwen2", { LM_STEP_MATCH, QWEN2 } },
        { "qwen3.5", { LM_STEP_MATCH, QWEN35 } }, { "o200k", { LM_STEP_MATCH, O200K } },
        { "tekken", { LM_STEP_MATCH, TEKKEN } },
    };
    if (!strcmp(name, "deepseek")) return *count = 3, deepseek_steps;
    if (!strcmp(name, "digits+gpt2")) return *count = 2, digits_steps;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (!strcmp(name, single[i].name)) return *count = 1, &single[i].step;
    return NULL;
}
