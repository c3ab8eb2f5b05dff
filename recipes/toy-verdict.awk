# Compute the tables and verdicts of toy-papers.sh from its result lines and print them as Markdown.
# The rules are in docs/toy.md.
#
#   awk -f toy-verdict.awk -v c=64 -v seeds="1 2 3" results/*.jsonl > verdicts.md
#
# With -v summary=1: print pass key accuracy as result lines for lmplot.

function text(field, s) {
    return match($0, "\"" field "\":\"[^\"]*\"") ? substr($0, RSTART + length(field) + 4, RLENGTH - length(field) - 5) : ""
}
function num(field) {
    return match($0, "\"" field "\":[-0-9.e+]+") ? substr($0, RSTART + length(field) + 3, RLENGTH - length(field) - 3) + 0 : ""
}

# ---- input: results/KIND.MODEL-SEED[.FORM][.NEEDLE].jsonl --------------------------------------

FNR == 1 {
    name = FILENAME
    sub(/.*\//, "", name)
    n = split(name, part, ".")
    kind = part[1]
    seed = part[2]
    sub(/.*-/, "", seed)
    model = part[2]
    sub(/-[^-]*$/, "", model)
    form = kind == "ppl" || n == 5 ? part[3] : ""
    run = model (form == "" ? "" : "." form)
}
kind == "ppl" && text("mode") == "full" { ppl[form, seed, num("length")] = num("value") }
kind == "ppl" && text("mode") == "tail" { tail[form, seed, num("length")] = num("value") }
(kind == "passkey" || kind == "pair") && text("score") == "exact" {
    hits[kind, run, seed, num("length")] += num("value")
    trials[kind, run, seed, num("length")]++
    deep_hits[kind, run, seed, num("length"), num("depth")] += num("value")
    deep[kind, run, seed, num("length"), num("depth")]++
    if (model == "per-source" && form != "" && !(form in step_seen)) { step_seen[form]; steps[n_steps++] = form + 0 }
}
kind == "compare" && text("range") != "" {
    of = text("results")
    sub(/.*domains\./, "", of)
    sub(/-[^-]*$/, "", of)
    d = text("domain")
    if (!(d in domain_seen)) { domain_seen[d]; domains[n_domains++] = d }
    if (!(text("range") in range_seen)) { range_seen[text("range")]; ranges[n_ranges++] = text("range") }
    delta[of, d, text("range"), seed] = num("value")
    delta_error[of, d, text("range"), seed] = num("error")
    base_loss[d, text("range"), seed] = num("base_loss")
    count[d, text("range")] = num("tokens")
}

# ---- statistics over seeds -----------------------------------------------------------------------

# Mean and sample standard deviation of v[1..S].
function mean(v, i, s) { for (i = 1; i <= S; i++) s += v[i]; return s / S }
function spread(v, i, m, s) {
    m = mean(v)
    for (i = 1; i <= S; i++) s += (v[i] - m) ^ 2
    return S > 1 ? sqrt(s / (S - 1)) : 0
}
function shown(v, digits) { return sprintf("%." digits "f ± %." digits "f", mean(v), spread(v)) }

# Set acc[1..S] to the accuracy over a list of lengths, per seed; return the standard error of the
# mean.
function accuracy(kind, run, lengths, i, k, n, l, h, t, p, all_h, all_t, binomial, between) {
    n = split(lengths, l, ",")
    for (i = 1; i <= S; i++) {
        h = t = 0
        for (k = 1; k <= n; k++) { h += hits[kind, run, seed_of[i], l[k]]; t += trials[kind, run, seed_of[i], l[k]] }
        acc[i] = t ? h / t : 0
        all_h += h
        all_t += t
    }
    p = all_t ? all_h / all_t : 0
    binomial = all_t ? sqrt(p * (1 - p) / all_t) : 0
    between = S >= 3 ? spread(acc) / sqrt(S) : 0
    return binomial > between ? binomial : between
}
function perplexity(form, length_, i) { for (i = 1; i <= S; i++) value[i] = ppl[form, seed_of[i], length_] }
function end_perplexity(form, length_, i) { for (i = 1; i <= S; i++) value[i] = tail[form, seed_of[i], length_] }
function difference(of, d, range, i) { for (i = 1; i <= S; i++) value[i] = delta[of, d, range, seed_of[i]] }

function verdict(h, claim, what, pass) { printf "| %s | %s | %s | **%s** |\n", h, claim, what, pass ? "PASS" : "FAIL" }

# ---- tables --------------------------------------------------------------------------------------

function row_of_lengths(kind, run, label, k) {
    printf "| %s |", label
    for (k = 1; k <= L; k++) {
        if (kind == "ppl") perplexity(run, lengths[k])
        else if (kind == "tail") end_perplexity(run, lengths[k])
        else accuracy(kind, run, lengths[k])
        if (kind == "ppl" || kind == "tail") printf " %s |", shown(value, mean(value) < 100 ? 2 : 0)
        else printf " %s |", shown(acc, 2)
    }
    print ""
}
function head(title, k) {
    printf "\n%s\n\n| |", title
    for (k = 1; k <= L; k++) printf " %d |", lengths[k]
    printf "\n|---|"
    for (k = 1; k <= L; k++) printf "--:|"
    print ""
}

function tables(k, i, j, r) {
    head("Perplexity of the base models by length:")
    for (k = 1; k <= F; k++) row_of_lengths("ppl", forms[k], forms[k])
    head("Perplexity of the last c tokens of each window (not used by any rule):")
    for (k = 1; k <= F; k++) row_of_lengths("tail", forms[k], forms[k])
    head("Pass key accuracy, base models:")
    for (k = 1; k <= F; k++) row_of_lengths("passkey", "base." forms[k], forms[k])
    head("Accuracy for one pair among four, base models (chance 0.06; 0.25 for picking any of the four):")
    for (k = 1; k <= F; k++) row_of_lengths("pair", "base." forms[k], forms[k])
    head("Pass key accuracy after continual training, by mixture:")
    for (k = 1; k <= M; k++) row_of_lengths("passkey", mixtures[k], mixtures[k])
    head("Accuracy for one pair among four after continual training:")
    for (k = 1; k <= M; k++) row_of_lengths("pair", mixtures[k], mixtures[k])
    head("Pass key accuracy of the per-source checkpoints, by step:")
    for (k = 0; k < n_steps; k++) row_of_lengths("passkey", "per-source." steps[k], steps[k])

    printf "\nLoss by source and position, and its difference from `original`:\n\n| source, range | tokens | original |"
    for (k = 2; k <= M; k++) printf " %s |", mixtures[k]
    printf "\n|---|--:|--:|"
    for (k = 2; k <= M; k++) printf "--:|"
    print ""
    for (i = 0; i < n_domains; i++) for (j = 0; j < n_ranges; j++) {
        for (k = 1; k <= S; k++) value[k] = base_loss[domains[i], ranges[j], seed_of[k]]
        printf "| %s %s | %d | %s |", domains[i], ranges[j], count[domains[i], ranges[j]], shown(value, 3)
        for (k = 2; k <= M; k++) {
            difference(mixtures[k], domains[i], ranges[j])
            printf " %+.3f ± %.3f |", mean(value), spread(value)
        }
        print ""
    }
}

# ---- hypotheses ----------------------------------------------------------------------------------

function h1(i, rope, dca, ok, s) {
    ok = 1
    for (i = 1; i <= S; i++) {
        rope = ppl["rope", seed_of[i], 8 * c] / ppl["rope", seed_of[i], c]
        dca = ppl["dca", seed_of[i], 8 * c] / ppl["rope", seed_of[i], c]
        if (!(rope > 2 && dca < 1.1)) ok = 0
        s = s sprintf("%sRoPE %.2f, DCA %.2f", i > 1 ? "; " : "", rope, dca)
    }
    verdict("H1", "PPL at 8c over PPL at c", s, ok)
}
function h2(i, d, worst) {
    for (i = 1; i <= S; i++) {
        d = ppl["dca", seed_of[i], c] / ppl["rope", seed_of[i], c] - 1
        if (d < 0) d = -d
        if (d > worst) worst = d
    }
    verdict("H2", "DCA is RoPE at c", sprintf("largest relative difference of PPL %.1e", worst), worst < 1e-5)
}
function h3(all, part, a, ea, b, eb, e) {
    perplexity("dca", 8 * c); all = mean(value)
    perplexity("intra+inter", 8 * c); part = mean(value)
    ea = accuracy("passkey", "base.dca", 4 * c); a = mean(acc)
    eb = accuracy("passkey", "base.intra", 4 * c); b = mean(acc)
    e = sqrt(ea ^ 2 + eb ^ 2)
    verdict("H3", "each part of DCA is needed", sprintf("PPL %.2f with all components, %.2f without successive; pass key %.2f with all, %.2f with intra only (± %.2f)",
        all, part, a, b, e), all <= part && a - b > 2 * e)
}
function h4(i, j, worst, cell, book, other, m, ok) {
    worst = book = -1e9
    other = -1e9
    for (i = 0; i < n_domains; i++) for (j = 0; j < n_ranges; j++) {
        if (domains[i] == "all") continue
        difference("per-source", domains[i], ranges[j])
        m = mean(value)
        if (m > worst) { worst = m; cell = domains[i] " " ranges[j] }
        difference("up-book", domains[i], ranges[j])
        m = mean(value)
        if (domains[i] == "Book") { if (m > book) book = m }
        else if (m > other) other = m
    }
    verdict("H4", "per-source hurts no source; up-book buys Book",
        sprintf("per-source: worst cell %+.3f (%s); up-book: worst Book cell %+.3f, worst cell of the other sources %+.3f", worst, cell, book, other),
        worst <= 0.01 && book < 0 && other > 0)
}
function h5(j, d, t, i, a, ea, b, eb, e) {
    for (j = 0; j < n_ranges; j++) {
        difference("per-source", "all", ranges[j])
        d += mean(value) * count["all", ranges[j]]
        t += count["all", ranges[j]]
    }
    d /= t
    ea = accuracy("passkey", "original", middle); a = mean(acc)
    eb = accuracy("passkey", "per-source", middle); b = mean(acc)
    e = sqrt(ea ^ 2 + eb ^ 2)
    verdict("H5", "loss hides retrieval", sprintf("loss differs by %+.3f; pass key %.2f original, %.2f per-source (± %.2f)", d, a, b, e),
        (d < 0 ? -d : d) < 0.02 && (a > b ? a - b : b - a) > 2 * e)
}
# Checkpoint n was saved after n eighths of the tokens; the last one is the final model.
function h6(k, n, first, e1, half, last, e2, start_, at8, at13) {
    n = n_steps
    e1 = accuracy("passkey", "per-source." steps[1], middle); first = mean(acc)
    accuracy("passkey", "per-source." steps[0], middle); start_ = mean(acc)
    accuracy("passkey", "per-source." steps[int(n / 2)], middle); half = mean(acc)
    e2 = accuracy("passkey", "per-source." steps[n - 1], middle); last = mean(acc)
    accuracy("passkey", "per-source", 8 * c); at8 = mean(acc)
    accuracy("passkey", "per-source", 13 * c); at13 = mean(acc)
    verdict("H6", "retrieval rises and saturates", sprintf("%.2f before, %.2f after 1/8, %.2f after 1/2, %.2f at the end (± %.2f); %.2f at 8c, %.2f at 13c",
        start_, first, half, last, sqrt(e1 ^ 2 + e2 ^ 2), at8, at13),
        last - first > 2 * sqrt(e1 ^ 2 + e2 ^ 2) && last - half < (half - start_) / 2 && at13 >= at8 / 2)
}

# One JSON line per model, length and depth, for lmplot.
function summaries(key, k, name) {
    for (key in deep) {
        split(key, k, SUBSEP)
        if (k[1] != "passkey") continue
        name = k[2]
        if (sub(/^per-source\./, "", name)) name = sprintf("per-source/checkpoint-%08d", name)
        else if (k[2] == "per-source") name = "per-source"
        printf "{\"eval\":\"passkey\",\"model\":\"%s\",\"trained\":%d,\"length\":%d,\"depth\":%d,\"value\":%.4f,\"seed\":%d}\n",
            name, k[2] ~ /^base/ ? c : 8 * c, k[4], k[5], deep_hits[key] / deep[key], k[3]
    }
}

function sort_steps(i, j, t) {
    for (i = 1; i < n_steps; i++) for (j = i; j > 0 && steps[j - 1] > steps[j]; j--) { t = steps[j]; steps[j] = steps[j - 1]; steps[j - 1] = t }
}

END {
    S = split(seeds, seed_of, " ")
    L = split(c "," 2 * c "," 4 * c "," 8 * c "," 13 * c, lengths, ",")
    F = split("rope linear ntk dynamic yarn dca chunkllama intra+inter intra", forms, " ")
    M = split("original cut-c per-source global up-book", mixtures, " ")
    middle = 2 * c "," 4 * c "," 8 * c
    sort_steps()
    if (summary) { summaries(); exit }
    print "| | claim | measured | |"
    print "|---|---|---|---|"
    h1(); h2(); h3(); h4(); h5(); h6()
    tables()
}
