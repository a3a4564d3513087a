import json
import re
from importlib import resources

import pytest

from benchmarks import stress as benchmark
from lbtts.errors import InputError
from lbtts.languages.luxembourgish import stress
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.phones import SECOND_STRESS, STRESS
from lbtts.languages.luxembourgish.stress import Stress, StressRules, function_words, listed_stress
from lbtts.text.vocab import VOCAB

LEXICON = {
    "aarbecht": "aː b ə ɕ t",
    "plaz": "p l aː ʦ",
    "minister": "m i n i s t ɐ",
    "zeitung": "ʦ ɑɪ t u ŋ",
    "maachen": "m aː χ ə n",
    "setzen": "z æ ʦ ə n",
}


@pytest.fixture(scope="module")
def rules():
    return StressRules(lambda word: tuple(LEXICON[word].split()) if word in LEXICON else None)


@pytest.fixture(scope="module")
def g2p(known):
    return LBG2P(None, known)


def marked(phones: str, said: Stress) -> str:
    return " ".join(said.mark(i) + phone for i, phone in enumerate(phones.split()))


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("kanner", "k ˈɑ n ɐ"),
        ("kandidatin", "k ɑ n d i d ˈaː t i n"),
        ("satin", "z aː t ˈi n"),
        ("alleng", "ɑ l ˈæ ŋ"),
        ("geschäft", "ɡ ə ʃ ˈæ f t"),
        ("verstoen", "f ɐ ʃ t ˈoː ə n"),
        ("entdecken", "æ n t d ˈɑ k ə n"),
        ("enten", "ˈæ n t ə n"),
        ("entrée", "ˈɑ̃ː t ʁ eː"),
        ("gëschter", "ɡ ˈə ʃ t ɐ"),
        ("informatioun", "i n f o ʁ m ɑ ʦ j ˈəʊ n"),
        ("studéieren", "ʃ t u d ˈɜɪ ə ʁ ə n"),
        ("universitéiten", "u n i v ɛ ʁ z i t ˈɜɪ t ə n"),
        ("Fräiheeten", "f ʁ ˈæːɪ h eː t ə n"),
        ("projet", "p ʁ ˈo ʒ eː"),
        ("studium", "ʃ t ˈuː d i u m"),
        ("Aarbechtsplaz", "ˈaː b ə ɕ t s p l ˌaː ʦ"),
        ("Ministerzeitung", "m i n ˈi s t ɐ ʦ ˌɑɪ t u ŋ"),
        ("opmaachen", "ˈo p m ˌaː χ ə n"),
        ("opgemaach", "ˈo p ɡ ə m ˌaː χ"),
        ("iwwersetzen", "i v ɐ z ˈæ ʦ ə n"),
        ("Iwwersetzung", "i v ɐ z ˈæ ʦ u ŋ"),
        ("Iwwersaz", "ˈi v ɐ z ɑ ʦ"),
        ("dobannen", "d o b ˈɑ n ə n"),
        ("openeen", "o p ə n ˈeː n"),
        ("fënnefanzwanzeg", "f ˈə n ə f ɑ n ʦ w ˌɑ n ʦ ə ɕ"),
        ("lëtzebuergesche", "l ˈə ʦ ə b uː ɐ j ə ʃ ə"),
    ],
)
def test_stress_is_where_prefixes_parts_and_endings_put_it(rules, word, phones):
    bare = phones.replace(STRESS, "").replace(SECOND_STRESS, "")
    assert marked(bare, rules(word, bare.split())) == phones


def test_function_words_and_words_without_vowel_are_unstressed(rules):
    assert rules("Vun", ["f", "u", "n"]) == Stress()
    assert rules("d'", ["d"]) == Stress()
    assert rules("a", ["ɑ"]) == Stress()
    assert rules("A", ["aː"]) == Stress(0)  # the letter


@pytest.mark.parametrize("at", [("benchmarks", "stress.tsv"), ("g2p", "stress.tsv")])
def test_common_words_are_stressed_as_speakers_do(g2p, root, shared, at):
    """Words of our own choice, and those of the development data."""
    words = benchmark.read(root.joinpath(*at) if at[0] == "benchmarks" else shared(*at))
    wrong = [w for w, a, b in words if not benchmark.is_right(benchmark.of_lbtts(w, g2p), a, b)]
    assert len(words) > 100
    assert len(wrong) / len(words) < 0.03, wrong


def test_espeaks_stress_is_found_among_its_vowels():
    assert benchmark.of_espeak("Minister", "de") == (1, 3)
    assert benchmark.of_espeak("Haus", "de") == (0, 1)


def test_marks_stand_before_the_vowel_as_in_misakis_english():
    """Kokoro's own lexicon: all marks of 90,000 words, their vowels in misaki's notation."""
    path = resources.files("misaki") / "data/us_gold.json"
    vowels = set("AIOQWYaeiouæɑɒɔəɚɛɜɪʊʌᵊᵻ")
    said = [p for p in json.loads(path.read_text(encoding="utf-8")).values() if isinstance(p, str)]
    after = [p[i + 1] for p in said for i, c in enumerate(p[:-1]) if c in STRESS + SECOND_STRESS]
    assert len(after) > 50_000
    assert sum(symbol in vowels for symbol in after) / len(after) > 0.99
    assert {STRESS, SECOND_STRESS} <= set(VOCAB)


def test_every_content_word_of_a_sentence_bears_a_mark(g2p):
    _, tokens = g2p("D'Regierung huet gëschter e Projet iwwer d'Aarbechtsplaze virgestallt.")
    for token in tokens:
        content = token.text[:1].isalpha() and token.text.lower() not in function_words()
        assert token.phonemes.count(STRESS) == (
            content and token.text != "D'" and "'" not in token.text
        )
    assert any(SECOND_STRESS in token.phonemes for token in tokens)


def test_listed_words_are_lower_case_and_have_so_many_syllables():
    for word, number in listed_stress().items():
        assert word == word.lower()
        assert number < len(re.findall("[aeiouyäëéèöü]", word)), word


def test_broken_list_is_an_error_with_its_line(monkeypatch, tmp_path):
    path = tmp_path / "stress.tsv"
    path.write_text("# words\nminister\ttwo\n", encoding="utf-8")
    monkeypatch.setattr(stress, "LISTED", path)
    listed_stress.cache_clear()
    with pytest.raises(InputError, match=r"stress\.tsv:2: expected word<TAB>syllable"):
        listed_stress()
    listed_stress.cache_clear()
