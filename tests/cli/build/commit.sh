# The commit of the build: in --version, the last line of -v and result lines, and in no data
# output.
built=$(cat "$LM_BUILD/obj/commit")
[ -n "$built" ]
for program in "$LM_BUILD"/bin/lm*; do
    "$program" --version | grep -qxF "commit: $built" || { echo "$program --version does not say $built"; exit 1; }
done
echo '{"prediction": "4711", "answer": "4711"}' >passkey.jsonl
lmeval score passkey passkey.jsonl | grep -qF "\"commit\":\"$built\"" || { echo "a result line without $built"; exit 1; }
lmtok -v -m "$LM_SRC/tests/data/tokenizer.model" -o s.lmt "$LM_SRC/tests/data/stories.jsonl.gz" 2>err
tail -n 1 err | grep -qF "($built);" || { echo "the last line of -v without $built"; cat err; exit 1; }
release=$(sed -n 's/^#define LM_VERSION "\([^"]*\)".*/\1/p' "$LM_SRC/include/longmix/version.h")
if [ "$built" != "$release" ] && grep -qaF "$built" s.lmt; then echo "the store holds the commit"; exit 1; fi

# scripts/commit.sh: a tag, a changed file, an archive, and a tree inside another repository.
command -v git >/dev/null || { echo "skipped: git is absent"; exit 77; }
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git() { command git -c user.name=t -c user.email=t@example.org -c init.defaultBranch=main "$@"; }
mkdir -p tree/scripts tree/include/longmix && cp "$LM_SRC/scripts/commit.sh" tree/scripts
cp "$LM_SRC/include/longmix/version.h" tree/include/longmix && cp "$LM_SRC/.gitattributes" tree
git init -q outer && cp -r tree outer && (cd outer && git add . && git commit -qm outer)
[ "$(outer/tree/scripts/commit.sh)" = "$release" ] || { echo "the commit of another repository"; exit 1; }
cd tree && git init -q . && git add . && git commit -qm tree
hash=$(git rev-parse --short HEAD)
[ "$(scripts/commit.sh)" = "$hash" ] || { echo "not $hash"; exit 1; }
git tag v9 && [ "$(scripts/commit.sh)" = v9 ] || { echo "not v9"; exit 1; }
git archive --prefix=archive/ HEAD | tar -xf - -C ..
[ "$(../archive/scripts/commit.sh)" = "$hash" ] || { echo "the archive does not say $hash"; exit 1; }
echo >>scripts/commit.sh && [ "$(scripts/commit.sh)" = v9-dirty ] || { echo "not v9-dirty"; exit 1; }
