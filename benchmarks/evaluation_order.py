"""Does each measure order what it is for? Real Luxembourgish and what a base makes of it.

    python -m benchmarks.evaluation_order [--shared FOLDER] [--utterances 16] [--read 40]

Systems, on held-out sentences of the Marylux sample: the recording; copy synthesis of it; the base
that `base.source: pip` gives with af_heart, zero shot; the same with noise in its weights; another
speaker of another text (LJSpeech); white noise. The phone recogniser has learnt from the other
recordings and from what the base reads of `--read` of their texts. The scale of likeness goes from
what am_michael says to a second recording.
"""

import argparse
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr
import torch
from kokoro import KModel
from tqdm import tqdm

from benchmarks.english import PIP
from lbtts import params
from lbtts.acoustics.measuring.f0 import track
from lbtts.corpus.audio import decode, prepare, write_flac
from lbtts.evaluation import compare, recogniser
from lbtts.evaluation.copy_synthesis import copy_synthesis
from lbtts.evaluation.prompt import Audio, Prompt, from_plan
from lbtts.evaluation.similarity import Likeness, embeddings
from lbtts.evaluation.speech_metrics import Instruments
from lbtts.grid import SAMPLE_RATE
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.kokoro.weights import sources as base
from lbtts.text.tokens import TokenPlan

ROOT = Path(__file__).resolve().parent.parent
_NOISE = 0.12  # of each weight tensor's standard deviation
_WITH_INTERVALS = ("phone_errors", "similarity", "dnsmos")


def spoiled(model: KModel) -> KModel:
    """`model` with noise in its weights."""
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in model.parameters():
            if tensor.dim() > 1:
                tensor += (
                    _NOISE * tensor.std(correction=0) * torch.randn(tensor.shape, generator=draw)
                )
    return model


def say(model: KModel, table: torch.Tensor, plans: list[TokenPlan]) -> dict[str, Audio]:
    speaker = KokoroSynthesiser(model, table)
    return {p.id: speaker.speak(np.array(p.input_ids))[0] for p in tqdm(plans, desc="speak")}


def read(folder: Path) -> dict[str, Audio]:
    """LJSpeech's clips."""
    return {
        path.stem: soxr.resample(*soundfile.read(path, dtype="float32"), SAMPLE_RATE)
        for path in sorted(folder.iterdir())
    }


def run(shared: Path, utterances: int, readings: int, folder: Path) -> compare.Comparison:
    p = params.load(ROOT / "profiles/folder.yaml")
    f0 = p.features.f0.quick()
    lines = (shared / "marylux/metadata.csv").read_text(encoding="utf-8").splitlines()
    texts = dict(line.split("|", 1) for line in lines)
    g2p = LBG2P()
    plans = [g2p.token_plan(name, text) for name, text in texts.items()]
    held_out, training = plans[:utterances], plans[utterances:]
    clips, audio = {}, {}
    for plan in plans:
        clip = prepare(*decode(shared / f"marylux/wavs/{plan.id}.flac"), p.corpus).samples
        clips[plan.id] = clip
        audio[plan.id] = str(folder / f"{plan.id}.flac")
        write_flac(Path(audio[plan.id]), clip)

    heart, michael = (
        checkpoint.load_voice(shared / f"kokoro/{name}.bin") for name in ("af_heart", "am_michael")
    )
    model = base.load(PIP).model.eval()
    step = len(training) // readings
    some = training[::step][:readings]
    read = [(plan, folder / f"{plan.id}-read.flac") for plan in some]
    for (_, path), sound in zip(read, say(model, heart, some).values(), strict=True):
        write_flac(path, np.clip(sound, -1, 1))
    ear = recogniser.train_on_readings(training, audio, read)

    own = {plan.id: clips[plan.id] for plan in held_out}
    strangers = cycle(read(shared / "ljspeech_sample/wavs").values())
    draw = np.random.default_rng(0)
    systems: Mapping[str, dict[str, Audio]] = {
        "recording": own,
        "copy synthesis": {k: copy_synthesis(a, track(a, f0), f0.floor) for k, a in own.items()},
        "zero shot": say(model, heart, held_out),
        "another speaker, another text": dict(zip(own, strangers, strict=False)),
        "white noise": {k: draw.normal(0, 0.05, len(a)).astype("f4") for k, a in own.items()},
        "zero shot, noised weights": say(spoiled(model), heart, held_out),
    }
    prompts: list[Prompt] = [from_plan(plan) for plan in held_out]
    near = {plan.id: clips[plan.id] for plan in training[::6]}
    reader = embeddings(say(base.load(PIP).model.eval(), michael, held_out[:6]), p.voice)
    likeness = Likeness(
        {**embeddings(near, p.voice), **embeddings(own, p.voice)}, {"am_michael": reader}
    )
    usual = compare.usual(near, [from_plan(plan) for plan in training], f0)
    instruments = Instruments(f0, p.voice, ear, None, likeness, usual)
    return compare.compare(prompts, systems, instruments)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--utterances", type=int, default=16)
    parser.add_argument("--read", type=int, default=40)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = run(given.shared, given.utterances, given.read, Path(folder))
    print(found.table())
    for name in _WITH_INTERVALS:
        order = sorted(found.estimates, key=lambda s: found.estimates[s][name].value)
        print(f"{name}: {' < '.join(order)}")


if __name__ == "__main__":
    main()
