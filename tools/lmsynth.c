/* lmsynth.c -- generate a synthetic corpus like SlimPajama. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "cli.h"
#include "longmix/json.h"
#include "lib/io/lock.h"
#include "lib/synth/synth.h"
#include "lib/base/threads.h"
#include "lib/io/output.h"
#include "longmix/zio.h"

static uint64_t bytes, seed, file_bytes = 64 * 1000 * 1000;
static const char *dir, *laws_path;
static int level = 1, threads, format;
static bool force;

static const cli_opt opts[] = {
    { CLI_SIZE, "bytes", 'b', &bytes, "N",
      "Bytes of text to generate, such as 100M or 60G. Required." },
    { CLI_SIZE, "seed", 's', &seed, "S",
      "Random seed; the words are the same for every seed. Default: 0." },
    { CLI_STR, "output", 'o', &dir, "DIR",
      "Write DIR/train-00000.jsonl.zst, ... and a summary, DIR/synth.json. Default: JSONL to "
      "standard output." },
    { CLI_SIZE, "file-bytes", 0, &file_bytes, "N", "Bytes of text per file. Default: 64M." },
    { CLI_CHOICE, "format", 0, &format, "zst|jsonl",
      "Compressed by zstd, or plain. Default: zst." },
    { CLI_INT, "level", 0, &level, "N", "zstd level; negative ones are faster. Default: 1.", -7,
      19 },
    { CLI_STR, "laws", 0, &laws_path, "FILE",
      "Domains, shares and length distributions instead of SlimPajama's (JSON, docs/synth.md)." },
    { CLI_FLAG, "force", 'f', &force, NULL, "Write into a folder that is not empty." },
    { CLI_THREADS, "threads", 'j', &threads, "N", "Threads, one file each. Default: all cores.", 0,
      1024 },
    { .kind = CLI_END },
};

static lm_synth *synth;
static lm_progress *progress;

static int put(void *out, const void *p, size_t n)
{
    int rc = lm_check_interrupt();
    if (rc) return rc;
    lm_progress_add(progress, n, 0);
    return lm_out_write(out, p, n);
}

/* Thread t of `threads` writes every threads-th file; each is renamed into place when complete. */
static int make_files(void *arg, int t)
{
    (void)arg;
    for (size_t i = (size_t)t; i < lm_synth_files(synth); i += (size_t)threads) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/train-%05zu.jsonl%s", dir, i, format ? "" : ".zst");
        if (n < 0 || (size_t)n >= sizeof path)
            return lm_fail(LM_EUSAGE, "%s: the name is too long", dir);
        lm_out *out = NULL;
        int rc = lm_out_open(&out, path, format ? LM_OUT_PLAIN : LM_OUT_ZSTD, level);
        if (!rc) rc = lm_synth_file(synth, i, put, out);
        if (rc) {
            lm_out_abandon(out);
            return rc;
        }
        rc = lm_out_commit(out);
        if (rc) return rc;
        lm_progress_add(progress, 0, 1);
    }
    return LM_OK;
}

static int to_stdout(void)
{
    lm_out *out = NULL;
    int rc = lm_out_open(&out, "-", LM_OUT_PLAIN, 0);
    for (size_t i = 0; !rc && i < lm_synth_files(synth); i++)
        rc = lm_synth_file(synth, i, put, out);
    if (!rc) return lm_out_commit(out);
    lm_out_abandon(out);
    return rc;
}

static lm_lock lock;

/* Create DIR and lock it, and check that it is empty: files of another corpus must not mix with this
 * one. */
static int prepare_dir(void)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/.lock" LM_TMP_SUFFIX, dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return lm_fail(LM_EUSAGE, "%s: the name is too long", dir);
    int rc = lm_make_dir(dir);
    if (rc) return rc;
    DIR *d = opendir(dir);
    if (!d) return lm_fail_errno(errno, "%s", dir);
    rc = lm_lock_take(&lock, path, LOCK_EX | LOCK_NB, dir);
    if (rc) {
        closedir(d);
        return rc;
    }
    bool empty = true;
    for (struct dirent *e; (e = readdir(d));) empty &= e->d_name[0] == '.';
    closedir(d);
    if (!empty && !force)
        return lm_fail(LM_EUSAGE, "%s: the folder is not empty; choose another, or use --force",
                       dir);
    return LM_OK;
}

static int write_summary(void)
{
    char path[4096];
    lm_json *o = lm_json_object(), *list = lm_json_array();
    lm_json_set_str(o, "longmix", LM_VERSION);
    lm_json_set_u64(o, "seed", seed);
    lm_json_set_u64(o, "bytes", bytes);
    lm_json_set_u64(o, "files", lm_synth_files(synth));
    lm_json_set_u64(o, "documents", lm_synth_documents(synth));
    lm_synth_sums sums;
    for (size_t i = 0; lm_synth_sums_get(synth, i, &sums); i++) {
        lm_json *d = lm_json_object();
        lm_json_set_str(d, "name", sums.name);
        lm_json_set_u64(d, "documents", sums.documents);
        lm_json_set_u64(d, "bytes", sums.bytes);
        lm_json_set(list, NULL, d);
    }
    lm_json_set(o, "domains", list);
    snprintf(path, sizeof path, "%s/synth.json", dir);
    int rc = lm_json_write(path, o);
    lm_json_free(o);
    return rc;
}

static int run(void)
{
    if (!bytes) return cli_usage("--bytes is missing");
    lm_json *laws = NULL;
    int rc = laws_path ? lm_json_load(&laws, laws_path, 1 << 20) : LM_OK;
    if (!rc) rc = lm_synth_new(&synth, seed, bytes, file_bytes, laws);
    if (rc) goto out;
    progress = cli_progress("files", bytes);
    if (!dir) {
        rc = to_stdout();
        goto out;
    }
    rc = prepare_dir();
    if (!rc) rc = lm_parallel(threads, make_files, NULL);
    if (!rc) rc = write_summary();
    if (!rc)
        cli_note("%s: %s documents, %s bytes of text, in %zu files", dir,
                 cli_count(lm_synth_documents(synth)), cli_count(bytes), lm_synth_files(synth));
out:
    lm_lock_release(&lock, true);
    lm_synth_free(synth);
    lm_json_free(laws);
    return rc;
}

static const cli_tool tool = {
    .name = "lmsynth",
    .summary = "generate a synthetic corpus like SlimPajama",
    .about =
        "Writes JSONL with SlimPajama's seven sets, their shares of the tokens, and log-normal "
        "lengths with the medians that Fu et al. measured. The text is meaningless, but it "
        "tokenizes (3.8 bytes per LLaMA-2 token) and compresses (2.5 to 3 times) like real text: "
        "prose, books, code, LaTeX, questions and answers, some in other scripts. Tails are "
        "heavier than SlimPajama's, so that a corpus of 17 billion tokens suffices for a mixture "
        "of 5 billion with 70 % of long documents in every domain.\n\n"
        "Equal options give equal bytes for any number of threads. Even files write \\uXXXX for "
        "non-ASCII characters, odd ones raw UTF-8; real files come in both styles.",

    .opts = opts,
    .examples = "# three megabytes in a new folder\n"
                "lmsynth --bytes 3M --seed 7 -o new-corpus\n"
                "# a look at its lines\n"
                "lmsynth --bytes 100K | cut -c 1-120 | tail -n 5\n",
    .see = "lmtok(1), lmhist(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
