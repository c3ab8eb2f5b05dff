/* model.c -- the model file, read as protocol buffers: pieces and the settings that
 * decide how text is encoded. SentencePiece's own interface hides which pieces are user defined
 * and what its normalizer does. As protocol buffers have it, the last of repeated settings
 * counts. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/tokenizer/sentencepiece/model.h"

#include "longmix/buf.h"

typedef struct field {
    uint64_t number, value; /* value: of a varint, or the bits of four bytes */
    unsigned wire;
    const unsigned char *data; /* of a length-delimited field */
    size_t size;
} field;

typedef struct reader {
    const unsigned char *p, *end;
} reader;

static bool read_varint(reader *r, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && r->p < r->end; shift += 7) {
        unsigned char c = *r->p++;
        v |= (uint64_t)(c & 127) << shift;
        if (c < 128) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* 1 with a field, 0 at the end, -1 where the bytes are invalid. */
static int read_field(reader *r, field *f)
{
    uint64_t tag;
    if (r->p == r->end) return 0;
    *f = (field){ 0 };
    if (!read_varint(r, &tag)) return -1;
    f->number = tag >> 3;
    f->wire = tag & 7;
    size_t left = (size_t)(r->end - r->p), fixed = f->wire == 1 ? 8 : f->wire == 5 ? 4 : 0;
    if (fixed) {
        if (left < fixed) return -1;
        memcpy(&f->value, r->p, fixed); /* little-endian, as the machines that this runs on */
        r->p += fixed;
    } else if (f->wire == 2) {
        if (!read_varint(r, &f->value) || f->value > (size_t)(r->end - r->p)) return -1;
        f->data = r->p;
        f->size = (size_t)f->value;
        r->p += f->size;
    } else if (f->wire != 0 || !read_varint(r, &f->value)) {
        return -1;
    }
    return 1;
}

/* The fields that are read must have the expected wire type. */
static bool wire_is(const field *f, unsigned wire, bool *odd)
{
    if (f->wire != wire) *odd = true;
    return f->wire == wire;
}

static int read_piece(lm_model *m, reader r, bool *odd)
{
    lm_piece piece = { .text = "", .type = LM_NORMAL };
    field f;
    int got;
    while ((got = read_field(&r, &f)) > 0) {
        if (f.number == 1 && wire_is(&f, 2, odd)) {
            piece.text = (const char *)f.data;
            piece.size = f.size;
        } else if (f.number == 2 && wire_is(&f, 5, odd)) {
            memcpy(&piece.score, &f.value, 4);
        } else if (f.number == 3 && wire_is(&f, 0, odd)) {
            piece.type = f.value < 256 ? (uint32_t)f.value : 256;
        }
    }
    if (got < 0) *odd = true;
    if (m->count == m->cap) {
        lm_piece *p = lm_grow(m->pieces, &m->cap, sizeof *p, UINT32_MAX);
        if (!p) return LM_ENOMEM;
        m->pieces = p;
    }
    m->pieces[m->count++] = piece;
    return LM_OK;
}

static void read_trainer(lm_model *m, reader r, bool *odd)
{
    field f;
    int got;
    while ((got = read_field(&r, &f)) > 0) {
        if (f.number == 3 && wire_is(&f, 0, odd)) m->model_type = f.value;
        if (f.number == 24 && wire_is(&f, 0, odd)) m->space_as_suffix = f.value != 0;
        if (f.number == 35 && wire_is(&f, 0, odd)) m->byte_fallback = f.value != 0;
    }
    if (got < 0) *odd = true;
}

static void read_normalizer(lm_model *m, reader r, bool *odd)
{
    field f;
    int got;
    while ((got = read_field(&r, &f)) > 0) {
        if (f.number == 2 && wire_is(&f, 2, odd)) m->charsmap_size = f.size;
        if (f.number == 3 && wire_is(&f, 0, odd)) m->dummy_prefix = f.value != 0;
        if (f.number == 4 && wire_is(&f, 0, odd)) m->squeeze_spaces = f.value != 0;
        if (f.number == 5 && wire_is(&f, 0, odd)) m->escape_spaces = f.value != 0;
    }
    if (got < 0) *odd = true;
}

int lm_model_read(lm_model *m, const unsigned char *data, size_t size, char *why, size_t why_size)
{
    /* The defaults of absent fields. */
    *m = (lm_model){
        .model_type = 1, .dummy_prefix = true, .squeeze_spaces = true, .escape_spaces = true
    };
    reader r = { data, data + size };
    field f;
    bool odd = false;
    int got;
    while ((got = read_field(&r, &f)) > 0) {
        if (f.number < 1 || f.number > 3 || !wire_is(&f, 2, &odd)) continue;
        reader inner = { f.data, f.data + f.size };
        if (f.number == 1) {
            int rc = read_piece(m, inner, &odd);
            if (rc) return rc;
        } else if (f.number == 2) {
            read_trainer(m, inner, &odd);
        } else {
            read_normalizer(m, inner, &odd);
        }
    }
    if (got < 0 || odd) {
        snprintf(why, why_size, "the model file has fields with an unknown wire type");
        return 0;
    }
    return 1;
}
