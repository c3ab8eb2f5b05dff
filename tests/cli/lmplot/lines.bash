# line EVAL CELL VALUE [FIELD=JSON...]: a result line as lmeval writes it; CELL and what follows
# VALUE are members without braces. Set before it: model attention scaling seed weights trained
# more.
model=models/base attention=rope scaling=none seed=0 weights=aa trained=512 more=
line() {
    printf '{"eval":"%s","model":"%s","attention":"%s","scaling":"%s","rope_base":10000.0,"mscale":0.0,' \
        "$1" "$model" "$attention" "$scaling"
    printf '"trained":%s,"backend":"cpu","weights":"%s","tokenizer":"bb",%s"seed":%s,%s,"value":%s%s,' \
        "$trained" "$weights" "${more:+$more,}" "$seed" "$2" "$3" "${4:+,$4}"
    printf '"settings":"00","cell":"11","commit":"0.1.0","seconds":0.1}\n'
}

# Perplexity of three forms of attention at four lengths, three seeds each.
ppl_lines() {
    more='"stride":256'
    for seed in 0 1 2; do
        for form in 'rope none 2.0 3.9 38 null' 'rope linear:8 2.9 2.6 2.3 2.8' 'dca none 2.0 2.01 2.0 2.05'; do
            set -- $form
            attention=$1 scaling=$2
            for length in 256 512 1024 4096; do
                value=$3 && shift
                [ "$value" = null ] || value=$(awk -v v="$value" -v s=$seed 'BEGIN { print v + s / 100 }')
                line ppl "\"length\":$length,\"mode\":\"full\"" "$value"
                line ppl "\"length\":$length,\"mode\":\"tail\"" "$value"
            done
        done
    done
    attention=rope scaling=none seed=0 more=
}

# A grid of three lengths and three depths with one cell missing; two scores.
needle_lines() {
    for length in 256 512 1024; do
        for depth in 0 50 100; do
            [ $length$depth != 102450 ] || continue
            line needle "\"length\":$length,\"depth\":$depth,\"score\":\"repo\"" \
                "$(awk -v l=$length 'BEGIN { print (l > 512) ? 0 : 0.917 }')" '"ceiling":0.917,"floor":0.333'
            line needle "\"length\":$length,\"depth\":$depth,\"score\":\"exact\"" 1
        done
    done
}

# Loss by domain and range of three models, two runs each.
domain_lines() {
    more='"by":"position"'
    for name in original per-source cut; do
        for seed in 0 1; do
            model=runs/$name-$seed weights=$name$seed
            for range in 0-4096 4096-131072; do
                for domain in C4 Book; do
                    line domains "\"domain\":\"$domain\",\"range\":\"$range\"" "$(awk -v n=$name -v s=$seed \
                        -v d=$domain 'BEGIN { print 1.5 + (d == "Book") / 10 + (n == "cut") * 0.03 - (n == "per-source") * 0.009 + s / 1000 }')"
                done
            done
        done
    done
    model=models/base weights=aa seed=0 more=
}
domain_names() {
    for name in original per-source cut; do for s in 0 1; do echo "--name runs/$name-$s=$name"; done; done
}

# Retrieval of two runs of one mixture at three checkpoints.
curve_lines() {
    for seed in 0 1; do
        for tokens in 500000 1000000 4000000; do
            model=runs/a-$seed/checkpoint-0$tokens weights=$seed$tokens
            for depth in 0 100; do
                line needle "\"length\":512,\"depth\":$depth,\"score\":\"exact\"" \
                    "$(awk -v t=$tokens -v s=$seed -v d=$depth 'BEGIN { print t / 5e6 + s / 10 + d / 1000 }')" \
                    "\"trained_tokens\":$tokens"
            done
        done
    done
    model=models/base weights=aa seed=0
}
curve_names() {
    for s in 0 1; do for t in 500000 1000000 4000000; do echo "--name runs/a-$s/checkpoint-0$t=a"; done; done
}

position_lines() {
    for from in 0 128 256 384; do
        line ppl "\"length\":512,\"mode\":\"position\",\"from\":$from,\"to\":$((from + 128))" "$((900 - from))e-3"
    done
}

passkey_lines() { # DEPTHS, or "random"
    for length in 512 1024; do
        for depth in $1; do
            [ $depth != random ] || depth=
            line passkey "\"length\":$length${depth:+,\"depth\":$depth}" 0.75 '"error":0.1'
        done
    done
}

speed_lines() {
    for attention in rope dca torch; do
        for length in 8192 16384; do
            if [ $attention$length = torch16384 ]; then line speed "\"length\":$length" null '"memory_mib":null'
            else line speed "\"length\":$length" "$((length / 1024)).5" "\"memory_mib\":$((length / 4))"; fi
        done
    done
    attention=rope
}

log_lines() {
    for step in $(seq 1 100); do
        [ $((step % 50)) != 0 ] || echo "{\"step\":$step,\"tokens\":$((step * 1000)),\"eval_loss\":$((9 - step / 50)).5,\"eval_tokens\":9,\"domains\":{\"C4\":{\"loss\":$((8 - step / 50)).25,\"tokens\":4},\"Book\":{\"loss\":$((9 - step / 50)).75,\"tokens\":5}}}"
        echo "{\"step\":$step,\"tokens\":$((step * 1000)),\"loss\":$((1000 - step))e-2,\"grad_norm\":1.0,\"lr\":0.001}"
    done
}

# What lmeval compare writes of three models with two runs each, each with its own baseline.
compare_lines() {
    for seed in 0 1; do
        for name in per-source cut; do
            for domain in C4 Book; do
                for place in '"range":"0-4096"' '"range":"4096-131072"' '"position":"1024"'; do
                    printf '{"eval":"compare","base":"original-%s.jsonl","of_base":"0%s","bootstrap":100,"seed":0,' $seed $seed
                    printf '"results":"%s-%s.jsonl","of":"%s%s","domain":"%s",%s,' $name $seed $name $seed $domain "$place"
                    printf '"value":%s,"error":0.002,"base_loss":1.%s5,"loss":1.5}\n' \
                        "$(awk -v n=$name -v s=$seed 'BEGIN { print ((n == "cut") ? 0.03 : -0.008) + s / 500 }')" $seed
                done
            done
        done
    done
}
compare_names() {
    for name in original per-source cut; do for s in 0 1; do echo "--name $name-$s.jsonl=$name"; done; done
}
