/* lmimport.c -- convert checkpoints of other programs to Hugging Face model directories. */
#include <string.h>

#include "cli.h"
#include "train/import/llama2c.h"

static const char *output;
static cli_list args;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &args, "llama2c MODEL.bin TOKENIZER.bin",
      "A checkpoint of llama2.c in its first format (seven numbers, then float32), and its "
      "vocabulary.",
      3, 0 },
    { CLI_STR, "output", 'o', &output, "DIR", "The directory to write; created if needed." },
    { .kind = CLI_END },
};

static int run(void)
{
    if (strcmp(args.v[0], "llama2c"))
        return cli_usage("%s: unknown kind of model (llama2c is supported)", args.v[0]);
    if (args.n != 3) return cli_usage("llama2c takes a model and a tokenizer");
    if (!output) return cli_usage("--output is missing");
    char note[400] = "";
    int rc = tr_import_llama2c(args.v[1], args.v[2], output, note, sizeof note);
    if (!rc && *note) cli_note("%s: %s", output, note);
    return rc;
}

static const cli_tool tool = {
    .name = "lmimport",
    .summary = "make a model directory from a checkpoint of llama2.c",
    .about =
        "Writes config.json, model.safetensors, tokenizer.model, tokenizer.json and "
        "tokenizer_config.json, as lmtrain --model, lmtok -m and transformers read them, and "
        "checksums.json for lmcheck. Weights are copied unchanged; rows "
        "of "
        "the query and key matrices are permuted to the order that Hugging Face's rotary embedding "
        "expects.",
    .opts = opts,
    .examples = "# a model directory\n"
                "lmimport llama2c model.bin tokenizer.bin -o model\n"
                "# tokenize with its tokenizer\n"
                "lmtok -m model/tokenizer.model corpus -o tokens.lmt\n",
    .see = "lmtrain(1), lmtok(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
