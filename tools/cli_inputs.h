/* cli_inputs.h -- the options that the readers of JSONL share: domains, keys, invalid characters; and
 * the report of what folders hold and is not read. */
#ifndef TOOLS_CLI_INPUTS_H
#define TOOLS_CLI_INPUTS_H

#include "cli.h"
#include "longmix/docs.h"
#include "longmix/domain.h"

typedef struct cli_inputs {
    const char *table, *text_key;
    cli_list domain_key;
    int invalid; /* index in the list below */
} cli_inputs;

/* The help of an operand that is JSONL. */
#define CLI_INPUTS_HELP                                                                            \
    "JSON lines, plain or compressed (gzip, zstd, bz2, xz). A folder is read with the folders in " \
    "it, whatever its files are named: what it holds that is not JSON lines is counted, and "      \
    "named with -v. - is standard input, which is also read when there is no FILE."

/* Rows of a cli_opt table; `o` is a file-static cli_inputs. */
/* clang-format off */
#define CLI_INPUTS_OPTIONS(o)                                                                     \
    { CLI_STR, "domains", 'd', &(o).table, "FILE|PRESET",                                         \
      "Domains and the rules that assign them: a JSON file (docs/domains.md), or one of the "     \
      "tables that come with longmix: c4, dolma, fineweb, pile, redpajama-v1, redpajama-v2, "     \
      "slimpajama (the default), the-stack." },                                                   \
    { CLI_STR, "text-key", 0, &(o).text_key, "KEY",                                               \
      "The member that holds the text: a key, or a path such as data.body. Default: what the "    \
      "table of domains says, else text." },                                                      \
    { CLI_LIST, "domain-key", 0, &(o).domain_key, "KEY,...",                                      \
      "The members that name the domain, in the order in which they are tried, instead of the "   \
      "table's. May be given several times." },                                                   \
    { CLI_CHOICE, "invalid", 0, &(o).invalid, "stop|replace",                                     \
      "How to treat characters and numbers that JSON lacks. stop (the default): the line is "     \
      "invalid. replace: lone surrogates and bytes that are not UTF-8 become U+FFFD, and NaN and "\
      "Infinity null (docs/jsonl.md)." }
/* clang-format on */

/* Open the table with these options applied, and set *schema, which borrows from it. LM_EUSAGE, or
 * lm_domains_open's errors. */
LM_CHECKED int cli_inputs_open(lm_domains **out, lm_schema *schema, const cli_inputs *o);

/* Say how many files of folders are not read, and with -v which and why. */
void cli_inputs_report(const lm_files *files);

#endif
