#include "cli_help.h"
#include "cli_out.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/json.h"
#include "longmix/shard.h"
#include "longmix/store.h"
#include "lib/base/text.h"
#include "lib/base/threads.h"

static const cli_tool *tool;
static const cli_command *command; /* the one that the command line names */
static size_t chosen;              /* its number */
static bool verbose, quiet;

/* Options that every tool has. */
static bool want_help, want_version, want_man, want_examples;
static const cli_opt common[] = {
    { CLI_FLAG, "verbose", 'v', &verbose, NULL,
      "Say more on standard error; the last line has version, command, time and peak memory." },
    { CLI_FLAG, "quiet", 'q', &quiet, NULL, "Only errors on standard error." },
    { CLI_FLAG, "help", 'h', &want_help, NULL, "Print this and exit." },
    { CLI_FLAG, "version", 0, &want_version, NULL, "Print version, compiler and format versions." },
    { .kind = CLI_END },
};
/* For the build and the tests; in neither --help nor man page. */
static const cli_opt hidden[] = {
    { CLI_FLAG, "man", 0, &want_man, NULL, "" },
    { CLI_FLAG, "examples", 0, &want_examples, NULL, "" },
    { .kind = CLI_END },
};

int cli_usage(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return lm_fail(LM_EUSAGE, "%s (%s%s%s --help lists the options)", text, tool->name,
                   command ? " " : "", command ? command->name : "");
}

static void version(void)
{
    cli_print("%s (longmix) %s\ncommit: %s\ncompiler: %s\n"
              "formats: store %d, shard %d, plan 1, manifest %d\n",
              tool->name, lm_version(), lm_commit(), __VERSION__, LM_STORE_VERSION,
              LM_SHARD_VERSION, LM_SHARD_VERSION); /* a manifest has the version of its shards */
}

/* ---- parsing --------------------------------------------------------------------------- */

static int choice(const cli_opt *o, const char *s)
{
    size_t n = strlen(s);
    lm_nearest best = lm_nearest_begin(n);
    int i = 0;
    for (const char *w = o->arg;; i++) {
        size_t k = strcspn(w, "|");
        if (k == n && memcmp(w, s, n) == 0) {
            *(int *)o->value = i;
            return LM_OK;
        }
        if (isalpha((unsigned char)*s)) lm_nearest_try(&best, s, n, w, k);
        if (!w[k]) break;
        w += k + 1;
    }
    if (!best.name) return cli_usage("--%s %s: not one of %s", o->name, s, o->arg);
    return cli_usage("--%s %s: not one of %s; did you mean %.*s?", o->name, s, o->arg,
                     (int)best.size, best.name);
}

static int number(const cli_opt *o, const char *s)
{
    char *end;
    errno = 0;
    double v = strtod(s, &end);
    bool whole = o->kind != CLI_REAL;
    if (!*s || *end || errno || strspn(s, whole ? "-0123456789" : "-+.0123456789eE") != strlen(s) ||
        !(v >= o->min && v <= o->max))
        return cli_usage("--%s %s: not a%s number from %.15g to %.15g", o->name, s,
                         whole ? " whole" : "", o->min, o->max);
    if (whole) *(int *)o->value = (int)v;
    else *(double *)o->value = v;
    return LM_OK;
}

static int part(const cli_opt *o, const char *s)
{
    char *end = NULL;
    unsigned long k = 0, n = 0;
    if (*s >= '0' && *s <= '9') k = strtoul(s, &end, 10);
    if (end && *end == '/' && end[1] >= '0' && end[1] <= '9') n = strtoul(end + 1, &end, 10);
    if (!end || *end || k < 1 || k > n || n > 1000000)
        return cli_usage("--%s %s: not k/K with 1 <= k <= K", o->name, s);
    *(cli_part *)o->value = (cli_part){ (uint32_t)k, (uint32_t)n };
    return LM_OK;
}

static int set_value(const cli_opt *o, char *s)
{
    switch (o->kind) {
    case CLI_STR: *(const char **)o->value = s; return LM_OK;
    case CLI_SIZE:
        return lm_parse_size(s, o->value) ? cli_usage("--%s: %s", o->name, lm_err()) : LM_OK;
    case CLI_THREADS:
    case CLI_INT:
    case CLI_REAL: return number(o, s);
    case CLI_CHOICE: return choice(o, s);
    case CLI_PART: return part(o, s);
    default: { /* CLI_LIST, CLI_ARGS: v has room for every word of the command line */
        cli_list *l = o->value;
        l->v[l->n++] = s;
        return LM_OK;
    }
    }
}

/* The option of this long (n bytes) or short name in one table; *no: it was written --no-NAME. */
static const cli_opt *find_in(const cli_opt *table, const char *name, size_t n, char letter,
                              bool *no)
{
    for (const cli_opt *o = table; o && o->kind != CLI_END; o++) {
        if (cli_is_operand(o)) continue;
        *no = false;
        if (letter ? o->letter == letter : strlen(o->name) == n && !memcmp(o->name, name, n))
            return o;
        *no = !letter && o->kind == CLI_SWITCH && n == strlen(o->name) + 3 &&
              !memcmp(name, "no-", 3) && !memcmp(name + 3, o->name, n - 3);
        if (*no) return o;
    }
    return NULL;
}

/* Tables of options that are taken, then those of other commands; NULL after the last. */
enum { TAKEN = 5 };
static const cli_opt *table_at(size_t i)
{
    static const cli_opt none = { .kind = CLI_END };
    const cli_opt *const taken[TAKEN] = { command ? command->opts : &none, tool->opts,
                                          tool->model_opts ? tool->model_opts : &none, common,
                                          hidden };
    if (i < TAKEN) return taken[i];
    const cli_command *other = tool->noun ? tool->command(i - TAKEN) : NULL;
    return other ? other->opts : NULL;
}

static int unknown_option(const char *name, size_t n)
{
    const cli_opt *table;
    lm_nearest best = lm_nearest_begin(n);
    for (size_t i = 0; (table = table_at(i)) && (!command || i < TAKEN); i++)
        for (const cli_opt *o = table; table != hidden && o->kind != CLI_END; o++)
            if (!cli_is_operand(o)) lm_nearest_try(&best, name, n, o->name, strlen(o->name));
    if (best.name)
        return cli_usage("--%.*s: no such option; did you mean --%s?", (int)n, name, best.name);
    return cli_usage("--%.*s: no such option", (int)n, name);
}

static int unknown_command(const char *name)
{
    char list[512];
    size_t n = 0;
    const cli_command *c;
    lm_nearest best = lm_nearest_begin(strlen(name));
    for (size_t i = 0; (c = tool->command(i)); i++) {
        n += (size_t)snprintf(list + n, n < sizeof list ? sizeof list - n : 0, "%s%s",
                              n ? ", " : "", c->name);
        lm_nearest_try(&best, name, strlen(name), c->name, strlen(c->name));
    }
    if (best.name)
        return cli_usage("%s: no such %s; did you mean %s? (%s)", name, tool->noun, best.name,
                         list);
    return cli_usage("%s: no such %s (%s)", name, tool->noun, list);
}

static int choose_command(const char *name)
{
    const cli_command *c;
    for (chosen = 0; (c = tool->command(chosen)); chosen++)
        if (!strcmp(c->name, name)) {
            command = c;
            return LM_OK;
        }
    return unknown_command(name);
}

size_t cli_chosen(void) { return chosen; }

/* ---- the command line ------------------------------------------------------------------ */

/* The words are read once, or for a program with commands twice: first for the command's name,
 * which may follow options; then for the values. */
typedef struct reading {
    bool naming;
    int name_at; /* where the command's name is */
    const cli_opt *operands;
} reading;

/* The option of this name. LM_EUSAGE where there is none, or where only other commands take it;
 * before a command is named, those count, too. */
static int find_option(const reading *r, const char *name, size_t n, char letter, bool *no,
                       const cli_opt **out)
{
    const cli_opt *table;
    for (size_t i = 0; (table = table_at(i)); i++) {
        *out = find_in(table, name, n, letter, no);
        if (!*out) continue;
        if (i < TAKEN || r->naming || !command) return LM_OK;
        return cli_usage("--%s: %s does not use it", (*out)->name, command->name);
    }
    return letter ? cli_usage("-%c: no such option", letter) : unknown_option(name, n);
}

static bool is_taken(const cli_opt *o)
{
    for (size_t i = 0; i < TAKEN; i++)
        for (const cli_opt *t = table_at(i); t->kind != CLI_END; t++)
            if (t == o) return true;
    return false;
}

static int apply(const reading *r, const cli_opt *o, char *value, bool on)
{
    if (r->naming || !is_taken(o)) return LM_OK;
    if (cli_takes_value(o)) return set_value(o, value);
    *(bool *)o->value = on;
    return LM_OK;
}

static int read_long(const reading *r, int argc, char **argv, int *i)
{
    const cli_opt *o;
    bool no;
    char *s = argv[*i] + 2;
    size_t n = strcspn(s, "=");
    char *value = s[n] == '=' ? s + n + 1 : NULL;
    int rc = find_option(r, s, n, 0, &no, &o);
    if (rc) return rc;
    if (!cli_takes_value(o))
        return value ? cli_usage("--%s takes no value", o->name) : apply(r, o, NULL, !no);
    if (!value && *i + 1 < argc) value = argv[++*i];
    return value ? apply(r, o, value, true) : cli_usage("--%s needs %s", o->name, o->arg);
}

/* -v, -vq, -j4, -j 4 */
static int read_letters(const reading *r, int argc, char **argv, int *i)
{
    const cli_opt *o;
    bool no;
    for (char *c = argv[*i] + 1; *c; c++) {
        int rc = find_option(r, NULL, 0, *c, &no, &o);
        if (!rc && cli_takes_value(o)) {
            char *value = c[1] ? c + 1 : *i + 1 < argc ? argv[++*i] : NULL;
            return value ? apply(r, o, value, true) : cli_usage("-%c needs %s", *c, o->arg);
        }
        if (!rc) rc = apply(r, o, NULL, true);
        if (rc) return rc;
    }
    return LM_OK;
}

static int read_operand(reading *r, char **argv, int i)
{
    if (r->naming) {
        r->name_at = i;
        return choose_command(argv[i]);
    }
    if (i == r->name_at) return LM_OK;
    if (r->operands) return set_value(r->operands, argv[i]);
    return command ? cli_usage("%s: %s takes no files", argv[i], command->name)
                   : cli_usage("%s: no operand is taken", argv[i]);
}

static int read_words(reading *r, int argc, char **argv)
{
    bool only_operands = false;
    int rc = LM_OK;
    for (int i = 1; !rc && i < argc; i++) {
        const char *s = argv[i];
        if (only_operands || s[0] != '-' || !s[1]) {
            rc = read_operand(r, argv, i);
            if (r->naming) break;
        } else if (!strcmp(s, "--")) only_operands = true;
        else rc = s[1] == '-' ? read_long(r, argc, argv, &i) : read_letters(r, argc, argv, &i);
    }
    return rc;
}

/* Make room for lists: a list has at most every word of the command line. */
static int prepare(reading *r, int argc)
{
    for (size_t i = 0; i < TAKEN; i++)
        for (const cli_opt *o = table_at(i); o->kind != CLI_END; o++) {
            if (o->kind == CLI_PART) *(cli_part *)o->value = (cli_part){ 1, 1 };
            if (cli_is_operand(o)) r->operands = o;
            if (!cli_is_operand(o) && o->kind != CLI_LIST) continue;
            cli_list *l = o->value;
            l->v = calloc((size_t)argc + 1, sizeof *l->v);
            if (!l->v) return lm_fail_nomem((size_t)argc * sizeof *l->v);
        }
    return LM_OK;
}

static int parse(int argc, char **argv)
{
    reading r = { .naming = tool->noun != NULL };
    int rc = r.naming ? read_words(&r, argc, argv) : LM_OK;
    r.naming = false;
    if (!rc) rc = prepare(&r, argc);
    if (!rc) rc = read_words(&r, argc, argv);
    if (rc) return rc;
    for (size_t i = 0; i < TAKEN; i++)
        for (const cli_opt *o = table_at(i); o->kind != CLI_END; o++)
            if (o->kind == CLI_THREADS && *(int *)o->value == 0)
                *(int *)o->value = lm_threads_default();
    if (want_help || want_version || want_man || want_examples) return LM_OK;
    if (tool->noun && !command) return cli_usage("NAME is missing");
    if (r.operands && (double)((cli_list *)r.operands->value)->n < r.operands->min)
        return cli_usage("%s is missing", r.operands->arg);
    return LM_OK;
}

static void free_lists(void)
{
    for (size_t i = 0; i < TAKEN; i++)
        for (const cli_opt *o = table_at(i); o->kind != CLI_END; o++)
            if (cli_is_operand(o) || o->kind == CLI_LIST) free(((cli_list *)o->value)->v);
}

/* ---- main ------------------------------------------------------------------------------ */

static void on_signal(int sig)
{
    (void)sig;
    lm_interrupt();
}

/* A wait for input ends at the first signal (no SA_RESTART); a second signal ends the program. */
static void catch_signal(int sig)
{
    struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
    sigemptyset(&a.sa_mask);
    sigaction(sig, &a, NULL);
}

static int exit_code(int rc)
{
    switch (rc) {
    case LM_OK: return 0;
    case LM_EUSAGE: return 2;
    case LM_ESHORT: return 3;
    case LM_EINTR: return 130;
    case LM_EPIPE: return 141;
    default: return rc > 0 ? rc : 1;
    }
}

/* A reader that has seen enough, such as head, is no fault: there is no message. */
static void report(int rc)
{
    if (rc < 0 && rc != LM_EPIPE) cli_warn("%s", lm_err());
}

static void set_signals(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe comes back as LM_EPIPE */
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit as LM_EIO */
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM); /* lm_interrupt() needs it */
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int cli_main(int argc, char **argv, const cli_tool *t)
{
    double started = lm_seconds();
    tool = t;
    cli_out_begin(tool->name);
    set_signals();

    int rc = parse(argc, argv);
    cli_out_levels(quiet, verbose);
    if (!rc) {
        if (want_help) cli_help(tool, command, common);
        else if (want_version) version();
        else if (want_man) cli_man(tool, common);
        else if (want_examples) cli_examples(tool);
        else rc = tool->run();
    }
    report(rc);
    int written = cli_out_end();
    if (rc >= 0 && written) report(rc = written);
    if (verbose) cli_last_line(argc, argv, started);
    free_lists();
    return exit_code(rc);
}
