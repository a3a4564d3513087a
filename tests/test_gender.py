import pytest

from lbtts.languages.luxembourgish.gender import feminine


@pytest.mark.parametrize(
    "noun",
    [
        "Kaz",  # listed
        "Katzen",  # its plural
        "Katze",  # likewise, before most consonants
        "Hausdier",  # by the noun that it ends in
        "Gemittlechkeet",  # by its ending
        "minutten",  # counted, and so known in lower case
    ],
)
def test_feminine_nouns(noun):
    assert feminine(noun)


@pytest.mark.parametrize(
    "noun",
    [
        "Haus",
        "Bauer",  # listed, though "Auer" is feminine
        "Hausdéier",  # by the noun that it ends in
        "kaz",  # in lower case it may be any word
        "",
    ],
)
def test_other_words(noun):
    assert not feminine(noun)
