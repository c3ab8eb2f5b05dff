# Every test that docs/reliability.md names exists.
missing=0
for name in $(grep -ohE '`(unit|cli)/[a-z0-9_/-]+`' "$LM_SRC/docs/reliability.md" | tr -d '`' | sort -u); do
    case $name in
        unit/*) file=$LM_SRC/tests/$name.c ;;
        cli/*) file=$LM_SRC/tests/$name.sh ;;
    esac
    [ -f "$file" ] || { echo "$name: there is no such test"; missing=1; }
done
exit $missing
