#include "cli.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "longmix/json.h"
#include "lib/base/threads.h"

static const cli_tool *tool;
static bool verbose, quiet, live; /* live: a progress line stands on the terminal */
static int write_error;           /* errno of the first failed write to standard output */

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

/* ---- words on standard error ----------------------------------------------------------- */

static void clear_line(void)
{
    if (live) fputs("\r\033[K", stderr);
    live = false;
}

static void say(const char *fmt, va_list ap)
{
    flockfile(stderr);
    clear_line();
    fprintf(stderr, "%s: ", tool->name);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    funlockfile(stderr);
}

#define SAY(when)               \
    do {                        \
        va_list ap;             \
        va_start(ap, fmt);      \
        if (when) say(fmt, ap); \
        va_end(ap);             \
    } while (0)

void cli_warn(const char *fmt, ...) { SAY(true); }
void cli_note(const char *fmt, ...) { SAY(!quiet); }
void cli_verbose(const char *fmt, ...) { SAY(verbose); }

int cli_usage(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return lm_fail(LM_EUSAGE, "%s (%s --help lists the options)", text, tool->name);
}

static void show_progress(void *arg, const char *line)
{
    (void)arg;
    flockfile(stderr);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    live = true;
    funlockfile(stderr);
}

lm_progress *cli_progress(const char *noun, uint64_t total)
{
    static lm_progress p;
    p = (lm_progress){ .noun = noun, .total = total };
    if (!quiet && isatty(2)) p.show = show_progress;
    return &p;
}

/* ---- standard output ------------------------------------------------------------------- */

void cli_print(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vprintf(fmt, ap) < 0 && !write_error) write_error = errno;
    va_end(ap);
}

int cli_write(const void *p, size_t n)
{
    if (fwrite(p, 1, n, stdout) == n) return LM_OK;
    if (!write_error) write_error = errno;
    return lm_fail_errno(write_error, "standard output");
}

const char *cli_count(uint64_t v)
{
    static _Thread_local char ring[8][28];
    static _Thread_local unsigned turn;
    char *s = ring[turn++ % 8], *p = s + sizeof ring[0];
    *--p = 0;
    for (int i = 0; i == 0 || v; i++, v /= 10) {
        if (i && i % 3 == 0) *--p = ',';
        *--p = (char)('0' + v % 10);
    }
    return p;
}

/* ---- help and man page, from the table ------------------------------------------------- */

static bool is_operand(const cli_opt *o) { return o->kind == CLI_ARGS; }
static bool takes_value(const cli_opt *o) { return o->kind != CLI_FLAG && o->kind != CLI_SWITCH; }

static void option_heading(const cli_opt *o, const char *dash, char *out, size_t n)
{
    int k = 0;
    if (o->letter) k = snprintf(out, n, "%s%c, ", dash, o->letter);
    k += snprintf(out + k, n - (size_t)k, "%s%s%s%s", dash, dash,
                  o->kind == CLI_SWITCH ? "[no-]" : "", o->name);
    if (takes_value(o)) snprintf(out + k, n - (size_t)k, " %s", o->arg);
}

/* Print `text` wrapped at 80 columns, indented. */
static void wrap(const char *text, int indent)
{
    int col = 0;
    while (*text) {
        if (*text == '\n') {
            cli_print("\n");
            col = 0;
            text++;
            continue;
        }
        size_t n = strcspn(text, " \n");
        if (col && col + 1 + (int)n > 79) {
            cli_print("\n");
            col = 0;
        }
        if (!col) {
            cli_print("%*s", indent, "");
            col = indent;
        } else {
            cli_print(" ");
            col++;
        }
        cli_print("%.*s", (int)n, text);
        col += (int)n;
        text += n;
        while (*text == ' ') text++;
    }
    cli_print("\n");
}

static void print_usage_line(const char *bold, const char *plain)
{
    cli_print("%s%s%s [options]", bold, tool->name, plain);
    for (const cli_opt *o = tool->opts; o->kind != CLI_END; o++)
        if (is_operand(o)) cli_print(o->min > 0 ? " %s" : " [%s]", o->arg);
    cli_print("\n");
}

static void help_options(const cli_opt *opts)
{
    char head[160];
    for (const cli_opt *o = opts; o->kind != CLI_END; o++) {
        if (is_operand(o)) continue;
        option_heading(o, "-", head, sizeof head);
        cli_print("  %s\n", head);
        wrap(o->help, 6);
    }
}

static void help(void)
{
    cli_print("%s -- %s\n\nusage: ", tool->name, tool->summary);
    print_usage_line("", "");
    cli_print("\n");
    wrap(tool->about, 0);
    for (const cli_opt *o = tool->opts; o->kind != CLI_END; o++)
        if (is_operand(o)) {
            cli_print("\n  %s\n", o->arg);
            wrap(o->help, 6);
        }
    cli_print("\n");
    help_options(tool->opts);
    help_options(common);
    cli_print("\nexamples:\n\n%s", tool->examples);
}

static void roff(const char *s)
{
    bool start = true;
    for (; *s; s++) {
        if (start && (*s == '.' || *s == '\'')) cli_print("\\&");
        start = *s == '\n';
        if (*s == '\\') cli_print("\\e");
        else if (*s == '-') cli_print("\\-");
        else if (*s == '\n' && s[1] == '\n') cli_print("\n.PP"), s++, cli_print("\n"), start = true;
        else cli_print("%c", *s);
    }
    cli_print("\n");
}

static void man_options(const cli_opt *opts)
{
    char head[160];
    for (const cli_opt *o = opts; o->kind != CLI_END; o++) {
        if (is_operand(o)) continue;
        option_heading(o, "\\-", head, sizeof head);
        cli_print(".TP\n.B %s\n", head);
        roff(o->help);
    }
}

static void man(void)
{
    char upper[32];
    size_t n = 0;
    for (const char *s = tool->name; *s && n < sizeof upper - 1; s++)
        upper[n++] = (char)(*s >= 'a' && *s <= 'z' ? *s - 32 : *s);
    upper[n] = 0;
    cli_print(".\\\" Made from the option table of tools/%s.c by `make man`; do not edit.\n",
              tool->name);
    cli_print(".TH %s 1 \"\" \"longmix %s\" \"longmix\"\n.SH NAME\n%s \\- ", upper, LM_VERSION,
              tool->name);
    roff(tool->summary);
    cli_print(".SH SYNOPSIS\n");
    print_usage_line("\\fB", "\\fR");
    cli_print(".SH DESCRIPTION\n");
    roff(tool->about);
    cli_print(".SH OPTIONS\n");
    for (const cli_opt *o = tool->opts; o->kind != CLI_END; o++)
        if (is_operand(o)) {
            cli_print(".TP\n.I %s\n", o->arg);
            roff(o->help);
        }
    man_options(tool->opts);
    man_options(common);
    cli_print(".SH EXAMPLES\n.nf\n");
    roff(tool->examples);
    cli_print(".fi\n.SH EXIT STATUS\n"
              "0: done.\n1: the work failed; a line on standard error says where and why.\n"
              "2: the command line is wrong.\n3: the data holds too little for what was asked.\n"
              "130: interrupted.\n141: the reader of the output went away.\n");
    cli_print(".SH SEE ALSO\n");
    roff(tool->see);
}

static void version(void)
{
    cli_print("%s (longmix) %s\ncommit: %s\ncompiler: %s\n"
              "formats: store 1, shard 1, plan 1, manifest 1\n",
              tool->name, lm_version(), lm_commit(), __VERSION__);
}

/* ---- parsing --------------------------------------------------------------------------- */

static int choice(const cli_opt *o, const char *s)
{
    size_t n = strlen(s);
    int i = 0;
    for (const char *w = o->arg;; i++) {
        size_t k = strcspn(w, "|");
        if (k == n && memcmp(w, s, n) == 0) {
            *(int *)o->value = i;
            return LM_OK;
        }
        if (!w[k]) return cli_usage("--%s %s: not one of %s", o->name, s, o->arg);
        w += k + 1;
    }
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

/* The option of this long (n bytes) or short name; *no: it was written --no-NAME. */
static const cli_opt *find(const char *name, size_t n, char letter, bool *no)
{
    const cli_opt *tables[] = { tool->opts, common, hidden };
    for (size_t t = 0; t < 3; t++)
        for (const cli_opt *o = tables[t]; o->kind != CLI_END; o++) {
            if (is_operand(o)) continue;
            *no = false;
            if (letter ? o->letter == letter : strlen(o->name) == n && !memcmp(o->name, name, n))
                return o;
            *no = o->kind == CLI_SWITCH && n == strlen(o->name) + 3 && !memcmp(name, "no-", 3) &&
                  !memcmp(name + 3, o->name, n - 3);
            if (*no) return o;
        }
    return NULL;
}

static int parse(int argc, char **argv)
{
    const cli_opt *operands = NULL;
    for (const cli_opt *o = tool->opts; o->kind != CLI_END; o++)
        if (o->kind == CLI_ARGS || o->kind == CLI_LIST) {
            cli_list *l = o->value;
            l->v = calloc((size_t)argc + 1, sizeof *l->v);
            if (!l->v) return lm_fail_nomem((size_t)argc * sizeof *l->v);
            if (is_operand(o)) operands = o;
        } else if (o->kind == CLI_PART) {
            *(cli_part *)o->value = (cli_part){ 1, 1 };
        }

    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        char *s = argv[i];
        bool no = false;
        if (only_operands || s[0] != '-' || !s[1]) {
            if (!operands) return cli_usage("%s: no operand is taken", s);
            int rc = set_value(operands, s);
            if (rc) return rc;
        } else if (!strcmp(s, "--")) {
            only_operands = true;
        } else if (s[1] == '-') {
            size_t n = strcspn(s + 2, "=");
            const cli_opt *o = find(s + 2, n, 0, &no);
            char *value = s[2 + n] == '=' ? s + 3 + n : NULL;
            if (!o) return cli_usage("%.*s: no such option", (int)n + 2, s);
            if (!takes_value(o)) {
                if (value) return cli_usage("--%s takes no value", o->name);
                *(bool *)o->value = !no;
                continue;
            }
            if (!value && i + 1 < argc) value = argv[++i];
            if (!value) return cli_usage("--%s needs %s", o->name, o->arg);
            int rc = set_value(o, value);
            if (rc) return rc;
        } else {
            for (char *c = s + 1; *c; c++) {
                const cli_opt *o = find(NULL, 0, *c, &no);
                if (!o) return cli_usage("-%c: no such option", *c);
                if (!takes_value(o)) {
                    *(bool *)o->value = true;
                    continue;
                }
                char *value = c[1] ? c + 1 : i + 1 < argc ? argv[++i] : NULL;
                if (!value) return cli_usage("-%c needs %s", *c, o->arg);
                int rc = set_value(o, value);
                if (rc) return rc;
                break;
            }
        }
    }
    for (const cli_opt *o = tool->opts; o->kind != CLI_END; o++)
        if (o->kind == CLI_THREADS && *(int *)o->value == 0)
            *(int *)o->value = lm_threads_default();
    if (operands && !want_help && !want_version && !want_man && !want_examples &&
        (double)((cli_list *)operands->value)->n < operands->min)
        return cli_usage("%s is missing", operands->arg);
    return LM_OK;
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

static void last_line(int argc, char **argv, double started)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    flockfile(stderr);
    clear_line();
    fprintf(stderr, "%s: longmix %s (%s);", tool->name, lm_version(), lm_commit());
    for (int i = 0; i < argc && i < 16; i++) fprintf(stderr, " %s", argv[i]);
    fprintf(stderr, "%s; %.3f s wall, %.3f s cpu, %.1f MB peak\n", argc > 16 ? " ..." : "",
            lm_seconds() - started,
            (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
            (double)u.ru_maxrss / 1024);
    funlockfile(stderr);
}

int cli_main(int argc, char **argv, const cli_tool *t)
{
    double started = lm_seconds();
    tool = t;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe comes back as LM_EPIPE */
    catch_signal(SIGINT);
    catch_signal(SIGTERM);

    int rc = parse(argc, argv);
    if (!rc) {
        if (want_help) help();
        else if (want_version) version();
        else if (want_man) man();
        else if (want_examples) cli_print("%s", tool->examples);
        else rc = tool->run();
    }
    if (rc < 0) {
        cli_warn("%s", lm_err());
    }
    if ((fflush(stdout) || ferror(stdout) || write_error) && rc >= 0) {
        rc = lm_fail_errno(write_error ? write_error : errno, "standard output");
        cli_warn("%s", lm_err());
    }
    if (close(1) && errno != EBADF && rc >= 0) {
        rc = lm_fail_errno(errno, "standard output");
        cli_warn("%s", lm_err());
    }
    clear_line();
    if (verbose) last_line(argc, argv, started);
    for (const cli_opt *o = tool->opts; o->kind != CLI_END; o++)
        if (o->kind == CLI_ARGS || o->kind == CLI_LIST) free(((cli_list *)o->value)->v);
    return exit_code(rc);
}
