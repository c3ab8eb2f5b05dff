# A figure of many histograms is as wide as a page: 768 points, 1,600 dots in a PNG. More than three
# go into blocks below each other.
lmsynth -q --bytes 100K --seed 1 > d.jsonl
for n in 1 2 3 4 5 9 20; do
    for ((i = 1; i <= n; i++)); do ln -sf d.jsonl "d$i.jsonl"; done
    lmhist -q --plot f.svg $(seq -f 'd%g.jsonl' $n) > table
    read -r width height < <(sed -n 's/.*<svg.* width="\([0-9]*\)[^"]*" height="\([0-9]*\)[^"]*".*/\1 \2/p' f.svg)
    [ "$width" -le 768 ] || { echo "$n histograms: $width points wide"; exit 1; }
    [ "$n" -le 3 ] || [ "$height" -gt "$one" ] || { echo "$n histograms: $height points high"; exit 1; }
    [ "$n" != 1 ] || one=$height
done
lmhist -q --plot f.png d{1,2,3,4,5,6,7,8,9}.jsonl > table
[ "$(od -An -t u1 -j 16 -N 4 f.png | awk '{ print $3 * 256 + $4 }')" -le 1600 ]
