#!/bin/bash
# Files that call each other in a circle, from the symbol tables of the objects in $LM_BUILD: a file
# of a module must not use another that uses it, even indirectly. Exits 1 and names each circle.
set -eu
cd "$(dirname "$0")/.."
obj=${LM_BUILD:-build}/obj
command -v nm >/dev/null || { echo "skipped: nm is absent"; exit 77; }
find "$obj/lib" "$obj/train" "$obj/eval" "$obj/figures" -name '*.o' | LC_ALL=C sort | while read -r o; do
    f=${o#"$obj"/} && f=${f%.o}
    [ -e "$f.c" ] || [ -e "$f.cc" ] || [ -e "$f.cu" ] || continue # the source has moved
    echo "file $f"
    nm "$o"
done | awk '
    $1 == "file" { f = $2; next }
    NF == 3 && $2 ~ /^[TDBRVWC]$/ { def[$3] = f }
    NF == 2 && $1 == "U" { use[++n] = f; sym[n] = $2 }
    function visit(v,    i, w) {            # depth first; a file on the stack again closes a circle
        state[v] = 1; stack[++top] = v
        for (i = 1; i <= deg[v]; i++) {
            w = to[v, i]
            if (state[w] == 1) report(w, v)
            else if (!state[w]) visit(w)
        }
        top--; state[v] = 2
    }
    function report(w, v,    i, line) {
        for (i = top; stack[i] != w; i--) line = " > " stack[i] line
        print w line " > " w " (" why[v, w] ")"; circles++
    }
    END {
        for (i = 1; i <= n; i++) {
            d = def[sym[i]]
            if (d == "" || d == use[i]) continue
            if (!((use[i], d) in why)) { to[use[i], ++deg[use[i]]] = d; why[use[i], d] = sym[i] }
        }
        for (f in deg) if (!state[f]) visit(f)
        print n " uses of symbols, " circles + 0 " circles"
        exit circles > 0
    }'
