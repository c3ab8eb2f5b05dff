/* lexicon.c -- banks of words with their frequencies, and the templates of the styles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/synth/internal.h"

static const uint64_t lexicon_seed = 0x10761c0; /* one language for all corpora */

enum { TAIL_WORDS = 6000, PHRASES = 7000, IDENTIFIERS = 4096 };

/* ---- banks ----------------------------------------------------------------------------- */

static bool entry_set(synth_entry *e, const char *p, size_t n, bool space)
{
    if (n + space > sizeof e->text) return false;
    memset(e, 0, sizeof *e);
    memcpy(e->text, p, n);
    if (space) e->text[n] = ' ';
    e->size = (uint8_t)(n + space);
    return true;
}

/* Append the words of a list; "-" is the empty word. The caller allocates. */
static void add_list(synth_bank *b, const char *list)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, " ");
        bool empty = n == 1 && *p == '-' && b->spaced == false;
        if (entry_set(&b->entry[b->entries], p, empty ? 0 : n, b->spaced)) b->entries++;
        p += n + (p[n] == ' ');
    }
}

static size_t list_words(const char *list)
{
    size_t n = 1;
    for (; *list; list++) n += *list == ' ';
    return n;
}

static int bank_room(synth_bank *b, size_t entries)
{
    b->entry = calloc(entries, sizeof *b->entry);
    return b->entry ? LM_OK : lm_fail_nomem(entries * sizeof *b->entry);
}

/* Build the table of `bits` bits from the weights of the entries; `rare` is the share of generated
 * words. */
static int bank_weigh(synth_bank *b, const double *weight, unsigned bits, double rare)
{
    size_t slots = (size_t)1 << bits;
    b->shift = 16 - bits;
    b->pick = malloc(slots * sizeof *b->pick);
    if (!b->pick) return lm_fail_nomem(slots * sizeof *b->pick);
    double all = 0, sum = 0;
    for (size_t i = 0; i < b->entries; i++) all += weight[i];
    size_t s = 0;
    for (size_t i = 0; i < b->entries; i++) {
        sum += weight[i];
        size_t end = (size_t)((1 - rare) * (double)slots * (sum / all) + 0.5);
        for (; s < end; s++) b->pick[s] = (uint16_t)i;
    }
    for (; s < slots; s++) b->pick[s] = rare > 0 ? SYNTH_RARE : (uint16_t)(b->entries - 1);
    return LM_OK;
}

/* Weights that fall as 1 / (rank + shift)^power. */
static int bank_zipf(synth_bank *b, double shift, double power, unsigned bits)
{
    double *w = malloc((b->entries + 1) * sizeof *w);
    if (!w) return lm_fail_nomem(b->entries * sizeof *w);
    for (size_t i = 0; i < b->entries; i++) w[i] = pow((double)i + shift, -power);
    int rc = bank_weigh(b, w, bits, 0);
    free(w);
    return rc;
}

/* A bank of one list. */
static int bank_list(synth_bank *b, const char *list, bool spaced, double shift, double power)
{
    b->spaced = spaced;
    b->comma = ", ";
    b->stop = ". ";
    int rc = bank_room(b, list_words(list));
    if (rc) return rc;
    add_list(b, list);
    return bank_zipf(b, shift, power, 12);
}

static const synth_entry *draw(const synth_bank *b, uint64_t r)
{
    return &b->entry[b->pick[(r & 0xffff) >> b->shift]];
}

/* English: common words, words of morphemes by Zipf's law, and phrases of both, which make the text
 * as compressible as real text. */
static int english(synth_lexicon *l)
{
    synth_bank *b = &l->bank[SYNTH_ENGLISH];
    b->spaced = true;
    b->comma = ", ";
    b->stop = ". ";
    size_t common = list_words(synth_common), room = common + TAIL_WORDS + PHRASES;
    double *w = malloc(room * sizeof *w);
    int rc = w ? bank_room(b, room) : lm_fail_nomem(room * sizeof *w);
    if (rc) goto out;
    add_list(b, synth_common);
    for (uint64_t i = 0; i < TAIL_WORDS; i++) {
        uint64_t r = lm_hash4(lexicon_seed, 1, i, 0);
        char text[64];
        size_t n = 0;
        for (unsigned k = SYNTH_PREFIX; k <= SYNTH_SUFFIX; k++, r >>= 16) {
            const synth_entry *e = draw(&l->bank[k], r);
            memcpy(text + n, e->text, e->size);
            n += e->size;
        }
        if (entry_set(&b->entry[b->entries], text, n, true)) b->entries++;
    }
    size_t words = b->entries;
    for (size_t i = 0; i < words; i++) w[i] = pow((double)i + 3, -1.1);
    rc = bank_weigh(b, w, 16, 0);
    if (rc) goto out;
    for (uint64_t i = 0; i < PHRASES; i++) {
        uint64_t r = lm_hash4(lexicon_seed, 2, i, 0);
        char text[256];
        size_t n = 0;
        for (unsigned k = 0; k < 2 + (r >> 62); k++) {
            const synth_entry *e = draw(b, lm_hash4(r, k, 0, 0));
            memcpy(text + n, e->text, e->size);
            n += e->size;
        }
        if (entry_set(&b->entry[b->entries], text, n, false)) b->entries++;
    }
    double sum = 0, phrases = 0;
    for (size_t i = 0; i < words; i++) sum += w[i];
    for (size_t i = words; i < b->entries; i++)
        phrases += w[i] = pow((double)(i - words) + 30, -0.9);
    for (size_t i = words; i < b->entries; i++) w[i] *= 2.0 * sum / phrases;
    free(b->pick);
    b->pick = NULL;
    rc = bank_weigh(b, w, 16, 0.05);
out:
    free(w);
    return rc;
}

/* Identifiers in the usual styles: buffer, buffer_size, bufferSize, BUFFER_SIZE. */
static int identifiers(synth_lexicon *l)
{
    synth_bank parts = { 0 };
    int rc = bank_list(&parts, synth_code_words, false, 5, 0.7);
    synth_bank *b = &l->bank[SYNTH_IDENTIFIER];
    if (!rc) rc = bank_room(b, IDENTIFIERS);
    for (uint64_t i = 0; !rc && i < IDENTIFIERS; i++) {
        uint64_t r = lm_hash4(lexicon_seed, 3, i, 0);
        unsigned count = i < 64 ? 1 : 1 + (unsigned)(r >> 48) % 3, how = (unsigned)(r >> 56) % 8;
        char text[64];
        size_t n = 0;
        for (unsigned k = 0; k < count; k++) {
            const synth_entry *e = draw(&parts, r >> (16 * k));
            if (k && how < 5) text[n++] = '_';
            memcpy(text + n, e->text, e->size);
            if ((k && how >= 5) || (count > 1 && how == 7)) text[n] = (char)(text[n] - 32);
            n += e->size;
        }
        for (size_t k = 0; count > 1 && how == 0 && k < n; k++)
            if (text[k] != '_') text[k] = (char)(text[k] - 32);
        if (entry_set(&b->entry[b->entries], text, n, false)) b->entries++;
    }
    if (!rc) rc = bank_zipf(b, 10, 0.9, 14);
    free(parts.entry);
    free(parts.pick);
    return rc;
}

int synth_lexicon_new(synth_lexicon **out)
{
    static const struct {
        const char *list;
        bool spaced;
        double shift, power;
    } lists[SYNTH_BANKS] = {
        [SYNTH_PREFIX] = { synth_prefixes, false, 1, 0 },
        [SYNTH_ROOT] = { synth_roots, false, 1, 0 },
        [SYNTH_SUFFIX] = { synth_suffixes, false, 3, 0.5 },
        [SYNTH_SYLLABLE] = { synth_syllables, false, 1, 0 },
        [SYNTH_NAME] = { synth_names, false, 20, 0.8 },
        [SYNTH_MATHS] = { synth_maths, false, 10, 0.6 },
        [SYNTH_EMOJI] = { synth_emoji, false, 1, 0 },
        [SYNTH_FOREIGN + 0] = { synth_french, true, 2, 1 },
        [SYNTH_FOREIGN + 1] = { synth_german, true, 2, 1 },
        [SYNTH_FOREIGN + 2] = { synth_spanish, true, 2, 1 },
        [SYNTH_FOREIGN + 3] = { synth_russian, true, 2, 1 },
        [SYNTH_FOREIGN + 4] = { synth_chinese, false, 4, 0.8 },
        [SYNTH_FOREIGN + 5] = { synth_japanese, false, 4, 0.8 },
        [SYNTH_FOREIGN + 6] = { synth_greek, true, 2, 1 },
    };
    synth_lexicon *l = calloc(1, sizeof *l);
    if (!l) return lm_fail_nomem(sizeof *l);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < SYNTH_BANKS; i++)
        if (lists[i].list)
            rc = bank_list(&l->bank[i], lists[i].list, lists[i].spaced, lists[i].shift,
                           lists[i].power);
    if (!rc) rc = english(l);
    if (!rc) rc = identifiers(l);
    if (rc) {
        synth_lexicon_free(l);
        return rc;
    }
    for (size_t i = SYNTH_FOREIGN + 4; i <= SYNTH_FOREIGN + 5; i++) {
        l->bank[i].comma = i & 1 ? "、" : "，";
        l->bank[i].stop = "。";
    }
    *out = l;
    return LM_OK;
}

void synth_lexicon_free(synth_lexicon *l)
{
    if (!l) return;
    for (size_t i = 0; i < SYNTH_BANKS; i++) {
        free(l->bank[i].entry);
        free(l->bank[i].pick);
    }
    free(l);
}

/* ---- templates ------------------------------------------------------------------------- */

const char *const synth_style_names[SYNTH_STYLES] = { "prose", "book",  "wiki",
                                                      "code",  "latex", "answers" };

static const char *const prose[] = {
    "@p\n",
    "@p\n",
    "@p\n",
    "@p\n",
    "@p @s\n",
    "@p\n\n",
    "@p @p\n",
    "@T\n@p\n",
    "@T: @k\n@p\n",
    "@p “@s” @s\n",
    "@p \"@s\" said @N @N.\n",
    "• @k\n• @k\n• @k\n",
    "- @k\n- @k (@d)\n- @k\n- @k\n@p\n",
    "@d. @k\n@d. @k\n",
    "@p Read more at @u\n",
    "Posted by @N on @N @d, @y at @d:@d pm\n@p\n",
    "@p @e\n",
    "@N @N, @N, @y: @p\n",
    "It’s @k – @k. @p\n",
    "$@d.@d | @d reviews | @k\n",
    "Tags: @w, @w, @w\n",
    "@p\n@f\n",
    "@p @s\n",
    "@p\n",
};
static const char *const book[] = {
    "@p @p\n\n",
    "@p @p\n\n",
    "@p\n\n",
    "@p @s\n\n",
    "@p @p @p\n\n",
    "@p\n\n",
    "\"@s\"\n\n",
    "\"@s @s\" said @N. \"@s\"\n\n",
    "\"@s\" cried @N, @k. @p\n\n",
    "“@s” @s “@s”\n\n",
    "@p—@k. @s\n\n",
    "@p @p @p @p\n\n",
    "@p @p\n\n",
    "\n\nCHAPTER @d\n\n@T\n\n@p\n\n",
};
static const char *const wiki[] = {
    "@p\n\n",
    "@p\n\n",
    "@p @s\n\n",
    "@p In @y, @N @N @k. @s\n\n",
    "@p\n",
    "@T\n@p\n\n",
    "History\n@p From @y to @y it @k.\n\n",
    "== @T ==\n@p\n\n",
    "@N (@y–@y), @k\n@N @N (born @y), @k\n",
    "The population was @d,@d in @y. @p\n\n",
    "References\n\n@N, @N (@y). @T. @N: @T. pp. @d–@d.\n\n",
    "External links\n@u\n\nCategory:@T\nCategory:@y in @N\n\n",
    "@f\n",
    "@p (@f) @p\n\n",
};
static const char *const code[] = {
    "/* @s */\n",
    "// @k\n",
    "    // @k\n",
    "#include <@i.h>\n",
    "#define @i @d\n",
    "\n",
    "}\n\n",
    "static int @i(struct @i *@i, size_t @i)\n{\n    int @i = 0;\n",
    "    if (@i->@i == NULL)\n        return -1;\n",
    "    if (!@i(@i, @i))\n        goto @i;\n",
    "    for (size_t i = 0; i < @i->@i; i++) {\n        @i[i] = @i(&@i, @d);\n    }\n",
    "    @i = @i(@i, @i + @d);\n",
    "    @i->@i = @i;\n",
    "        @i += @i[@d] * @i;\n",
    "    return @i;\n}\n\n",
    "    while (@i < @i) {\n        @i(@i);\n        @i++;\n    }\n",
    "    printf(\"@k: %d\\n\", @i);\n",
    "import @i\n",
    "from @i import @i, @i\n",
    "class @i(@i):\n    \"\"\"@s\"\"\"\n\n",
    "    def @i(self, @i, @i=None):\n        \"\"\"@s @s\"\"\"\n",
    "        self.@i = @i\n",
    "        if @i is None:\n            raise ValueError('@k')\n",
    "        return self.@i.@i(@i)\n\n",
    "        for @i in self.@i:\n            yield @i\n",
    "function @i(@i, @i) {\n  const @i = @i.@i('@w');\n",
    "  if (@i === '@w') {\n    @i.@i(@i => @i.@i);\n  }\n",
    "  return { @i: @i, @i: @d };\n}\n",
    "<div class=\"@i\" id=\"@i\">@k</div>\n",
    "\t@i := @i.@i(@i)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n",
    "      \"@i\": \"@k\",\n",
    "    public @i @i(@i @i) {\n        this.@i = @i.@i();\n    }\n\n",
    "        case @i:\n            break;\n",
    "    @i[0x@d] = { @d, @d, @d, @d };\n",
    "# @s\n",
    "@i = [@d, @d, @d]\n",
    " * @s\n",
    " * @p\n",
};
static const char *const latex[] = {
    "@p\n\n",
    "@p\n",
    "@p @s\n",
    "@p \\cite{@w@y,@w@y}. @s\n\n",
    "@p $@m @m @m$ @k. @s\n",
    "Let $@m$ be @k such that $@m = @m@m$. @s\n\n",
    "\\section{@T}\n\\label{sec:@w}\n\n@p\n\n",
    "\\begin{equation}\\label{eq:@w}\n@m = \\sum_{i=1}^{@d} @m @m + @m(@m - "
    "@m)^{@d}\n\\end{equation}\n",
    "\\begin{align}\n  @m &= @m @m + \\frac{@m}{@m} \\\\\n  &\\leq @m \\, @m.\n\\end{align}\n",
    "\\begin{theorem}\n@s For every $@m \\in @m$, $@m \\to "
    "@m$.\n\\end{theorem}\n\\begin{proof}\n@p\n\\end{proof}\n\n",
    "\\subsection{@T}\n@p\n\n",
    "\\begin{itemize}\n\\item @s\n\\item @s\n\\end{itemize}\n\n",
    "@p (see Figure~\\ref{fig:@w} and Eq.~(\\ref{eq:@w})). @p\n\n",
    "where $@m_{@d}=@d.@d \\pm 0.@d$ and $@m$ @k. @p\n",
    "\\begin{table}[t]\n\\centering\n\\begin{tabular}{lcc}\n@w & @d.@d & @d.@d \\\\\n@w & @d.@d & "
    "@d.@d \\\\\n\\hline\n\\end{tabular}\n\\caption{@s}\n\\end{table}\n\n",
    "@N et al.~\\cite{@w@y} @k. @p\n\n",
    "@p @p\n\n",
    "% @k\n",
};
static const char *const answers[] = {
    "@p\n\n",
    "@p\n\n",
    "@p @s\n\n",
    "@p\n\n",
    "    @i = @i(@i, @d)\n    @i.@i(@i)\n\n",
    "for (int i = 0; i < @d; i++) {\n    @i[i] = @i;\n}\n\n",
    "A: @p\n\n",
    "A: @p @p\n\n",
    "> @s\n\n@p\n\n",
    "@p See @u for @k.\n\n",
    "$@m = @m @m$ @k. @p\n\n",
    "EDIT: @s @p\n\n",
    "1) @k\n2) @k\n3) @k\n\n",
    "`@i` @k `@i.@i`. @s\n\n",
};

#define LINES(a) (a), sizeof(a) / sizeof *(a)
const synth_style_text synth_styles[SYNTH_STYLES] = {
    [SYNTH_PROSE] = { "@T\n@p\n", LINES(prose) },
    [SYNTH_BOOK] = { "@T\n\nby @N @N\n\n\n@T\n\n@p\n\n", LINES(book) },
    [SYNTH_WIKI] = { "@T is @k, @k. @p\n\n", LINES(wiki) },
    [SYNTH_CODE] = { "/*\n * Copyright (c) @y @N @N\n *\n * @s\n */\n\n", LINES(code) },
    [SYNTH_LATEX] = { "\\section{Introduction}\n\\label{sec:@w}\n\n@p\n\n", LINES(latex) },
    [SYNTH_ANSWERS] = { "Q: @T @k?\n\n@p\n\n", LINES(answers) },
};
