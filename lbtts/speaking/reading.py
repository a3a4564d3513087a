"""Long text in parts that the front end reads one after the other, in constant memory.

A part is a paragraph, or some sentences of a long one. A line of text is a paragraph, as for
kokoro's KPipeline, unless the sentence clearly goes on in the next line: after a long line
without a mark that ends a sentence, or before a small letter.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST = 1000  # characters of a part
_WRAPPED = 50  # characters of a line that may have been broken only because it was full
_ENDED = re.compile(r"[.!?:…]['\"”“’»«)\]]*$")
_OPEN_MARKUP = re.compile(r"\[[^\]\n]*(?:\](?:\(/[^/\n]*/?)?)?$")  # see `markup`
_SENTENCE_END = re.compile(r"[.!?…]['\"”“’»«)]*\s+(?=[^\W\d_a-zäöüéèëêàâîôûç])")


@dataclass(frozen=True)
class Part:
    """Text, its offset in the whole, and whether a paragraph ends with it."""

    text: str
    start: int
    ends_paragraph: bool


def parts(lines: Iterable[str]) -> Iterator[Part]:
    """The parts of a text that comes line by line, line ends included, without empty ones."""
    for start, paragraph in _paragraphs(lines):
        at = 0
        while len(paragraph) - at > LONGEST:
            cut = at + _cut(paragraph[at : at + LONGEST])
            if paragraph[at:cut].strip():
                yield Part(paragraph[at:cut], start + at, False)
            at = cut
        if paragraph[at:].strip():
            yield Part(paragraph[at:], start + at, True)


def _paragraphs(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Offset and text of each paragraph; a line in it keeps its line end."""
    held, start, at = "", 0, 0
    for line in lines:
        if held and not _goes_on(held, line):
            yield start, held
            held = ""
        if not held:
            start = at
        held += line
        at += len(line)
    if held:
        yield start, held


def _goes_on(held: str, line: str) -> bool:
    last = held.rstrip().rsplit("\n", 1)[-1]
    if not last or not line.strip() or _ENDED.search(last) or held.endswith("\n\n"):
        return False
    if len(held) >= LONGEST:
        return False
    return len(last) >= _WRAPPED or line.lstrip()[0].islower()


def _cut(text: str) -> int:
    """Where to end a part within `text`: after a sentence, else after a word, else anywhere."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    space = max(text.rfind(" "), text.rfind("\n"))
    cut = ends[-1] if ends else space + 1 if space > 0 else len(text)
    opened = _OPEN_MARKUP.search(text[:cut])
    return opened.start() if opened and opened.start() else cut
