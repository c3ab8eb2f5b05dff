/* cli_help.h -- --help, the man page and the examples of a program, on standard output. */
#ifndef TOOLS_CLI_HELP_H
#define TOOLS_CLI_HELP_H

#include "cli.h"

/* --help of a program, or of one of its commands (NULL: none); `common` are the options of all. */
void cli_help(const cli_tool *tool, const cli_command *c, const cli_opt *common);
void cli_man(const cli_tool *tool, const cli_opt *common); /* roff */
void cli_examples(const cli_tool *tool);                   /* the program's and its commands' */

static inline bool cli_is_operand(const cli_opt *o) { return o->kind == CLI_ARGS; }
static inline bool cli_takes_value(const cli_opt *o)
{
    return o->kind != CLI_FLAG && o->kind != CLI_SWITCH;
}

#endif
