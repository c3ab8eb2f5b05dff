#!/bin/bash
# docs/man/*.1 equal the output of --man, one for each tool, and no other page exists.
cd "$(dirname "$0")/.." || exit 1
status=0
for tool in tools/lm*.c; do
    name=$(basename "$tool" .c)
    if ! diff -u "docs/man/$name.1" <("$name" --man); then
        echo "docs/man/$name.1 is not what $name --man prints: run make man"
        status=1
    fi
    "$name" --help | grep -q "^usage: $name" || { echo "$name --help has no usage line"; status=1; }
done
for page in docs/man/*.1; do
    [ -f "tools/$(basename "$page" .1).c" ] || { echo "$page has no tool"; status=1; }
done
exit $status
