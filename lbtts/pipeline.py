"""The public interface for speech: kokoro's KPipeline with lbtts's languages, by their letter.

from lbtts.pipeline import KPipeline

pipeline = KPipeline(lang_code="l", repo_id="models/export")
for result in pipeline("Moien, wéi geet et?", voice="lb_max"):
    result.audio
"""

import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kokoro
import torch
from kokoro import KModel
from kokoro.pipeline import LANG_CODES
from misaki.token import MToken
from torch import Tensor

from lbtts import languages
from lbtts.errors import InputError
from lbtts.grid import MAX_TOKENS
from lbtts.languages.language import Language
from lbtts.models.kokoro.release import folder as released
from lbtts.models.kokoro.release.proof import CONFIG
from lbtts.paths import EXPORT
from lbtts.text.front_end import FrontEnd
from lbtts.text.inventory import Inventory

_ENDS = (".!?…", ";:", ",—")  # where to split, best first: sentences, clauses, phrases
_MARKS = (Inventory.stress, Inventory.second_stress)  # belong to the symbol after them
_JOINED = "ː\u0303"  # belongs to the symbol before it
_CLOSING = '"”)'  # stays with the punctuation before it


class KPipeline(kokoro.KPipeline):
    """Stock KPipeline, and for lbtts's languages from text to audio, of any length."""

    def __init__(
        self,
        lang_code: str | None = None,
        repo_id: str | None = None,
        model: KModel | bool = True,
        device: str | None = None,
        **stock: Any,
    ) -> None:
        """For a language of lbtts, loads the exported folder `repo_id`, by default models/export.

        Args:
            lang_code: the letter of a language of lbtts, "l" for Luxembourgish, or any that stock
                KPipeline knows; those are left to it. None: the language of the folder.
            repo_id: an exported folder.
            model: one that is already loaded; False to get phonemes only.
            device: "cpu" or "cuda"; by default the best there is.
            stock: what else stock KPipeline takes; nothing of it concerns lbtts's languages.

        Raises:
            FileNotFoundError: a model or its language is wanted, and `repo_id` is not an exported
                folder.
            InputError: the folder is for another language than `lang_code`.
        """
        folder = Path(repo_id or EXPORT)
        self.front_end: FrontEnd | None = None
        language = _language(lang_code, folder)
        if language is None:
            super().__init__(lang_code, repo_id, model, device=device, **stock)
            return
        self.lang_code = language.letter
        self.repo_id = str(folder)
        self.voices: dict[str, Tensor] = {}
        exported = released.front_end(folder, language.learnt)
        self.g2p = self.front_end = language.front_end(*exported)
        self.model = None
        if isinstance(model, KModel):
            self.model = model
        elif model:
            checkpoint = released.weights(folder, language.code)
            if not checkpoint.exists():
                raise _not_exported(checkpoint)
            device = device or ("cuda" if torch.cuda.is_available() else "cpu")
            loaded = KModel(self.repo_id, str(folder / CONFIG), str(checkpoint))
            self.model = loaded.to(device).eval()

    def load_single_voice(self, voice: str) -> Tensor:
        """The table [510, 1, 256] of `voice`, from the exported folder if it is there."""
        own = Path(self.repo_id, "voices", f"{voice}.pt")
        if voice not in self.voices and own.exists():
            self.voices[voice] = torch.load(own, weights_only=True)
        return super().load_single_voice(voice)

    def __call__(
        self,
        text: str | list[str],
        voice: str | Tensor | None = None,
        speed: float | Callable[[int], float] = 1,
        split_pattern: str | None = r"\n+",
        model: KModel | None = None,
    ) -> Iterator[kokoro.KPipeline.Result]:
        """Results with text, phonemes and audio, one a sentence, or a part of a long one."""
        if self.front_end is None:
            yield from super().__call__(text, voice, speed, split_pattern, model)
            return
        if isinstance(text, str):
            text = re.split(split_pattern, text) if split_pattern else [text]
        for index, segment in enumerate(text):
            if segment.strip():
                readable, changed = self.front_end.romanised(segment)
                if changed:
                    warnings.warn(
                        f"not in Latin letters, so the pronunciation may be wrong: "
                        f"{', '.join(changed)}",
                        stacklevel=2,
                    )
                _, tokens = self.front_end(readable)
                for result in self.generate_from_tokens(tokens, voice, speed, model):
                    result.text_index = index
                    yield result

    def en_tokenize(self, tokens: list[MToken]) -> Iterator[tuple[str, str, list[MToken]]]:
        """Text, phonemes and tokens of each chunk, every token in exactly one chunk.

        Stock kokoro's method counts one space too few after a split and drops the last phoneme.
        """
        if self.front_end is None:
            yield from super().en_tokenize(tokens)
            return
        for chunk in chunks(tokens):
            yield self.tokens_to_text(chunk), self.tokens_to_ps(chunk), chunk


def _language(lang_code: str | None, folder: Path) -> Language | None:
    """The language of lbtts that is meant; None for those that are left to stock KPipeline."""
    exported = released.language_of(folder)
    if lang_code is None:
        if exported is None:
            raise _not_exported(folder / released.FRONT_END / released.LANGUAGE)
        return languages.get(exported)
    language = next((each for each in languages.every() if each.letter == lang_code), None)
    if exported is None and lang_code in LANG_CODES:
        return None  # English too, but for a voice that lbtts has exported
    if language is not None and exported not in (None, language.code):
        raise InputError(f"{folder}: is for {exported}, not {language.code}; leave lang_code out")
    return language


def _not_exported(path: Path) -> FileNotFoundError:
    return FileNotFoundError(
        f"{path}: not found; run `dvc repro export`, or name an exported folder"
    )


def chunks(tokens: list[MToken], limit: int = MAX_TOKENS) -> Iterator[list[MToken]]:
    """`tokens` by sentences; a sentence over `limit` phonemes is split at the best place.

    That is after a clause, else after a phrase, in the second half of the part that fits; else
    between words, into parts of similar length, so no word is left alone. A word over the limit is
    split before a vowel if possible.
    """
    fitting_tokens = [part for token in tokens for part in _fitted(token, limit)]
    for sentence in _split(fitting_tokens, _ENDS[0]):
        while (length := _length(sentence)) > limit:
            fitting = _fitting(sentence, limit)
            ends = ([*_boundaries(sentence[:fitting], marks)] for marks in _ENDS[1:])
            late = (found[-1] for found in ends if found and found[-1] > fitting / 2)
            even = math.ceil(length / math.ceil(length / limit))
            cut = next(late, None) or _fitting(sentence, even) or fitting
            yield sentence[:cut]
            sentence = sentence[cut:]
        yield sentence


def _fitted(token: MToken, limit: int) -> Iterator[MToken]:
    """`token`, or parts of it of similar length; the first has its text, the last its space."""
    phonemes = token.phonemes or ""
    if len(phonemes) <= limit:
        yield token
        return
    size = math.ceil(len(phonemes) / math.ceil(len(phonemes) / limit))
    starts = [0]
    while starts[-1] + size < len(phonemes):
        cut = starts[-1] + size
        marked = phonemes.rfind(Inventory.stress, starts[-1] + 1, cut)
        joined = phonemes[cut] in _JOINED or phonemes[cut - 1] in _MARKS
        starts.append(marked if joined and marked > 0 else cut - joined or cut)
    for start, end in zip(starts, [*starts[1:], len(phonemes)], strict=True):
        text = token.text if start == 0 else ""
        space = token.whitespace if end == len(phonemes) else ""
        yield MToken(text, token.tag, space, phonemes[start:end])


def _fitting(tokens: list[MToken], limit: int) -> int:
    """The number of `tokens`, from the first, that have at most `limit` phonemes together."""
    return next(n for n in range(len(tokens), -1, -1) if _length(tokens[:n]) <= limit)


def _split(tokens: list[MToken], marks: str) -> Iterator[list[MToken]]:
    """`tokens` cut after each of `marks`."""
    start = 0
    for end in _boundaries(tokens, marks):
        yield tokens[start:end]
        start = end
    if start < len(tokens):
        yield tokens[start:]


def _boundaries(tokens: list[MToken], marks: str) -> Iterator[int]:
    """The number of tokens up to each run of `marks`, closing punctuation after it included."""
    ended = False
    for index, token in enumerate(tokens):
        if _is_mark(token, marks):
            ended = True
        elif ended and not (_is_mark(token, _CLOSING) and not tokens[index - 1].whitespace):
            yield index
            ended = False
    if ended:
        yield len(tokens)


def _is_mark(token: MToken, marks: str) -> bool:
    return bool(token.phonemes) and token.phonemes in marks


def _length(tokens: list[MToken]) -> int:
    """The number of phonemes that KModel would get."""
    return len(kokoro.KPipeline.tokens_to_ps(tokens))
