"""The Montreal Forced Aligner, called by its command line.

Exit status 0 proves nothing there: utterances that it cannot align are left out without a word, and
unknown words come back as the phone `spn`. So what it wrote is compared with what it was given.
Source: the behaviour of MFA 3.4.3, as measured.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lbtts.alignment import textgrid
from lbtts.alignment.pronunciation import recognised
from lbtts.alignment.textgrid import Found, Interval
from lbtts.errors import InputError, Reject
from lbtts.params import MFA
from lbtts.text.tokens import Plan

_SPEAKER = "speaker"
_SPOKEN_NOISE = "spn"
_FAULT = re.compile(r"\w(Error|NotFound)\b|does not exist|command not found")
# MFA's features are Kaldi's with `snip_edges`: frame k looks at 25 ms from 10 k ms on, so that its
# middle is at 10 k + 12.5 ms; the TextGrid gives it 10 k to 10 k + 10, whose middle is 7.5 ms less.
# Measured against the backend kaldi, whose frames are centred, on 16,154 phones of Marylux: 7.2 ms.
_LEAD = 0.0075
_REMEDY = "install it from environment-mfa.yml, mend align.mfa.command, or set align.backend: kaldi"


def align(
    plans: Sequence[Plan],
    audio: Mapping[str, str],
    dictionary: Path,
    choice: MFA,
    workers: int,
    scratch: Path,
) -> Iterator[tuple[str, Found | Reject]]:
    """Runs MFA once over the corpus, then yields each plan's id with its phones or the reason.

    Args:
        plans: sorted by id.
        audio: path of each id's clip.
        dictionary: the lexicon in MFA's form, for want of `choice.dictionary`.
        choice: the section `align.mfa`; without an acoustic model one is trained.
        workers: processes; training takes one, for only so it repeats itself.
        scratch: a folder for MFA's data, emptied first; its log stays there when it fails.

    Raises:
        InputError: MFA is not there or fails.
    """
    try:
        command = shlex.split(choice.command)
    except ValueError as error:
        raise InputError(f"align.mfa.command: `{choice.command}`: {error}; {_REMEDY}") from None
    if not command or shutil.which(command[0]) is None:
        raise InputError(f"align.mfa.command: `{choice.command}` is not here; {_REMEDY}")
    shutil.rmtree(scratch, ignore_errors=True)
    corpus, out = scratch / "corpus", scratch / "textgrids"
    _lay_out(plans, audio, corpus / _SPEAKER)
    given = str(choice.dictionary or dictionary)
    common = ["--single_speaker", "--clean", "--overwrite", "--output_format", "long_textgrid"]
    common += ["--beam", str(choice.beam), "--retry_beam", str(choice.retry_beam)]
    if choice.acoustic_model:
        inputs = [str(corpus), given, choice.acoustic_model, str(out)]
        arguments = ["align", *common, "--num_jobs", str(workers), *inputs]
    else:
        inputs = [str(corpus), given, str(scratch / "model.zip")]
        arguments = ["train", *common, "--num_jobs", "1", *inputs, "--output_directory", str(out)]
    _run([*command, *arguments], scratch)
    for plan in plans:
        try:
            yield plan.id, _checked(out / _SPEAKER / f"{plan.id}.TextGrid")
        except Reject as reason:
            yield plan.id, reason


def _lay_out(plans: Sequence[Plan], audio: Mapping[str, str], folder: Path) -> None:
    """Makes the corpus folder: links to the clips, and their words beside them."""
    folder.mkdir(parents=True)
    for plan in plans:
        clip = Path(audio[plan.id]).resolve()
        (folder / f"{plan.id}{clip.suffix}").symlink_to(clip)
        (folder / f"{plan.id}.lab").write_text(transcript(plan.words), encoding="utf-8")


def transcript(words: Iterable[str]) -> str:
    """The line of a .lab file; a clitic is joined to its word, where MFA looks for it."""
    return "".join(w if w.endswith("'") else f"{w} " for w in words).strip() + "\n"


def _run(command: list[str], scratch: Path) -> None:
    """Runs MFA with its state in `scratch`, its progress on the terminal.

    Raises:
        InputError: it failed; the line holds its own message and where the log is.
    """
    environment = os.environ | {
        "MFA_ROOT_DIR": str((scratch / "root").resolve()),
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "1000",  # wide enough for no message to be wrapped
    }
    log = scratch / "mfa.log"
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(command, env=environment, stderr=stream, check=False)
    if done.returncode:
        said = re.sub(r"[│╭╮╰╯─]+", " ", log.read_text(encoding="utf-8", errors="replace"))
        lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
        faults = [line for line in lines if _FAULT.search(line)]
        message = (faults or lines or ["no message"])[-1]
        raise InputError(f"mfa failed with status {done.returncode}: {message} (log: {log})")


def _checked(path: Path) -> Found:
    """The phones in MFA's TextGrid under canonical labels, moved to where they are heard.

    Raises:
        Reject: it is missing, has an unknown word, or phones outside the contract.
    """
    if not path.exists():
        raise Reject("MFA could not align it and left it out; compare transcript and recording")
    found = textgrid.read(path)
    unknown = [p for p in found.phones if p.label == _SPOKEN_NOISE]
    if unknown:
        middle = (unknown[0].start + unknown[0].end) / 2
        word = next((w.label for w in found.words if w.start <= middle <= w.end), "?")
        raise Reject(f"MFA does not know the word {word!r}; add it to its dictionary")
    phones = tuple(
        Interval(_heard_at(p.start, found.seconds), _heard_at(p.end, found.seconds), p.label)
        for p in recognised(found.phones)
    )
    return Found(phones, found.seconds)


def _heard_at(time: float, seconds: float) -> float:
    """Where a boundary lies that MFA writes at `time`; the ends of the clip stay."""
    return time if time in (0, seconds) else min(time + _LEAD, seconds)
