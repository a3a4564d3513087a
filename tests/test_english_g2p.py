"""English text to phonemes: numbers, tags without a tagger, unknown words, additions."""

import subprocess
import sys

import pytest

from lbtts.errors import InputError, Reject
from lbtts.languages.english.g2p import EnglishFrontEnd
from lbtts.languages.english.numbers import in_words
from lbtts.languages.english.phones import INVENTORY
from lbtts.text.vocab import VOCAB


@pytest.fixture(scope="module")
def front_end():
    return EnglishFrontEnd()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("in 1455,", "in fourteen fifty-five,"),
        ("in 1905 and 2007", "in nineteen oh-five and two thousand seven"),
        ("the 1930s", "the nineteen thirties"),
        ("1,234 or 1,234,567", None),
        ("42 men", "forty-two men"),
        ("120 men", "one hundred twenty men"),
        ("the 21st of May", "the twenty-first of May"),
        ("3.14", "three point one four"),
        (".5", "zero point five"),
        ("12.5% of it", "twelve point five percent of it"),
        ("5 %", "five percent"),
        ("$3.50", "three dollars and fifty cents"),
        ("$1", "one dollar"),
        ("$0.99", "ninety-nine cents"),
        ("£2.01", "two pounds and one penny"),
        ("$2.5 million", "two point five million dollars"),
        ("€1,200", "one thousand two hundred euros"),
        ("at 8:30", "at eight thirty"),
        ("at 8:05", "at eight oh five"),
        ("at 9:00", "at nine o'clock"),
        ("at 9:00 a.m.", "at nine a.m."),
        ("007", "zero zero seven"),
        ("salt & pepper", "salt and pepper"),
        ("no number", "no number"),
    ],
)
def test_numbers_are_words(written, spoken):
    words = in_words(written)
    assert not any(character.isdigit() for character in words)
    if spoken is not None:
        assert words == spoken


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("I used to read.", "ˌI jˈust tə ɹˈid."),
        ("I have read it.", "ˌI hæv ɹˈɛd ɪt."),
        ("Vitamin A.", "vˈITəmən ˈA."),
        ("A cat, an apple.", "ɐ kˈæt, ɐn ˈæpᵊl."),
        ("the end, the start", "ði ˈɛnd, ðə stˈɑɹt"),
        ("He said “no” (twice).", "hˌi sˈɛd “nˈO” (twˈIs)."),
        ('He said "no".', "hˌi sˈɛd “nˈO”."),
        ("Dr. Smith's", "dˈɑktəɹ smˈɪθs"),
    ],
)
def test_words_are_read_by_their_neighbours_where_there_is_no_tagger(front_end, text, phonemes):
    assert front_end(text)[0] == phonemes


def test_an_unknown_word_is_espeaks_and_is_listed_as_a_guess(front_end):
    plan = front_end.token_plan("x", "The zyxomatic loch of Björk, and a café.")
    guessed = [word for word in plan.words if front_end.is_guess(word)]
    assert guessed == ["zyxomatic", "björk", "café"]
    assert set(plan.phonemes) <= set(VOCAB)


@pytest.mark.parametrize("text", ["Кот", "A 猫 here", "ἄνθρωπος"])
def test_what_is_not_latin_is_rejected_with_the_letter(front_end, text):
    with pytest.raises(Reject, match="is no Latin letter; write the word as it is spoken"):
        front_end.token_plan("x", text)


def test_brackets_and_tags_are_noises_and_not_spoken(front_end):
    assert front_end.noises("Oh [laughs] no <breath>.") == ["[laughs]", "<breath>"]
    assert front_end("Oh [laughs] no <breath>.")[0] == front_end("Oh no.")[0].replace(".", " .")


def test_nothing_to_say_is_rejected(front_end):
    for text in ("", "   ", "...", "[laughs]"):
        with pytest.raises(Reject):
            front_end.token_plan("x", text)


def test_ones_own_pronunciations_come_first(tmp_path):
    path = tmp_path / "additions.tsv"
    path.write_text("tomato\tt ə m ˈɑː t oʊ\nqat\tK AE1 T\nloch\tl ɑ k\n", encoding="utf-8")
    front_end = EnglishFrontEnd(path)
    assert front_end("Tomato, qat, loch")[0] == "təmˈɑtO, kˈæt, lˈɑk"
    assert not front_end.is_guess("qat")
    path.write_text("tomato\tt QQ\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"additions.tsv:1: tomato: phone 'QQ' is not in"):
        EnglishFrontEnd(path)


def test_arpabet_is_read_with_and_without_stress_digits():
    assert INVENTORY.canonical(["HH", "AH0", "L", "OW1"]) == ("h", "ə", "l", "oʊ")
    assert INVENTORY.canonical(["B", "ER1", "D", "ER0"]) == ("b", "ɝ", "d", "ɚ")
    assert INVENTORY.canonical(["HH", "AH", "L", "OW"]) == ("h", "ə", "l", "oʊ")
    assert INVENTORY.canonical(["JH", "AH1", "JH"]) == ("ʤ", "ʌ", "ʤ")


def test_misakis_whole_module_stays_available_to_others(root):
    program = (
        "import sys; from lbtts.languages.english.g2p import EnglishFrontEnd; EnglishFrontEnd(); "
        "sys.exit('spacy' in sys.modules or 'misaki.en' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
