import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from lbtts.speaking.reading import LONGEST, parts


def read(text: str) -> list[str]:
    return [part.text for part in parts(text.splitlines(keepends=True))]


@given(st.text("aB .!?\n\r\u2028[](/)😀", max_size=3000))
def test_nothing_but_space_is_lost_and_offsets_point_into_the_text(text):
    found = list(parts(text.splitlines(keepends=True)))
    assert "".join("".join(p.text for p in found).split()) == "".join(text.split())
    assert all(text[p.start : p.start + len(p.text)] == p.text for p in found)
    assert all(0 < len(p.text) <= LONGEST for p in found)


def test_a_line_is_a_paragraph_unless_its_sentence_goes_on():
    heading, poem = "Eischt Kapitel\n", "Kuck an den Himmel\nDo fléien Spatzen\n"
    wrapped = "Et war eng Kéier e Mann, deen zu Esch an engem\nschéinen Haus gewunnt huet.\n"
    assert read(heading + wrapped) == [heading, wrapped]
    assert len(read(poem)) == 2
    assert len(read("Moien.\n\nÄddi.")) == 2


def test_long_paragraphs_are_cut_after_sentences_and_never_inside_markup():
    sentence = "De Mann geet haut an d'Stad an dann erëm heem. "
    cut = read(sentence * 60)
    assert len(cut) > 2 and all(part.rstrip().endswith(".") for part in cut)
    marked = "[zwee Wierder](/ˈæʃ ˈæʃ/) " * 100
    assert all(part.count("[") == part.count("/)") for part in read(marked))
    assert read("a" * 2500) == ["a" * 1000, "a" * 1000, "a" * 500]


def test_a_book_is_read_in_constant_memory():
    line = "Dat hei ass eng Zeil, déi an engem ganz décke Buch steet.\n"
    tracemalloc.start()
    assert sum(1 for _ in parts(line for _ in range(10_000))) == 10_000
    assert tracemalloc.get_traced_memory()[1] < 300_000
    tracemalloc.stop()
