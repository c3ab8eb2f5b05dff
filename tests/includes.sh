#!/bin/bash
# The include rule of docs/architecture.md, checked against every #include line: which module may
# include which, which public header belongs to whom, and which file alone may use a third-party
# library. All sets are read from that page. Exits 1 and names each violation.
set -eu
cd "$(dirname "$0")/.."
find include lib train eval figures tools examples -type f \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) | LC_ALL=C sort |
LC_ALL=C xargs awk '
    function bad(text) { print text; violations++ }
    # The words of a table cell in backquotes, into out[1..n].
    function words(cell, out,    n, parts, i, k, w, j, m) {
        k = split(cell, parts, "`"); n = 0
        for (i = 2; i <= k; i += 2) {
            j = split(parts[i], w, " ")
            for (m = 1; m <= j; m++) out[++n] = w[m]
        }
        return n
    }
    # The module that holds a path: the longest path of the table that it begins with.
    function module_of(path,    p) {
        for (p = path; p != ""; ) {
            if (p in module) return module[p]
            if (!sub(/\/[^\/]*$/, "", p)) break
        }
        return ""
    }
    function directory(path) { sub(/\/[^\/]*$/, "", path); return path }
    # A circle among the modules: depth first over what the table allows.
    function visit(v,    i, j, w, line) {
        state[v] = 1; stack[++top] = v
        for (i = 1; i <= allowed[v]; i++) {
            w = allow[v, i]
            if (state[w] == 1) {
                line = w
                for (j = top; stack[j] != w; j--) line = stack[j] " > " line
                bad("docs/architecture.md: modules include each other in a circle: " w " > " line)
            } else if (!state[w]) visit(w)
        }
        top--; state[v] = 2
    }
    BEGIN {
        while ((getline row < "docs/architecture.md") > 0) {
            if (row ~ /^## /) section = row
            if (row !~ /^\| *`/ && row !~ /^\| [a-zA-Z]/) continue
            split(row, cell, "|")
            if (section == "## Modules" && row ~ /^\| *`/) {
                n = words(cell[2], w); name = w[1]; modules++
                for (i = 1; i <= n; i++) module[w[i]] = name
                n = words(cell[3], w)
                for (i = 1; i <= n; i++) module["include/longmix/" w[i] ".h"] = name
                n = words(cell[4], w)
                for (i = 1; i <= n; i++) { allow[name, ++allowed[name]] = w[i]; may[name, w[i]] = 1 }
            } else if (section == "## Third-party libraries" && words(cell[3], w) > 0) {
                n = words(cell[3], w); k = words(cell[4], where); libraries++
                for (i = 1; i <= n; i++)
                    for (j = 1; j <= k; j++) { pattern[++patterns] = w[i]; owner[patterns] = where[j] }
            }
        }
        if (modules < 20 || libraries < 8)
            bad("docs/architecture.md: only " modules + 0 " modules and " libraries + 0 " libraries found")
        for (key in may) {
            split(key, pair, SUBSEP)
            if (!(pair[2] in module) || module[pair[2]] != pair[2])
                bad("docs/architecture.md: " pair[1] " may include " pair[2] ", which is no module")
        }
        for (p in module) if (!state[module[p]]) visit(module[p])
    }
    FNR == 1 {
        files++
        mine = module_of(FILENAME)
        if (mine == "") bad(FILENAME ": belongs to no module of docs/architecture.md")
        library = mine ~ /^lib\//
        comment = 0
    }
    # Third-party headers and OpenMP pragmas (`#pragma.omp` in the table).
    function third_party(text,    i, known, fine) {
        for (i = 1; i <= patterns; i++) {
            if (text !~ "^" pattern[i] "$") continue
            known = 1; met[owner[i]] = 1
            if (FILENAME == owner[i] || index(FILENAME, owner[i] "/") == 1) fine = 1
        }
        if (known && !fine) bad(FILENAME ":" FNR ": uses " text ", which only its file in the table may")
    }
    /^[ \t]*#[ \t]*pragma[ \t]+omp/ { third_party("#pragma omp") }
    /^[ \t]*#[ \t]*include/ {
        match($0, /[<"][^>"]+[>"]/)
        quoted = substr($0, RSTART, 1) == "\""
        inc = substr($0, RSTART + 1, RLENGTH - 2)
        if (!quoted) { third_party(inc); next }
        path = inc ~ /^longmix\// ? "include/" inc : inc ~ /\// ? inc : directory(FILENAME) "/" inc
        theirs = module_of(path)
        if (theirs == "") bad(FILENAME ":" FNR ": includes " inc ", which is of no module")
        else if (theirs != mine) {
            if (!((mine, theirs) in may)) bad(FILENAME ":" FNR ": " mine " may not include " inc)
            used[mine, theirs] = 1
            if (inc ~ /(^|\/)internal\.h$/) bad(FILENAME ":" FNR ": " inc " is private to " theirs)
        }
        next
    }
    library {                       # neither prints nor exits: code without comments and strings
        line = $0
        gsub(/"(\\.|[^"\\])*"/, "", line); gsub(/\/\*.*\*\//, "", line); sub(/\/\/.*/, "", line)
        if (comment && sub(/.*\*\//, "", line)) comment = 0
        if (comment) next
        if (sub(/\/\*.*/, "", line)) comment = 1
        if (line ~ /(^|[^a-zA-Z0-9_.>])(exit|abort|perror|printf|puts)[ \t]*\(/)
            bad(FILENAME ":" FNR ": the library neither prints nor exits")
    }
    END {
        for (key in may) {
            split(key, pair, SUBSEP)
            if (!(key in used)) bad("docs/architecture.md: " pair[1] " may include " pair[2] ", and does not")
        }
        for (i = 1; i <= patterns; i++)
            if (!(owner[i] in met)) {
                bad("docs/architecture.md: " owner[i] " does not use " pattern[i]); met[owner[i]] = 1
            }
        print files " files, " modules " modules, " libraries " libraries, " violations + 0 " violations"
        exit violations > 0
    }'
