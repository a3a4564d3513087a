"""The Montreal Forced Aligner, called by its command line.

Exit status 0 does not mean success: MFA leaves out utterances that it cannot align silently, and
unknown words come back as the phone `spn`. So its output is compared with its input.
Source: the behaviour of MFA 3.4.3, as measured, and the options that it declares.
"""

import csv
import os
import shlex
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from lbtts import child
from lbtts.alignment import mfa_log, textgrid
from lbtts.alignment.mfa_models import Lexicon, find_acoustic_model, find_dictionary
from lbtts.alignment.pronunciation import recognised
from lbtts.alignment.textgrid import AlignmentResult, Interval
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError, Reject
from lbtts.params import MFA
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import TokenPlan

_SPEAKER = "speaker"
_SPOKEN_NOISE = "spn"
_LIKELIHOODS = "alignment_analysis.csv"
_SILENCE = 240  # samples, 10 ms: a silence of three times this length holds a whole frame
# Seconds by which MFA's boundaries are early. The frames are not the cause: those of both aligners
# are centred in their 10 ms (`snip_edges` is False in MFA 3.4.3), and a wrong clock would be wrong
# everywhere. On 14,032 phones of Marylux MFA starts the next phone 3 to 15 ms before the backend
# kaldi, depending on the sounds, but the first phone after a silence 2 to 12 ms after it. It is the
# models that differ, so all boundaries are moved except those where speech starts.
_LEAD = 0.0075
_ROUNDING = 1e-3
_REMEDY = "install it from environment-mfa.yml, fix align.mfa.command, or set align.backend: kaldi"


def align(
    plans: Sequence[TokenPlan],
    entries: Mapping[str, Entry],
    dictionary: Path,
    inventory: Inventory,
    mfa: MFA,
    workers: int,
    scratch: Path,
) -> Iterator[tuple[str, AlignmentResult | Reject]]:
    """Runs MFA over the corpus, then yields the id of each plan with its phones or the reason.

    Without an acoustic model, one is trained first. The alignments of `mfa train` itself are not
    used: its last pass can mix a model with the transforms of another, and gives no likelihoods.

    Args:
        plans: sorted by id.
        entries: of the manifest, by id.
        dictionary: the lexicon in MFA's form, used if `mfa.dictionary` is null.
        inventory: the language's phones.
        mfa: the section `align.mfa`.
        workers: processes that align, used if `mfa.jobs` is null; training uses one process,
            because only then is it reproducible.
        scratch: a folder for MFA's data, emptied first; its log stays there when it fails.

    Raises:
        InputError: MFA, its model or its dictionary is missing, or it fails.
    """
    command = _command(mfa.command)
    given = find_dictionary(mfa.dictionary) if mfa.dictionary else dictionary
    model = find_acoustic_model(mfa.acoustic_model) if mfa.acoustic_model else None
    shutil.rmtree(scratch, ignore_errors=True)
    corpus, out = scratch / "corpus", scratch / "textgrids"
    rejects = _lay_out(plans, entries, corpus / _SPEAKER)
    if len(rejects) == len(plans):
        yield from rejects.items()
        return
    if model is None:
        model = scratch / "model.zip"
        _run([*command, *_arguments("train", [corpus, given, model], mfa, 1)], scratch / "train")
    jobs = mfa.jobs or workers
    arguments = _arguments("align", [corpus, given, model, out], mfa, jobs)
    _run([*command, *arguments], scratch / "align")
    yield from _results(plans, out, Lexicon(given, model), rejects, inventory)
    shutil.rmtree(scratch)


def transcript(words: Iterable[str]) -> str:
    """The line of a .lab file; a clitic is joined to its word, as MFA expects."""
    return "".join(w if w.endswith("'") else f"{w} " for w in words).strip() + "\n"


def _command(text: str) -> list[str]:
    """The parameter `align.mfa.command` as words.

    Raises:
        InputError: it is not a command line, or its program is missing.
    """
    try:
        command = shlex.split(text)
    except ValueError as error:
        raise InputError(f"align.mfa.command: `{text}`: {error}; {_REMEDY}") from None
    if not command or shutil.which(command[0]) is None:
        raise InputError(f"align.mfa.command: `{text}` is not found; {_REMEDY}")
    return command


def _arguments(verb: str, places: Sequence[Path], mfa: MFA, jobs: int) -> list[str]:
    """The arguments of `mfa`: its places first.

    MFA does not declare the option `--beam`, but collects it from the unparsed arguments. Before
    the places it would be taken for the first place.
    """
    options = ["--single_speaker", "--clean", "--overwrite", "--num_jobs", str(jobs)]
    if verb == "align":
        options += ["--output_format", "long_textgrid"]
    beams = ["--beam", str(mfa.beam), "--retry_beam", str(mfa.retry_beam)]
    return [verb, *(str(place.resolve()) for place in places), *options, *beams]


def _lay_out(
    plans: Sequence[TokenPlan], entries: Mapping[str, Entry], folder: Path
) -> dict[str, Reject]:
    """Makes the corpus folder: audio and transcripts; returns why some utterances are not in it."""
    folder.mkdir(parents=True)
    rejects = {}
    for plan in tqdm(plans, desc="lay out", unit="utt"):
        audio = Path(entries[plan.id].audio).resolve()
        try:
            _place(audio, folder / plan.id)
        except soundfile.SoundFileError as error:  # one such file would end MFA's whole run
            rejects[plan.id] = Reject(f"{audio}: not audio ({error}); run `dvc repro corpus`")
            continue
        (folder / f"{plan.id}.lab").write_text(transcript(plan.words), encoding="utf-8")
    return rejects


def _place(audio: Path, stem: Path) -> None:
    """Puts audio into the corpus folder: a link, or a copy with noise if parts of it are constant.

    MFA adds no dither. From audio that is padded with zeros it learns that silence is zeros, and
    then finds no path through recorded silence. The seed of the noise, one bit, is the name of the
    utterance.
    """
    samples, rate = soundfile.read(audio, dtype="int16", always_2d=True)
    changes = np.flatnonzero(np.diff(samples[:, 0]))
    constant = np.diff(
        changes, prepend=-1, append=len(samples) - 1
    )  # lengths of constant stretches
    if constant.max() < _SILENCE:
        Path(f"{stem}{audio.suffix}").symlink_to(audio)
        return
    noise = np.random.default_rng(zlib.crc32(stem.name.encode())).integers(-1, 2, samples.shape)
    noisy = np.clip(samples + noise, -(2**15), 2**15 - 1).astype(np.int16)
    soundfile.write(f"{stem}.flac", noisy, rate, format="FLAC", subtype="PCM_16")


def _run(command: Sequence[str], root: Path) -> None:
    """Runs MFA with its progress on the terminal; repeats its warnings.

    Args:
        command: program and arguments.
        root: a folder for its data, used by this run only: MFA would reuse what it finds there.

    Raises:
        InputError: it failed or was interrupted; the line holds MFA's own message and the path
            of its log.
    """
    environment = os.environ | {
        "MFA_ROOT_DIR": str(root.resolve()),
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "1000",  # wide enough for no message to be wrapped
    }
    log = root.with_suffix(".log")
    try:
        with log.open("w", encoding="utf-8") as stream:
            status = child.run(command, environment, stream)
    except KeyboardInterrupt:
        raise InputError(
            "interrupted: MFA keeps no partial results; run the same command to start again"
        ) from None
    said = log.read_text(encoding="utf-8", errors="replace")
    if status:
        raise InputError(f"mfa {mfa_log.failure(status, said)} (log: {log})")
    for warning in mfa_log.warnings(said):
        tqdm.write(f"mfa: {warning}")
    shutil.rmtree(root, ignore_errors=True)


def _results(
    plans: Sequence[TokenPlan],
    out: Path,
    lexicon: Lexicon,
    rejects: Mapping[str, Reject],
    inventory: Inventory,
) -> Iterator[tuple[str, AlignmentResult | Reject]]:
    """The id of each plan with the alignment that MFA wrote."""
    likelihoods = _likelihoods(out / _LIKELIHOODS)
    for plan in plans:
        try:
            if plan.id in rejects:
                raise rejects[plan.id]
            path = out / _SPEAKER / f"{plan.id}.TextGrid"
            found = _checked(path, lexicon, likelihoods.get(plan.id), inventory)
            yield plan.id, found
        except Reject as reason:
            yield plan.id, reason


def _likelihoods(path: Path) -> dict[str, float]:
    """The mean log-likelihood of each utterance's phones, by id, if MFA gives it."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["file"], row["speech_log_likelihood"]) for row in csv.DictReader(file)]
    return {name: float(value) for name, value in rows if value}


def _checked(
    path: Path, lexicon: Lexicon, likelihood: float | None, inventory: Inventory
) -> AlignmentResult:
    """The phones in MFA's TextGrid with canonical labels, moved by `_LEAD`.

    Raises:
        Reject: it is missing, has an unknown word, or phones outside the inventory.
    """
    if not path.exists():
        raise Reject("MFA could not align it; compare the transcript with the recording")
    found = textgrid.read(path)
    unknown = [p for p in found.phones if p.label == _SPOKEN_NOISE]
    if unknown:
        middle = (unknown[0].start + unknown[0].end) / 2
        word = next((w.label for w in found.words if w.start <= middle <= w.end), "?")
        raise Reject(lexicon.why_unknown(word))
    phones = []
    ended = -1.0
    for phone in recognised(found.phones, inventory):
        begins = phone.start > ended + _ROUNDING  # after a silence
        start = phone.start if begins else _moved(phone.start, found.seconds)
        ended = phone.end
        phones.append(Interval(start, _moved(ended, found.seconds), phone.label))
    return AlignmentResult(tuple(phones), found.seconds, likelihood)


def _moved(time: float, seconds: float) -> float:
    """A boundary at `time`, moved to where the backend kaldi would put it; the audio's ends stay.

    The shift becomes smaller towards the end of the audio, so that no phone loses its length.
    """
    return time + min(_LEAD, (seconds - time) / 2) if time > 0 else time
