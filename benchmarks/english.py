"""Does the recovered base, or a model trained from it, speak English that is understood?

    python -m benchmarks.english VOICE [VOICE …] [--model FOLDER]

Each VOICE is a table of Kokoro's, `<name>.bin` as kokoro-js ships them or `<name>.pt` as on the
hub. It says twenty sentences with the base that `base.source: pip` gives, or with the fine-tuned
model in FOLDER: models/finetuned, or `model` of a variant of `benchmarks.recipe`. espeak-ng writes
their phonemes, misaki turns them into Kokoro's, Whisper base listens, and DNSMOS judges.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from kokoro import KModel
from misaki.espeak import EspeakFallback
from torch import Tensor
from tqdm import tqdm

from benchmarks.tables import as_table
from benchmarks.whisper import whisper_base
from lbtts.evaluation.bootstrap import Estimate, mean, rate
from lbtts.evaluation.naturalness import opinion
from lbtts.evaluation.words import Listener, word_errors
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.kokoro.weights import sources as base
from lbtts.params import Base
from lbtts.text.vocab import EDGE, encode

PIP = Base(source="pip", repo="", revision="", sha256=None, path=None, seed=0)
TEXT = """\
The train to the city leaves every morning at a quarter past seven.
My grandmother kept her letters in a wooden box under the bed.
Nobody knew why the lights in the old factory were still on.
We walked along the river until it was too dark to see the path.
She asked the driver to stop in front of the station.
A cold wind came down from the mountains during the night.
The children were playing football behind the church.
He opened the window and listened to the rain for a while.
There is fresh bread on the table if you are hungry.
The doctor told him to rest and to drink plenty of water.
Most of the shops close early on Saturday afternoon.
I would like to know how much the blue jacket costs.
They have lived in the same house for more than forty years.
The museum shows paintings from the last two centuries.
Please turn off the radio before you go to sleep.
It took us three hours to repair the broken bridge.
The farmer sold his horses and bought a small boat.
You can see the whole valley from the top of the tower.
The teacher wrote a long word on the board and smiled.
In winter the lake freezes and people skate on it."""
SENTENCES = TEXT.splitlines()
COLUMNS = {
    "word_errors": "words misheard, %",
    "dnsmos": "DNSMOS overall",
    "dnsmos_p808": "DNSMOS P.808",
}


def phonemes(text: str) -> str:
    """`text` in Kokoro's English symbols, as espeak-ng reads it."""
    return EspeakFallback(british=False)(SimpleNamespace(text=text))[0]


def judge(
    model: KModel, voices: Mapping[str, Tensor], listener: Listener
) -> dict[str, dict[str, Estimate]]:
    """Word errors in percent and mean opinion scores of each voice."""
    tokens = [np.array([EDGE, *encode(phonemes(text)), EDGE]) for text in SENTENCES]
    found = {}
    for name, table in voices.items():
        speaker = KokoroSynthesiser(model, table)
        said = [speaker.speak(ids)[0] for ids in tqdm(tokens, desc=name, unit="utt")]
        opinions = pd.DataFrame([opinion(audio) for audio in said])
        heard = [listener.hear(audio) for audio in said]
        found[name] = {
            "word_errors": rate(*word_errors(heard, SENTENCES)).times(100),
            **{key: mean(opinions[key]) for key in opinions},
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("voices", type=Path, nargs="+", metavar="VOICE")
    parser.add_argument("--model", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    model = checkpoint.load_finetuned(given.model)[0] if given.model else base.load(PIP).model
    voices = {path.stem: checkpoint.load_voice(path) for path in given.voices}
    with tempfile.TemporaryDirectory() as folder:
        print(as_table(judge(model, voices, whisper_base(Path(folder))), COLUMNS))


if __name__ == "__main__":
    main()
