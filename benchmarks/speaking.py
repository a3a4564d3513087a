"""Time to the first sound, and the speed of speaking beside stock kokoro and kokoro-onnx.

    python -m benchmarks.speaking models/export [--sentences 8]

All speak the same phonemes in turn, with one thread each, from one exported folder. kokoro-onnx
(requirements-clients.txt) runs the same graph. Seconds are the processor's, which are those of the
clock on an idle core, and do not depend on what else the machine does.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

FIRST = """
import json, sys, time
begun = time.process_time()
from lbtts import Voice
voice = Voice.load(sys.argv[1], threads=1)
loaded = time.process_time()
chunk = next(iter(voice(sys.argv[2])))
spoken = time.process_time()
print(json.dumps([loaded - begun, spoken - loaded, len(chunk.audio) / 24000]))
"""


def speakers(folder: Path) -> dict[str, Callable[[str], int]]:
    """For each peer, what speaks phonemes and returns the number of samples."""
    import onnxruntime
    import torch
    from kokoro import KModel

    from lbtts import Voice

    torch.set_num_threads(1)
    own = Voice.load(folder, threads=1)
    (weights,) = folder.glob("kokoro-*.pth")
    model = KModel("exported", str(folder / "config.json"), str(weights)).eval()
    table = torch.load(next((folder / "voices").glob("*.pt")), weights_only=True)
    found: dict[str, Callable[[str], int]] = {
        "lbtts": lambda phonemes: len(own.speak(phonemes)[0]),
        "kokoro (torch)": lambda phonemes: len(model(phonemes, table[len(phonemes) - 1])),
    }
    try:
        from kokoro_onnx import Kokoro
    except ImportError:
        print("kokoro-onnx is not installed; pip install -r requirements-clients.txt")
        return found
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), options)
    other = Kokoro.from_session(session, str(folder / "onnx/voices.bin"))
    found["kokoro-onnx"] = lambda phonemes: len(
        other.create(phonemes, own.name, is_phonemes=True, trim=False)[0]
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, default=8)
    options = parser.parse_args()
    texts = Path("data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()
    texts = [text for text in texts if text.strip()][: options.sentences]
    done = subprocess.run(
        [sys.executable, "-c", FIRST, str(options.folder), texts[0]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loading, first, length = json.loads(done.stdout)
    print(f"loaded in {loading:.2f} s; first sound {first:.2f} s after that ({length:.1f} s long)")

    from lbtts.voice import front_end

    read = front_end(options.folder)
    peers = speakers(options.folder)
    seconds: dict[str, float] = defaultdict(float)
    spoken: dict[str, int] = defaultdict(int)
    for speak in peers.values():
        speak(read(texts[0])[0])  # what happens once
    for text in texts:
        phonemes = read(text)[0]
        for name, speak in peers.items():
            begun = time.process_time()
            spoken[name] += speak(phonemes)
            seconds[name] += time.process_time() - begun
    factors = {name: seconds[name] / (spoken[name] / 24_000) for name in peers}
    for name, factor in factors.items():
        print(f"{name}: {factor:.3f} s a second of speech, {factor / factors['lbtts']:.2f} x ours")


if __name__ == "__main__":
    main()
