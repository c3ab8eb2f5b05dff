/* foreign.c -- formats that are no JSON lines, by their first bytes. */
#include "lib/io/foreign.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "longmix/err.h"

typedef struct magic {
    size_t at, n;
    const char *bytes;
    lm_foreign is;
} magic;

#define DUCKDB "duckdb -c \"COPY (FROM read_parquet('FILE')) TO 'FILE.jsonl' (FORMAT json)\""
#define ARROW                                                                             \
    "python3 -c \"import pyarrow.feather as f; f.read_table('FILE').to_pandas().to_json(" \
    "'FILE.jsonl', orient='records', lines=True)\""
#define DATASETS \
    "python3 -c \"from datasets import Dataset; Dataset.from_file('FILE').to_json('FILE.jsonl')\""
#define AGAIN "it is what a server sends in place of a file that it refuses: download it again"
#define TWICE "decompress it once more: "

static const magic magics[] = {
    { 0, 4, "PAR1", { "Parquet", "a Parquet file", DUCKDB } },
    { 0, 4, "PK\3\4", { "zip", "a zip archive", "unzip FILE" } },
    { 0, 4, "PK\5\6", { "zip", "an empty zip archive", "unzip -l FILE lists it" } },
    { 0, 6, "ARROW1", { "Arrow", "an Arrow (Feather) file", ARROW } },
    { 0, 4, "FEA1", { "Feather", "a Feather file", ARROW } },
    { 0, 4, "\xff\xff\xff\xff", { "Arrow stream", "an Arrow stream", DATASETS } },
    { 0, 4, "Obj\1", { "Avro", "an Avro file", "avro-tools tojson FILE > FILE.jsonl" } },
    { 257, 5, "ustar", { "tar", "a tar archive", "tar -xf FILE" } },
    { 0, 6, "7z\xbc\xaf\x27\x1c", { "7z", "a 7z archive", "7z x FILE" } },
    { 0, 6, "Rar!\x1a\x07", { "rar", "a rar archive", "unrar x FILE" } },
    { 0, 4, "\x04\x22\x4d\x18", { "lz4", "compressed with lz4", "lz4 -d FILE FILE.jsonl" } },
    { 0, 4, "\x02\x21\x4c\x18", { "lz4", "compressed with lz4", "lz4 -d FILE FILE.jsonl" } },
    { 0,
      10,
      "\xff\x06\0\0sNaPpY",
      { "snappy", "compressed with snappy", "python3 -m snappy -d FILE FILE.jsonl" } },
    { 0, 4, "LZIP", { "lzip", "compressed with lzip", "lzip -cd FILE > FILE.jsonl" } },
    { 0, 2, "\x1f\x9d", { "compress", "compressed with compress", "zcat FILE > FILE.jsonl" } },
    { 0, 2, "\x1f\x8b", { "gzip", "gzip in another compression", TWICE "gzip -d" } },
    { 0, 4, "\x28\xb5\x2f\xfd", { "zstd", "zstd in another compression", TWICE "zstd -d" } },
    { 0,
      6,
      "\xfd"
      "7zXZ\0",
      { "xz", "xz in another compression", TWICE "xz -d" } },
    { 0, 10, "BZh91AY&SY", { "bz2", "bz2 in another compression", TWICE "bzip2 -d" } },
    { 0,
      23,
      "version https://git-lfs",
      { "Git LFS pointer", "a Git LFS pointer, not the file that it stands for",
        "git lfs pull fetches the files" } },
    { 0,
      15,
      "/annex/objects/",
      { "git-annex pointer", "a git-annex pointer, not the file that it stands for",
        "git annex get FILE" } },
    { 0, 8, "LMTOKENS", { "token store", "a token store of longmix", "lmcat FILE prints it" } },
    { 0, 8, "LMSHARD\n", { "shard", "a packed shard of longmix", "lmcat FILE prints it" } },
    { 0, 4, "\xff\xfe\0\0", { "UTF-32", "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE > FILE.jsonl" } },
    { 0, 4, "\0\0\xfe\xff", { "UTF-32", "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE > FILE.jsonl" } },
    { 0, 2, "\xff\xfe", { "UTF-16", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE > FILE.jsonl" } },
    { 0, 2, "\xfe\xff", { "UTF-16", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE > FILE.jsonl" } },
    { 0, 4, "{\0\"\0", { "UTF-16", "UTF-16", "iconv -f UTF-16LE -t UTF-8 FILE > FILE.jsonl" } },
    { 0, 4, "\0{\0\"", { "UTF-16", "UTF-16", "iconv -f UTF-16BE -t UTF-8 FILE > FILE.jsonl" } },
};

/* Formats of text, after white space. */
static const lm_foreign html = { "HTML", "an HTML page", AGAIN };
static const lm_foreign xml = { "XML", "an XML document", AGAIN };
static const lm_foreign array = { "JSON array", "one JSON array", "jq -c '.[]' FILE > FILE.jsonl" };
static const lm_foreign indented = { "indented JSON", "JSON over several lines",
                                     "jq -c . FILE > FILE.jsonl" };

static size_t skip(const char *s, size_t n, const char *set)
{
    size_t i = 0;
    while (i < n && s[i] && strchr(set, s[i])) i++;
    return i;
}

static bool begins(const char *s, size_t n, const char *word)
{
    size_t k = strlen(word);
    return n >= k && !strncasecmp(s, word, k);
}

static const lm_foreign *text_format(const char *s, size_t n)
{
    if (n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3)) return text_format(s + 3, n - 3);
    size_t k = skip(s, n, " \t\r\n");
    s += k;
    n -= k;
    if (begins(s, n, "<?xml")) return &xml;
    if (n > 1 && *s == '<' && (isalpha((unsigned char)s[1]) || s[1] == '!')) return &html;
    if (n && *s == '[') {
        k = 1 + skip(s + 1, n - 1, " \t\r\n");
        return k < n && s[k] == '{' ? &array : NULL;
    }
    if (n && *s == '{') {
        k = 1 + skip(s + 1, n - 1, " \t\r\n");
        return k < n && s[k] == '"' && memchr(s, '\n', k) ? &indented : NULL;
    }
    return NULL;
}

const lm_foreign *lm_foreign_format(const void *head, size_t n)
{
    const char *s = head;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const magic *m = &magics[i];
        if (n >= m->at + m->n && !memcmp(s + m->at, m->bytes, m->n)) return &m->is;
    }
    return text_format(s, n);
}

int lm_foreign_fail(const char *name, const lm_foreign *f)
{
    return lm_fail(LM_EDATA, "%s: not JSON lines: this is %s; %s", name, f->what, f->help);
}
