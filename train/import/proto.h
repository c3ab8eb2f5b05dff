/* proto.h -- SentencePiece's model file, which is a protocol buffer, written by hand. */
#ifndef TRAIN_IMPORT_PROTO_H
#define TRAIN_IMPORT_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "longmix/buf.h"

enum {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER_DEFINED = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6
};

/* What follows the pieces: a BPE model with byte fallback whose normalizer changes nothing but
 * spaces. */
typedef struct proto_specs {
    uint64_t vocab;
    bool prefix;  /* a space before each text */
    bool squeeze; /* runs of spaces become one, those at the ends none */
    lm_string
        names[4]; /* of the pieces for unknown text, BOS, EOS and padding; NULL: SentencePiece's */
} proto_specs;

/* Append one piece, or the settings. 0 or LM_ENOMEM. */
LM_CHECKED int proto_piece(lm_buf *model, lm_string text, float score, int type);
LM_CHECKED int proto_settings(lm_buf *model, const proto_specs *s);

#endif
