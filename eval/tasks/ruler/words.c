/* words.c -- words for made-up keys. No adjective ends like another and no noun begins like
 * another, so that no "adjective-noun" stands inside another one. */
#include "eval/tasks/ruler/tasks.h"

const char *const ruler_adjectives[] = {
    "acid", "alert", "amber", "ample", "ancient", "angry", "arctic", "awake", "basic", "bitter",
    "blank", "blunt", "bold", "brave", "brief", "bright", "brisk", "broad", "broken", "calm",
    "careful", "chilly", "civil", "clean", "clever", "cloudy", "common", "cosmic", "crisp",
    "cruel", "curious", "curved", "damp", "dark", "dear", "deep", "dense", "dizzy", "double",
    "dry", "dull", "dusty", "eager", "early", "easy", "elder", "empty", "equal", "exact", "faded",
    "faint", "fair", "famous", "fancy", "fast", "final", "firm", "flat", "foggy", "fond", "formal",
    "free", "fresh", "frozen", "full", "funny", "gentle", "giant", "glad", "golden", "grand",
    "grave", "gray", "great", "green", "happy", "harsh", "heavy", "hollow", "honest", "huge",
    "humble", "hungry", "idle", "inner", "jolly", "keen", "kind", "large", "late", "lazy", "light",
    "little", "lively", "local", "lonely", "long", "loose", "loud", "loyal", "lucky", "marble",
    "mellow", "mild", "modern", "modest", "moist", "muddy", "narrow", "neat", "nimble", "noble",
    "noisy", "normal", "odd", "open", "orange", "outer", "pale", "patient", "plain", "polite",
    "proud", "pure", "purple", "quick", "quiet", "rapid", "rare", "ready", "rich", "rigid", "ripe",
    "rough", "round", "royal", "rusty", "sandy", "scarlet", "secret", "sharp", "shiny", "short",
    "silent", "silver", "simple", "sleepy", "slim", "slow", "smooth", "soft", "solid", "sour",
    "spare", "spicy", "stable", "steep", "stiff", "still", "stout", "strange", "strict", "strong",
    "sudden", "sunny", "sweet", "swift", "tall", "tame", "tender", "thick", "thin", "tidy", "tiny",
    "tired", "tough", "true", "upper", "urban", "urgent", "usual", "vague", "vast", "velvet",
    "violet", "vivid", "warm", "weak", "weary", "wet", "white", "wide", "wild", "windy", "wise",
    "wooden", "yellow", "young",
};
const size_t ruler_adjectives_n = sizeof ruler_adjectives / sizeof *ruler_adjectives;

const char *const ruler_nouns[] = {
    "acorn", "actor", "anchor", "angle", "ankle", "apple", "apron", "arrow", "artist", "atlas",
    "attic", "badge", "baker", "banjo", "barrel", "basin", "basket", "beach", "beacon", "bell",
    "bench", "berry", "blanket", "blossom", "border", "bottle", "bridge", "broom", "bucket",
    "button", "cabin", "cactus", "camel", "candle", "canoe", "canyon", "carpet", "castle",
    "cellar", "chain", "chapel", "cherry", "circle", "citrus", "clerk", "cliff", "cloak", "clock",
    "cloud", "clover", "coast", "comet", "copper", "coral", "corner", "cotton", "cousin", "cradle",
    "crater", "cricket", "crown", "curtain", "dagger", "daisy", "dancer", "desert", "diary",
    "dolphin", "donkey", "dragon", "drawer", "eagle", "echo", "elbow", "engine", "envelope",
    "fabric", "falcon", "farmer", "feather", "fence", "ferry", "fiddle", "finger", "flame",
    "flute", "forest", "fossil", "fountain", "garage", "garden", "garlic", "glacier", "glove",
    "goose", "grape", "gravel", "guitar", "hammer", "harbor", "harvest", "hazel", "helmet",
    "heron", "hinge", "honey", "horizon", "hotel", "hunter", "insect", "island", "jacket",
    "jaguar", "jewel", "jungle", "kernel", "kettle", "kitchen", "kitten", "ladder", "lagoon",
    "lantern", "laptop", "lawyer", "leaf", "lemon", "letter", "lizard", "lobster", "locker",
    "magnet", "mango", "maple", "market", "meadow", "medal", "melon", "mirror", "mitten", "monkey",
    "moth", "motor", "mountain", "museum", "mushroom", "napkin", "needle", "nest", "nickel",
    "notebook", "oasis", "ocean", "olive", "onion", "orchard", "otter", "oven", "oyster", "paddle",
    "palace", "panda", "parade", "parrot", "pebble", "pencil", "pepper", "piano", "pigeon",
    "pillow", "pilot", "planet", "plaza", "pocket", "poet", "pond", "potato", "prairie", "puzzle",
    "quarry", "quilt", "rabbit", "radio", "raven", "ribbon", "river", "robin", "rocket", "saddle",
    "sailor", "salmon", "sandal", "scarf", "school", "seed", "shadow", "shelf", "shell", "shovel",
    "singer", "sister", "spider", "spoon", "squirrel", "stable", "statue", "stone", "summit",
    "swan", "table", "tailor", "tavern", "teapot", "temple", "thunder", "ticket", "tiger",
    "timber", "tower", "tractor", "trumpet", "tulip", "tunnel", "turtle", "uncle", "valley",
    "vessel", "village", "violin", "wagon", "walnut", "walrus", "whistle", "willow", "window",
    "winter", "wizard", "yacht", "zebra",
};
const size_t ruler_nouns_n = sizeof ruler_nouns / sizeof *ruler_nouns;
