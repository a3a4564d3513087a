"""A voice that speaks text, from an exported folder; it needs onnxruntime and no torch.

from lbtts import Voice

voice = Voice.load("models/export")
voice("Moien, wéi geet et?").save("moien.wav")
for chunk in voice("Moien. Wéi geet et?"):
    chunk.audio, chunk.words, chunk.phonemes
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from misaki.token import MToken
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE, samples_to_seconds
from lbtts.languages import exported
from lbtts.models.kokoro.release import layout
from lbtts.models.kokoro.release.session import Graph
from lbtts.speaking import hub
from lbtts.speaking.markup import Pause
from lbtts.speaking.phonemiser import phonemise
from lbtts.speaking.reading import Part, parts
from lbtts.speaking.recording import record
from lbtts.speaking.sentences import chunks, phonemes_of
from lbtts.speaking.symbols import Symbols
from lbtts.speaking.words import Word, words
from lbtts.text.front_end import FrontEnd

SLOWEST, FASTEST = 0.5, 2.0


@dataclass(frozen=True)
class Chunk:
    """A sentence, a part of a long one, or silence.

    Attributes:
        audio: [S] float32 at 24 kHz.
        phonemes: Kokoro's symbols; empty for silence.
        words: that are spoken in it.
        start: seconds from the start of the speech.
        part: the number of the part of the text that it belongs to, see `speaking.reading`.
    """

    audio: NDArray[np.float32]
    phonemes: str
    words: tuple[Word, ...]
    start: float
    part: int


@dataclass(frozen=True)
class Manner:
    """How to speak.

    Attributes:
        speed: 1 is the voice's own; 0.5 to 2.
        sentence_pause: seconds of silence after a sentence, besides the voice's own.
        paragraph_pause: likewise after a paragraph.
    """

    speed: float = 1.0
    sentence_pause: float = 0.0
    paragraph_pause: float = 0.3

    def __post_init__(self) -> None:
        """Checks it.

        Raises:
            InputError: something is out of range.
        """
        if not SLOWEST <= self.speed <= FASTEST:
            raise InputError(f"speed {self.speed:g}: is not from {SLOWEST:g} to {FASTEST:g}")
        if not (0 <= self.sentence_pause <= 60 and 0 <= self.paragraph_pause <= 60):
            raise InputError("pauses: are from 0 to 60 seconds")


class Voice:
    """A voice; calling it with text gives the speech."""

    def __init__(
        self, name: str, table: NDArray[np.float32], graph: Graph, front_end: FrontEnd
    ) -> None:
        """Takes its name, its table [510, 1, 256], a graph and a front end."""
        self.name = name
        self.front_end = front_end
        self._table = table
        self._graph = graph

    @classmethod
    def load(
        cls,
        folder: str | Path,
        voice: str | None = None,
        precision: str = "fp32",
        threads: int = 0,
    ) -> "Voice":
        """A voice of an exported folder.

        Args:
            folder: its path, or `owner/name` of a repository on the hub.
            voice: a name of `names(folder)`; by default the first.
            precision: of the graph: fp32, fp16 or int8.
            threads: of onnxruntime; 0 is one for each core.

        Raises:
            InputError: something is missing; the message says what.
        """
        root = hub.local(folder)
        tables = _tables(root)
        name = voice if voice is not None else next(iter(tables))
        if name not in tables:
            raise InputError(f"{root}: has no voice {name!r}; there are: {', '.join(tables)}")
        if precision not in layout.GRAPHS:
            raise InputError(f"precision {precision!r}: there are: {', '.join(layout.GRAPHS)}")
        graph = Graph(root / layout.GRAPHS[precision], threads)
        return cls(name, tables[name], graph, front_end(root))

    def __call__(self, text: str | Iterable[str], manner: Manner | None = None) -> "Speech":
        """The speech of `text`, or of its lines one after the other, each with its line end."""
        lines = text.splitlines(keepends=True) if isinstance(text, str) else text
        return Speech(self, lines, manner or Manner())

    def with_voice(self, folder: str | Path, name: str) -> "Voice":
        """Another voice of the same folder, with the graph and front end of this one."""
        return Voice(name, _tables(hub.local(folder))[name], self._graph, self.front_end)

    def say_phonemes(self, phonemes: str | Iterable[str], manner: Manner | None = None) -> "Speech":
        """The speech of Kokoro's symbols.

        Raises:
            InputError: Kokoro has no such symbol; when it is spoken.
        """
        return Voice(self.name, self._table, self._graph, Symbols())(phonemes, manner)

    def speak(self, phonemes: str, speed: float = 1.0) -> tuple[NDArray, NDArray[np.int64]]:
        """Audio [S] float32 and units [n + 2] of one chunk of n symbols; see `Graph`."""
        return self._graph(phonemes, self._table, speed)


class Speech:
    """The speech of a text, spoken while it is iterated over: chunk by chunk."""

    def __init__(self, voice: Voice, lines: Iterable[str], manner: Manner) -> None:
        """Takes the lines of the text, with their ends; see `Voice`."""
        self._voice = voice
        self._lines = lines
        self._manner = manner

    def __iter__(self) -> Iterator[Chunk]:
        """The chunks in order."""
        return self.after(0, 0, 0)

    @property
    def audio(self) -> NDArray[np.float32]:
        """The whole audio [S] float32 at 24 kHz."""
        made = [chunk.audio for chunk in self]
        return np.concatenate(made) if made else np.zeros(0, np.float32)

    def save(self, path: str | Path, words: str | Path | None = None) -> None:
        """Speaks into a file, its format by its ending: wav, flac, mp3, ogg or opus.

        Args:
            path: of the audio.
            words: where to write the times of the words: .srt, .vtt or .json.

        Raises:
            InputError: an ending is unknown, the folder is missing, or nothing can be spoken.
        """
        for _ in record(self, Path(path), Path(words) if words else None):
            pass

    def after(self, part: int, chunk: int, samples: int) -> Iterator[Chunk]:
        """The chunks after the first `chunk` ones of a part of the text, at so many samples."""
        for number, text in enumerate(parts(self._lines)):
            if number < part:
                continue
            planned = _planned(text, self._voice.front_end, self._manner)
            for step in islice(planned, chunk if number == part else 0, None):
                seconds = samples_to_seconds(samples)
                if isinstance(step, Pause):
                    audio, phonemes = np.zeros(round(step.seconds * SAMPLE_RATE), np.float32), ""
                    said: tuple[Word, ...] = ()
                else:
                    phonemes = phonemes_of(step)
                    audio, units = self._voice.speak(phonemes, self._manner.speed)
                    said = words(step, units, audio, text.text, text.start, seconds)
                yield Chunk(audio, phonemes, said, seconds, number)
                samples += len(audio)


def _planned(part: Part, front_end: FrontEnd, manner: Manner) -> Iterator[list[MToken] | Pause]:
    """The tokens of each chunk of a part, and all silences, in order."""
    silent = True  # nothing was said since the last silence
    for piece in phonemise(part.text, front_end):
        if isinstance(piece, Pause):
            yield piece
            silent = True
            continue
        for tokens in chunks(piece):
            if not silent and manner.sentence_pause:
                yield Pause(manner.sentence_pause)
            yield tokens
            silent = False
    if not silent and part.ends_paragraph and manner.paragraph_pause:
        yield Pause(manner.paragraph_pause)


def names(folder: str | Path) -> list[str]:
    """The voices of an exported folder.

    Raises:
        InputError: it has none.
    """
    return list(_tables(hub.local(folder)))


def front_end(folder: str | Path) -> FrontEnd:
    """The front end of an exported folder.

    Raises:
        InputError: the folder is none, or has no front end, or one for an unknown language.
    """
    return exported.front_end(hub.local(folder))


def _tables(folder: Path) -> Mapping[str, NDArray[np.float32]]:
    path = folder / layout.GRAPH_VOICES
    try:
        with np.load(path) as file:
            return {name: file[name] for name in file}
    except FileNotFoundError:
        raise InputError(
            f"{path}: not found; name an exported folder with `onnx/`, or owner/name on the hub"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({error}); export the voice again") from None
