import re
from itertools import pairwise

import numpy as np
import pytest
from misaki.token import MToken

from lbtts.errors import InputError
from lbtts.speaking.markup import Pause
from lbtts.speaking.phonemiser import phonemise, span
from lbtts.speaking.sentences import phonemes_of
from lbtts.speaking.words import words
from lbtts.text.front_end import FrontEnd
from lbtts.voice import front_end as load


@pytest.fixture(scope="module")
def speaker(exported):
    return load(exported)


def spoken(text, speaker):
    return [t for part in phonemise(text, speaker) if not isinstance(part, Pause) for t in part]


def test_given_phonemes_stand_in_the_sentence_where_the_word_stood(speaker):
    plain = phonemes_of(spoken("De Mann vun Esch laacht.", speaker))
    given = phonemes_of(spoken("De Mann vun [Esch](/ˈaːa/) laacht.", speaker))
    assert given == plain.replace("æʃ", "X").replace("ˈX", "X").replace("X", "ˈaːa")


def test_several_words_and_words_without_letters_can_be_given(speaker):
    assert phonemes_of(spoken("Hei [Den Haag](/dən hˈaːχ/).", speaker)).endswith("dən hˈaːχ.")
    assert "pˈi" in phonemes_of(spoken("Dat [☃](/pˈi/) hei.", speaker))


def test_phonemes_for_a_part_of_what_is_read_as_one_are_refused(speaker):
    with pytest.raises(InputError, match=re.escape("mark all of [17.40 Auer]")):
        spoken("Um 17.[40](/ˈaːa/) Auer", speaker)


def test_a_pause_parts_the_text(speaker):
    parts = list(phonemise("Moien [pause:1s] Äddi", speaker))
    assert [isinstance(part, Pause) for part in parts] == [False, True, False]


TEXT = "D'Haus kascht 12,50 €; um 17.40 Auer (den 1. Mee) war de J.-C zu 東京: „super“ 😀 gutt!"


def test_every_word_is_told_once_in_order_with_its_place(speaker):
    tokens = spoken(TEXT, speaker)
    units = np.full(len(phonemes_of(tokens)) + 2, 4)
    noise = np.ones(600 * units.sum(), np.float32)
    found = words(tokens, units, noise, TEXT, 100, 5.0)
    told = [word.text for word in found]
    assert [TEXT[w.place[0] - 100 : w.place[1] - 100] for w in found] == told
    assert " ".join(told) == (
        "D'Haus kascht 12,50 € um 17.40 Auer den 1. Mee war de J.-C zu 東京 super gutt"
    )
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert found[0].start == 5.0 + (4 - 2) * 0.025  # the network's sound is 2 units early
    between = found[1].start, found[0].end  # half of the space is of each
    assert between[0] == between[1] == 5.0 + (4 + 4 * 6 + 2 - 2) * 0.025
    assert found[0].following == " " and found[-1].following == "!"


def test_markup_is_not_shown_with_the_words(speaker):
    text = "De [Esch](/ˈæʃ/), [pause:1s] an."
    tokens = next(iter(phonemise(text, speaker)))
    units = np.ones(len(phonemes_of(tokens)) + 2, np.int64)
    found = words(tokens, units, np.zeros(600 * units.sum(), np.float32), text, 0, 0.0)
    assert "".join(word.text + word.following for word in found).strip() == "De Esch,"


def test_silence_before_and_after_a_mark_is_of_no_word(speaker):
    tokens = spoken("Jo, an", speaker)
    phonemes = phonemes_of(tokens)
    units = np.full(len(phonemes) + 2, 4)
    edges = np.cumsum(units) - 2
    audio = np.zeros(600 * units.sum(), np.float32)
    loud = [(edges[0] + 1, edges[0] + 7), (edges[-3] - 3, edges[-3] + 1)]
    for start, end in loud:
        audio[600 * start : 600 * end] = 0.5
    found = words(tokens, units, audio, "Jo, an", 0, 0.0)
    assert [(w.start, w.end) for w in found] == [(a / 40, b / 40) for a, b in loud]


class Written(FrontEnd):
    """Speaks every word as it is written, and tells no places."""

    def __call__(self, text):
        found = re.findall(r"(\w+|[^\w\s])(\s*)", text)
        tokens = [MToken(word, "", " " if space else "", word.lower()) for word, space in found]
        return phonemes_of(tokens), tokens


def test_tokens_that_tell_no_place_are_found_in_the_text():
    text = "eng eng Saach, eng!"
    places = [span(token) for token in spoken(text, Written())]
    assert [text[a:b] for a, b in places] == ["eng", "eng", "Saach", ",", "eng", "!"]
    assert places == sorted(places)


def test_what_no_rule_can_read_is_left_out_with_a_warning(speaker, monkeypatch):
    with pytest.warns(UserWarning, match="not in Latin letters"):
        assert spoken("Москва", speaker)
    monkeypatch.setattr(type(speaker), "romanised", lambda self, text: (text, []))
    with pytest.warns(UserWarning, match="not spoken: character"):
        assert spoken("Москва", speaker) == []
