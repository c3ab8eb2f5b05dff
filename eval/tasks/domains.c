/* domains -- held-out loss by domain and by the position of a token: Fu et al. 2024, Table 5 and
 * Figures 3 and 4. The paper does not say what its ranges 0-4K and 4K-128K are ranges of, nor how
 * wide the window of a "loss at nK" is, and its authors published no code; so the range is a choice
 * (--by), and a loss at n is the mean over the --at-width positions that end there.
 *
 * Each document (or row) is a line with its sums, from which the lines of domains, and the
 * comparisons between models, are made. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "eval/data/documents.h"
#include "eval/harness/harness.h"
#include "eval/metrics/bootstrap.h"

enum { BY_POSITION, BY_ROW, BY_LENGTH };

static struct {
    const char *data, *ranges, *at;
    int by;
    uint64_t at_width, documents, bootstrap;
    bool other_tokenizer;
} opt = {
    .ranges = "4096,131072", .at = "1Ki,16Ki,32Ki,64Ki,128Ki", .at_width = 1024, .bootstrap = 1000
};

static const cli_opt opts[] = {
    { CLI_STR, "data", 'd', &opt.data, "SHARDS",
      "Packed shards from lmpack, or a token store from lmtok, which has whole documents." },
    { CLI_CHOICE, "by", 0, &opt.by, "position|row|length",
      "Ranges of a token's position in its document, of its position in the packed row, or of the "
      "document's length." },
    { CLI_STR, "ranges", 0, &opt.ranges, "N,N,...",
      "Upper bounds of the ranges. The first range starts at 0; tokens of a document past the last "
      "bound are not evaluated (4096,131072)." },
    { CLI_STR, "at", 0, &opt.at, "N,N,...",
      "Positions for the loss at a position (1Ki,16Ki,32Ki,64Ki,128Ki)." },
    { CLI_SIZE, "at-width", 0, &opt.at_width, "N",
      "The loss at a position is the mean over the N tokens before it (1024)." },
    { CLI_SIZE, "documents", 0, &opt.documents, "N",
      "At most N documents of each domain, or N rows in all, spread evenly over the data (all)." },
    { CLI_SIZE, "bootstrap", 0, &opt.bootstrap, "N",
      "Bootstrap samples of documents for standard errors (1000)." },
    CHECKSUMS_IDS_OPTION(opt.other_tokenizer),
    { .kind = CLI_END },
};

typedef struct domains {
    eval_context *c;
    eval_documents *d;
    uint64_t *edges, *at;
    size_t n_edges, n_at;
    uint64_t cut; /* the last edge: no more of a document is evaluated */
    float *losses;
    double *sums; /* [n_edges + n_at] of the span at work */
    uint64_t *counts;
} domains;

/* ---- a unit ---------------------------------------------------------------------------- */

static lm_json *unit_cell(const domains *m, uint64_t number)
{
    lm_json *o = lm_json_object();
    bool whole = eval_documents_whole(m->d);
    lm_json_set_str(o, "mode", whole ? "document" : "row");
    lm_json_set_u64(o, whole ? "document" : "row", number);
    return o;
}

/* The position of token i of the unit, for the ranges. */
static uint64_t position(const domains *m, const eval_span *s, size_t i)
{
    uint64_t length = s->doc_tokens < m->cut ? s->doc_tokens : m->cut - 1;
    switch (opt.by) {
    case BY_ROW: return i;
    case BY_LENGTH: return length;
    default: return s->start + (i - s->at);
    }
}

static void count_token(domains *m, uint64_t where, double loss)
{
    uint64_t width = opt.at_width;
    for (size_t k = 0; k < m->n_edges; k++) {
        if (where >= m->edges[k]) continue;
        m->sums[k] += loss;
        m->counts[k]++;
        break;
    }
    for (size_t k = 0; k < m->n_at; k++) {
        if (where >= m->at[k] || where + width < m->at[k]) continue;
        m->sums[m->n_edges + k] += loss;
        m->counts[m->n_edges + k]++;
    }
}

static void set_numbers(lm_json *part, const char *sums, const char *counts, const domains *m,
                        size_t from, size_t to)
{
    lm_json *a = lm_json_array(), *b = lm_json_array();
    for (size_t k = from; k < to; k++) {
        lm_json_set_f64(a, NULL, m->sums[k]);
        lm_json_set_u64(b, NULL, m->counts[k]);
    }
    lm_json_set(part, sums, a);
    lm_json_set(part, counts, b);
}

/* The sums of one document's tokens. Its first token has no context and is not counted. */
static lm_json *make_part(domains *m, const eval_unit *u, const eval_span *s, double *sum,
                          uint64_t *count)
{
    size_t columns = m->n_edges + m->n_at;
    for (size_t k = 0; k < columns; k++) m->sums[k] = 0, m->counts[k] = 0;
    for (size_t i = s->at; i < s->at + s->tokens && i < u->n; i++) {
        if (!i || !(s->start + (i - s->at))) continue;
        double loss = (double)m->losses[i - 1];
        count_token(m, position(m, s, i), loss);
        *sum += loss;
        ++*count;
    }
    lm_json *part = lm_json_object();
    lm_json_set_str(part, "domain", eval_documents_domain(m->d, s->domain));
    lm_json_set_hex64(part, "key", s->key);
    set_numbers(part, "sums", "tokens", m, 0, m->n_edges);
    set_numbers(part, "at_sums", "at_tokens", m, m->n_edges, columns);
    return part;
}

static int measure(domains *m, uint64_t i)
{
    eval_unit u;
    double sum = 0;
    uint64_t count = 0;
    if (eval_done(m->c, unit_cell(m, eval_documents_number(m->d, i)))) return LM_OK;
    eval_live(m->c, "domains: %" PRIu64 " of %" PRIu64, i + 1, eval_documents_count(m->d));
    eval_start(m->c);
    int rc = eval_documents_get(m->d, i, m->cut, tr_infer_config(m->c->infer)->vocab, &u);
    if (rc || u.n < 2) return rc;
    rc = eval_use(m->c, u.n);
    tr_infer_rewind(m->c->infer, 0);
    if (!rc) rc = tr_infer_eval(m->c->infer, u.ids, u.n, NULL, m->losses, NULL);
    if (rc) return rc;
    lm_json *more = lm_json_object(), *parts = lm_json_array();
    for (size_t k = 0; k < u.n_spans; k++)
        lm_json_set(parts, NULL, make_part(m, &u, &u.spans[k], &sum, &count));
    lm_json_set(more, "parts", parts);
    return eval_add(m->c, unit_cell(m, u.number), sum / (double)count, more);
}

/* ---- domains --------------------------------------------------------------------------- */

static int add_loss(eval_context *c, const eval_sums *s, size_t domain, size_t column,
                    const eval_loss *l)
{
    lm_json *cell = lm_json_object(), *more = lm_json_object();
    bool range = column < s->ranges;
    lm_json_set_str(cell, "mode", range ? "range" : "at");
    lm_json_set_str(cell, "domain", s->domain[domain]);
    lm_json_set_str(cell, range ? "range" : "position", s->column[column]);
    if (isfinite(l->error)) lm_json_set_f64(more, "error", l->error);
    lm_json_set_u64(more, "tokens", l->tokens);
    lm_json_set_u64(more, "documents", l->documents);
    return eval_add(c, cell, l->loss, more);
}

static int add_domains(domains *m)
{
    eval_sums s;
    char error[EVAL_ERROR_TEXT];
    int rc = eval_sums_read(&s, m->c->results);
    if (rc) return rc;
    eval_start(m->c);
    eval_loss *l = calloc(s.columns + 1, sizeof *l);
    if (!l) rc = lm_fail_nomem(s.columns * sizeof *l);
    for (size_t d = 0; !rc && d <= s.domains; d++) {
        rc = eval_sums_loss(&s, NULL, d, m->c->seed, opt.bootstrap, l);
        for (size_t k = 0; !rc && k < s.columns; k++) {
            if (!l[k].tokens) continue;
            rc = add_loss(m->c, &s, d, k, &l[k]);
            eval_note(m->c, "%-14s %s%-12s %.4f%s (%" PRIu64 " tokens of %" PRIu64 " documents)",
                      s.domain[d], k < s.ranges ? "   " : "at ", s.column[k], l[k].loss,
                      eval_error_text(error, l[k].error), l[k].tokens, l[k].documents);
        }
    }
    free(l);
    eval_sums_free(&s);
    return rc;
}

/* ---- the run --------------------------------------------------------------------------- */

static lm_json *list_json(const uint64_t *v, size_t n)
{
    lm_json *a = lm_json_array();
    for (size_t i = 0; i < n; i++) lm_json_set_u64(a, NULL, v[i]);
    return a;
}

static lm_json *settings(const domains *m)
{
    static const char *const by[] = { "position", "row", "length" };
    lm_json *s = lm_json_object();
    lm_json_set_hex64(s, "data", eval_documents_hash(m->d));
    lm_json_set_u64(s, "max_documents", opt.documents);
    lm_json_set_str(s, "by", by[opt.by]);
    lm_json_set(s, "ranges", list_json(m->edges, m->n_edges));
    lm_json_set(s, "at", list_json(m->at, m->n_at));
    lm_json_set_u64(s, "at_width", opt.at_width);
    lm_json_set_u64(s, "bootstrap", opt.bootstrap);
    return s;
}

static int read_options(domains *m)
{
    if (!opt.data) return lm_fail(LM_EUSAGE, "domains needs --data");
    if (!opt.at_width) return lm_fail(LM_EUSAGE, "--at-width 0: it must be positive");
    int rc = eval_sizes("ranges", opt.ranges, 2, &m->edges, &m->n_edges);
    if (!rc) rc = eval_sizes("at", opt.at, 1, &m->at, &m->n_at);
    if (rc) return rc;
    m->cut = m->edges[m->n_edges - 1];
    while (m->n_at && m->at[m->n_at - 1] > m->cut) m->n_at--; /* no document is evaluated so far */
    if (opt.by == BY_LENGTH) m->n_at = 0;
    return LM_OK;
}

static int begin(domains *m)
{
    int rc = read_options(m);
    if (!rc) rc = eval_documents_open(&m->d, opt.data, opt.documents);
    if (!rc)
        rc = eval_check_ids(m->c, opt.data, eval_documents_tokenizer(m->d), opt.other_tokenizer);
    if (rc) return rc;
    if (opt.by == BY_ROW && eval_documents_whole(m->d))
        return lm_fail(LM_EUSAGE, "--by row: %s is a token store and has no rows", opt.data);
    uint64_t longest = eval_documents_longest(m->d);
    if (longest > m->cut) longest = m->cut;
    m->losses = malloc(longest * sizeof *m->losses);
    m->sums = malloc((m->n_edges + m->n_at) * sizeof *m->sums);
    m->counts = malloc((m->n_edges + m->n_at) * sizeof *m->counts);
    if (!m->losses || !m->sums || !m->counts) return lm_fail_nomem(longest * sizeof *m->losses);
    return eval_begin(m->c, longest, settings(m));
}

static int run(eval_context *c)
{
    domains m = { .c = c };
    int rc = begin(&m);
    for (uint64_t i = 0; !rc && i < eval_documents_count(m.d); i++) rc = measure(&m, i);
    if (!rc) rc = add_domains(&m);
    eval_documents_close(m.d);
    free(m.edges);
    free(m.at);
    free(m.losses);
    free(m.sums);
    free(m.counts);
    return rc;
}

const eval_entry eval_domains = {
    .command = {
        .name = "domains",
        .summary = "held-out loss by domain, and by the position of a token",
        .about =
            "The loss of held-out documents by domain, in ranges of their positions. `lmeval "
            "compare` compares the results of several models.",
        .opts = opts,
        .examples = "# held-out documents as the model reads them\n"
        "lmtok -m model/tokenizer.model corpus/train-00002.jsonl -o held-out.lmt\n"
        "# their loss by domain, two documents of each\n"
        "lmeval domains --model model --data held-out.lmt --documents 2 --ranges 64,256 --at 256 "
        "-o a.jsonl\n"
        "# the same with another attention\n"
        "lmeval domains --model model --data held-out.lmt --documents 2 --ranges 64,256 --at 256 "
        "--attention dca:12,4 -o b.jsonl\n",
        .model = true,
    },
    .run = run,
};
