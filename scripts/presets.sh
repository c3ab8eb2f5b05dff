#!/bin/sh
# usage: presets.sh FILE.json...
# Print C source with the domain tables FILE, each under its base name, for lib/domain.
set -eu
echo '#include "lib/domain/internal.h"'
echo 'const lm_preset lm_presets[] = {'
for f in "$@"; do
    name=${f##*/}
    printf '{ "%s",\n' "${name%.json}"
    sed 's/\\/\\\\/g; s/"/\\"/g; s/?/\\?/g; s/^ *//; s/.*/"&\\n"/' "$f"
    echo '},'
done
echo '{ 0, 0 } };'
