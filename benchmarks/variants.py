"""What `benchmarks.recipe` compares: variants of training, and how long each trains."""

from dataclasses import dataclass
from typing import Any

from lbtts.models.kokoro.weights.facts import PARTS

SPEAKS = ("decoder", "generator", "upsampling", "adain")
ADVERSARY = {"kokoro.losses.adversarial.weight": 1, "kokoro.losses.feature_matching.weight": 2}


@dataclass(frozen=True)
class Plan:
    """How long variants train, and on how much.

    Attributes:
        prosody: steps before the waveform counts.
        rest: step from which the generator trains where the discriminators are to learn first.
        steps: in all.
        common: what all variants change in the project's parameters.
    """

    prosody: int
    rest: int
    steps: int
    common: dict[str, Any]


def each(parts: tuple[str, ...], name: str, value: Any) -> dict[str, Any]:
    """One setting of several components."""
    return {f"kokoro.components.{part}.{name}": value for part in parts}


def start(step: int, *losses: str) -> dict[str, Any]:
    """The step from which losses count."""
    return {f"kokoro.losses.{loss}.start": step for loss in losses}


PLANS = {
    # About an hour: first prosody alone, whose steps are cheap; then the waveform too.
    "cores": Plan(
        200,
        230,
        320,
        {
            "train.batch_seconds": 6,
            "train.warmup": 20,
            "train.ema": 0.98,
            "train.validate_every": 80,
            "train.checkpoint_every": 20,
            "train.validation_utterances": 4,
        },
    ),
    # Minutes of a GPU that all variants share.
    "gpu": Plan(
        0,
        60,
        100,
        {
            "train.batch_seconds": 16,
            "train.warmup": 50,
            "train.ema": 0.99,
            "train.validate_every": 200,
            "train.checkpoint_every": 200,
            "train.validation_utterances": 8,
            "run.loaders": 1,
        },
    ),
}
COMMON = {
    "train.precision": "bf16",
    "train.crop_seconds": 2,
    "train.lr": 1e-4,
    "train.validation_speech": 1,
    "train.choose": "loss",
    "train.patience": None,
    "train.speed": 0,
    "train.betas": [0.9, 0.999],
    "train.eps": 1e-8,
    "train.weight_decay": 0.01,
    "kokoro.level_db": 0,
    "kokoro.floor_db": None,
    "kokoro.losses.adversarial.weight": 0,
    "kokoro.losses.feature_matching.weight": 0,
    "kokoro.losses.clock.weight": 0,
    "kokoro.losses.wavlm.weight": 0,
    "kokoro.discriminators.least_share": 0,
    "kokoro.discriminators.most_share": 1,
    "kokoro.replay.share": 0,
    **each(PARTS, "frozen", 0),
    **each(PARTS, "anchor", 0),
    **each(PARTS, "rank", None),
    **each(SPEAKS, "lr", 1),
}
ZERO_SHOT = "zero shot"


def variants(plan: Plan) -> dict[str, dict[str, Any]]:
    """What each variant changes, by its name."""
    prosody, rest = plan.prosody, plan.rest
    early = ADVERSARY | start(prosody, "adversarial", "feature_matching")
    early |= {"kokoro.discriminators.start": prosody, "kokoro.discriminators.most_share": None}
    # The discriminators learn before the generator does, which keeps still.
    late = ADVERSARY | start(rest, "mel", "stft", "adversarial", "feature_matching")
    late |= {"kokoro.discriminators.start": prosody}
    late |= each((*SPEAKS, "text_encoder"), "frozen", rest)
    slow = each(SPEAKS, "lr", 0.1)
    fixed = each(("generator", "upsampling", "adain"), "frozen", None)
    betas = {"train.betas": [0.0, 0.99], "train.eps": 1e-9, "train.weight_decay": 1e-4}
    balanced = late | {"kokoro.discriminators.least_share": 0.5}
    replay = {"kokoro.replay.share": 0.34}
    floor = {"kokoro.floor_db": -56}
    alone = each(("decoder", "generator", "upsampling"), "frozen", None)
    alone |= each(("adain",), "lr", 3)
    return {
        ZERO_SHOT: {},
        "voice only": each(PARTS, "frozen", None),
        "regression": {},
        "regression, floor": floor,
        "regression, floor, replay": floor | replay,
        "regression, floor, AdaIN alone": floor | alone,
        "regression, floor, AdaIN alone, replay": floor | alone | replay,
        "regression, slow decoder": slow,
        "regression, generator fixed": fixed,
        "adversary early": early,
        "adversary late": late,
        "adversary late, slow decoder": late | slow,
        "adversary late, slow decoder, betas": late | slow | betas,
        "adversary late, generator fixed": late | fixed,
        "adversary late, anchored": late | each(SPEAKS, "anchor", 100),
        "adversary balanced": balanced,
        "adversary balanced, slow decoder": balanced | slow,
        "adversary balanced, slow decoder, clock": balanced
        | slow
        | {"kokoro.losses.clock.weight": 0.1, "kokoro.losses.clock.start": rest},
        "adversary balanced, slow decoder, replay": balanced | slow | replay,
        "adversary balanced, slow decoder, replay, floor": balanced | slow | replay | floor,
        "adversary balanced, floor, AdaIN alone, replay": balanced | floor | alone | replay,
        "adversary balanced, mel alone": balanced | {"kokoro.losses.stft.weight": 0},
        "LoRA": late
        | each(("bert", "bert_encoder", "predictor", "adain"), "rank", 16)
        | each(("text_encoder", "decoder", "generator", "upsampling"), "frozen", None),
        "adversary late, replay": late | replay,
    }
