import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.languages.luxembourgish.phones import INVENTORY, LABELS, SYMBOLS, canonical
from lbtts.text.vocab import N_TOKEN, VOCAB, encode


def test_vocabulary_is_kokoros(shared):
    config = json.loads(shared("kokoro", "config.json").read_text(encoding="utf-8"))
    assert config["vocab"] == VOCAB
    assert config["n_token"] == N_TOKEN


def test_encode_refuses_what_kokoro_would_drop():
    assert encode("dˈaː") == [46, 156, 43, 158]
    for lost in ("g", "ʀ", "ʑ", "ʏ", "'", "-", "\u0361"):
        with pytest.raises(ValueError, match=f"U\\+{ord(lost):04X}"):
            encode(["a", lost])


@given(st.sampled_from(LABELS))
def test_every_label_is_canonical_and_comes_back_from_its_symbols(label):
    assert canonical([label]) == (label,)
    assert INVENTORY.labels["".join(SYMBOLS[label])] == label
    assert encode(SYMBOLS[label])


@pytest.mark.parametrize(
    ("foreign", "labels"),
    [
        ("ʀ g", "ʁ ɡ"),
        ("t s", "ʦ"),
        ("ts t͡s", "ʦ"),
        ("t ʃ d ʒ d z", "ʧ ʤ ʣ"),
        ("dʒ oɪ æɪ", "ʤ ɔɪ æːɪ"),
        ("d̥ d̥ː", "d"),
        ("ã õ", "ɑ̃ː ɔ̃ː"),
        ("ɑ̃ː ɛ̃ː", "ɑ̃ː ɛ̃ː"),
        ("k k", "k"),
        ("aː aː", "aː aː"),
        ("ˈæ X ç", "æ χ ɕ"),
    ],
)
def test_spellings_of_other_sources_become_canonical(foreign, labels):
    assert canonical(foreign.split()) == tuple(labels.split())


def test_unknown_phone_is_refused_by_name():
    with pytest.raises(ValueError, match="'ʘ'"):
        canonical(["a", "ʘ"])


def test_every_phone_of_the_word_lists_passes(shared):
    lines = shared("g2p", "lexicon.tsv").read_text(encoding="utf-8").splitlines()[1:]
    phones = {phone for line in lines for phone in line.split("\t")[1].split()}
    assert {label for phone in phones for label in canonical([phone])} <= set(LABELS)
