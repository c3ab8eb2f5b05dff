# Generate text in a small synthetic language from a seed (docs/toy.md).
#
#   awk -f toy-corpus.awk -v what=words                              the vocabulary
#   awk -f toy-corpus.awk -v c=64 -v seed=1 -v tokens=1000000        documents, as JSONL
#       -v only=Book -v least=128                                    of one source, >= 128 words
#   awk -f toy-corpus.awk -v what=haystack -v seed=3 -v tokens=900   sentences to hide a needle in
#       -v others=3                                                  with 3 distractor pairs
#   awk -f toy-corpus.awk -v what=needle -v seed=3                   the needle: K03 V11|4 0 7
#
# Every word is one token of the vocabulary that toy-vocab.awk writes. The output is a function of
# the options; it has the same bytes with every awk whose numbers are doubles.

# ---- random numbers: Lehmer generator, exact in doubles ----------------------------------------

function unit() { state = (state * 48271) % 2147483647; return state / 2147483647 }
function below(n) { return int(unit() * n) }
function start(s, i) { state = 1 + s * 7919 % 2147483646; for (i = 0; i < 8; i++) unit() }
function normal(u) { u = unit(); return sqrt(-2 * log(u)) * cos(6.283185307179586 * unit()) }

# ---- the language ------------------------------------------------------------------------------

function word(i) { return sprintf("w%02d", i) }
function key(i) { return sprintf("K%02d", i) }
function value(i) { return sprintf("V%02d", i) }

# Seven sources: share of the tokens, median of the log-normal length in units of c, sigma.
function source(name, label, share, median, sigma) {
    names[n_sources] = name; labels[n_sources] = label; share_of[n_sources] = share
    median_of[n_sources] = median; sigma_of[n_sources++] = sigma
}

# A source uses twelve words, eight common and four of its own. The next word depends on the last
# two. The same four words may follow in every source, with probabilities 0.5, 0.25, 0.15 and 0.1,
# but their order of probability differs by source. The tables define the language and are the same
# for all seeds.
function make_language(d, a, i, j, k, t) {
    n_sources = 0
    source("CommonCrawl", "RedPajamaCommonCrawl", 0.40, 0.40, 0.8)
    source("C4", "RedPajamaC4", 0.22, 0.30, 0.8)
    source("GitHub", "RedPajamaGithub", 0.10, 0.60, 0.8)
    source("ArXiv", "RedPajamaArXiv", 0.08, 3.5, 0.6)
    source("Book", "RedPajamaBook", 0.08, 12, 0.4)
    source("Wikipedia", "RedPajamaWikipedia", 0.07, 0.40, 0.8)
    source("StackExchange", "RedPajamaStackExchange", 0.05, 0.35, 0.8)
    start(20240215)
    for (a = 0; a < 12; a++) for (i = 0; i < 12; i++) {
        for (j = 0; j < 12; j++) t[j] = j
        for (j = 0; j < 4; j++) {
            k = j + below(12 - j)
            next_of[a, i, j] = t[k]; t[k] = t[j]
        }
    }
    for (d = 0; d < n_sources; d++) for (i = 0; i < 12; i++) turn_of[d, i] = below(4)
}

# The word that follows `before` and `at`, as 0..11 of the source; and its name.
function follow(d, before, at, u) {
    u = unit()
    u = u < 0.5 ? 0 : u < 0.75 ? 1 : u < 0.9 ? 2 : 3
    return next_of[before, at, (u + turn_of[d, at]) % 4]
}
function name_of(d, at) { return word(at < 8 ? at : at + 4 * d) }

# The facts of a document: `entities` keys with a value each, and a number.
function new_subject(n, i, k, t) {
    entities = n
    for (i = 0; i < pairs; i++) t[i] = i
    for (i = 0; i < n; i++) {
        k = i + below(pairs - i)
        pair_of[i] = key(t[k]) " " value(below(pairs)) " . "
        t[k] = t[i]
    }
    number = digits()
}
function digits(s, i) { for (i = 0; i < 3; i++) s = s below(10) " "; return s }

# n words of text. With `every`, one word in `every` is followed by an entity, and one in `far` by
# the number.
function prose(d, n, every, far, s, before, at, next_word) {
    before = below(12)
    at = below(12)
    while (n > 0) {
        next_word = follow(d, before, at)
        before = at
        at = next_word
        s = s name_of(d, at) " "
        n--
        if (every && n > 2 && below(every) == 0) {
            s = s pair_of[below(entities)]
            n -= 3
        }
        if (every && n > 4 && below(far) == 0) {
            s = s "number " number ". "
            n -= 5
        }
    }
    return s
}

# A document of about n words with questions about its content: twice for a pass key, or repeatedly
# for four pairs.
function recall(d, n, s, i, k, seen) {
    new_subject(4)
    if (below(2)) {
        n -= 27
        i = below(n / 2 + 1)
        k = below(n / 2 + 1)
        return prose(d, i) "the pass key is " number ". " prose(d, k) "what ? the pass key is " number ". " \
            prose(d, n - i - k) "what ? the pass key is " number ". "
    }
    for (; n >= 8; n -= k + 5) {
        k = below(6)
        i = below(4)
        s = s prose(d, k) (i in seen ? "what ? " : "remember ") pair_of[i]
        seen[i] = 1
    }
    return s
}

# ---- output ----------------------------------------------------------------------------------

function print_document(d, text) {
    sub(/ $/, "", text)
    printf "{\"text\": \"%s\", \"meta\": {\"redpajama_set_name\": \"%s\"}}\n", text, labels[d]
}

# The next source is the one furthest behind its share. One token in four is in a recall document.
function documents(d, i, best, lag, n, all) {
    while (all < tokens) {
        best = -1e300
        for (i = 0; i < n_sources; i++) {
            if (only != "" && only != names[i]) continue
            lag = share_of[i] * all - given[i] + unit()
            if (lag > best) { best = lag; d = i }
        }
        n = int(c * median_of[d] * exp(sigma_of[d] * normal()))
        if (n < 8) n = 8
        if (n > 26 * c) n = 26 * c
        if (least == 0 && recalled[d] < 0.25 * given[d]) {
            n = 32 + below(c - 32)
            recalled[d] += n
            print_document(d, recall(d, n))
        } else if (n >= least) {
            new_subject(n < 48 ? 3 : n < 240 ? 6 : 12)
            print_document(d, prose(d, n, 6, n < 60 ? 10 : n < 600 ? int(n / 6) : 100))
        } else continue
        given[d] += n + 1
        all += n + 1
    }
}

# Sentences of eight Book words to insert needles into; with `others`, that many distractor pairs.
function haystack(i, k) {
    for (i = 0; i < tokens; i += 9) {
        if (k < others && i >= k * tokens / others) printf "remember %s", pair_of[k++]
        printf "%s. ", prose(4, 8)
    }
    print ""
}

function words(i) {
    for (i = 0; i < 36; i++) print word(i)
    for (i = 0; i < pairs; i++) print key(i)
    for (i = 0; i < pairs; i++) print value(i)
    for (i = 0; i < 10; i++) print i
    print "remember\nwhat\nthe\npass\nkey\nis\nnumber\n?\n."
}

BEGIN {
    pairs = 16
    make_language()
    start(seed + 1)
    new_subject(8)
    if (what == "words") words()
    else if (what == "haystack") haystack()
    else if (what == "needle") print substr(pair_of[7], 1, 7) "|" substr(number, 1, 5)
    else documents()
}
