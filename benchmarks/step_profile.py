"""Where the time of a training step goes, and how little it could be.

Floor: the arithmetic of convolutions and matrix products counted in one step, over what this
machine does of it a second in the generator's most frequent convolution and in one large product.
The recurrences of the LSTMs are not counted.
"""

import time
from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lbtts.training import trainer
from lbtts.training.state import State

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
HAS_BF16 = trainer.has_bf16(DEVICE)
KINDS = ("convolution", "product")


def now() -> float:
    """Seconds: wall-clock once the GPU is done, or else of this process's processor time."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


class Clock:
    """Time by component: what passes after a component was entered counts as its own."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._name, self._since = "batch and voice", now()

    def mark(self, name: str) -> None:
        moment = now()
        self.spent[self._name] += moment - self._since
        self._name, self._since = name, moment

    def watch(self, name: str, module: nn.Module, after: str) -> None:
        """Forward from the module's call on, backward from its output's gradient on."""

        def leave(_module: object, _inputs: object, output: Tensor | tuple) -> None:
            tensor = output[0] if isinstance(output, tuple) else output
            tensor.register_hook(lambda _gradient: self.mark(f"{name}, backward"))
            self.mark(after)

        module.register_forward_pre_hook(lambda _module, _inputs: self.mark(name))
        module.register_forward_hook(leave)


class Whole:
    """Where an operation belongs: to the whole.

    torch's tracker of modules stops at kokoro's harmonic source, which runs without gradients on an
    F0 that has some.
    """

    parents = ("Global",)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def times(state: State, step: Callable[[], None]) -> dict[str, float]:
    """Seconds by component of `step`, which trains `state`; its modules stay watched."""
    clock, model = Clock(), state.network.model
    clock.watch("ALBERT", model.bert, "durations")
    predictor = model.predictor
    for module in (predictor.text_encoder, predictor.duration_proj):
        clock.watch("durations", module, "durations")
    for module in (predictor.shared, predictor.N_proj):
        clock.watch("F0 and energy", module, "F0 and energy")
    clock.watch("text encoder", model.text_encoder, "decoder")
    clock.watch("decoder", model.decoder.decode[-1], "decoder")
    clock.watch("generator", model.decoder.generator, "losses, there and back")
    state.optimizer.register_step_pre_hook(lambda *_: clock.mark("AdamW"))
    state.optimizer.register_step_post_hook(lambda *_: clock.mark("average"))
    step()
    clock.mark("")
    return {f"time {name}": seconds for name, seconds in clock.spent.items()}


def arithmetic(step: Callable[[], None]) -> dict[str, float]:
    """Floating-point operations of `step`, by kind."""
    counted = dict.fromkeys(KINDS, 0.0)
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = Whole()
    with counter:
        step()
    for operation, amount in counter.get_flop_counts()["Global"].items():
        counted["convolution" if "conv" in str(operation) else "product"] += amount
    return {f"work {kind}": amount for kind, amount in counted.items()}


def rates() -> dict[str, float]:
    """Floating-point operations a second."""
    signal = torch.randn(4, 128, 12_000, device=DEVICE)
    kernel = torch.randn(128, 128, 11, device=DEVICE)
    operations = 2 * signal.numel() * 128 * 11
    found = {
        "rate convolution": operations
        / _least(lambda: nn.functional.conv1d(signal, kernel, padding=5))
    }
    kinds = {"float32": torch.float32} | ({"bfloat16": torch.bfloat16} if HAS_BF16 else {})
    for name, dtype in kinds.items():
        square = torch.randn(2048, 2048, device=DEVICE, dtype=dtype)
        found[f"rate {name}"] = 2 * 2048**3 / _least(lambda square=square: square @ square)
    return found | {"rate product": found["rate float32"]}


def _least(work: Callable[[], object]) -> float:
    """Seconds of the fastest of five runs."""
    seconds = []
    for _ in range(5):
        begin = now()
        work()
        seconds.append(now() - begin)
    return min(seconds)


def share(figures: dict[str, float], steps_a_second: float, dtype: str) -> float:
    """The arithmetic done a second at some pace, over the rate of a large product."""
    work = sum(figures[f"work {kind}"] for kind in KINDS)
    return work * steps_a_second / figures[f"rate {dtype}"]


def report(figures: dict[str, float]) -> None:
    """Prints where the time goes, and the floor."""
    spent = {k.removeprefix("time "): v for k, v in figures.items() if k.startswith("time ")}
    total = sum(spent.values())
    print(f"one step, {total:.1f} s:")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:28}{seconds:8.2f} s{100 * seconds / total:6.1f} %")
    floor = 0.0
    for kind in KINDS:
        work, rate = figures[f"work {kind}"], figures[f"rate {kind}"]
        floor += work / rate
        print(f"{kind}: {work / 1e9:.0f} GFLOP at {rate / 1e9:.0f} GFLOP/s is {work / rate:.1f} s")
    print(f"floor {floor:.1f} s, {100 * floor / total:.0f} % of the step")
