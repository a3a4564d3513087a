"""Speaks text with an exported baseline.

python -m lbtts.models.transformer FOLDER TEXT OUT.wav
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile

from lbtts.errors import InputError, Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.languages import exported
from lbtts.models.transformer import weights
from lbtts.models.transformer.export import VOICE
from lbtts.models.transformer.speech import TransformerSynthesiser
from lbtts.models.transformer.vocoders import vocoder
from lbtts.records import read_json


def main() -> None:
    """Reads the command line, speaks, writes the audio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="models/export, or a copy of it")
    parser.add_argument("text")
    parser.add_argument("out", type=Path, help="audio file, 24 kHz")
    parser.add_argument("--vocoder", choices=("griffinlim", "hifigan"))
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    given = parser.parse_args()
    try:
        voice = read_json(given.folder / VOICE)
        plan = exported.front_end(given.folder).token_plan("text", given.text)
        name = given.vocoder or voice["vocoder"]
        speaker = TransformerSynthesiser(
            weights.load(given.folder).to(given.device),
            vocoder(name, voice["hifigan"], given.device),
        )
    except (InputError, Reject) as error:
        sys.exit(f"error: {error}")
    audio, _ = speaker.speak(np.array(plan.input_ids))
    soundfile.write(given.out, audio, SAMPLE_RATE)


if __name__ == "__main__":
    main()
