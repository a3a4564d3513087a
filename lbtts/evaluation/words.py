"""Which words a recogniser hears: word and character errors, in a language that it was trained on.

Two kinds of recogniser, since they fail differently. Whisper writes what it expects, so it forgives
a slurred word and may invent a sentence over noise; a wav2vec 2.0 network with CTC writes what it
hears, letter by letter, and forgives little. Where both find a voice worse, it is worse.

For Luxembourgish (as far as their pages on the hub told in 2025; look at the licence there):

- `pgilles/whisper-large-v3-turbo-lb` and `ZLSCompLing/Whisper-Large-V3-Turbo-Luxembourgish`,
  fine-tuned Whisper turbo by the University of Luxembourg and by the Zenter fir d'Lëtzebuerger
  Sprooch. They are in transformers' format, which faster-whisper does not read; convert once:
  `ct2-transformers-converter --model NAME --revision COMMIT --quantization int8 --output_dir FOLDER
  --copy_files tokenizer.json preprocessor_config.json`, and give the folder.
- `Lemswasabi/wav2vec2-large-xlsr-53-842h-luxembourgish-14h` (MIT), wav2vec 2.0 XLSR-53 with CTC,
  10.3 % word and 2.1 % character errors on its own test set of radio and television news (Nguyen,
  Nayak and Coler, "Improving Luxembourgish Speech Recognition with Cross-Lingual Speech
  Representations", SLT 2022).

OpenAI's Whisper itself is too weak in Luxembourgish to judge by: the base size mishears 39 to 44 %
of the characters of clear speech.

What they cannot tell: a recogniser that heard few synthesisers may be kinder to a clear artificial
voice than to the recording of a person, and it knows the words, so it hears them in a mumble too.
Spelling counts: a correct word in another spelling is an error, which a floor (the recordings)
beside the metric shows.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022; Baevski
et al., "wav2vec 2.0", 2020; rates as in jiwer 4.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import jiwer
import numpy as np
import soxr
from numpy.typing import NDArray

from lbtts.errors import InputError, first_line
from lbtts.evaluation.prompt import Audio
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Words

REQUIREMENTS = "requirements-recogniser.txt"

_RATE = 16_000  # Hz; all of these networks were trained at it
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'"})
_DROPPED = re.compile(r"[^\w\s']|_")

Counts = NDArray[np.float64]


class Listener(Protocol):
    """Hears words."""

    def hear(self, audio: Audio) -> str:
        """What is said in audio [S] at 24 kHz; empty where nothing is heard."""


class Whisper:
    """A Whisper in CTranslate2's format, by faster-whisper, on the processor in 8 bits."""

    def __init__(self, model: str, language: str, threads: int = 0) -> None:
        """Loads `model`: a folder, or a name on the hub with its commit, `NAME@COMMIT`.

        Args:
            model: which.
            language: code of the language that it is told to expect.
            threads: of the processor; 0 for all.

        Raises:
            InputError: the package is missing, or the model is not there or in another format.
        """
        try:
            from faster_whisper import WhisperModel
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        name, revision = _found(model)
        try:
            self._model = WhisperModel(
                name, device="cpu", compute_type="int8", cpu_threads=threads, revision=revision
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{model}: not loadable by faster-whisper ({first_line(error)}); give a folder in "
                "CTranslate2's format (ct2-transformers-converter makes one), or check the network"
            ) from error
        self._language = language

    def hear(self, audio: Audio) -> str:
        """The text in audio [S] at 24 kHz, as Whisper writes it."""
        segments, _ = self._model.transcribe(
            _resampled(audio),
            language=self._language,
            beam_size=5,
            temperature=0.0,  # else it draws again where it is unsure, and no run repeats itself
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments)


class CTC:
    """A wav2vec 2.0, MMS or WavLM network that writes letters, by transformers."""

    def __init__(self, model: str) -> None:
        """Loads `model`: a folder, or a name on the hub with its commit, `NAME@COMMIT`.

        Raises:
            InputError: the model is not there or is none of this kind.
        """
        from transformers import AutoModelForCTC, AutoProcessor

        name, revision = _found(model)
        try:
            self._processor: Any = AutoProcessor.from_pretrained(name, revision=revision)
            self._model: Any = AutoModelForCTC.from_pretrained(name, revision=revision).eval()
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{model}: not loadable as a CTC recogniser ({first_line(error)}); check the "
                "network and the commit, or give a folder"
            ) from error

    def hear(self, audio: Audio) -> str:
        """The letters in audio [S] at 24 kHz."""
        import torch

        heard = self._processor(_resampled(audio), sampling_rate=_RATE, return_tensors="pt")
        with torch.inference_mode():
            best = self._model(**heard).logits.argmax(-1)
        return str(self._processor.batch_decode(best)[0])


def listener(words: Words | None, language: str) -> Listener | None:
    """The recogniser of words that the section `evaluate.words` names; None for none.

    Raises:
        InputError: it cannot be had.
    """
    if words is None:
        return None
    return Whisper(words.model, language) if words.kind == "whisper" else CTC(words.model)


def plain(text: str) -> str:
    """`text` in lower case, without punctuation, its spaces single: what two writers agree on.

    Letters keep their accents, words their apostrophes. Numbers stay what they are; who has a
    recogniser that writes digits gives a normaliser of the language instead, for both sides.
    """
    text = unicodedata.normalize("NFC", text).lower().translate(_APOSTROPHES)
    return " ".join(_DROPPED.sub(" ", text).split())


def word_errors(
    heard: Iterable[str], said: Iterable[str], normalise: Callable[[str], str] = plain
) -> tuple[Counts, Counts]:
    """Errors and words of each text, [K] and [K], for `lbtts.evaluation.bootstrap.rate`."""
    return _counts(heard, said, normalise, jiwer.process_words)


def character_errors(
    heard: Iterable[str], said: Iterable[str], normalise: Callable[[str], str] = plain
) -> tuple[Counts, Counts]:
    """Errors and characters of each text, spaces included, likewise."""
    return _counts(heard, said, normalise, jiwer.process_characters)


def _counts(
    heard: Iterable[str],
    said: Iterable[str],
    normalise: Callable[[str], str],
    process: Callable[[str, str], Any],
) -> tuple[Counts, Counts]:
    errors, units = [], []
    for guess, truth in zip(heard, said, strict=True):
        found = process(normalise(truth), normalise(guess))
        errors.append(found.substitutions + found.deletions + found.insertions)
        units.append(found.hits + found.substitutions + found.deletions)
    return np.array(errors, np.float64), np.array(units, np.float64)


def _resampled(audio: Audio) -> NDArray[np.float32]:
    return soxr.resample(audio.astype(np.float32), SAMPLE_RATE, _RATE)


def _found(model: str) -> tuple[str, str | None]:
    """Folder or name, and commit.

    Raises:
        InputError: it is neither a folder nor a name with a commit.
    """
    name, _, revision = model.partition("@")
    if Path(model).is_dir():
        return model, None
    if not revision:
        raise InputError(
            f"{model}: no such folder; give one that exists, or a name on the hub with its commit, "
            "NAME@COMMIT"
        )
    return name, revision


def _missing(error: ModuleNotFoundError) -> InputError:
    return InputError(f"{error.name} is not installed; pip install -r {REQUIREMENTS}")
