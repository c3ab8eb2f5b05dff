// parse.cc -- the only user of simdjson. Its DOM, not its "on demand" reader: the latter does
// not validate values that are not read, and the whole line must be valid.
#include "lib/docs/internal.h"

#include <new>
#include <string_view>

#include <simdjson.h>

namespace dom = simdjson::dom;

namespace {
constexpr size_t first_capacity = size_t(1) << 20; // allocated, not touched, until a line needs it
constexpr size_t kept_capacity = size_t(8) << 20;
static_assert(LM_LINE_PAD >= simdjson::SIMDJSON_PADDING, "simdjson reads this far past the line");
static_assert(LM_DEPTH_MAX + 1 == simdjson::DEFAULT_MAX_DEPTH, "scan.c has the same bound");
} // namespace

struct lm_simd {
    dom::parser parser;
};

extern "C" lm_simd *lm_simd_new(void) { return new (std::nothrow) lm_simd; }

extern "C" void lm_simd_free(lm_simd *d) { delete d; }

extern "C" void lm_simd_trim(lm_simd *d)
{
    if (d->parser.capacity() > kept_capacity) d->parser = dom::parser();
}

// Visit the members of `o`, which lies `depth` steps down the paths of the mask `active`.
static bool find(const dom::object &o, unsigned depth, unsigned active, const lm_paths &paths,
                 lm_string *found)
{
    unsigned seen = 0;
    for (auto member : o) {
        unsigned hit = 0;
        for (unsigned p = 0; p < paths.count; p++) {
            const auto &step = paths.path[p].step[depth];
            if ((active >> p & 1) && member.key == std::string_view(step.s, step.n)) hit |= 1u << p;
        }
        if (!hit) continue;
        if (hit & seen) return false;
        seen |= hit;
        unsigned deeper = 0;
        for (unsigned p = 0; p < paths.count; p++) {
            if (!(hit >> p & 1)) continue;
            std::string_view s;
            if (depth + 1 < paths.path[p].steps) deeper |= 1u << p;
            else if (!member.value.get_string().get(s)) found[p] = { s.data(), s.size() };
        }
        dom::object child;
        if (deeper && depth + 1 < LM_STEPS_MAX && !member.value.get_object().get(child) &&
            !find(child, depth + 1, deeper, paths, found))
            return false;
    }
    return true;
}

extern "C" int lm_simd_parse(lm_simd *d, const char *s, size_t n, const lm_paths *paths,
                             lm_string *found, const char **why)
{
    *why = nullptr;
    for (unsigned p = 0; p < paths->count; p++) found[p] = { nullptr, 0 };
    simdjson::error_code e = simdjson::SUCCESS;
    if (n > d->parser.capacity()) {
        // At least doubled, so that lines of increasing length do not allocate each time.
        size_t room = d->parser.capacity() * 2;
        if (room < first_capacity) room = first_capacity;
        e = d->parser.allocate(n > room ? n : room);
    }
    dom::object root;
    if (!e) e = d->parser.parse(s, n, false).get_object().get(root);
    if (e == simdjson::MEMALLOC) return lm_fail_nomem(n);
    if (e) {
        *why = simdjson::error_message(e);
        return 0;
    }
    return find(root, 0, (1u << paths->count) - 1, *paths, found) && found[0].s;
}
