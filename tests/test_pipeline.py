import re
from itertools import pairwise

import kokoro
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from misaki.token import MToken

from benchmarks import miniature
from lbtts.grid import MAX_TOKENS
from lbtts.languages.luxembourgish.normalize import normalize
from lbtts.pipeline import KPipeline
from lbtts.speaking.sentences import chunks

LONG = (
    "Haut de Mëtteg ass de Jong mat senger Schwëster duerch de Bësch gelaf an huet hatt gesicht "
) * 9


@pytest.fixture(scope="module")
def quiet(front_end):
    return KPipeline(lang_code="l", repo_id=str(front_end), model=False)


def token(text: str, whitespace: str = " ") -> MToken:
    return MToken(text=text, tag="", whitespace=whitespace, phonemes=text)


def spoken(text: str) -> list[MToken]:
    """Tokens of a made-up language that is written as it is spoken."""
    found = re.findall(r"([^\W]+|[^\w\s])(\s*)", text)
    return [token(word, " " if space else "") for word, space in found]


def texts(parts) -> list[str]:
    return [KPipeline.tokens_to_text(part) for part in parts]


def test_every_sentence_is_a_chunk_with_what_closes_it():
    text = "“eent!” dann zwee. dräi?! (véier.) “fënnef"
    assert texts(chunks(spoken(text))) == ["“eent!”", "dann zwee.", "dräi?!", "(véier.)", "“fënnef"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("aa bb; cc, dd ee ff", ["aa bb;", "cc, dd ee ff"]),
        ("aa bb, cc dd ee ff", ["aa bb,", "cc dd ee ff"]),
        ("aa, bb cc dd ee", ["aa, bb", "cc dd ee"]),
        ("aa bb cc dd ee", ["aa bb", "cc dd ee"]),
    ],
)
def test_long_sentence_is_split_at_clauses_before_phrases_before_words(text, expected):
    assert texts(chunks(spoken(text), limit=12)) == expected


words = st.text("abdeë", min_size=1, max_size=9)
marks = st.sampled_from([".", "!", "?", ";", ":", ",", "—", "”", ")", "“", "("])


@given(
    parts=st.lists(
        st.builds(token, words | marks, st.sampled_from([" ", ""])), min_size=1, max_size=60
    ),
    limit=st.integers(9, 60),
)
def test_chunks_hold_every_token_once_in_order_within_the_limit(parts, limit):
    made = list(chunks(parts, limit))
    assert [id(t) for chunk in made for t in chunk] == [id(t) for t in parts]
    assert all(chunk for chunk in made)
    assert all(len(KPipeline.tokens_to_ps(chunk)) <= limit for chunk in made)


def test_word_longer_than_the_limit_is_split_and_loses_nothing():
    long = token("a" * 600)
    parts = list(chunks([token("bb"), long, token("cc")]))
    assert all(len(KPipeline.tokens_to_ps(part)) <= MAX_TOKENS for part in parts)
    assert "".join(t.phonemes for part in parts for t in part) == "bb" + "a" * 600 + "cc"
    assert [t.text for part in parts for t in part if t.text] == ["bb", long.text, "cc"]


def test_parts_of_a_long_word_keep_marks_and_length_with_their_vowel():
    for word in ("ˈaː" * 300, "kˈɑ̃ːt" * 150):
        parts = [t for part in chunks([token(word)]) for t in part]
        assert "".join(t.phonemes for t in parts) == word
        assert all(len(t.phonemes) <= MAX_TOKENS for t in parts)
        assert not any(t.phonemes[0] in "ː\u0303" or t.phonemes[-1] in "ˈˌ" for t in parts)


@pytest.mark.parametrize(
    ("text", "others"),
    [("Moien。Äddi！", 0), ("Ech war zu 東京 an zu Москва.", 2), ("5 ₿ si vill", 1)],
)
def test_unknown_characters_cost_at_most_their_own_word(quiet, recwarn, text, others):
    results = list(quiet(text))
    said = " ".join(result.graphemes for result in results)
    kept = [word for word in re.findall("[a-zä]+", text, re.I)]
    assert [word for word in kept if word not in said] == []
    named = [str(w.message) for w in recwarn if "not in Latin letters" in str(w.message)]
    assert len(named) == bool(others)
    for message in named:
        assert message.count(",") == others


def test_sentence_of_700_characters_is_spoken_whole_and_only_once(quiet):
    assert len(LONG) > 700
    results = list(quiet(LONG))
    assert len(results) > 1
    assert all(len(result.phonemes) <= MAX_TOKENS for result in results)
    whole, _ = quiet.g2p(LONG)
    assert " ".join(result.phonemes for result in results) == whole.strip()
    assert " ".join(result.graphemes for result in results).split() == LONG.split()


def test_long_paragraph_is_spoken_word_for_word(quiet):
    """Numbers, a date, French names and a sentence of 700 characters, 3,000 characters in all."""
    sentences = [
        "Den 24. Dezember 2021 huet de François Mitterrand um 17.40 Auer 2,50 € bezuelt.",
        LONG.strip() + ".",
        "Zu Versailles, op de Champs-Élysées, waren 1.250 Leit bei -3,5 °C: eng Woch virdrun 2:1!",
        "De Louis XIV. huet am 17. Joerhonnert gelieft; hien hat z.B. 3 Päerd a 7 Kutschen.",
    ]
    text = " ".join(sentences * 3)
    assert len(text) > 3000
    results = list(quiet(text))
    assert all(0 < len(result.phonemes) <= MAX_TOKENS for result in results)
    spoken = [t.text for result in results for t in result.tokens]
    assert spoken == [piece.text for piece in normalize(text)]
    spans = sorted({(piece.start, piece.end) for piece in normalize(text)})
    unsaid = [text[a:b] for (_, a), (b, _) in pairwise(spans)]
    assert not any(character.isalnum() for gap in unsaid for character in gap)
    assert all(t.phonemes for result in results for t in result.tokens)


def test_lines_are_spoken_one_after_the_other_and_empty_ones_passed_over(quiet):
    results = list(quiet("Moien. Wéi geet et?\n\n \nGutt!"))
    assert [result.graphemes for result in results] == ["Moien.", "Wéi geet et?", "Gutt!"]
    assert [result.text_index for result in results] == [0, 0, 2]


def test_audio_is_as_long_as_the_durations_say_and_words_have_times(quiet):
    model = miniature.random()
    table = 0.3 * torch.randn(510, 1, 256)
    (result,) = quiet("Moien, wéi geet et?", voice=table, model=model)
    assert len(result.audio) == 600 * int(result.pred_dur.sum())
    assert len(result.pred_dur) == len(result.phonemes) + 2
    starts = [t.start_ts for t in result.tokens if t.start_ts is not None]
    assert starts and np.all(np.diff(starts) >= 0)


def test_voice_of_the_exported_folder_is_found_by_its_name(tmp_path):
    (tmp_path / "voices").mkdir()
    table = torch.randn(510, 1, 256)
    torch.save(table, tmp_path / "voices/lb_max.pt")
    pipeline = KPipeline("l", repo_id=str(tmp_path), model=False)
    assert torch.equal(pipeline.load_voice("lb_max"), table)


def test_folder_without_an_export_is_an_error_with_its_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match="dvc repro export"):
        KPipeline("l", repo_id=str(tmp_path))


def test_english_without_an_exported_folder_is_left_to_stock_kokoro(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        kokoro.KPipeline, "__init__", lambda _, *given, **others: asked.append(given)
    )
    KPipeline("a", repo_id=str(tmp_path), model=False)
    assert asked == [("a", str(tmp_path), False)]


def test_other_languages_are_left_to_stock_kokoro():
    pipeline = KPipeline("e", repo_id="hexgrad/Kokoro-82M", model=False)
    (result,) = pipeline("Hola.")
    assert result.phonemes.startswith("ˈola")
