/* read_shards.c -- what a trainer does with packed shards: open them, read rows, and find the source
 * document of every token. Start here, then read include/longmix/shard.h. After `make install`:
 *
 *   gcc examples/read_shards.c $(pkg-config --cflags --libs longmix)
 *   ./a.out DIR [ROW] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "longmix/shard.h"

int main(int argc, char **argv)
{
    lm_shards *all = NULL;
    const lm_shard *shard = NULL;
    const lm_span *spans = NULL;
    uint32_t *ids = NULL;
    size_t n = 0;
    int status = 1;
    uint64_t row = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, at = 0;

    if (argc < 2) return fprintf(stderr, "usage: read_shards DIR [ROW]\n"), 2;

    /* Every function returns 0 or a negative code; lm_err() then says what was wrong and where. */
    if (lm_shards_open(&all, argv[1])) goto out;

    /* The directory is one sequence of rows. Any number of threads may read it at once. */
    if (lm_shards_find(all, row, &shard, &at)) goto out;
    uint64_t tokens = lm_shard_row_tokens(shard);
    ids = malloc(tokens * sizeof *ids);
    if (!ids || lm_shard_row(shard, at, ids)) goto out; /* its checksum has been verified */

    /* With labels a row has one token more: tokens 0..N-1 are the input, 1..N the targets. */
    printf("row %" PRIu64 " of %" PRIu64 ": %" PRIu64 " tokens%s, the first ids are %" PRIu32
           " %" PRIu32 "\n",
           row, lm_shards_rows(all), tokens, lm_shard_labels(shard) ? " with labels" : "", ids[0],
           ids[tokens > 1]);

    /* Spans are where documents lie in the row: what a document mask or a per-domain loss needs. */
    if (lm_shard_spans(shard, at, &spans, &n)) goto out;
    const lm_json *domains = lm_json_get(lm_shard_identity(shard), "domains");
    for (size_t i = 0; i < n; i++) {
        const char *name = "?";
        if (lm_json_str(&name, lm_json_at(domains, spans[i].domain), NULL)) goto out;
        const char *file = lm_shards_file(all, spans[i].file);
        printf("%8" PRIu32 " %8" PRIu32 "  %s, %s:%" PRIu64 ", document %016" PRIx64
               " from its token %" PRIu64 " of %" PRIu64 "\n",
               spans[i].row_start, spans[i].tokens, name, file ? file : "?", spans[i].line,
               spans[i].key, spans[i].doc_start, spans[i].doc_tokens);
    }
    status = 0;
out:
    if (status) fprintf(stderr, "read_shards: %s\n", lm_err());
    free(ids);
    lm_shards_close(all);
    return status;
}
