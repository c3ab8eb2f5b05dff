/* known.c -- rank files that are known by their hash. The files have neither pattern nor special
 * tokens: the programs of each family have them. */
#include <stddef.h>

#include "lib/tokenizer/tiktoken/internal.h"

static const lm_special_run llama3[] = {
    { "<|begin_of_text|>" },
    { "<|end_of_text|>" },
    { "<|reserved_special_token_", 0, 2 },
    { "<|finetune_right_pad_id|>" },
    { "<|step_id|>" },
    { "<|start_header_id|>" },
    { "<|end_header_id|>" },
    { "<|eom_id|>" },
    { "<|eot_id|>" },
    { "<|python_tag|>" },
    { "<|image|>" },
    { "<|reserved_special_token_", 2, 244 },
    { NULL },
};

static const lm_special_run llama4[] = {
    { "<|begin_of_text|>" },
    { "<|end_of_text|>" },
    { "<|fim_prefix|>" },
    { "<|fim_middle|>" },
    { "<|fim_suffix|>" },
    { "<|header_start|>" },
    { "<|header_end|>" },
    { "<|eom|>" },
    { "<|eot|>" },
    { "<|step|>" },
    { "<|text_post_train_reserved_special_token_", 0, 6 },
    { "<|python_start|>" },
    { "<|python_end|>" },
    { "<|finetune_right_pad|>" },
    { "<|text_post_train_reserved_special_token_", 8, 61 },
    { "<|image_start|>" },
    { "<|image_end|>" },
    { "<|vision_reserved_special_token_", 0, 2 },
    { "<|tile_x_separator|>" },
    { "<|tile_y_separator|>" },
    { "<|vision_reserved_special_token_", 2, 4 },
    { "<|image|>" },
    { "<|vision_reserved_special_token_", 6, 1 },
    { "<|patch|>" },
    { "<|vision_reserved_special_token_", 7, 1041 },
    { "<|reasoning_reserved_special_token_", 0, 8 },
    { "<|reasoning_thinking_start|>" },
    { "<|reasoning_thinking_end|>" },
    { "<|reserved_special_token_", 0, 904 },
    { NULL },
};

static const lm_special_run qwen[] = {
    { "<|endoftext|>" }, { "<|im_start|>" }, { "<|im_end|>" }, { "<|extra_", 0, 205 }, { NULL },
};

static const lm_special_run qwen36[] = {
    { "<|endoftext|>" },
    { "<|im_start|>" },
    { "<|im_end|>" },
    { "<|object_ref_start|>" },
    { "<|object_ref_end|>" },
    { "<|box_start|>" },
    { "<|box_end|>" },
    { "<|quad_start|>" },
    { "<|quad_end|>" },
    { "<|vision_start|>" },
    { "<|vision_end|>" },
    { "<|vision_pad|>" },
    { "<|image_pad|>" },
    { "<|video_pad|>" },
    { "<tool_call>" },
    { "</tool_call>" },
    { "<|fim_prefix|>" },
    { "<|fim_middle|>" },
    { "<|fim_suffix|>" },
    { "<|fim_pad|>" },
    { "<|repo_name|>" },
    { "<|file_sep|>" },
    { "<tool_response>" },
    { "</tool_response>" },
    { "<think>" },
    { "</think>" },
    { "<|audio_start|>" },
    { "<|audio_end|>" },
    { "<tts_pad>" },
    { "<tts_text_bos>" },
    { "<tts_text_eod>" },
    { "<tts_text_bos_single>" },
    { "<|audio_pad|>" },
    { NULL },
};

#define QWEN36_PATTERN                                                                  \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s" \
    "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static const lm_known_ranks known[] = {
    { .hash = 0xe7339703bb9e9d7b,
      .name = "LLaMA-3",
      .pattern = "llama3",
      .special = llama3,
      .first = 128000,
      .bos = "<|begin_of_text|>",
      .eos = "<|end_of_text|>" },
    { .hash = 0xd2fc82dae9636e64,
      .name = "LLaMA-4",
      .pattern = "o200k",
      .special = llama4,
      .first = 200000,
      .bos = "<|begin_of_text|>",
      .eos = "<|end_of_text|>" },
    { .hash = 0x9f288efcb5368aab,
      .name = "Qwen",
      .pattern = "qwen2",
      .special = qwen,
      .first = 151643,
      .eos = "<|endoftext|>",
      .nfc = LM_NFC_16 },
    { .hash = 0x2a38d0d36c85cbae,
      .name = "Qwen3.6",
      .pattern = QWEN36_PATTERN,
      .special = qwen36,
      .first = 248044,
      .eos = "<|endoftext|>",
      .nfc = LM_NFC_16 },
};

const lm_known_ranks *lm_known_ranks_of(uint64_t hash)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].hash == hash) return &known[i];
    return NULL;
}
