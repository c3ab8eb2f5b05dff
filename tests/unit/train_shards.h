/* train_shards.h -- small shards for the trainer's tests: two domains, each with a simple rule that
 * a model can learn, documents of many lengths, padding in some rows. */
#ifndef LM_TEST_TRAIN_SHARDS_H
#define LM_TEST_TRAIN_SHARDS_H

#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/endian.h"
#include "lib/base/rng.h"
#include "longmix/shard.h"

enum { LANGUAGE_VOCAB = 48 };

static const char language_identity[] =
    "{\"domains\":[\"steps\",\"leaps\"],\"pack\":{\"how\":\"test\"}}";
static const char *const language_files[] = { "steps.jsonl", "leaps.jsonl" };

/* Write rows of language `seed` to dir/shard-0000N.lms; `last`: the last shard of its mixture. */
static inline void write_language(const char *dir, uint64_t number, uint64_t seed,
                                  uint64_t row_tokens, bool labels, uint64_t rows, bool last)
{
    char path[256];
    snprintf(path, sizeof path, "%s/shard-%05" PRIu64 ".lms", dir, number);
    mkdir(dir, 0777);
    lm_json *identity = NULL, *receipt = NULL;
    NEED(lm_json_parse(&identity, language_identity, strlen(language_identity), "identity") == 0);
    lm_json_set(identity, "files", lm_shard_files(language_files, 2));
    char text[160];
    snprintf(text, sizeof text, "{\"seed\":%" PRIu64 ",\"last\":%s,\"inputs\":[%s]}", seed,
             last ? "true" : "false",
             number ? "" : "{\"file\":\"steps.jsonl\"},{\"file\":\"leaps.jsonl\"}");
    NEED(lm_json_parse(&receipt, text, strlen(text), "receipt") == 0);
    uint64_t all = row_tokens + labels;
    lm_shard_spec spec = { all, labels, 2, LANGUAGE_VOCAB, number, identity };
    lm_shard_writer *w = NULL;
    NEED(lm_shard_writer_open(&w, path, &spec) == 0);
    unsigned char *ids = calloc(all, 2);
    lm_span *spans = calloc(all, sizeof *spans);
    NEED(ids && spans);
    for (uint64_t r = 0; r < rows; r++) {
        uint64_t at = 0, n = 0, end = lm_hash4(seed, r, 1, number) % 4 ? all : all - 3;
        memset(ids, 0, all * 2);
        while (at < end) {
            uint64_t v = lm_hash4(seed, r, at, number + 10), length = 5 + v % 60,
                     domain = v >> 20 & 1;
            if (length > end - at) length = end - at;
            uint64_t id = 1 + (v >> 32) % (LANGUAGE_VOCAB - 1);
            for (uint64_t k = 0; k < length; k++) {
                lm_put16(ids + 2 * (at + k), (uint16_t)id);
                id = 1 + (domain ? 5 * id + 3 : id + 1) % (LANGUAGE_VOCAB - 1);
            }
            spans[n++] = (lm_span){ .key = v,
                                    .doc_tokens = length,
                                    .unit_tokens = length,
                                    .line = r + 1,
                                    .file = (uint32_t)domain,
                                    .row_start = (uint32_t)at,
                                    .tokens = (uint32_t)length,
                                    .domain = (uint16_t)domain,
                                    .flags = LM_SPAN_BEGINS | LM_SPAN_ENDS };
            at += length;
        }
        NEED(lm_shard_writer_row(w, ids, spans, n) == 0);
    }
    NEED(lm_shard_writer_commit(w, receipt) == 0);
    free(ids);
    free(spans);
    lm_json_free(identity);
    lm_json_free(receipt);
}

#endif
