/* stops.h -- the ids that end a model's text. */
#ifndef TRAIN_INFER_STOPS_H
#define TRAIN_INFER_STOPS_H

#include "lib/tokenizer/ids.h"

/* Append "eos_token_id", a number or a list of them, of generation_config.json and config.json in
 * `dir`, as far as they are there. LM_EDATA for anything else. */
LM_CHECKED int tr_stops_load(lm_ids *out, const char *dir);

#endif
