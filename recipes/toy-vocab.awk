# Write a SentencePiece model in which each line of the input is one word and one token:
#
#   awk -f toy-corpus.awk -v what=words | LC_ALL=C awk -f toy-vocab.awk > tokenizer.model
#
# The model type is unigram, because BPE would need the intermediate pieces of each word. The file
# is a serialised protocol buffer message. It has no zero bytes, because not every awk can print
# them.

function field(number, text) { return sprintf("%c%c", number * 8 + 2, length(text)) text }

# piece = 1, score = 2 (float, -1.004 for words), type = 3 (2 unknown, 3 control; absent: normal)
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
