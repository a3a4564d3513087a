"""Proof that stock kokoro alone speaks with an exported folder. Run from inside it:

python -I proof.py VOICE PHONEMES SEED AUDIO.npy

It imports nothing of lbtts and downloads nothing, so a folder that passes works for anybody.
Prints one JSON object and writes the audio.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kokoro import KModel, KPipeline

CONFIG, WEIGHTS = "config.json", "kokoro-*.pth"  # the code of the language
SAMPLES_PER_UNIT = 600
STOCK_LANGUAGE = "e"  # any that needs no download: the phonemes are given


def compare_tensors(model: KModel, weights: str) -> dict[str, Any]:
    """The number of tensors, of those equal in `model` and the file, and one that differs.

    Stock loading hides failures: it catches every error and leaves the other tensors random.
    """
    parts = torch.load(weights, map_location="cpu", weights_only=True)
    saved = {
        f"{part}.{key}": value for part, state in parts.items() for key, value in state.items()
    }
    loaded = model.state_dict()
    names = saved.keys() | loaded.keys()
    differing = sorted(
        name
        for name in names
        if name not in saved or name not in loaded or not torch.equal(saved[name], loaded[name])
    )
    return {
        "tensors_compared": len(names),
        "tensors_equal": len(names) - len(differing),
        "first_difference": differing[0] if differing else "",
    }


def main(voice: str, phonemes: str, seed: int, audio_path: str) -> None:
    """Loads, compares, speaks and reports."""
    (weights,) = map(str, Path().glob(WEIGHTS))
    model = KModel(repo_id="exported", config=CONFIG, model=weights).eval()
    report = compare_tensors(model, weights)
    pipeline = KPipeline(lang_code=STOCK_LANGUAGE, repo_id="exported", model=model)
    torch.manual_seed(seed)
    (result,) = pipeline.generate_from_tokens(phonemes, voice=f"voices/{voice}.pt")
    np.save(audio_path, result.audio.numpy())
    report["samples"] = len(result.audio)
    report["samples_expected"] = int(result.pred_dur.sum()) * SAMPLES_PER_UNIT
    report["units"] = result.pred_dur.tolist()
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
