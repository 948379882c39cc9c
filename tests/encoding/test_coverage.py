"""Share of a text's letters that a tokenizer knows."""

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from coldstart.encoding.coverage import KNOWN, known_share, knows

ENGLISH = ["running shoes for the daily run", "a wooden toy train for children"]
CHINESE = ["轻便的跑步鞋", "儿童木制火车玩具"]


def word_pieces(*vocabulary):
    """As BERT splits: words into pieces, Chinese characters apart."""
    tokens = {t: n for n, t in enumerate(["[UNK]", *vocabulary])}
    made = Tokenizer(models.WordPiece(tokens, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def byte_pairs(texts):
    """As GPT-2 splits: every text is known by its bytes."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(texts * 20, trainer)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shoes", 1.0),
        ("", 1.0),
        ("１２３…", 1.0),
        ("跑鞋", 0.5),  # one character of two
        ("鞋 café", 5 / 5),
        ("бег", 0.0),  # its letters, none of its words
        ("шаг", 1.0),
        ("러", 0.0),  # a syllable in two parts
    ],
)
def test_unknown_tokens_bare_alphabets_and_parts_of_syllables_are_unknown(text, expected):
    russian = ["б", "##е", "##г", "ша", "##аг", "ш", "шаг"]
    tokenizer = word_pieces("鞋", "cafe", *russian, "ᄅ", "##ᅥ")
    assert known_share(tokenizer, text) == pytest.approx(expected)


def test_bytes_of_a_character_do_not_know_it():
    assert known_share(byte_pairs(ENGLISH), CHINESE[0]) == 0.0
    assert known_share(byte_pairs(CHINESE), CHINESE[0]) == 1.0
    assert known_share(byte_pairs(ENGLISH), "für") == pytest.approx(2 / 3)


class Knows:
    def __init__(self, share):
        self.known_share = lambda text: share


def test_a_model_knows_a_text_from_a_share_of_its_letters():
    assert knows(Knows(KNOWN), "鞋")
    assert not knows(Knows(KNOWN - 0.01), "鞋")
    assert knows(Knows(0.0), "shoes")
    assert knows(object(), "鞋")
