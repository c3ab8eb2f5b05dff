/* base.c -- what the makers of RULER's texts share: random choices, and words for keys. */
#include "eval/tasks/ruler/internal.h"

#include <string.h>

#include "lib/base/rng.h"

void ruler_sample_free(ruler_sample *s)
{
    lm_buf_free(&s->prompt);
    lm_buf_free(&s->references);
    s->n = 0;
}

size_t ruler_below(size_t n, uint64_t random) { return (size_t)(lm_unit(random) * (double)n); }

int ruler_add(lm_buf *b, const char *s) { return lm_buf_add(b, s, strlen(s)); }

int ruler_reference(ruler_sample *out, const char *s)
{
    out->n++;
    return lm_buf_add(&out->references, s, strlen(s) + 1);
}

void ruler_choose(uint64_t seed, enum ruler_purpose what, size_t n, size_t count, size_t *out)
{
    for (size_t i = 0; i < count; i++)
        for (uint64_t try = 0;; try++) {
            bool again = false;
            out[i] = ruler_below(n, lm_hash4(seed, what, i, try));
            for (size_t k = 0; k < i; k++) again |= out[k] == out[i];
            if (!again) break;
        }
}

int ruler_rising(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Fisher and Yates. */
void ruler_shuffle(uint64_t seed, enum ruler_purpose what, size_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = ruler_below(i, lm_hash4(seed, what, i, 0)), t = v[i - 1];
        v[i - 1] = v[k];
        v[k] = t;
    }
}

/* No adjective ends like another and no noun begins like another, so that no "adjective-noun"
 * is part of another one. */
const char *const ruler_adjectives[] = {
    "acid",   "alert",  "amber",   "ample",   "ancient", "angry",  "arctic", "awake",   "basic",
    "bitter", "blank",  "blunt",   "bold",    "brave",   "brief",  "bright", "brisk",   "broad",
    "broken", "calm",   "careful", "chilly",  "civil",   "clean",  "clever", "cloudy",  "common",
    "cosmic", "crisp",  "cruel",   "curious", "curved",  "damp",   "dark",   "dear",    "deep",
    "dense",  "dizzy",  "double",  "dry",     "dull",    "dusty",  "eager",  "early",   "easy",
    "elder",  "empty",  "equal",   "exact",   "faded",   "faint",  "fair",   "famous",  "fancy",
    "fast",   "final",  "firm",    "flat",    "foggy",   "fond",   "formal", "free",    "fresh",
    "frozen", "full",   "funny",   "gentle",  "giant",   "glad",   "golden", "grand",   "grave",
    "gray",   "great",  "green",   "happy",   "harsh",   "heavy",  "hollow", "honest",  "huge",
    "humble", "hungry", "idle",    "inner",   "jolly",   "keen",   "kind",   "large",   "late",
    "lazy",   "light",  "little",  "lively",  "local",   "lonely", "long",   "loose",   "loud",
    "loyal",  "lucky",  "marble",  "mellow",  "mild",    "modern", "modest", "moist",   "muddy",
    "narrow", "neat",   "nimble",  "noble",   "noisy",   "normal", "odd",    "open",    "orange",
    "outer",  "pale",   "patient", "plain",   "polite",  "proud",  "pure",   "purple",  "quick",
    "quiet",  "rapid",  "rare",    "ready",   "rich",    "rigid",  "ripe",   "rough",   "round",
    "royal",  "rusty",  "sandy",   "scarlet", "secret",  "sharp",  "shiny",  "short",   "silent",
    "silver", "simple", "sleepy",  "slim",    "slow",    "smooth", "soft",   "solid",   "sour",
    "spare",  "spicy",  "stable",  "steep",   "stiff",   "still",  "stout",  "strange", "strict",
    "strong", "sudden", "sunny",   "sweet",   "swift",   "tall",   "tame",   "tender",  "thick",
    "thin",   "tidy",   "tiny",    "tired",   "tough",   "true",   "upper",  "urban",   "urgent",
    "usual",  "vague",  "vast",    "velvet",  "violet",  "vivid",  "warm",   "weak",    "weary",
    "wet",    "white",  "wide",    "wild",    "windy",   "wise",   "wooden", "yellow",  "young",
};
const size_t ruler_adjectives_n = sizeof ruler_adjectives / sizeof *ruler_adjectives;

const char *const ruler_nouns[] = {
    "acorn",    "actor",   "anchor",   "angle",    "ankle",   "apple",    "apron",    "arrow",
    "artist",   "atlas",   "attic",    "badge",    "baker",   "banjo",    "barrel",   "basin",
    "basket",   "beach",   "beacon",   "bell",     "bench",   "berry",    "blanket",  "blossom",
    "border",   "bottle",  "bridge",   "broom",    "bucket",  "button",   "cabin",    "cactus",
    "camel",    "candle",  "canoe",    "canyon",   "carpet",  "castle",   "cellar",   "chain",
    "chapel",   "cherry",  "circle",   "citrus",   "clerk",   "cliff",    "cloak",    "clock",
    "cloud",    "clover",  "coast",    "comet",    "copper",  "coral",    "corner",   "cotton",
    "cousin",   "cradle",  "crater",   "cricket",  "crown",   "curtain",  "dagger",   "daisy",
    "dancer",   "desert",  "diary",    "dolphin",  "donkey",  "dragon",   "drawer",   "eagle",
    "echo",     "elbow",   "engine",   "envelope", "fabric",  "falcon",   "farmer",   "feather",
    "fence",    "ferry",   "fiddle",   "finger",   "flame",   "flute",    "forest",   "fossil",
    "fountain", "garage",  "garden",   "garlic",   "glacier", "glove",    "goose",    "grape",
    "gravel",   "guitar",  "hammer",   "harbor",   "harvest", "hazel",    "helmet",   "heron",
    "hinge",    "honey",   "horizon",  "hotel",    "hunter",  "insect",   "island",   "jacket",
    "jaguar",   "jewel",   "jungle",   "kernel",   "kettle",  "kitchen",  "kitten",   "ladder",
    "lagoon",   "lantern", "laptop",   "lawyer",   "leaf",    "lemon",    "letter",   "lizard",
    "lobster",  "locker",  "magnet",   "mango",    "maple",   "market",   "meadow",   "medal",
    "melon",    "mirror",  "mitten",   "monkey",   "moth",    "motor",    "mountain", "museum",
    "mushroom", "napkin",  "needle",   "nest",     "nickel",  "notebook", "oasis",    "ocean",
    "olive",    "onion",   "orchard",  "otter",    "oven",    "oyster",   "paddle",   "palace",
    "panda",    "parade",  "parrot",   "pebble",   "pencil",  "pepper",   "piano",    "pigeon",
    "pillow",   "pilot",   "planet",   "plaza",    "pocket",  "poet",     "pond",     "potato",
    "prairie",  "puzzle",  "quarry",   "quilt",    "rabbit",  "radio",    "raven",    "ribbon",
    "river",    "robin",   "rocket",   "saddle",   "sailor",  "salmon",   "sandal",   "scarf",
    "school",   "seed",    "shadow",   "shelf",    "shell",   "shovel",   "singer",   "sister",
    "spider",   "spoon",   "squirrel", "stable",   "statue",  "stone",    "summit",   "swan",
    "table",    "tailor",  "tavern",   "teapot",   "temple",  "thunder",  "ticket",   "tiger",
    "timber",   "tower",   "tractor",  "trumpet",  "tulip",   "tunnel",   "turtle",   "uncle",
    "valley",   "vessel",  "village",  "violin",   "wagon",   "walnut",   "walrus",   "whistle",
    "willow",   "window",  "winter",   "wizard",   "yacht",   "zebra",
};
const size_t ruler_nouns_n = sizeof ruler_nouns / sizeof *ruler_nouns;
