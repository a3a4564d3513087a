"""Fine-tunes Kokoro and its voice table."""

import os
import shutil
from pathlib import Path

from lbtts import params
from lbtts.acoustics.batching import padding
from lbtts.acoustics.features import FeatureStore
from lbtts.model import checkpoint
from lbtts.records import read_json, write_json
from lbtts.scratch import scratch
from lbtts.training import resume, trainer
from stages import run

# cuBLAS repeats itself only with a workspace of fixed size, set before it is loaded.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

FEATURES = Path("data/features.h5")
BASE = Path("models/base")
VOICE = Path("models/voice/voice.safetensors")
OUT = Path("models/finetuned")
CURVES = Path("metrics/train")


def main() -> None:
    """Trains, or goes on with a run that was interrupted, and writes the averaged weights."""
    p = params.load()
    store = FeatureStore(FEATURES, p.features.f0)
    horizonless = p.train.model_dump(mode="json", exclude={"steps"})
    fingerprint = resume.fingerprint(
        horizonless, [FEATURES, BASE / "config.json", BASE / "model.pth", VOICE]
    )
    state = trainer.setup(
        checkpoint.load_base(BASE), checkpoint.load_tensors(VOICE)["table"], p.train
    )
    with scratch(f"train/{fingerprint}") as folder:
        recorder = trainer.fit(state, store, p.train, folder, CURVES)
        samples = [
            path
            for path in sorted((folder / trainer.SAMPLES).iterdir())
            if int(path.name.split("-")[1]) <= p.train.steps
        ]
        (OUT / trainer.SAMPLES).mkdir(parents=True, exist_ok=True)
        for path in samples:
            shutil.copy(path, OUT / trainer.SAMPLES)

    chosen = store.indices("train")
    epoch = trainer.steps(store, p.train).schedule.epoch(0)
    network = trainer.averaged(state)
    provenance = read_json(BASE / "provenance.json")
    provenance |= {"steps": state.step, "seed": p.train.seed}
    checkpoint.save_finetuned(
        OUT, network.model, network.voice.table().cpu(), checkpoint.read_config(BASE), provenance
    )
    first, last = recorder.validations()[0], recorder.validations()[-1]
    write_json(
        "metrics/train.json",
        {
            "steps": state.step,
            "utterances": len(chosen),
            "steps_per_epoch": len(epoch),
            "padding_of_tokens": round(padding(store.tokens_total[chosen], epoch), 4),
            **{f"first_{name.replace('/', '_')}": round(v, 5) for name, v in first.items()},
            **{name.replace("/", "_"): round(v, 5) for name, v in last.items()},
        },
    )


if __name__ == "__main__":
    run(main)
