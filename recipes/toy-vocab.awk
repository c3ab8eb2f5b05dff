# A SentencePiece model that takes each line of the input as one word and one token:
#
#   awk -f toy-corpus.awk -v what=words | LC_ALL=C awk -f toy-vocab.awk > tokenizer.model
#
# It is of the unigram type, which needs no pieces that are parts of others. The file is protocol
# buffers; no byte of it is zero, since not every awk can print one.

function field(number, text) { return sprintf("%c%c", number * 8 + 2, length(text)) text }

# piece = 1, score = 2 (a float, -1.004, of the words), type = 3 (2 unknown, 3 control; absent: normal)
function piece(text, type) {
    text = field(1, text) (type ? sprintf("%c%c", 24, type) : sprintf("%c%c%c%c%c", 21, 128, 128, 128, 191))
    printf "%s", field(1, text)
}

BEGIN {
    piece("<unk>", 2)
    piece("<s>", 3)
    piece("</s>", 3)
    piece("\342\226\201")
}
{ piece("\342\226\201" $0) }
END {
    printf "%s", field(2, sprintf("%c%c", 24, 1))   # trainer_spec: model_type unigram
    printf "%s", field(3, field(1, "identity"))     # normalizer_spec
}
