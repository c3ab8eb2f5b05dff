/* cli_help.c -- --help and the man page, from the tables of options. */
#include "cli_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_out.h"

/* ---- what both share ---------------------------------------------------------------------- */

static void option_heading(const cli_opt *o, const char *dash, char *out, size_t n)
{
    int k = 0;
    if (o->letter) k = snprintf(out, n, "%s%c, ", dash, o->letter);
    k += snprintf(out + k, n - (size_t)k, "%s%s%s%s", dash, dash,
                  o->kind == CLI_SWITCH ? "[no-]" : "", o->name);
    if (cli_takes_value(o)) snprintf(out + k, n - (size_t)k, " %s", o->arg);
}

/* Columns of a terminal, at most 100; 80 elsewhere. */
static int width(void)
{
    static int columns;
    if (!columns) columns = cli_columns(STDOUT_FILENO);
    if (!columns) columns = 80;
    return columns < 40 ? 40 : columns > 100 ? 100 : columns;
}

/* Print `text` wrapped and indented; the cursor is in column `col`. */
static void wrap_from(const char *text, int indent, int col)
{
    while (*text) {
        if (*text == '\n') {
            cli_print("\n");
            col = 0;
            text++;
            continue;
        }
        size_t n = strcspn(text, " \n");
        if (col > indent && col + 1 + (int)n >= width()) {
            cli_print("\n");
            col = 0;
        }
        if (col <= indent) {
            cli_print("%*s", indent - col, "");
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

static void wrap(const char *text, int indent) { wrap_from(text, indent, 0); }

static void print_usage_line(const cli_tool *tool, const char *bold, const char *plain,
                             const cli_command *c)
{
    cli_print("%s%s%s%s%s%s [options]", bold, tool->name, c ? " " : "", c ? c->name : "", plain,
              tool->noun && !c ? " NAME" : "");
    for (const cli_opt *o = c ? c->opts : tool->opts; o->kind != CLI_END; o++)
        if (cli_is_operand(o)) cli_print(o->min > 0 ? " %s" : " [%s]", o->arg);
    cli_print("\n");
}

/* ---- --help ----------------------------------------------------------------------------- */

static void help_operands(const cli_opt *opts)
{
    for (const cli_opt *o = opts; o->kind != CLI_END; o++)
        if (cli_is_operand(o)) {
            cli_print("\n  %s\n", o->arg);
            wrap(o->help, 6);
        }
}

static void help_options(const cli_opt *opts)
{
    char head[160];
    for (const cli_opt *o = opts; o->kind != CLI_END; o++) {
        if (cli_is_operand(o)) continue;
        option_heading(o, "-", head, sizeof head);
        cli_print("  %s\n", head);
        wrap(o->help, 6);
    }
}

static void help_command(const cli_tool *tool, const cli_command *c, const cli_opt *common)
{
    cli_print("%s %s -- %s\n\nusage: ", tool->name, c->name, c->summary);
    print_usage_line(tool, "", "", c);
    cli_print("\n");
    wrap(c->about, 0);
    help_operands(c->opts);
    cli_print("\n");
    help_options(c->opts);
    help_options(tool->opts);
    if (c->model && tool->model_opts) help_options(tool->model_opts);
    help_options(common);
    if (c->examples) cli_print("\nexamples:\n\n%s", c->examples);
}

static void list_commands(const cli_tool *tool)
{
    const cli_command *c;
    cli_print("\n%ss:\n\n", tool->noun);
    for (size_t i = 0; (c = tool->command(i)); i++) {
        cli_print("  %-12s", c->name);
        wrap_from(c->summary, 15, 14);
    }
    cli_print("\n%s NAME --help describes one %s and its options. Options of all:\n", tool->name,
              tool->noun);
}

void cli_help(const cli_tool *tool, const cli_command *c, const cli_opt *common)
{
    if (c) {
        help_command(tool, c, common);
        return;
    }
    cli_print("%s -- %s\n\nusage: ", tool->name, tool->summary);
    print_usage_line(tool, "", "", NULL);
    cli_print("\n");
    wrap(tool->about, 0);
    help_operands(tool->opts);
    if (tool->noun) list_commands(tool);
    cli_print("\n");
    help_options(tool->opts);
    help_options(common);
    if (tool->model_opts) {
        cli_print("\nOptions of %ss that run a model:\n\n", tool->noun);
        help_options(tool->model_opts);
    }
    if (tool->examples) cli_print("\nexamples:\n\n%s", tool->examples);
}

/* ---- the man page ----------------------------------------------------------------------- */

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
        if (cli_is_operand(o)) continue;
        option_heading(o, "\\-", head, sizeof head);
        cli_print(".TP\n.B %s\n", head);
        roff(o->help);
    }
}

static void man_operands(const cli_opt *opts)
{
    for (const cli_opt *o = opts; o->kind != CLI_END; o++)
        if (cli_is_operand(o)) {
            cli_print(".TP\n.I %s\n", o->arg);
            roff(o->help);
        }
}

static void print_upper(const char *s)
{
    for (; *s; s++) cli_print("%c", *s >= 'a' && *s <= 'z' ? *s - 32 : *s);
}

static void man_commands(const cli_tool *tool)
{
    const cli_command *c;
    cli_print(".SH ");
    print_upper(tool->noun);
    cli_print("S\n");
    for (size_t i = 0; (c = tool->command(i)); i++) {
        cli_print(".SS %s \\- ", c->name);
        roff(c->summary);
        print_usage_line(tool, "\\fB", "\\fR", c);
        cli_print(".PP\n");
        roff(c->about);
        man_operands(c->opts);
        man_options(c->opts);
    }
}

static void print_examples(const cli_tool *tool, void (*print)(const char *))
{
    const cli_command *c;
    if (tool->examples) print(tool->examples);
    for (size_t i = 0; tool->noun && (c = tool->command(i)); i++)
        if (c->examples) print(c->examples);
}

void cli_man(const cli_tool *tool, const cli_opt *common)
{
    cli_print(".\\\" Made from the option table of tools/%s.c by `make man`; do not edit.\n.TH ",
              tool->name);
    print_upper(tool->name);
    cli_print(" 1 \"\" \"longmix %s\" \"longmix\"\n.SH NAME\n%s \\- ", LM_VERSION, tool->name);
    roff(tool->summary);
    cli_print(".SH SYNOPSIS\n");
    print_usage_line(tool, "\\fB", "\\fR", NULL);
    cli_print(".SH DESCRIPTION\n");
    roff(tool->about);
    cli_print(".SH OPTIONS\n");
    man_operands(tool->opts);
    man_options(tool->opts);
    if (tool->model_opts) man_options(tool->model_opts);
    man_options(common);
    if (tool->noun) man_commands(tool);
    cli_print(".SH EXAMPLES\n.nf\n");
    print_examples(tool, roff);
    cli_print(".fi\n.SH EXIT STATUS\n"
              "0: done.\n1: the work failed; a line on standard error says where and why.\n"
              "2: the command line is wrong.\n3: the data holds too little for what was asked.\n"
              "130: interrupted.\n141: the reader of the output closed it.\n");
    cli_print(".SH SEE ALSO\n");
    roff(tool->see);
}

static void print_text(const char *s) { cli_print("%s", s); }

void cli_examples(const cli_tool *tool) { print_examples(tool, print_text); }
