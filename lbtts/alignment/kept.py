"""What the backend kaldi keeps between runs: its model, and the alignment of each utterance."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping

from lbtts.alignment.monophones import Monophones
from lbtts.alignment.textgrid import AlignmentResult, Interval
from lbtts.alignment.topology import Words
from lbtts.cache import Cache, Latest, method
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.params import Kaldi
from lbtts.records import sha256

VERSION = 1  # raise it when features, training or aligning change
_LIBRARIES = (
    "kaldi-hmm-gmm", "kaldi-native-fbank", "kaldifst", "numpy", "soundfile", "soxr",
)  # fmt: skip
_MODEL = "model"


class Kept:
    """A trained model, and alignments made with it, in a cache."""

    def __init__(
        self,
        cache: Cache,
        kaldi: Kaldi,
        training: Mapping[str, Words],
        entries: Mapping[str, Entry],
    ) -> None:
        """Looks up nothing yet.

        Args:
            cache: used by nothing else.
            kaldi: the section `align.kaldi`.
            training: the words of the utterances that the model is trained on, by id.
            entries: of the manifest, by id.
        """
        self._latest = Latest(cache)
        how = method("kaldi", VERSION, _LIBRARIES, json.dumps(kaldi.model_dump(), sort_keys=True))
        made = hashlib.sha256(how.encode())
        for name, words in training.items():
            made.update(_digest(words, entries[name]))
        self._made = made.digest()

    def model(self, train: Callable[[], Monophones]) -> Monophones:
        """The model, which `train` makes if it is not kept.

        Raises:
            InputError: it cannot be read or written.
        """
        stored = self._latest.get(_MODEL, self._made)
        if stored is None:
            file = io.BytesIO()
            train().save(file)
            stored = file.getvalue()
            self._latest.put(_MODEL, self._made, stored)
        return Monophones.load(io.BytesIO(stored))  # the first run too, so that all align alike

    def get(self, words: Words, entry: Entry) -> AlignmentResult | Reject | None:
        """The alignment of an utterance, or why it has none; None if it is not kept.

        Raises:
            InputError: the cache was damaged since it was opened.
        """
        value = self._latest.get(_key(entry.id), self._digest(words, entry))
        return None if value is None else _unpacked(json.loads(value))

    def put(self, words: Words, entry: Entry, result: AlignmentResult | Reject) -> None:
        """Keeps the alignment of an utterance.

        Raises:
            InputError: it cannot be written.
        """
        value = json.dumps(_packed(result), ensure_ascii=False).encode()
        self._latest.put(_key(entry.id), self._digest(words, entry), value)

    def only(self, names: Iterable[str]) -> None:
        """Drops the alignments of all other utterances.

        Raises:
            InputError: the database cannot be written.
        """
        self._latest.only({_MODEL, *map(_key, names)})

    def _digest(self, words: Words, entry: Entry) -> bytes:
        return hashlib.sha256(self._made + _digest(words, entry)).digest()


def _key(name: str) -> str:
    return f"utterance/{name}"


def _digest(words: Words, entry: Entry) -> bytes:
    """A digest of an utterance: its words and audio, and its path, the seed of the dither."""
    try:
        audio = sha256(entry.audio)
    except OSError:
        audio = ""
    said = json.dumps([words, entry.audio, entry.samples, audio])
    return hashlib.sha256(said.encode()).digest()


def _packed(result: AlignmentResult | Reject) -> dict[str, object]:
    if isinstance(result, Reject):
        return {"reason": str(result)}
    phones = [(phone.start, phone.end, phone.label) for phone in result.phones]
    return {
        "phones": phones,
        "seconds": result.seconds,
        "score": result.score,
        "worst": result.worst,
        "beam": result.beam,
    }


def _unpacked(value: dict) -> AlignmentResult | Reject:
    if "reason" in value:
        return Reject(value["reason"])
    phones = tuple(Interval(*phone) for phone in value.pop("phones"))
    return AlignmentResult(phones, **value)
