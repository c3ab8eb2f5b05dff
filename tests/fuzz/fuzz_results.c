/* Any bytes as a result file: a file that can be resumed is complete afterwards, has the new line
 * and the earlier ones, and accepted document losses have means. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "eval/data/results.h"
#include "eval/metrics/bootstrap.h"
#include "must.h"

static lm_json *pair(const char *key, uint64_t value)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, key, value);
    return o;
}

/* Resume the file and add a line. True if it was accepted. */
static bool go_on(const char *path, size_t *lines)
{
    eval_results *r = NULL;
    size_t torn = 0;
    lm_json *settings = pair("stride", 256), *labels = pair("model", 1);
    if (eval_results_open(&r, path, NULL, &torn)) r = NULL;
    else if (eval_results_begin(r, "ppl", labels, settings)) {
        eval_results_close(r);
        r = NULL;
    }
    lm_json_free(settings);
    lm_json_free(labels);
    if (!r) return false;
    MUST(eval_results_add(r, pair("length", 512), 2.5, lm_json_object(), 1) == 0);
    *lines = eval_results_count(r);
    eval_results_close(r);
    return true;
}

static void read_losses(const char *path)
{
    eval_results *r = NULL;
    eval_sums s;
    if (eval_results_load(&r, path, "domains")) return;
    if (eval_sums_read(&s, r) == 0) {
        eval_loss *l = calloc(s.columns + 1, sizeof *l);
        MUST(l != NULL);
        for (size_t d = 0; d <= s.domains; d++) {
            MUST(eval_sums_loss(&s, &s, d, 1, 3, l) == 0);
            for (size_t k = 0; k < s.columns; k++)
                MUST(isnan(l[k].loss) || l[k].loss == 0 || !isfinite(l[k].loss));
        }
        free(l);
        eval_sums_free(&s);
    }
    eval_results_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("results", 0);
    char name[64];
    size_t before = 0, after = 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    read_losses(name);
    if (go_on(name, &before)) {
        MUST(go_on(name, &after));
        MUST(before == after); /* the line exists: it is not added again */
    }
    close(fd);
    return 0;
}
