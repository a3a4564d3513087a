"""The way of one recording into the corpus."""

from pathlib import Path
from typing import Any

from lbtts.corpus.audio import decode, prepare, write_flac
from lbtts.corpus.readers import Recording
from lbtts.errors import Reject
from lbtts.params import Corpus


def take_in(recording: Recording, corpus: Corpus, folder: Path) -> dict[str, Any]:
    """The recording's row of the manifest, without split; its clip is written into `folder`.

    Beside the manifest's columns an accepted row has `start` and `peak_limited` (see `audio.Clip`).
    """
    row = {"id": recording.id, "text": recording.text}
    try:
        if recording.fault:
            raise Reject(recording.fault)
        clip = prepare(*decode(recording.audio), corpus)
    except Reject as reason:
        return row | {"status": "rejected", "reason": str(reason)}
    path = folder / f"{recording.id}.flac"
    write_flac(path, clip.samples)
    return row | {
        "status": "ok",
        "audio": path.as_posix(),
        "seconds": clip.seconds,
        "start": clip.start,
        "peak_limited": clip.peak_limited,
    }
