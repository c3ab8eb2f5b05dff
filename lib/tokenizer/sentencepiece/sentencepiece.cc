// sentencepiece.cc -- SentencePiece behind a C interface. Exceptions end here.

#include <sentencepiece_processor.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "lib/tokenizer/ids.h"
#include "lib/tokenizer/sentencepiece/internal.h"

struct lm_spm {
    sentencepiece::SentencePieceProcessor processor;
};

namespace {

// Run f(), which returns 0 or an LM_E*, and turn what it throws into one.
template <typename F> int guarded(const F &f)
{
    try {
        return f();
    } catch (const std::bad_alloc &) {
        return lm_fail(LM_ENOMEM, "SentencePiece ran out of memory");
    } catch (const std::exception &x) {
        return lm_fail(LM_EDATA, "SentencePiece failed: %s", x.what());
    } catch (...) {
        return lm_fail(LM_EDATA, "SentencePiece failed");
    }
}

} // namespace

int lm_spm_open(lm_spm **out, const void *model, size_t size, const char *path)
{
    *out = nullptr;
    return guarded([&]() -> int {
        std::unique_ptr<lm_spm> s(new lm_spm);
        auto status = s->processor.LoadFromSerializedProto(
            absl::string_view(static_cast<const char *>(model), size));
        if (!status.ok())
            return lm_fail(LM_EDATA, "%s: not a SentencePiece model: %s", path,
                           status.error_message());
        *out = s.release();
        return LM_OK;
    });
}

void lm_spm_free(lm_spm *s) { delete s; }

uint32_t lm_spm_vocab(const lm_spm *s)
{
    return static_cast<uint32_t>(s->processor.GetPieceSize());
}
int64_t lm_spm_bos(const lm_spm *s) { return s->processor.bos_id(); }
int64_t lm_spm_eos(const lm_spm *s) { return s->processor.eos_id(); }

int64_t lm_spm_unk(const lm_spm *s) { return s->processor.unk_id(); }
bool lm_spm_is_special(const lm_spm *s, uint32_t id)
{
    return s->processor.IsControl(static_cast<int>(id)) ||
           s->processor.IsUnknown(static_cast<int>(id));
}

bool lm_spm_is_byte(const lm_spm *s, uint32_t id)
{
    return s->processor.IsByte(static_cast<int>(id));
}

const char *lm_spm_piece(const lm_spm *s, uint32_t id)
{
    return id < lm_spm_vocab(s) ? s->processor.IdToPiece(static_cast<int>(id)).c_str() : nullptr;
}

int lm_spm_encode(const lm_spm *s, const char *text, size_t n, unsigned width, lm_buf *out)
{
    return guarded([&]() -> int {
        std::vector<int> ids;
        auto status = s->processor.Encode(absl::string_view(text, n), &ids);
        if (!status.ok())
            return lm_fail(LM_EDATA, "SentencePiece failed: %s", status.error_message());
        int rc = lm_buf_reserve(out, ids.size() * width);
        if (rc) return rc;
        unsigned char *p = out->data + out->size;
        for (int id : ids) p = lm_put_id(p, static_cast<uint32_t>(id), width);
        out->size += ids.size() * width;
        return LM_OK;
    });
}

int lm_spm_decode(const lm_spm *s, const void *ids, size_t count, unsigned width, lm_buf *out)
{
    return guarded([&]() -> int {
        std::vector<int> list(count);
        const unsigned char *p = static_cast<const unsigned char *>(ids);
        for (size_t i = 0; i < count; i++) {
            uint32_t id = lm_get_id(p + i * width, width);
            if (id >= lm_spm_vocab(s))
                return lm_fail(LM_EDATA, "id %u at token %zu: the model has only %u", id, i,
                               lm_spm_vocab(s));
            list[i] = static_cast<int>(id);
        }
        std::string text;
        auto status = s->processor.Decode(list, &text);
        if (!status.ok())
            return lm_fail(LM_EDATA, "SentencePiece failed: %s", status.error_message());
        return lm_buf_add(out, text.data(), text.size());
    });
}
