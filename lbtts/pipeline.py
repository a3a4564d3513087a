"""The public interface for speech: kokoro's KPipeline with lbtts's languages, by their letter.

from lbtts.pipeline import KPipeline

pipeline = KPipeline(lang_code="l", repo_id="models/export")
for result in pipeline("Moien, wéi geet et?", voice="lb_max"):
    result.audio
"""

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
from lbtts.languages import exported
from lbtts.languages.language import Language
from lbtts.models.kokoro.release.folder import weights
from lbtts.models.kokoro.release.proof import CONFIG
from lbtts.paths import EXPORT
from lbtts.speaking.sentences import chunks
from lbtts.text.front_end import FrontEnd


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
        self.g2p = self.front_end = exported.front_end(folder, language)
        self.model = None
        if isinstance(model, KModel):
            self.model = model
        elif model:
            checkpoint = weights(folder, language.code)
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
    code = exported.code(folder)
    if lang_code is None:
        if code is None:
            raise _not_exported(folder / exported.LANGUAGE)
        return languages.get(code)
    language = next((each for each in languages.every() if each.letter == lang_code), None)
    if code is None and lang_code in LANG_CODES:
        return None  # English too, but for a voice that lbtts has exported
    if language is not None and code not in (None, language.code):
        raise InputError(f"{folder}: is for {code}, not {language.code}; leave lang_code out")
    return language


def _not_exported(path: Path) -> FileNotFoundError:
    return FileNotFoundError(
        f"{path}: not found; run `dvc repro export`, or name an exported folder"
    )
