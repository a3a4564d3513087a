import pytest

from lbtts.errors import InputError
from lbtts.languages.luxembourgish.lexicon import SUPPLEMENT, packaged_entries
from lbtts.languages.luxembourgish.phones import INVENTORY, SYMBOLS
from lbtts.text.dictionary import write_dictionary
from lbtts.text.lexicon import read_entries


def test_packaged_words_are_known_in_canonical_phones():
    entries = packaged_entries()
    assert len(entries) > 35_000
    assert entries["feldhär"] == ("f", "æ", "l", "t", "h", "ɛː", "ɐ")
    assert {phone for phones in entries.values() for phone in phones} <= set(SYMBOLS)


def test_supplement_names_every_letter_and_clitic():
    entries = read_entries(SUPPLEMENT, INVENTORY)
    assert {chr(code) for code in range(ord("A"), ord("Z") + 1)} <= set(entries)
    assert entries["d'"] == ("d",)


def test_additions_may_come_in_any_known_spelling_and_from_mfa(tmp_path):
    path = tmp_path / "additions.tsv"
    path.write_text(
        "\ufeff# mine\nParis\tp ɑ ʀ iː s\n\nMFA\t0.2\t0.1\t1.2\t1.0\tɑ\n"
        "MFA\t0.9\t0.1\t1.2\t1.0\tæ m\n<unk>\t0.99\tspn\n[noise]\tspn\nParis\tp\n",
        encoding="utf-8",
    )
    assert read_entries(path, INVENTORY) == {"Paris": ("p", "ɑ", "ʁ", "iː", "s"), "MFA": ("æ", "m")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("haus h ɑʊ s\n", r":1: expected word<TAB>phones"),
        ("ok\tɑ\nhaus\t\n", r":2: expected word<TAB>phones"),
        ("haus\th ʘ s\n", r":1: haus: phone 'ʘ' is not in the phone inventory"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
    ],
)
def test_broken_additions_are_named_by_line(tmp_path, content, message):
    path = tmp_path / "additions.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"additions\.tsv" + ".*" + message):
        read_entries(path, INVENTORY)


def test_missing_additions_name_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"not found; `git checkout` brings an empty one back"):
        read_entries(tmp_path / "additions.tsv", INVENTORY)


def test_dictionary_lists_each_pronunciation_once_sorted(tmp_path):
    path = tmp_path / "lexicon.dict"
    write_dictionary([("b", ("b",)), ("a", ("ɑ",)), ("a", ("aː",)), ("b", ("b",))], path)
    assert path.read_text(encoding="utf-8") == "a\taː\na\tɑ\nb\tb\n"
