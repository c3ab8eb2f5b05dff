/* passkey -- a number in a text of repeated sentences: Mohtashami and Jaggi 2023 (landmark
 * attention), as they run it, as ChunkLlama's passkey/ and needle_in_a_haystack/ run it, and without
 * their quirks.
 *
 *   variant     a length is       prefix                    key             trials  correct is
 *   clean       tokens at most    depth, whole sentences    5 digits        20      first number
 *   landmark    characters of     uniform 0..n              1..50000        50      first number
 *               nonsense, n                                                         in 10 tokens
 *   chunkllama  about tokens:     uniform 0..n-1            1..49999        50      exactly the
 *               n = 3.75 L, cut                                                     key's tokens
 *               to an integer
 *   chunkllama- the same          int(p n), p = 1/16, 2/16  50000..499999   10      the same
 *   needle                        ... 1
 *   many        as clean          a key at every depth      5 digits        5       first number
 *
 * `many` hides a key with a name at each depth of one text and asks for each: one reading of the text is
 * as many trials as there are depths.
 * The text is cut by characters, in the middle of words too, but in `clean`. The authors draw with
 * Python's generator and numpy's; here all draws are lm_hash4 of seed, length, depth and trial. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/metrics/score.h"
#include "lib/base/rng.h"

#define PROMPT_MAX ((size_t)1 << 30)
static const char task[] = "There is an important info hidden inside a lot of irrelevant text. "
                           "Find it and memorize them. I "
                           "will quiz you about the important information there.";
static const char *const sentences[] = { "The grass is green.", "The sky is blue.",
                                         "The sun is yellow.", "Here we go.",
                                         "There and back again." };
enum { SENTENCES = sizeof sentences / sizeof *sentences };
static const char question[] = "What is the pass key? The pass key is";

static const struct variant {
    const char *name, *lengths, *depths; /* NULL: none of its own; no depths */
    uint64_t trials, key_from, keys;     /* keys: how many there are */
    bool random_depth, by_ids;
} variants[] = {
    { "clean", NULL, "0,11,22,33,44,56,67,78,89,100", 20, 10000, 90000, false, false },
    { "landmark", "0,100,500,1000,5000,8000,10000,12000,14000,18000,20000,25000,38000", NULL, 50, 1,
      50000, true, false },
    { "chunkllama", NULL, NULL, 50, 1, 49999, true, true },
    { "chunkllama-needle", NULL,
      "6.25,12.5,18.75,25,31.25,37.5,43.75,50,56.25,62.5,68.75,75,81.25,87.5,93.75,100", 10, 50000,
      450000, false, true },
    { "many", NULL, "0,10,20,30,40,50,60,70,80,90", 5, 10000, 90000, false, false },
};
enum { TOKENS_MORE = 10, SPARE = 64, DEPTH_OFF = 5 /* points */ };

enum { CLEAN, LANDMARK, CHUNKLLAMA, CHUNKLLAMA_NEEDLE, MANY };

/* What has the keys of `many`. */
static const char task_many[] =
    "There are pass keys hidden inside a lot of irrelevant text. Find them and memorize them. I "
    "will quiz you about them.";
static const char *const colors[] = { "red",   "blue",  "green", "black",
                                      "white", "brown", "gray",  "yellow" };
static const char *const things[] = { "box",   "lamp", "house", "boat",
                                      "chest", "gate", "tower", "garden" };
enum { THINGS = 8, NAMES = 64 };

static struct {
    const char *lengths, *depths;
    int variant;
    uint64_t trials;
    eval_asking asking;
} opt = { .asking = ASK_DEFAULTS };

static const cli_opt opts[] = {
    { CLI_STR, "lengths", 'L', &opt.lengths, "N,N,...",
      "Lengths, in tokens; landmark: in characters (its authors')." },
    { CLI_STR, "depths", 0, &opt.depths, "P,P,...",
      "Positions of the number, in percent of the context (the variant's own)." },
    { CLI_CHOICE, "variant", 0, &opt.variant, "clean|landmark|chunkllama|chunkllama-needle|many",
      "Whose form; see docs/evaluation.md (clean)." },
    { CLI_SIZE, "trials", 0, &opt.trials, "N", "Trials per length and depth (the variant's own)." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

typedef struct trial {
    uint64_t number, prefix, key; /* prefix: characters, or sentences */
} trial;

typedef struct passkey {
    eval_context *c;
    const struct variant *variant;
    uint64_t *lengths, n_trials;
    double *depths;
    size_t n_lengths, n_depths;
    trial *trials;
    uint64_t garbage; /* of the cell at work: characters, or sentences */
    uint64_t prompt_tokens;
    /* many: key, name and hits by depth, [n_depths] */
    uint64_t keys[NAMES], hits[NAMES];
    unsigned names[NAMES];
    lm_buf text;
    lm_ids prompt, answer, key;
} passkey;

static bool many(const passkey *p) { return p->variant == &variants[MANY]; }

/* Is the text made of whole sentences, up to a length in tokens? */
static bool clean(const passkey *p) { return p->variant == &variants[CLEAN] || many(p); }

/* ---- prompts --------------------------------------------------------------------------- */

/* The first n characters of all sentences joined by blanks, again and again. */
static int add_characters(lm_buf *out, uint64_t n)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && n; i = (i + 1) % (2 * SENTENCES)) {
        const char *s = i % 2 ? " " : sentences[i / 2];
        size_t k = strlen(s) < n ? strlen(s) : (size_t)n;
        rc = lm_buf_add(out, s, k);
        n -= k;
    }
    return rc;
}

static int add_sentences(lm_buf *out, uint64_t n)
{
    int rc = LM_OK;
    for (uint64_t i = 0; !rc && i < n; i++)
        rc = lm_buf_printf(out, "%s%s", i ? " " : "", sentences[i % SENTENCES]);
    return rc;
}

/* p->prompt with `garbage` characters or sentences, `prefix` of them before the key. */
static int make_prompt(passkey *p, uint64_t garbage, uint64_t prefix, uint64_t key)
{
    int (*add)(lm_buf *, uint64_t) = clean(p) ? add_sentences : add_characters;
    p->text.size = p->prompt.n = 0;
    int rc = lm_buf_printf(&p->text, "%s\n", task);
    if (!rc) rc = add(&p->text, prefix);
    if (!rc)
        rc = lm_buf_printf(
            &p->text, "\nThe pass key is %" PRIu64 ". Remember it. %" PRIu64 " is the pass key.\n",
            key, key);
    if (!rc) rc = add(&p->text, garbage - prefix);
    if (!rc) rc = lm_buf_printf(&p->text, "\n%s", question);
    return rc ? rc
              : tr_text_encode(p->c->text, (char *)p->text.data, p->text.size, true, &p->prompt);
}

/* Sentences before the key at a depth. */
static uint64_t place(const passkey *p, uint64_t garbage, size_t depth)
{
    return (uint64_t)((double)garbage * (p->depths[depth] / 100));
}

static const char *color(const passkey *p, size_t depth)
{
    return colors[p->names[depth] / THINGS];
}
static const char *thing(const passkey *p, size_t depth)
{
    return things[p->names[depth] % THINGS];
}

static int add_named_key(passkey *p, size_t depth)
{
    return lm_buf_printf(&p->text,
                         "\nThe pass key of the %s %s is %" PRIu64 ". Remember it. %" PRIu64
                         " is the pass key of the %s %s.\n",
                         color(p, depth), thing(p, depth), p->keys[depth], p->keys[depth],
                         color(p, depth), thing(p, depth));
}

/* p->prompt with `garbage` sentences, all keys in them, and the question for the key at `asked`. */
static int make_many(passkey *p, uint64_t garbage, size_t asked)
{
    p->text.size = p->prompt.n = 0;
    uint64_t at = 0;
    int rc = lm_buf_printf(&p->text, "%s\n", task_many);
    for (size_t d = 0; !rc && d < p->n_depths; d++) {
        uint64_t to = place(p, garbage, d);
        rc = add_sentences(&p->text, to - at);
        if (!rc) rc = add_named_key(p, d);
        at = to;
    }
    if (!rc) rc = add_sentences(&p->text, garbage - at);
    if (!rc)
        rc = lm_buf_printf(&p->text,
                           "\nWhat is the pass key of the %s %s? The pass key of the %s %s is",
                           color(p, asked), thing(p, asked), color(p, asked), thing(p, asked));
    return rc ? rc
              : tr_text_encode(p->c->text, (char *)p->text.data, p->text.size, true, &p->prompt);
}

/* As many sentences as fit into `length` tokens with the answer, wherever the key is: one
 * less, for the tokens that a cut elsewhere may cost. */
static int fit_sentences(passkey *p, uint64_t length)
{
    uint64_t low = 0, high = length / 2 + 1; /* low fits, or nothing does; high does not */
    uint64_t key = variants[CLEAN].key_from;
    uint64_t spare = many(p) ? SPARE : 0; /* other keys and names may have other lengths */
    int rc = LM_OK;
    while (!rc && high - low > 1) {
        uint64_t mid = low + (high - low) / 2;
        rc = many(p) ? make_many(p, mid, 0) : make_prompt(p, mid, mid / 2, key);
        if (p->prompt.n + TOKENS_MORE + spare > length) high = mid;
        else low = mid;
    }
    if (!rc && low < 2)
        rc = lm_fail(LM_EUSAGE,
                     "passkey: a length of %" PRIu64 " tokens is too short for a key and "
                     "the question",
                     length);
    p->garbage = low - 1;
    return rc;
}

static int set_length(passkey *p, uint64_t length)
{
    if (clean(p)) return fit_sentences(p, length);
    p->garbage = length;
    if (p->variant != &variants[LANDMARK])
        p->garbage = (uint64_t)(3.75 * (double)length) / 1024 * 1024;
    return LM_OK;
}

/* ---- a cell ---------------------------------------------------------------------------- */

static lm_json *cell_json(const passkey *p, uint64_t length, size_t depth)
{
    if (p->variant->random_depth) return eval_cell("length", length);
    return eval_depth_cell(length, p->depths[depth]);
}

/* Deepest first: the trials then share the text before their keys. */
static int by_prefix(const void *a, const void *b)
{
    const trial *x = a, *y = b;
    if (x->prefix != y->prefix) return x->prefix < y->prefix ? 1 : -1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static uint64_t below(uint64_t n, uint64_t random)
{
    return (uint64_t)(lm_unit(random) * (double)n);
}

static void draw(passkey *p, uint64_t length, size_t depth)
{
    const struct variant *v = p->variant;
    uint64_t most = p->garbage + (v == &variants[LANDMARK]);
    uint64_t seed = p->c->seed, cell = (uint64_t)llround(1e6 * p->depths[depth]);
    for (uint64_t i = 0; i < p->n_trials; i++) {
        trial *t = &p->trials[i];
        t->number = i;
        t->key = v->key_from + below(v->keys, lm_hash4(seed, length, cell, 2 * i + 1));
        t->prefix = v->random_depth ? below(most, lm_hash4(seed, length, cell, 2 * i))
                                    : (uint64_t)((double)p->garbage * (p->depths[depth] / 100));
    }
    qsort(p->trials, p->n_trials, sizeof *p->trials, by_prefix);
}

/* Print the prompts of a cell. */
static int print(passkey *p, uint64_t length, size_t depth)
{
    int rc = LM_OK;
    for (uint64_t i = 0; rc >= 0 && i < p->n_trials; i++) {
        lm_json *key = cell_json(p, length, depth);
        lm_json_set_u64(key, "trial", p->trials[i].number);
        rc = make_prompt(p, p->garbage, p->trials[i].prefix, p->trials[i].key);
        if (!rc) rc = lm_buf_add(&p->text, "", 1);
        if (!rc) rc = ask_printed(p->c, key, (char *)p->text.data);
        lm_json_free(key);
    }
    return rc < 0 ? rc : LM_OK;
}

static int try_one(passkey *p, const trial *t, uint64_t length, bool *right)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, t->key);
    bool by_ids = p->variant->by_ids;
    p->key.n = 0;
    int rc = make_prompt(p, p->garbage, t->prefix, t->key);
    if (!rc) rc = tr_text_encode(p->c->text, digits, (size_t)n, false, &p->key);
    size_t most = by_ids ? p->key.n : TOKENS_MORE;
    if (!rc) rc = eval_use(p->c, clean(p) ? length : p->prompt.n + most);
    if (!rc) rc = eval_answer(p->c, &p->prompt, most, !by_ids, &p->answer);
    p->text.size = 0;
    if (!rc) rc = tr_text_decode(p->c->text, p->answer.v, p->answer.n, &p->text);
    if (rc) return rc;
    p->prompt_tokens += p->prompt.n;
    *right = by_ids ? score_passkey_ids(p->answer.v, p->answer.n, p->key.v, p->key.n)
                    : score_passkey_number((char *)p->text.data, t->key);
    return LM_OK;
}

/* The keys and names of a text: names in an order of their own. */
static void draw_many(passkey *p, uint64_t length, uint64_t text)
{
    unsigned order[NAMES];
    for (unsigned i = 0; i < NAMES; i++) order[i] = i;
    for (size_t d = 0; d < p->n_depths; d++) {
        size_t i = d + below(NAMES - d, lm_hash4(p->c->seed, length, text, 2 * d));
        unsigned name = order[i];
        order[i] = order[d];
        p->names[d] = order[d] = name;
        p->keys[d] = p->variant->key_from +
                     below(p->variant->keys, lm_hash4(p->c->seed, length, text, 2 * d + 1));
    }
}

static int ask_many(passkey *p, uint64_t length, uint64_t text, size_t depth)
{
    int rc = make_many(p, p->garbage, depth);
    if (!rc && opt.asking.print_prompts) {
        lm_json *cell = cell_json(p, length, depth);
        lm_json_set_u64(cell, "trial", text);
        rc = lm_buf_add(&p->text, "", 1);
        if (!rc) rc = ask_printed(p->c, cell, (char *)p->text.data);
        lm_json_free(cell);
        return rc < 0 ? rc : LM_OK;
    }
    if (!rc) rc = eval_use(p->c, length);
    if (!rc) rc = eval_answer(p->c, &p->prompt, TOKENS_MORE, true, &p->answer);
    p->text.size = 0;
    if (!rc) rc = tr_text_decode(p->c->text, p->answer.v, p->answer.n, &p->text);
    if (rc) return rc;
    p->prompt_tokens += p->prompt.n;
    p->hits[depth] += score_passkey_number((char *)p->text.data, p->keys[depth]);
    return LM_OK;
}

/* Where the key is, in percent of the sentences or characters around it: the same in all trials. */
static void set_place(const passkey *p, lm_json *more, size_t depth)
{
    uint64_t before = many(p) ? place(p, p->garbage, depth) : p->trials[0].prefix;
    double is = p->garbage ? 100 * (double)before / (double)p->garbage : p->depths[depth];
    lm_json_set_f64(more, "true_depth", round(100 * is) / 100);
    if (fabs(is - p->depths[depth]) > DEPTH_OFF)
        eval_warn(
            p->c,
            "passkey: the key is at %.1f percent of the text, not at %g: the text is too short", is,
            p->depths[depth]);
}

static int add_line(passkey *p, uint64_t length, size_t depth, uint64_t hits, uint64_t tokens)
{
    double n = (double)p->n_trials, share = (double)hits / n;
    lm_json *more = lm_json_object();
    lm_json_set_f64(more, "error", sqrt(share * (1 - share) / n));
    lm_json_set_u64(more, "right", hits);
    lm_json_set_u64(more, "tokens", tokens);
    if (!p->variant->random_depth) set_place(p, more, depth);
    return eval_add(p->c, cell_json(p, length, depth), share, more);
}

static int measure(passkey *p, uint64_t length, size_t depth)
{
    uint64_t hits = 0;
    bool print_only = opt.asking.print_prompts;
    if (!print_only && eval_done(p->c, cell_json(p, length, depth))) return LM_OK;
    eval_start(p->c);
    p->prompt_tokens = 0;
    int rc = set_length(p, length);
    if (rc) return rc;
    draw(p, length, depth);
    if (print_only) return print(p, length, depth);
    for (uint64_t i = 0; !rc && i < p->n_trials; i++) {
        bool right = false;
        eval_live(p->c, "passkey: trial %" PRIu64 " of %" PRIu64 " at %" PRIu64, i + 1, p->n_trials,
                  length);
        rc = try_one(p, &p->trials[i], length, &right);
        hits += right;
    }
    return rc ? rc : add_line(p, length, depth, hits, p->prompt_tokens / p->n_trials);
}

/* All depths of a length. */
static int measure_many(passkey *p, uint64_t length)
{
    bool done = !opt.asking.print_prompts;
    for (size_t d = 0; done && d < p->n_depths; d++)
        done = eval_done(p->c, cell_json(p, length, d));
    if (done) return LM_OK;
    memset(p->hits, 0, sizeof p->hits);
    p->prompt_tokens = 0;
    eval_start(p->c);
    draw_many(p, length, 0);
    int rc = fit_sentences(p, length);
    for (uint64_t i = 0; !rc && i < p->n_trials; i++) {
        draw_many(p, length, i);
        for (size_t d = 0; !rc && d < p->n_depths; d++) {
            eval_live(p->c, "passkey: text %" PRIu64 " of %" PRIu64 ", key %zu of %zu at %" PRIu64,
                      i + 1, p->n_trials, d + 1, p->n_depths, length);
            rc = ask_many(p, length, i, d);
        }
    }
    uint64_t tokens = p->prompt_tokens / (p->n_trials * p->n_depths);
    for (size_t d = 0; !rc && !opt.asking.print_prompts && d < p->n_depths; d++)
        if (!eval_done(p->c, cell_json(p, length, d)))
            rc = add_line(p, length, d, p->hits[d], tokens);
    return rc;
}

/* ---- the grid -------------------------------------------------------------------------- */

static int read_options(passkey *p)
{
    const struct variant *v = p->variant;
    const char *lengths = opt.lengths ? opt.lengths : v->lengths;
    if (!lengths) return lm_fail(LM_EUSAGE, "passkey --variant %s needs --lengths", v->name);
    if (v->random_depth && opt.depths)
        return lm_fail(LM_EUSAGE, "--depths: passkey --variant %s draws its depths", v->name);
    p->n_trials = opt.trials ? opt.trials : v->trials;
    if (p->n_trials > 1000000) return lm_fail(LM_EUSAGE, "--trials: at most a million");
    p->trials = malloc(p->n_trials * sizeof *p->trials);
    if (!p->trials) return lm_fail_nomem(p->n_trials * sizeof *p->trials);
    uint64_t least = v == &variants[LANDMARK] ? 0 : 1;
    int rc = eval_sizes("lengths", lengths, least, &p->lengths, &p->n_lengths);
    if (!rc)
        rc = eval_depths(v->random_depth ? "0"
                         : opt.depths    ? opt.depths
                                         : v->depths,
                         &p->depths, &p->n_depths);
    if (!rc && many(p) && p->n_depths > NAMES)
        rc = lm_fail(LM_EUSAGE, "--depths: at most %d for passkey --variant many", NAMES);
    return rc ? rc : eval_open_text(p->c);
}

static void set_depths(const passkey *p, lm_json *settings)
{
    lm_json *list = lm_json_array();
    for (size_t d = 0; d < p->n_depths; d++) lm_json_set_f64(list, NULL, p->depths[d]);
    lm_json_set(settings, "depths", list);
}

static int begin(passkey *p)
{
    int rc = read_options(p);
    uint64_t longest = rc ? 0 : p->lengths[p->n_lengths - 1];
    lm_json *s = lm_json_object();
    lm_json_set_str(s, "variant", p->variant->name);
    lm_json_set_u64(s, "trials", p->n_trials);
    if (!rc && many(p)) set_depths(p, s); /* all keys are in one text */
    if (!rc && !clean(p)) {
        rc = set_length(p, longest);
        if (!rc) rc = make_prompt(p, p->garbage, p->garbage / 2, p->variant->key_from);
        longest = p->prompt.n + TOKENS_MORE + SPARE;
    }
    if (!rc && !opt.asking.print_prompts) rc = eval_begin(p->c, longest, s);
    else lm_json_free(s);
    return rc;
}

static void summary(const passkey *p)
{
    for (size_t i = 0; i < p->n_lengths; i++) {
        ask_mean mean = { 0 };
        for (size_t d = 0; d < p->n_depths; d++)
            ask_mean_add(p->c, &mean, cell_json(p, p->lengths[i], d), NULL);
        double n = (double)(p->n_trials * p->n_depths), share = ask_mean_value(&mean);
        eval_note(p->c, "at %" PRIu64 ": %.3f +- %.3f right (%.0f trials)", p->lengths[i], share,
                  sqrt(share * (1 - share) / n), n);
    }
    /* A model that copies some key of the text is right by chance. */
    uint64_t keys = many(p) ? p->n_depths : p->variant->keys;
    eval_note(p->c, "by chance: %.2g (one of %" PRIu64 " keys)", 1 / (double)keys, keys);
}

static int run(eval_context *c)
{
    passkey p = { .c = c, .variant = &variants[opt.variant], .text = LM_BUF_INIT(PROMPT_MAX) };
    int rc = begin(&p);
    for (size_t i = 0; !rc && i < p.n_lengths; i++) {
        if (many(&p)) rc = measure_many(&p, p.lengths[i]);
        for (size_t d = many(&p) ? 0 : p.n_depths; !rc && d-- > 0;)
            rc = measure(&p, p.lengths[i], d);
    }
    if (!rc && !opt.asking.print_prompts) summary(&p);
    lm_buf_free(&p.text);
    lm_ids_free(&p.prompt);
    lm_ids_free(&p.answer);
    lm_ids_free(&p.key);
    free(p.trials);
    free(p.lengths);
    free(p.depths);
    return rc;
}

const eval_entry eval_passkey = {
    .command = {
        .name = "passkey",
        .summary = "a number in a text of repeated sentences, by length and depth",
        .about =
            "A number hidden in a text of repeated sentences, by length and depth, in the forms "
            "of three papers' code.",
        .opts = opts,
        .examples = "# what the model is asked at 512 tokens\n"
        "lmeval passkey --model model --lengths 512 --depths 50 --trials 1 --print-prompts\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
