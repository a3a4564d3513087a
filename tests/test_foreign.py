import pytest

from lbtts.errors import InputError
from lbtts.espeak import transcribe
from lbtts.languages.luxembourgish import foreign
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.lexicon import ORIGIN
from lbtts.languages.luxembourgish.origin import FOREIGN, Languages
from lbtts.languages.luxembourgish.phones import SYMBOLS, VOWELS

# What stands together, and its language: names and words that one meets in Luxembourgish texts
WRITTEN = """
fr François Mitterrand
fr Champs Élysées
fr Jean Jacques Rousseau
fr Versailles
fr Beaujolais
fr rendez vous
fr feuilleton
fr croissant
fr oiseau
fr pâtisserie
fr marchandise
fr Gérard Depardieu
fr Louis Aragon
fr boutonnière
fr Châteauneuf
fr quatrième
en New York Times
en Washington Post
en The Guardian
en machine learning
en Shakespeare
en Churchill
en knowledge
en through
en thought
en Wright Brothers
de Bundesverfassungsgericht
de Gemütlichkeit
de Frankfurter Allgemeine Zeitung für Deutschland
de Königsberg
de Straßenbahn
lb schloofen
lb Schueberfouer
lb Gromperekichelchen
lb Ettelbréck
lb knaschteg
lb Buedzëmmer
lb zesummegesat
lb parlamentaresch
lb Wirtschaftsminister
lb Lithium
lb Dermatologie
"""


@pytest.fixture(scope="module")
def languages(known):
    return Languages.load(known / ORIGIN)


@pytest.mark.parametrize("line", WRITTEN.strip().splitlines())
def test_language_of_words_is_recognised(languages, line):
    language, *words = line.lower().split()
    assert languages.guess(words) == language


@pytest.mark.parametrize(
    ("word", "language", "phones"),
    [
        ("mitterrand", "fr", "m i t ɛ ʁ ɑ̃ː"),
        ("élysées", "fr", "e l i z e"),
        ("lundi", "fr", "l ɛ̃ː d i"),
        ("juin", "fr", "ʒ y ɛ̃ː"),
        ("york", "en", "j ɔː k"),
        ("times", "en", "t ɑɪ m z"),
        ("church", "en", "ʧ œː ʧ"),
        ("shakespeare", "en", "ʃ eː k s p iə"),
        ("liebe", "de", "l iː b ə"),
        ("bücher", "de", "b yː ɕ ɐ"),
        ("häuser", "de", "h ɔɪ z ɐ"),
    ],
)
def test_foreign_words_are_said_as_in_their_language(word, language, phones):
    found, stressed = foreign.pronounce(word, language)
    assert " ".join(found) == phones
    assert found[stressed] in VOWELS


def test_every_phone_that_espeak_says_has_a_place_in_the_contract():
    texts = {
        "fr": "un bon vin blanc brun gagne peur peu lune huit oui père été fête chat joue fille",
        "en": "fear pair poor fire hour bird caught father cat cup thing this vision yes red tower",
        "de": "Pferd Köln Öl Hütte süß Buch ich Feuer Haus Bein Uhr vier Tür Quark Sphinx Genie",
    }
    for language, text in texts.items():
        for word in text.split():
            phones, _ = foreign.pronounce(word.lower(), language)
            assert set(phones) <= set(SYMBOLS)
            spoken = [p for p in transcribe(word.lower(), foreign._VOICES[language]) if p.strip()]
            assert abs(len(phones) - len(spoken)) <= 2, word


def test_sentence_with_a_french_name_says_it_in_french(known):
    g2p = LBG2P(None, known)
    _, tokens = g2p("De François Mitterrand huet zu Versailles gelieft.")
    said = {token.text: token.phonemes for token in tokens}
    assert said["Mitterrand"] == "mitɛʁˈɑ̃ː"
    assert said["Versailles"] == "vɛʁsˈɑj"
    assert said["huet"] == "huət"
    assert g2p.token_plan("x", "zu Versailles").phonemes.endswith("vɛʁsˈɑj")


@pytest.mark.parametrize(
    ("text", "word", "phonemes"),
    [
        ("en neie Smartphone", "neie", "nˈɑɪə"),
        ("Neie Workflow", "Neie", "nˈɑɪə"),
        ("e schéinen Workflow", "schéinen", "ʃˈɜɪnən"),
        ("den Här Jean-Claude Juncker", "Juncker", "jˈuŋkɐ"),
        ("de Minister Xavier Bettel", "Xavier", "ɡzˈɑvjeː"),
        ("de Minister Xavier Bettel", "Bettel", "bˈætəl"),
    ],
)
def test_a_foreign_name_does_not_recolour_its_neighbours(known, text, word, phonemes):
    _, tokens = LBG2P(None, known)(text)
    assert {token.text: token.phonemes for token in tokens}[word] == phonemes


def test_words_are_recognised_by_themselves_before_their_neighbours(languages):
    assert languages.guess_each(["neie", "workflow"], [False, True]) == ["lb", "en"]
    assert languages.guess_each(["françois", "mitterrand"], [True, True]) == ["fr", "fr"]
    assert languages.guess_each(["françois", "mitterrand"], [False, False]) == ["fr", "lb"]
    assert languages.guess_each(["schueberfouer"], [True]) == ["lb"]


def test_own_pronunciation_of_a_foreign_name_comes_first(known, tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("mitterrand\tm i t\n", encoding="utf-8")
    assert LBG2P(path, known)("Mitterrand")[0] == "mˈit"


def test_missing_or_broken_models_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.npz: not found; run `dvc repro lexicon`"):
        Languages.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"bad\.npz: no models"):
        Languages.load(tmp_path / "bad.npz")
    assert set(FOREIGN) == set(foreign._VOICES)
