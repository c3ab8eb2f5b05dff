# A new evaluation is one file and one line of list.c: with both, lmeval has it, its help and its
# options, and nothing else has changed.
CC=${CC:-gcc} CXX=${CXX:-g++}
[ "$(basename "$LM_BUILD")" = build ] || { echo "only with the build without switches"; exit 77; }
command -v "$CC" >/dev/null && command -v "$CXX" >/dev/null || { echo "no compiler"; exit 77; }

cat >dummy.c <<'END'
#include "eval/harness/harness.h"

static struct {
    cli_list words;
    uint64_t times;
} opt = { .times = 2 };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.words, "WORD...", "What to measure.", 1, 0 },
    { CLI_SIZE, "times", 'n', &opt.times, "N", "Times (2)." },
    { .kind = CLI_END },
};

static int run(eval_context *c)
{
    int rc = eval_begin(c, 0, lm_json_object());
    for (size_t i = 0; !rc && i < opt.words.n; i++) {
        if (eval_done(c, eval_cell("word", i))) continue;
        rc = eval_add(c, eval_cell("word", i), (double)(opt.times * i), lm_json_object());
    }
    if (!rc) eval_note(c, "%zu words", opt.words.n);
    return rc;
}

const eval_entry eval_dummy = {
    .command = { .name = "dummy",
                 .summary = "numbers of words",
                 .about = "Multiplies.",
                 .opts = opts,
                 .examples = "# two words\nlmeval dummy one two\n" },
    .run = run,
};
END
sed 's/^\( *\)EVALUATION(score).*/\1EVALUATION(score) \\\n\1EVALUATION(dummy)/' "$LM_SRC/eval/tasks/list.c" >list.c
diff "$LM_SRC/eval/tasks/list.c" list.c | grep -c '^>' || true # the line, and the \ of the one before
for f in dummy list; do "$CC" -std=c11 -D_GNU_SOURCE -I"$LM_SRC/include" -I"$LM_SRC" -c $f.c; done
mkdir bin
"$CXX" -fopenmp -o bin/lmeval list.o dummy.o "$LM_BUILD"/obj/tools/{lmeval,cli,cli_help,cli_out,model_options}.o \
    "$LM_BUILD"/lib{eval,train,internal}.a -lopenblas -lsimdjson -lsentencepiece -ljansson -lzstd -lz -lbz2 -llzma -lxxhash -lpcre2-8 \
    -lcairo -lm -lpthread
PATH=$PWD/bin:$PATH

lmeval --help | grep -A 1 '^  score'
lmeval dummy --help | sed '/--output/,$d'
lmeval --examples | tail -n 2
lmeval --man | grep -A 1 '^.SS dummy'
lmeval dummy one two -n 5 -o r.jsonl
lmeval dummy one two three -n 5 -o r.jsonl # resumes
sed 's/"settings".*//' r.jsonl
status=0; lmeval dummy one --stride 3 2>&1 || status=$?; echo "exit $status"
status=0; lmeval ppl --times 3 2>&1 || status=$?; echo "exit $status"
status=0; lmeval dummy 2>&1 || status=$?; echo "exit $status"
