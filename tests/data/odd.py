"""odd.py DIR -- write unusual JSONL lines, for each rule of docs/jsonl.md, in three files:

odd.jsonl             each line is a document, however strange
odd-borderline.jsonl  lines on which JSON readers differ, the last without a line feed;
                      8, 14, 15 and 18 are documents, 16 and 17 are blank, the others are refused
odd-invalid.jsonl     no line is a document
"""
import json
import os
import sys

META = b', "meta": {"redpajama_set_name": "RedPajamaC4"}'


def raw(text, rest=META):
    """A document whose text is written unescaped, byte for byte."""
    return b'{"text": "' + (text.encode() if isinstance(text, str) else text) + b'"' + rest + b"}"


def doc(text, ascii=False):
    return json.dumps({"text": text, "meta": {"redpajama_set_name": "RedPajamaC4"}},
    ensure_ascii=ascii).encode()


words = "a shelf is a promise and the tide is late by fifty minutes "
odd = [
    # short, and white space
    doc(""), doc("z"), doc("ß"), doc("🚲"), doc("🚲", ascii=True), doc(" "), doc(" " * 4000), doc("\n"),
    doc("\n" * 250),
    doc("\t\tone\ttwo\t\n\t" * 40), doc("dos line\r\nanother\r\n\r\n" * 30),
    doc("a\rcarriage\rreturn\ralone"),
    doc(" ".join("x" + " " * n for n in (1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65)) + "\n" +
        " " * 48 + "end\n"),
    # escapes
    raw("".join("\\u%04x" % c for c in range(1, 32))), raw(r"\t \r \n \f \b \/ \\ \""),
    raw(r"\u004a\u00DF\u00df\uD83D\uDEB2\ud83d\udeb2\u0022\u005c"),
    raw(r"D:\\tools\\u0041\\n \"said\" \\\" \\\\\\"),
    # characters
    doc("\ufeffmarked at the start, and \ufeff inside"),
    doc("line\u2028paragraph\u2029next\u0085line no\u00a0break zero\u200bwidth "
        "left\u200eright\u200fpop\u202c soft\u00adhyphen"),
    doc("👩‍🔬 👨‍👩‍👦 👋🏾 🇫🇮🇬🇪 2️⃣ ☕︎ ☕️ 🏴‍☠️"),
    doc("o\u0308 o\u0323\u0308 " + "n" + "\u0303\u0330\u0306\u0332" * 60),
    doc("ﬂ ﬃ ① ⅔ ㎏ Ⅷ ｆｕｌｌ 𝔱𝔢𝔵𝔱 Ω ſ ẞ ǆ İ ı"),
    doc("奶奶把花盆搬到窗台上。朝の電車はいつも静かです。시장 골목 끝에 책방이 있다. " * 20),
    doc("في آخر الشارع شجرة 12 على 34 על המדף כד כחול 56 در باغ " * 20),
    doc("नदी के किनारे पुल है · ஆற்றங்கரையில் · แม่ค้าขายมะม่วง · ნელა · տուն · ቤት · ཁང་པ · ផ្ទះ · အိမ် " * 15),
    doc("𐌸𐌹𐌿𐌳𐌰 𒀭𒈹 𓃠𓅓 𠮟𪚥 𝄞𝄢 \U000f0001\U0010fffd"),
    doc("\ud7ff\ue000\uf8ff\ufdd0\ufffd\ufffe\uffff\U0001ffff\U0010ffff"),
    # long
    doc(words * 17000), doc("q" * 150000), doc("abcdefghij" * 4000),
    # text that looks like another format
    doc("<s> </s> <unk> <0x41> <|im_start|> [INST] ▁ ▁▁two ▁marks"),
    doc("0 00 1e9 -0.5 0b101 0xFF 12,345.67 ٤٥ ４２ Ⅻ " * 20),
    raw("no meta", b""), raw("empty meta", b', "meta": {}'), raw("meta is null", b', "meta": null'),
    raw("a set that is unknown", b', "meta": {"redpajama_set_name": "Gazette"}'),
    raw("a set that is unknown", ', "meta": {"redpajama_set_name": "Вестник📰"}'.encode()),
    b'{"meta": {"redpajama_set_name": "RedPajamaBook"}, "text": "the set stands first"}',
    b'{"n": -1.5e3, "text": "more keys", "ok": true, "none": null, "list": [1, [2, {"a": []}]],'
    b' "meta": {"x": {}, "redpajama_set_name": "RedPajamaArXiv", "y": ""}}',
    b'{"inner": {"text": "a decoy"}, "texts": [{"text": "another"}], "text": "the text",'
    b' "meta": {"text": "a third", "redpajama_set_name": "RedPajamaWikipedia"}}',
    rb'{"\u0074ext": "keys in escapes", "meta": {"redpajama_set_n\u0061me": "\u0052edPajamaBook"}}',
    b' \t{ "text"\t:  "white space"  , "meta" :{ "redpajama_set_name"  : "RedPajamaGithub" } } \t\r',
    b'{"text":"none","meta":{"redpajama_set_name":"RedPajamaStackExchange"}}',
    doc('{"text": "a line in a line"}\n{"text": "and a second"}'),
    doc("\\frac{a}{b} \\\\ \\u{41} \\textbackslash{}"),
    b'{"x": ' + b"[" * 1000 + b"]" * 1000 + b', "text": "deep"' + META + b"}",
    raw("largest", META + b', "a": 18446744073709551615, "b": -9223372036854775808, "c": 1.7e308, "c": 1e-400'),
]

borderline = [
    raw(r"a high one \ud800 alone"), raw(r"a low one \udfff alone"),
    raw(r"\udeb2\ud83d in the wrong order"),
    raw(r"\ud83d\ud83d\udeb2 one too many"), raw(r"at the end \udbff"),
    raw(r"before an escape \ud83d\u0062"),
    raw(r"before a tab \ud83d\t"), raw(r"a null \u0000 is text"),
    b'{"text": "one", "text": "two"' + META + b"}",
    raw("two metas", META + META), b"\xef\xbb\xbf" + raw("after a mark"),
    raw("too deep", META + b', "x": ' + b"[" * 2000 + b"]" * 2000),
    raw("too large", META + b', "n": 98765432109876543210987'),
    raw("meta is a list", b', "meta": ["RedPajamaC4"]'),
    raw("the set is a boolean", b', "meta": {"redpajama_set_name": true}'),
    b"", b" \t ", raw("without a line feed"),
]

invalid = [
    # cut
    b'{"text": "the line ends in the te', b'{"text": "after the value"', b'{"text": "in an escape \\u12',
    b'{"text": "x", "meta": {"redpajama_set_',
    b'{"text": "one brace is missing"' + META, b'{"text":', b"{",
    # bytes
    raw(b"never \xfe\xff"), raw(b"overlong \xc1\x81"), raw(b"overlong \xe0\x80\xaf"),
    raw(b"surrogate \xed\xbf\xbf"), raw(b"beyond \xf5\x80\x80\x80"),
    raw(b"beyond \xf4\x90\x80\x80"), raw(b"short \xf0\x9f\x9a"), raw(b"stray \xbf"),
    raw(b"gro\xdfe in Latin-1"), raw(b"null \x00 byte"), b"\0\0\0",
    raw(b"control \x1f byte"), raw(b"tab \t byte"), raw(b"return \r byte"),
    # kinds
    b"[]", b'["text"]', b'"text"', b"-7", b"true", b"null", b"plain words", b"{}", b'{"meta": {}}',
    b'{"Text": "the key is another"' + META + b"}",
    b'{"text": 0.5}', b'{"text": null}', b'{"text": false}', b'{"text": []}',
    b'{"text": {"text": "inside"}}',
    # grammar
    raw("more") + b" more", raw("one") + raw("two"), raw("brace") + b"}", raw("bracket") + b"]",
    raw(r"escape \q"), raw(r"escape \u12g4"), raw(r"escape \U0041"),
    b"{'text': 'quotes'}", b'{text: "bare"}', b'{"text": "comma",}', b'{,"text": "comma"}',
    b'{"text" "colon"}', b'{"text":: "colons"}', b'{"text": "x" "y": 1}',
    b'{"text": "x", // remark', b'{"text": "x", "a": nul}', b'{"text": "x", "a": True}',
    b'{"text": "x", "a": 007}', b'{"text": "x", "a": +1}',
    b'{"text": "x", "a": .5}', b'{"text": "x", "a": 1.}', b'{"text": "x", "a": 1e}',
    b'{"text": "x", "a": Infinity}', b'{"text": "x", "a": [1, 2}', b'{"text": "x", 5: 1}',
    b'{"text": "x", "a": 1e999}', b'{"text": "x", "a": -9223372036854775809}',
]

for name, lines in ("odd", odd), ("odd-borderline", borderline), ("odd-invalid", invalid):
    with open(os.path.join(sys.argv[1], name + ".jsonl"), "wb") as f:
        f.write(b"\n".join(lines) + (b"" if name == "odd-borderline" else b"\n"))
