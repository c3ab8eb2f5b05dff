# No output replaces an input, by whatever name or link: refused before anything is written.
g=$LM_SRC/tests/golden/plan-v1
cp "$g/store.lmt" "$g/recipe.json" "$g/hist.json" "$g/plan.json" .
mkdir parts d
cp store.lmt parts/part-00001-of-00001.lmt
ln -s store.lmt soft.lmt
ln store.lmt hard.lmt
ln -s parts to-parts
lmmix -q plan.json store.lmt -o mix.lmt
find . -type f -exec md5sum {} + | sort > before

refused() { # OUTPUT COMMAND...
    local output=$1 status=0; shift
    timeout 20 "$@" > out 2> err < "${stdin:-/dev/null}" || status=$?
    [ $status = 2 ] && grep -qF "$output: is an input, too" err || { echo "$*: exit $status"; cat err; exit 1; }
    rm out err
    find . -type f ! -name before ! -name now -exec md5sum {} + | sort > now
    diff <(grep -v ' ./before$' before) now
    rm now
}
plan="lmplan -q -r recipe.json -L 512"
for o in store.lmt ./store.lmt hard.lmt; do refused $o $plan -o $o store.lmt; done
refused store.lmt $plan -o soft.lmt store.lmt
refused hist.json $plan -o hist.json hist.json
stdin=hist.json refused hist.json $plan -o hist.json -
refused recipe.json $plan -o recipe.json store.lmt
refused parts/part-00001-of-00001.lmt $plan -o parts/part-00001-of-00001.lmt parts
refused to-parts/part-00001-of-00001.lmt $plan -o to-parts/part-00001-of-00001.lmt parts

pack="lmpack -q -L 64 --force"
refused parts $pack -o parts parts
refused to-parts $pack -o to-parts parts
for name in shard-00000.lms shard-00007.lms manifest.json; do
    ln mix.lmt d/$name
    find . -type f -exec md5sum {} + | sort > before
    refused d/$name $pack -o d mix.lmt
    refused d/$name $pack -o d d/$name
    stdin=mix.lmt refused d/$name $pack -o d -
    rm d/$name
    ln parts/part-00001-of-00001.lmt d/$name
    find . -type f -exec md5sum {} + | sort > before
    refused d/$name $pack -o d parts
    rm d/$name
done
$pack -o d mix.lmt # nothing in the way

# Standard output, as cat refuses it.
cp d/manifest.json m.json
! timeout 20 lmcat m.json >> m.json 2> err
grep -q '^lmcat: standard output: is an input, too (m.json)' err
cmp m.json d/manifest.json
