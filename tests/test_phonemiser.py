import re
from itertools import pairwise

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
    units = [2] * (len(phonemes_of(tokens)) + 2)
    found = words(tokens, units, TEXT, 100, 5.0)
    told = [word.text for word in found]
    assert [TEXT[w.place[0] - 100 : w.place[1] - 100] for w in found] == told
    assert " ".join(told) == (
        "D'Haus kascht 12,50 € um 17.40 Auer den 1. Mee war de J.-C zu 東京 super gutt"
    )
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert found[0].start == 5.0 + 2 * 0.025
    assert found[0].following == " " and found[-1].following == "!"


def test_markup_is_not_shown_with_the_words(speaker):
    text = "De [Esch](/ˈæʃ/), [pause:1s] an."
    tokens = next(iter(phonemise(text, speaker)))
    found = words(tokens, [1] * (len(phonemes_of(tokens)) + 2), text, 0, 0.0)
    assert "".join(word.text + word.following for word in found).strip() == "De Esch,"


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
