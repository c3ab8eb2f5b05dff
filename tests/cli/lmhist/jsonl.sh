# Documents counted by hand: code points, not bytes; domains by label, by file name, unknown.
doc() { # characters, label
    printf '{"text": "'; printf "%$1s" '' | sed "s/ /${3:-é}/g"; printf '", "meta": {"redpajama_set_name": "%s"}}\n' "$2"
}
{ doc 1 RedPajamaC4; doc 4096 RedPajamaC4; doc 4097 RedPajamaC4; doc 70000 RedPajamaBook x
  echo; doc 100 Nowhere '\\u20ac'; printf '{"text": ""}'; } > some.jsonl
zstd -q some.jsonl
lmhist --ascii some.jsonl
echo
lmhist --ascii --by docs some.jsonl | sed -n 3,8p
echo
lmhist --tsv some.jsonl.zst
echo
lmhist --json < some.jsonl
echo
lmhist --ascii some.jsonl some.jsonl.zst
