/* Lists of inputs: what of a folder is read, what is not, and how files are called. */
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "longmix/docs.h"

#define DOCUMENT "{\"text\":\"a\"}\n"

static lm_files files;

static void put(const char *path, const char *s) { NEED(!lm_write_file(path, s, strlen(s))); }

static void put_zstd(const char *path, const char *s)
{
    lm_out *o = NULL;
    NEED(!lm_out_open(&o, path, LM_OUT_ZSTD, 1));
    NEED(!lm_out_write(o, s, strlen(s)) && !lm_out_commit(o));
}

static int expand(const char *const *args, size_t count)
{
    lm_files_free(&files);
    return lm_files_expand(&files, (char *const *)args, count, NULL);
}

static int expand1(const char *arg) { return expand(&arg, 1); }

static void check_names(const char *const *want, size_t n)
{
    CHECK_EQ(files.n, n);
    for (size_t i = 0; i < n && i < files.n; i++) CHECK_STR(files.name[i], want[i]);
}

#define NAMES(...)                                    \
    check_names((const char *const[]){ __VA_ARGS__ }, \
                sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void check_skipped(const char *name, const char *why)
{
    for (size_t i = 0; i < files.skips; i++)
        if (!strcmp(files.skipped[i], name)) {
            CHECK_STR(files.why[i], why);
            return;
        }
    fprintf(stderr, "  %s is not among what is skipped\n", name);
    CHECK(false);
}

static void lists(void)
{
    NEED(!mkdir("f", 0777) && !mkdir("f/b", 0777) && !mkdir("f/empty", 0777) &&
         !mkdir("f/a.jsonl", 0777));
    static const char *const made[] = { "f/b/2.jsonl",       "f/b/1.jsonl.zst", "f/b-.jsonl",
                                        "f/z.jsonl.gz",      "f/x.txt",         "f/B.jsonl",
                                        "f/a.jsonl/in.jsonl" };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) put(made[i], "");
    NEED(!symlink("../b-.jsonl", "f/b/link.jsonl"));

    static const char *const args[] = { "f/x.txt", "f", "-" };
    NEED(!expand(args, 3));
    static const char *const want[] = { "f/x.txt",        "f/B.jsonl",       "f/a.jsonl/in.jsonl",
                                        "f/b-.jsonl",     "f/b/1.jsonl.zst", "f/b/2.jsonl",
                                        "f/b/link.jsonl", "f/z.jsonl.gz",    "-" };
    CHECK_EQ(files.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < files.n && i < sizeof want / sizeof *want; i++)
        CHECK_STR(files.path[i], want[i]);
    NAMES("x.txt", "B.jsonl", "a.jsonl/in.jsonl", "b-.jsonl", "b/1.jsonl.zst", "b/2.jsonl",
          "b/link.jsonl", "z.jsonl.gz", "-");
    CHECK_EQ(files.skips, 1);
    check_skipped("x.txt", "empty");

    NEED(!expand1("f/b/"));
    CHECK_STR(files.path[0], "f/b/1.jsonl.zst");
    NEED(!expand(NULL, 0));
    CHECK(files.n == 1 && !strcmp(files.path[0], "-"));

    static const char *const absent[] = { "f/b", "f/absent" };
    CHECK(expand1("f/empty") == LM_EUSAGE && !files.n &&
          strstr(lm_err(), "f/empty: holds no files"));
    CHECK(expand(absent, 2) == LM_EIO && !files.n && strstr(lm_err(), "f/absent"));
    NEED(!symlink("..", "f/b/loop")); /* it would never end */
    CHECK(expand1("f") == LM_EIO && strstr(lm_err(), "f/b/loop"));
    NEED(!unlink("f/b/loop"));
}

/* JSON lines under any name are read; everything else is counted, each once. */
static void contents(void)
{
    NEED(!mkdir("c", 0777) && !mkdir("c/.git", 0777) && !mkdir("c/d", 0777));
    static const char *const read[] = { "c/D.JSONL",     "c/a.json", "c/b.NdJson",
                                        "c/c.jsonlines", "c/noname", "c/notes.txt" };
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) put(read[i], DOCUMENT);
    put_zstd("c/e.json.zst", DOCUMENT);
    put_zstd("c/f.ZSTD", "\n \n" DOCUMENT "no document\n");
    put_zstd("c/g", "\xef\xbb\xbf" DOCUMENT);
    put("c/h.gz", "not compressed"); /* whoever reads it says what is wrong */
    put("c/i.jsonl.bz2", "not compressed");
    char big[3000] = "{\"text\":\"";
    memset(big + 9, 'x', 2000);
    strcat(big, "\"}");
    put("c/j.big", big);
    CHECK_OK(expand1("c"));
    NAMES("D.JSONL", "a.json", "b.NdJson", "c.jsonlines", "e.json.zst", "f.ZSTD", "g", "h.gz",
          "i.jsonl.bz2", "j.big", "noname", "notes.txt");
    CHECK_EQ(files.skips, 1);
    check_skipped(".git", "hidden");

    static const struct {
        const char *name, *content, *why;
    } skipped[] = {
        { "k.parquet", "PAR1", "Parquet" },
        { "l.json", "{\n  \"text\": \"a\"\n}\n", "indented JSON" },
        { "m.json", "[{\"text\":\"a\"}]\n", "JSON array" },
        { "n.json", "{\"name\":\"corpus\"}\n", "JSON without the text key" },
        { "o.json", "{\"text\":\"a\"\n", "no document in its first line" },
        { "p.json", "{\"text\":7}\n", "no document in its first line" },
        { "README.md", "# A corpus\n\n" DOCUMENT, "not JSON lines" },
        { "_SUCCESS", "", "empty" },
        { "q.jsonl.tmp", DOCUMENT, "unfinished" },
        { "r.jsonl.part", DOCUMENT, "unfinished" },
        { "s.jsonl~", DOCUMENT, "unfinished" },
        { "t.zip", "PK\3\4", "zip" },
        { "u.html", "<!doctype html>", "HTML" },
        { "v.bin", "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer" },
        { ".w.jsonl", DOCUMENT, "hidden" },
        { "d/x", "[1]\n", "not JSON lines" },
    };
    size_t count = sizeof skipped / sizeof *skipped;
    for (size_t i = 0; i < count; i++) {
        char path[100];
        snprintf(path, sizeof path, "c/%s", skipped[i].name);
        put(path, skipped[i].content);
    }
    NEED(!mkfifo("c/fifo.jsonl", 0666) && !symlink("nowhere", "c/gone.jsonl"));
    struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "c/socket" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof at));
    NEED(!symlink("/dev/null", "c/device.jsonl") && !symlink("itself", "c/itself"));
    CHECK_OK(expand1("c"));
    CHECK_EQ(files.n, 12);
    CHECK_EQ(files.skips, count + 1 + 5);
    for (size_t i = 0; i < count; i++) check_skipped(skipped[i].name, skipped[i].why);
    check_skipped("fifo.jsonl", "FIFO");
    check_skipped("gone.jsonl", "dangling link");
    check_skipped("itself", "dangling link");
    check_skipped("socket", "socket");
    check_skipped("device.jsonl", "device");
    close(fd);

    lm_buf text = LM_BUF_INIT(1000);
    CHECK_OK(lm_files_summary(&text, &files));
    CHECK(strstr((char *)text.data, "22 files in the folders are not read (2 hidden, "));
    CHECK(strstr((char *)text.data, "1 Parquet") && strstr((char *)text.data, "3 unfinished"));
    lm_buf_reset(&text, 0);

    NEED(!mkdir("p", 0777));
    put("p/a.parquet", "PAR1");
    put("p/b.parquet", "PAR1");
    put("p/LICENSE", "MIT");
    CHECK(expand1("p") == LM_EUSAGE);
    CHECK(
        strstr(lm_err(), "p: holds no JSON lines, but 1 not JSON lines, 2 Parquet; Parquet: duck"));
    NEED(!expand1("f/b") && !lm_files_summary(&text, &files));
    CHECK_EQ(text.size, 0);
    lm_buf_free(&text);
    /* Another schema makes other files JSON lines. */
    lm_files_free(&files);
    put("p/c", "{\"meta\":{\"body\":\"a\"}}");
    const char *const p[] = { "p" };
    CHECK_OK(lm_files_expand(&files, (char *const *)p, 1, &(lm_schema){ .text = "meta.body" }));
    NAMES("c");
}

/* The way in which a folder is given has no part in names and order. */
static void spellings(void)
{
    char here[2000], absolute[3000];
    NEED(getcwd(here, sizeof here) && !chdir("f"));
    const char *const spelled[] = { ".", "./", "../f", "../f//", "b/..", absolute };
    snprintf(absolute, sizeof absolute, "%s/f", here);
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        CHECK_OK(expand1(spelled[i]));
        NAMES("B.jsonl", "a.jsonl/in.jsonl", "b-.jsonl", "b/1.jsonl.zst", "b/2.jsonl",
              "b/link.jsonl", "z.jsonl.gz");
        char full[4000];
        snprintf(full, sizeof full, "%s/f/b/2.jsonl", here);
        CHECK_STR(files.full[4], full);
        CHECK_STR(files.full[4] + files.top[4], "f/b/2.jsonl");
    }
    CHECK_OK(expand1("b/2.jsonl"));
    NAMES("2.jsonl");
    CHECK_STR(files.full[0] + files.top[0], "2.jsonl");
    NEED(!chdir(".."));
}

/* Names of several operands are extended until they differ. */
static void collisions(void)
{
    char command[] =
        "mkdir -p x/en/1 x/de/1 x/de/2 y/en/1 && for d in x/en/1 x/de/1 x/de/2 y/en/1; do "
        "echo '{\"text\":\"\"}' | tee $d/a.jsonl >$d/b.jsonl; done";
    NEED(!system(command));
    static const char *const one[] = { "x/en", "x/de" };
    CHECK_OK(expand(one, 2));
    NAMES("en/1/a.jsonl", "en/1/b.jsonl", "de/1/a.jsonl", "de/1/b.jsonl", "de/2/a.jsonl",
          "de/2/b.jsonl");
    static const char *const two[] = { "./x/en/", "y/en" };
    CHECK_OK(expand(two, 2));
    NAMES("x/en/1/a.jsonl", "x/en/1/b.jsonl", "y/en/1/a.jsonl", "y/en/1/b.jsonl");
    static const char *const apart[] = { "x/en/1/a.jsonl", "x/de/1/b.jsonl" };
    CHECK_OK(expand(apart, 2));
    NAMES("a.jsonl", "b.jsonl");
    static const char *const three[] = { "x/en/1/a.jsonl", "y/en/1/a.jsonl", "x/de/2/a.jsonl",
                                         "x/de/2/b.jsonl" };
    CHECK_OK(expand(three, 4));
    NAMES("x/en/1/a.jsonl", "y/en/1/a.jsonl", "2/a.jsonl", "b.jsonl");
    static const char *const same[] = { "x/de/2/a.jsonl", "./x/de/2/a.jsonl" };
    CHECK_OK(expand(same, 2));
    NAMES("a.jsonl", "a.jsonl");
    static const char *const both[] = { "x/de/2", "x/de/2/a.jsonl", "x/de/1/a.jsonl" };
    CHECK_OK(expand(both, 3));
    NAMES("2/a.jsonl", "2/b.jsonl", "2/a.jsonl", "1/a.jsonl");
    NEED(!chdir("x/de/2"));
    static const char *const dots[] = { ".", "../1" };
    CHECK_OK(expand(dots, 2));
    NAMES("2/a.jsonl", "2/b.jsonl", "1/a.jsonl", "1/b.jsonl");
    NEED(!chdir("../../.."));
}

/* Every name is UTF-8, and different ones stay different. */
static void odd_names(void)
{
    NEED(!mkdir("o", 0777));
    static const char *const made[] = { "o/\xff\xe2\x82.jsonl", "o/\\xff.jsonl", "o/\xff.jsonl",
                                        "o/\xc3\xa9\n\x1b.jsonl" };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) put(made[i], DOCUMENT);
    put("o/\xfe", "");
    CHECK_OK(expand1("o"));
    NAMES("\\\\xff.jsonl", "\xc3\xa9\n\x1b.jsonl", "\\xff.jsonl", "\\xff\\xe2\\x82.jsonl");
    CHECK_STR(files.path[2], "o/\xff.jsonl");
    check_skipped("\\xfe", "empty");
}

int main(void)
{
    lists();
    contents();
    spellings();
    collisions();
    odd_names();
    lm_files_free(&files);
    lm_files_free(&files);
    CHECK_END();
}
