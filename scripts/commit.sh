#!/bin/sh
# Print the commit of this source tree: `git describe`, or in an archive made by `git archive` the
# hash that .gitattributes puts below, or else the release.
set -eu
cd "$(dirname "$0")/.."
archived='$Format:%h$'
commit=
# A .git of its own: the tree may have been unpacked inside another repository.
[ ! -e .git ] || commit=$(git describe --always --dirty --tags 2>/dev/null) || commit=
if [ -z "$commit" ]; then
    case $archived in
        *Format*) commit=$(sed -n 's/^#define LM_VERSION "\([^"]*\)".*/\1/p' include/longmix/version.h) ;;
        *) commit=$archived ;;
    esac
fi
printf '%s\n' "$commit" | tr -cd '[:alnum:]._/+\n-'
