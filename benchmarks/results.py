"""All figures of the benchmarks in one file, benchmarks/RESULTS.md.

    python -m benchmarks.results [NAME …] [--audio FOLDER] [--project FOLDER] [--export FOLDER]

Runs the benchmarks NAME anew, or those that have no section in the file yet and whose inputs are
given, the cheap ones first, and writes the file after each. Beside the processor time of each
stands its ratio to a fixed calculation that is timed just before, which compares machines better
than seconds do.
"""

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/RESULTS.md"
INPUTS = {
    "AUDIO": "a folder of recordings",
    "PROJECT": "a project whose data stages are done",
    "EXPORT": "an exported folder",
    "GPU": "a GPU",
    "HOURS": "minutes to hours, so only by name",
}


@dataclass(frozen=True)
class Benchmark:
    """What is measured, and how the module of its name is called; words of INPUTS are replaced.

    needs: what there must be beside the words in `call`.
    """

    title: str
    call: str = ""
    needs: tuple[str, ...] = ()

    def inputs(self) -> set[str]:
        return (set(self.call.split()) | set(self.needs)) & set(INPUTS)

    def command(self, name: str) -> str:
        return f"python -m benchmarks.{name} {self.call}".strip()


BENCHMARKS = {
    "stress": Benchmark("Where the front end puts stress"),
    "writing": Benchmark("Writing the feature store", "AUDIO 300"),
    "store": Benchmark("Layouts of the feature store", "AUDIO 0.2"),
    "features": Benchmark("Measuring mel, F0 and energy", "AUDIO"),
    "loader": Benchmark("Reading batches", "AUDIO"),
    "alignment": Benchmark("Boundaries of the aligner"),
    "train_step": Benchmark("A training step of Kokoro", "AUDIO"),
    "baseline_step": Benchmark("A training step of the baseline"),
    "speaking": Benchmark("Speaking beside other programs", "EXPORT"),
    "word_times": Benchmark("Times of words in speech", "--folder EXPORT"),
    "scale": Benchmark(
        "The data stages at scale", "PROJECT scratch/scale 1000 28800 --words 1 3", ("HOURS",)
    ),
    "planted_faults": Benchmark("Planted faults that the audit finds", needs=("HOURS",)),
    "g2p": Benchmark("Pronouncing unknown words", needs=("HOURS",)),
    "gpu": Benchmark("Training on a GPU", "AUDIO", needs=("GPU",)),
    "evaluation_order": Benchmark("Whether metrics order clear cases", needs=("HOURS",)),
    "demo_voice": Benchmark("The demo's voice", needs=("HOURS",)),
    "learning": Benchmark("Learning from nothing", "measure PROJECT", needs=("HOURS",)),
    "baseline": Benchmark("Learning of the baseline", "measure PROJECT", needs=("HOURS",)),
    "recipe": Benchmark("Variants of the recipe", "PROJECT", needs=("GPU", "HOURS")),
}


def yardstick() -> float:
    """Processor seconds of a fixed calculation on one core."""
    noise = np.random.default_rng(0).standard_normal(2**20)
    begin = time.process_time()
    for _ in range(20):
        np.fft.irfft(np.fft.rfft(noise))
    return time.process_time() - begin


def run(name: str, given: dict[str, str]) -> str | None:
    """A benchmark's section of the file; None if it failed, which it says itself."""
    benchmark = BENCHMARKS[name]
    unit = yardstick()
    words = [given.get(word, word) for word in benchmark.call.split()]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    printed = done.stdout
    for word, path in given.items():
        printed = printed.replace(path, word)
    cost = (
        f"The call took {seconds:.0f} processor seconds, ratio {seconds / unit:.0f}."
        if seconds >= 1
        else "Measured in earlier calls."
    )
    return f"`{benchmark.command(name)}` on {machine()}. {cost}\n\n{shown(printed)}\n"


def machine() -> str:
    """The machine and what the figures depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    processor = (names or [platform.processor()])[0]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {gpu}; Python "
        f"{platform.python_version()}, torch {torch.__version__}"
    )


def sections(text: str) -> dict[str, str]:
    """What a file holds of each benchmark."""
    titles = "|".join(re.escape(benchmark.title) for benchmark in BENCHMARKS.values())
    _, *parts = re.split(rf"^## ({titles}|Not run)\n\n", text, flags=re.MULTILINE)
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    return {
        name: found[benchmark.title].rstrip("\n") + "\n"
        for name, benchmark in BENCHMARKS.items()
        if benchmark.title in found
    }


def page(done: dict[str, str], given: dict[str, str]) -> str:
    """The whole file."""
    parts = [
        "# Results\n\nWritten by `python -m benchmarks.results`; do not edit. Processor seconds "
        "are those of all processes; the ratio is to a fixed calculation on one core of the same "
        "machine (20 Fourier transforms of 2^20 numbers and back), timed just before.\n"
    ]
    parts += [f"## {b.title}\n\n{done[n]}" for n, b in BENCHMARKS.items() if n in done]
    missing = []
    for name, benchmark in BENCHMARKS.items():
        if name in done:
            continue
        lacking = [INPUTS[word] for word in INPUTS if word in benchmark.inputs() - set(given)]
        why = f"needs {' and '.join(lacking)}" if lacking else "failed, or not reached"
        missing.append(f"| {benchmark.title} | `{benchmark.command(name)}` | {why} |\n")
    if missing:
        parts.append("## Not run\n\n| | | |\n|---|---|---|\n" + "".join(missing))
    return "\n".join(parts)


def shown(printed: str) -> str:
    """Tables as they are, all else as it was printed."""
    blocks = [block.strip("\n") for block in printed.split("\n\n") if block.strip()]
    return "\n\n".join(b if b.startswith("|") else f"```\n{b}\n```" for b in blocks)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME")
    for word in ("audio", "project", "export"):
        parser.add_argument(f"--{word}", type=Path, help=INPUTS[word.upper()])
    options = vars(parser.parse_args())
    names = options.pop("names")
    given = {word.upper(): str(path.resolve()) for word, path in options.items() if path}
    there = set(given) | ({"GPU"} if torch.cuda.is_available() else set())
    done = sections(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in names or [name for name in BENCHMARKS if name not in done]:
        wanted = BENCHMARKS[name].inputs() - ({"HOURS"} if names else set())
        if wanted <= there and (section := run(name, given)):
            done[name] = section
        RESULTS.write_text(page(done, given), encoding="utf-8")


if __name__ == "__main__":
    main()
