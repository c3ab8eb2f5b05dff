# Simple stories from templates: text for tests that a tiny model can learn.
#
#   awk -f stories.awk -v seed=1 -v stories=20        plain text, a document per line
#       -v json=1                                     JSONL in SlimPajama's form, seven sources
#
# The same bytes with any awk whose numbers are doubles. One document in ten is long, a chain of 8 to 31
# stories; the source of a document is random and depends on its length.

function unit() { state = (state * 48271) % 2147483647; return state / 2147483647 }
function below(n) { return int(unit() * n) }
function pick(list,    a, n) { n = split(list, a, ","); return a[1 + below(n)] }

function story(    name, other, kind, thing, color, place, s, steps, i) {
    if (unit() < 0.5) {
        name = pick("Lily,Sue,Mia,Anna"); he = "she"; his = "her"; kind = "girl"
    } else {
        name = pick("Tim,Ben,Tom,Max"); he = "he"; his = "his"; kind = "boy"
    }
    He = toupper(substr(he, 1, 1)) substr(he, 2)
    other = pick("dog,cat,bird,frog,duck"); thing = pick("ball,car,boat,hat,kite")
    color = pick("red,blue,green"); place = pick("park,garden,house,river")
    s = "Once upon a time, there was a little " kind " named " name ". "
    s = s name " had a " color " " thing ". " He " liked to play with " his " " thing " in the " place ". "
    s = s "One day, " name " saw a " pick("big,small,sad,happy") " " other " in the " place ". "
    steps = 1 + below(4)
    for (i = 0; i < steps; i++) s = s turn(name, other, thing, color, place)
    s = s pick("They played all day and were very happy.,They ran home and had a good sleep.,The " \
               other " and " name " were the best of friends.,From that day on they went to the " place " every day.")
    return s " The end."
}

function turn(name, other, thing, color, place,    r) {
    r = below(7)
    if (r == 0) return "The " other " wanted the " thing ". \"Can I play with you?\" said the " other ". \"Yes,\" said " name ". "
    if (r == 1) return name " was sad because the " thing " was lost. The " other " looked and looked and found the " color " " thing ". "
    if (r == 2) return "\"Look at my " color " " thing "!\" said " name ". The " other " was happy and wanted to help. "
    if (r == 3) return He " ran to the " place " with the " other ". They saw " (2 + below(98)) " " pick("trees,flowers,stars,fish") " there. "
    if (r == 4) return "The " thing " fell into the water. " name " did not cry. \"Do not be sad,\" said the " other ". "
    if (r == 5) return his_mom() " said, \"Come home, " name ".\" But " name " wanted to play with the " other ". "
    return "Then it rained. The " other " and " name " went into the " pick("house,old tree,big box") " and told a story. "
}
function his_mom() { return toupper(substr(his, 1, 1)) substr(his, 2) " " pick("mom,dad") }

BEGIN {
    state = 1 + seed * 7919 % 2147483646
    for (i = 0; i < 8; i++) unit()
    for (d = 0; d < stories; d++) {
        u = unit()
        n = u < 0.7 ? 1 : u < 0.9 ? 2 + below(3) : 8 + below(24)
        text = story()
        for (i = 1; i < n; i++) text = text (json ? "\\n" : " ") story()
        if (!json) { print text; continue }
        gsub(/"/, "\\\"", text)
        u = unit()
        source = n > 7 ? (u < 0.4 ? "Book" : u < 0.6 ? "ArXiv" : u < 0.8 ? "CommonCrawl" : "Github") : \
            (u < 0.4 ? "CommonCrawl" : u < 0.65 ? "C4" : u < 0.75 ? "Github" : u < 0.8 ? "Book" : \
             u < 0.85 ? "ArXiv" : u < 0.93 ? "Wikipedia" : "StackExchange")
        printf "{\"text\": \"%s\", \"meta\": {\"redpajama_set_name\": \"RedPajama%s\"}}\n", text, source
    }
}
