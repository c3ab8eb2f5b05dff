# The installed library: headers that compile alone, only the public symbols, and a program built
# against it with pkg-config, shared and static.
case $LM_BUILD in */build) ;; *) echo "skipped: only the plain build installs a library" >&2; exit 77 ;; esac
command -v pkg-config >/dev/null || { echo "skipped: pkg-config is absent" >&2; exit 77; }
cc=${CC:-gcc} cxx=${CXX:-g++} root=$PWD/root
install() { env -u MAKEFLAGS -u MAKELEVEL make -s -C "$LM_SRC" -o all DESTDIR="$root" PREFIX=/usr "$@"; }
install install
lib=$root/usr/lib
# pkg-config does not prepend the sysroot to paths that begin with it, so the prefix is set.
pc() { PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=prefix="$root/usr" "$@" longmix; }

# Headers.
for h in "$root"/usr/include/longmix/*.h; do
    name=longmix/$(basename "$h")
    echo "#include \"$name\"" | $cc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only $(pc --cflags) -x c - ||
        { echo "$name is not C11"; exit 1; }
    echo "#include \"$name\"" | $cxx -Wall -Wextra -Werror -fsyntax-only $(pc --cflags) -x c++ - ||
        { echo "$name is not C++"; exit 1; }
done

# Symbols: the same in both libraries, all public, and every declared function among them.
nm -D --defined-only "$lib/liblongmix.so" | awk '{ print $3 }' | sort >shared
nm -g --defined-only "$lib/liblongmix.a" | awk 'NF == 3 { print $3 }' | sort >static
cmp shared static
[ "$(wc -l <shared)" -gt 100 ]
if grep -v '^lm_' shared; then echo "symbols without lm_"; exit 1; fi
for h in "$root"/usr/include/longmix/*.h; do echo "#include \"$h\""; done >all.c
if $cc -aux-info declared -fsyntax-only $(pc --cflags) all.c 2>/dev/null && [ -s declared ]; then
    sed -n 's|^/\* [^ ]*/longmix/[^ ]* [*]/ extern .*[ *]\(lm_[a-z0-9_]*\) (.*|\1|p' declared | sort -u >functions
    [ "$(wc -l <functions)" -gt 100 ]
    comm -23 functions shared >missing
    [ ! -s missing ] || { echo "declared but not exported:"; cat missing; exit 1; }
    comm -13 functions shared >more # data
    while read -r s; do
        grep -q "^extern .*\<$s\>" "$root"/usr/include/longmix/*.h || { echo "$s: exported but not declared"; exit 1; }
    done <more
fi
readelf -d "$lib/liblongmix.so" | grep -q 'SONAME.*\[liblongmix.so.0\]'

# A program.
lmtok -q -m "$LM_SRC/tests/data/tokenizer.model" "$LM_SRC/tests/data/stories.jsonl.gz" | lmpack -q -L 256 -o shards
$cc -Wall -Wextra -Werror "$LM_SRC/examples/read_shards.c" -o with-shared $(pc --cflags --libs)
$cc -Wall -Wextra -Werror "$LM_SRC/examples/read_shards.c" -o with-static $(pc --cflags) \
    $(pc --static --libs | sed 's/-llongmix/-l:liblongmix.a/')
readelf -d with-shared | grep -q 'NEEDED.*\[liblongmix.so.0\]'
if readelf -d with-static | grep 'NEEDED.*longmix'; then exit 1; fi
LD_LIBRARY_PATH=$lib ./with-shared shards 1 >a
./with-static shards 1 >b
cmp a b
head -n 1 a
[ "$(pc --modversion)" = "$(lmtok --version | sed -n '1s/.* //p')" ]

install uninstall
find "$root" ! -type d | { ! grep .; } || { echo "left behind by uninstall"; exit 1; }
