import io
import shutil
import subprocess
import sys
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lbtts.errors import Reject
from lbtts.languages.luxembourgish import __main__ as command
from lbtts.languages.luxembourgish import learning
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.lexicon import LEXICON
from lbtts.languages.luxembourgish.phones import SYMBOLS
from lbtts.text.vocab import VOCAB, encode


@pytest.fixture(scope="session")
def lbg2p(known):
    return LBG2P(None, known)


def test_phonemes_and_tokens_come_as_from_misaki(lbg2p):
    phonemes, tokens = lbg2p("D’Kanner, an d'Haus!")
    assert phonemes == "dkˈɑnɐ, ɑn dhˈæːʊs!".replace("æːʊ", "æʊ")
    assert [(t.text, t.phonemes, t.whitespace) for t in tokens] == [
        ("D'", "d", ""),
        ("Kanner", "kˈɑnɐ", ""),
        (",", ",", " "),
        ("an", "ɑn", " "),
        ("d'", "d", ""),
        ("Haus", "hˈæʊs", ""),
        ("!", "!", ""),
    ]
    assert lbg2p("") == ("", [])


def test_plan_gives_every_symbol_its_word_and_phone(lbg2p):
    plan = lbg2p.token_plan("x", "Eng Zeitung vun 1 €.")
    assert plan.words == ("eng", "zeitung", "vun", "een", "euro")
    assert plan.phonemes == lbg2p("Eng Zeitung vun 1 €.")[0]
    for at, rows in groupby((t for t in plan.tokens if t.phone is not None), lambda t: t.phone):
        tokens = list(rows)
        assert tuple(t.symbol for t in tokens) == SYMBOLS[plan.phones[at].label]
        assert {t.word for t in tokens} == {plan.phones[at].word}
    assert [t.phone for t in plan.tokens if t.phone is not None][-1] == len(plan.phones) - 1
    assert all(t.word is None for t in plan.tokens if t.symbol in " .")


def test_own_pronunciations_come_first(tmp_path, known):
    path = tmp_path / "mine.tsv"
    path.write_text("kanner\tk aː\nTulln\tt u l l n\n", encoding="utf-8")
    g2p = LBG2P(path, known)
    assert g2p.pronounce("kanner").phones == ("k", "aː")
    assert g2p.pronounce("Tulln").phones == ("t", "u", "l", "n")
    assert g2p.pronounce("tulln").is_guess  # a capital in the additions is a capital in the text


def test_marks_in_ones_own_pronunciations_say_the_stress(tmp_path, known):
    path = tmp_path / "mine.tsv"
    path.write_text("minister\tm i n i s t ˈɐ\nbettel\tb æ t æ l\n", encoding="utf-8")
    g2p = LBG2P(path, known)
    assert g2p("Minister")[0] == "ministˈɐ"
    assert g2p("Bettel")[0] == "bætˈæl"  # the list's mark went with its pronunciation
    assert LBG2P(None, known)("Bettel")[0] == "bˈætəl"


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("wat ass et", "vˈaːd ɑz ət"),  # of one syllable, before a vowel
        ("mat engem", "mɑt æŋəm"),  # of two
        ("dat ass, et", "daːd ɑs, ət"),  # a pause between
        ("hatt ass an der", "hˈɑd ɑs ɑn dɐ"),  # a phrase often begins here
        ("dat ass nei", "daːd ɑs nˈɑɪ"),  # before a consonant
    ],
)
def test_final_consonants_are_voiced_between_words_said_as_one(lbg2p, text, phonemes):
    assert lbg2p(text)[0] == phonemes
    assert lbg2p.token_plan("x", text).phonemes == phonemes
    assert lbg2p.pronounce("ass").phones == ("ɑ", "s")  # the word by itself


@pytest.mark.parametrize(
    ("word", "phones", "source"),
    [
        ("Kanner", "k ɑ n ɐ", "lexicon"),
        ("vu", "f u", "n-rule"),
        ("hu", "h u", "n-rule"),
        ("fanne", "f ɑ n ə", "n-rule"),
        ("Ministerzeitung", "m i n i s t ɐ ʦ ɑɪ t u ŋ", "compound"),
        ("Zeitungsminister", "ʦ ɑɪ t u ŋ s m i n i s t ɐ", "compound"),
        ("dräihonnertdräiavéierzeg", "d ʁ æːɪ h o n ɐ t d ʁ æːɪ ɑ f ɜɪ ɐ ʦ ə ɕ", "compound"),
        ("honnertfënnefafofzeg", "h o n ɐ t f ə n ə v ɑ f o f ʦ ə ɕ", "compound"),
        ("honnertvéieranachtzeger", "h o n ɐ t f ɜɪ ə ʁ ɑ n ɑ χ ʦ ə ʑ ɐ", "compound"),
        ("honnertdausendeent", "h o n ɐ t d ɑʊ z ə n d eː n t", "compound"),
        ("honnertfofzéngten", "h o n ɐ t f o f ʦ e ŋ t ə n", "compound"),
        ("biologien", "b i oː l oː ʒ iː ə n", "n-rule"),
        ("nénganachtzegste", "n e ŋ ɑ n ɑ χ ʦ ə ɕ s t ə", "compound"),
        ("opzesetzen", "o p ʦ ə z æ ʦ ə n", "compound"),
        ("matzesetzen", "m ɑ ʦ ə z æ ʦ ə n", "compound"),
        ("Restaurant", "ʁ æ s t o ʁ ɑ̃ː", "lexicon"),
        ("Museum", "m u z eː u m", "lexicon"),
        ("Asselborn", "ɑ s ə l b o ʁ n", "lexicon"),
        ("wgl", "v eː ʒ eː æ l", "letters"),
    ],
)
def test_words_are_found_in_order_of_trust(lbg2p, word, phones, source):
    found = lbg2p.pronounce(word)
    assert (" ".join(found.phones), found.source) == (phones, source)


def test_a_lone_capital_is_a_letter_but_at_the_start_of_a_sentence(lbg2p):
    assert lbg2p("A mir hunn A.")[0].split()[0] == "ɑ"
    assert lbg2p("A mir hunn A.")[0].split()[-1] == "ˈaː."
    assert lbg2p("Jo. A mir")[0].split()[1] == "ɑ"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty transcript"),
        (" \n", "empty transcript"),
        ("... !", "nothing in '... !' can be pronounced"),
        ("en Дом do", r"U\+0414 .*'Дом'"),
        ("Kannerzeitung " * 60, r"tokens, Kokoro takes at most 510; split"),
    ],
)
def test_what_cannot_become_a_plan_is_rejected_with_reason(lbg2p, text, reason):
    with pytest.raises(Reject, match=reason):
        lbg2p.token_plan("x", text)


@given(text=st.text(st.sampled_from("aebrdstnzäëé'A .,!?-14:%\u2019"), max_size=30))
def test_known_characters_give_vocabulary_symbols_and_no_word_is_lost(lbg2p, text):
    phonemes, tokens = lbg2p(text)
    assert encode(phonemes) == [VOCAB[symbol] for symbol in phonemes]
    assert all(token.phonemes for token in tokens)
    assert bool(phonemes.strip()) == bool(tokens)


@given(text=st.text(max_size=40) | st.text(st.characters(categories=["L", "N", "P"]), max_size=40))
def test_any_text_gives_vocabulary_symbols_or_one_clear_error(lbg2p, text):
    try:
        phonemes, tokens = lbg2p(text)
    except Reject as reject:
        assert "U+" in str(reject) and "\n" not in str(reject)
        return
    assert encode(phonemes) == [VOCAB[symbol] for symbol in phonemes]
    assert all(token.phonemes for token in tokens)
    if any(character.isalpha() for character in text):
        assert any(symbol.isalpha() for symbol in phonemes)


def test_sentences_of_the_target_domain_are_all_spoken(lbg2p, shared):
    text = shared("g2p", "lod_sentences.txt").read_text(encoding="utf-8").splitlines()[::30]
    for line in text:
        assert all(phones for _, phones in lbg2p.token_plan("x", line).pronunciations()), line


def test_command_line_phonemises_line_by_line(monkeypatch, capsys, known, tmp_path):
    shutil.copytree(known, tmp_path / "data/lexicon")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("Kanner\nДом\nvun\n"))
    command.main([])
    out, err = capsys.readouterr()
    assert out == "kˈɑnɐ\n\nfun\n"
    assert "U+0414" in err


def test_command_line_asks_the_model_alone_for_words_of_a_file_or_of_standard_input(
    monkeypatch, capsys, known, tmp_path
):
    shutil.copytree(known, tmp_path / "data/lexicon")
    (tmp_path / "words").write_text("schwätzen\n\nKanner\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    command.main(["--model-only", "words"])
    from_file = capsys.readouterr().out
    assert from_file.splitlines()[0] == "schwätzen\tʃ w æ ʦ ə n"
    assert [line.split("\t")[0] for line in from_file.splitlines()] == ["schwätzen", "Kanner"]
    for arguments in (["--model-only"], ["--model-only", "-"]):
        monkeypatch.setattr(sys, "stdin", io.StringIO("schwätzen\nKanner\n"))
        command.main(arguments)
        assert capsys.readouterr().out == from_file


def test_command_line_learns_from_a_lexicon_once(monkeypatch, capsys, known, tmp_path, root):
    settings = YAML().load(root / "params.yaml")
    settings["lexicon"]["network"] |= {"ensemble": 1, "epochs": 1}
    YAML().dump(settings, tmp_path / "params.yaml")
    lines = (known / LEXICON).read_text(encoding="utf-8").splitlines()[::40]
    rows = ["word\tphones\tsplit"]
    rows += [f"{line}\ttrain" for line in lines] + ["zzz\tʦ\ttest"]
    (tmp_path / "words.tsv").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.StringIO("Zzz\n"))
        command.main(["--lexicon", "words.tsv"])
        assert capsys.readouterr().out == "ʦ\n"
        monkeypatch.setattr(learning, "learn", None)  # the second call finds the first one's model


def test_bad_lexicon_ends_the_command_line_with_one_line(monkeypatch, tmp_path, root):
    shutil.copy(root / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"error: lexicon\.sources: given: none\.tsv: not found"):
        command.main(["--lexicon", "none.tsv"])


def test_text_side_imports_without_torch(root):
    code = (
        "import sys, lbtts.languages.luxembourgish.g2p, lbtts.text.coverage; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
