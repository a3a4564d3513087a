import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from lbtts.errors import Reject
from lbtts.text.normalize import PUNCTUATION, normalize, spoken
from lbtts.text.numbers import cardinal, currency


def say(text: str) -> str:
    return spoken(normalize(text))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "eent"),
        (44, "véieravéierzeg"),
        (25, "fënnefanzwanzeg"),
        (99, "néngannonzeg"),
        (101, "honnerteent"),
        (707, "siwenhonnertsiwen"),
        (1000, "dausend"),
        (6_516_137, "sechs Millioune fënnefhonnertsiechzéngdausendhonnertsiwenandrësseg"),
        (2_000_000_000, "zwou Milliarden"),
        (10**12, "eent" + " null" * 12),
    ],
)
def test_cardinals(number, words):
    assert cardinal(number) == words


def test_num2words_speaks_luxembourgish():
    assert num2words(21, lang="lb") == "eenanzwanzeg"
    assert num2words(3, lang="lb", to="ordinal") == "drëtt"
    assert num2words(1100, lang="lb", to="year") == "eelefhonnert"
    assert num2words(2.5, lang="lb", to="currency") == "zwee Euro a fofzeg Cent"
    assert num2words(Decimal("-0.05"), lang="lb") == "minus null Komma null fënnef"
    assert currency(Decimal(7), "GBP") == "siwe Pond"
    with pytest.raises(NotImplementedError, match="XXX"):
        num2words(1, lang="lb", to="currency", currency="XXX")
    with pytest.raises(OverflowError):
        num2words(10**12, lang="lb")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("siwen Deeg, 7 Meter, 7 Auer", "siwen Deeg, siwe Meter, siwen Auer"),
        ("Datum: 24. Februar 2006", "Datum: véieranzwanzegste Februar zweedausendsechs"),
        ("den 24.02.2006", "den véieranzwanzegste Februar zweedausendsechs"),
        ("1914-1918", "nonzénghonnertvéierzéng bis nonzénghonnertuechtzéng"),
        ("mat 1500 Euro", "mat dausendfënnefhonnert Euro"),
        ("de CR343A", "de Zee Är dräihonnertdräiavéierzeg A"),
        ("d'F.L.G. an d'CDen", "d'Äff Äll Gee an d'Zee Deeën"),
        ("den NASA-Projet", "den NASA Projet"),
        ("20 000 Leit", "zwanzegdausend Leit"),
        ("26 km² & 5%", "sechsanzwanzeg Quadratkilometer a fënnef Prozent"),
        ("an de 1960er Joren", "an de nonzénghonnertsechzeger Joren"),
        ("ee Match 3:0, um 8:05", "ee Match dräi zu null, um aacht Auer fënnef"),
        ("dem Louis XVI. säi Räich", "dem Louis dem Siechzéngte säi Räich"),
        ("am XIX. Joerhonnert", "am nonzéngte Joerhonnert"),
        (
            "den 4. mee um 11:30 auer: 2 stonnen",
            "den véierte mee um eelef Auer drësseg: zwou stonnen",
        ),
        ("007", "null null siwen"),
        ("z. B. haut", "zum Beispill haut"),
        ("Version 1.3 op www.rtl.lu", "Version eent Punkt dräi op Wee Wee Wee Punkt rtl Punkt lu"),
        ("„Gutt“, sot en – «jo»...", "“Gutt”, sot en — “jo”…"),
        ("den Nor\u00admal\u00a0fall d’Haus", "den Normal fall d'Haus"),
        ("Wałęsa, Øresund, Mañana, θεός", "Walesa, Öresund, Manana, theos"),
        ("'déck Zéif' 'lo", "déck Zéif lo"),
    ],
)
def test_what_is_written_short_is_said_in_full(written, said):
    assert say(written) == said


def test_decomposed_and_composed_text_sound_the_same():
    text = "Ënnert den éischte Bäem"
    assert say(unicodedata.normalize("NFD", text)) == say(text) == text


def test_high_confidence_cases_come_out_right(shared):
    lines = shared("g2p", "normalize_cases.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cases = [line.split("\t")[:3] for line in lines]
    high = [(written, said) for written, said, confidence in cases if confidence == "high"]
    wrong = [(written, said, say(written)) for written, said in high if say(written) != said]
    assert not wrong


def test_all_of_marylux_normalises(shared):
    for line in shared("marylux", "metadata.csv").read_text(encoding="utf-8").splitlines():
        assert any(piece.is_word for piece in normalize(line.split("|", 1)[1])), line


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("en Привет do", r"U\+041F.*'Привет'"),
        ("a漢b", r"U\+6F22.*'a漢b'"),
        ("5 ₿", r"U\+20BF.*'₿'"),
        ("x \U0001f642", r"U\+1F642"),
    ],
)
def test_characters_without_rule_are_rejected_by_name(text, named):
    with pytest.raises(Reject, match=named):
        normalize(text)


def test_every_piece_knows_its_source():
    text = "D'CDen kaschten 12,50 € (z.B.) den 4. Mee."
    source = [(piece.text, text[piece.start : piece.end]) for piece in normalize(text)]
    assert source == [
        ("D'", "D'"),
        ("Zee", "CDen"),
        ("Deeën", "CDen"),
        ("kaschten", "kaschten"),
        ("zwielef", "12,50 €"),
        ("Euro", "12,50 €"),
        ("a", "12,50 €"),
        ("fofzeg", "12,50 €"),
        ("Cent", "12,50 €"),
        ("(", "("),
        ("zum", "z.B."),
        ("Beispill", "z.B."),
        (")", ")"),
        ("den", "den"),
        ("véierte", "4."),
        ("Mee", "Mee"),
        (".", "."),
    ]


WRITTEN = st.text(
    st.sampled_from("aeinrstdhlëäéAEDZ 0123456789.,:;!?'-–/%€()\u0301\u00a0„“"), max_size=40
)


@given(WRITTEN)
def test_any_mixture_of_known_characters_is_spoken_within_its_source(text):
    pieces = normalize(text)
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= len(text)
        assert piece.text in PUNCTUATION or piece.text.replace("'", "").isalpha()
    starts = [piece.start for piece in pieces]
    assert starts == sorted(starts)


@given(st.text(max_size=30))
def test_any_text_is_spoken_or_rejected(text):
    try:
        pieces = normalize(text)
    except Reject as reject:
        assert "U+" in str(reject)
    else:
        assert spoken(pieces) == spoken(normalize(spoken(pieces)))
