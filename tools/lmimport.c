/* lmimport.c -- convert checkpoints of other programs to Hugging Face model directories. */
#include <string.h>

#include "cli.h"
#include "train/import/gguf_import.h"
#include "train/import/llama2c.h"

static const char *output;
static int dtype;
static cli_list args;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &args, "KIND FILE...",
      "gguf MODEL.gguf: a model in GGUF, version 2 or 3, of architecture llama (also Mistral's), "
      "qwen2 or qwen3, in types F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K. "
      "Of a split model, the first file; the others must be in the same folder.\n"
      "llama2c MODEL.bin TOKENIZER.bin: a checkpoint of llama2.c in its first format (seven "
      "numbers, "
      "then float32), and its vocabulary.",
      2, 0 },
    { CLI_STR, "output", 'o', &output, "DIR", "The directory to write; created if needed." },
    { CLI_CHOICE, "dtype", 0, &dtype, "as-read|float32|bfloat16|float16",
      "Type of the weights that gguf writes. As read (the default), a model in F16 or BF16 keeps "
      "every number as it is, and any other becomes float32." },
    { .kind = CLI_END },
};

static int import_gguf(void)
{
    gguf_import o = { .dtype = dtype - 1 };
    if (args.n != 2) return cli_usage("gguf takes one file");
    int rc = tr_import_gguf(&o, args.v[1], output);
    if (!rc) cli_verbose("%s: %s", args.v[1], o.about);
    if (!rc && *o.note) cli_note("%s: %s", output, o.note);
    return rc;
}

static int import_llama2c(void)
{
    char note[400] = "";
    if (args.n != 3) return cli_usage("llama2c takes a model and a tokenizer");
    if (dtype) return cli_usage("--dtype belongs to gguf");
    int rc = tr_import_llama2c(args.v[1], args.v[2], output, note, sizeof note);
    if (!rc && *note) cli_note("%s: %s", output, note);
    return rc;
}

static int run(void)
{
    bool gguf = !strcmp(args.v[0], "gguf");
    if (!gguf && strcmp(args.v[0], "llama2c"))
        return cli_usage("%s: unknown kind of model (gguf and llama2c are supported)", args.v[0]);
    if (!output) return cli_usage("--output is missing");
    return gguf ? import_gguf() : import_llama2c();
}

static const cli_tool tool = {
    .name = "lmimport",
    .summary = "make a model directory from a GGUF file or a checkpoint of llama2.c",
    .about =
        "Writes config.json, model.safetensors, the tokenizer's files and checksums.json (for "
        "lmcheck), as lmtrain --model, lmtok -m and transformers read them. Rows of the query and "
        "key "
        "matrices are permuted to the order that Hugging Face's rotary embedding expects.\n\n"
        "Quantized tensors of a GGUF file are converted to float32, bit for bit as the gguf "
        "package "
        "of Python does. Its byte-level vocabulary becomes a tokenizer.json, SentencePiece's a "
        "tokenizer.model; the chat template is in tokenizer_config.json. What a file asks for and "
        "is "
        "not supported is refused by the name of its key or tensor.",
    .opts = opts,
    .examples = "# a model directory from a GGUF file\n"
                "lmimport gguf model.gguf -o model\n"
                "# one from a checkpoint of llama2.c\n"
                "lmimport llama2c model.bin tokenizer.bin -o stories\n"
                "# tokenize with its tokenizer\n"
                "lmtok -m stories/tokenizer.model corpus -o tokens.lmt\n",
    .see = "lmtrain(1), lmtok(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
