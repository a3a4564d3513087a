import pytest

from lbtts.errors import InputError
from lbtts.speaking.markup import Pause, Written, parse


def test_pronunciations_and_pauses_are_read_and_other_brackets_are_text():
    text = "De [Esch](/ˈæʃ/) [laacht] op. [pause:0.5s] Gutt [PAUSE: 300 ms]"
    found = list(parse(text))
    assert [p.seconds for p in found if isinstance(p, Pause)] == [0.5, 0.3]
    written = [(text[p.start : p.end], p.phonemes) for p in found if isinstance(p, Written)]
    assert written == [("De ", None), ("Esch", "ˈæʃ"), (" [laacht] op. ", None), (" Gutt ", None)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[Gas](/gɑs/)", r"'g' \(U\+0067\); write ɡ"),
        ("[Gas](/ /)", "no phonemes"),
        ("[pause:61s]", "at most 60 s"),
    ],
)
def test_wrong_markup_is_refused_with_its_remedy(text, complaint):
    with pytest.raises(InputError, match=complaint):
        list(parse(text))
