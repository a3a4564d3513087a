"""The section `transformer`: the baseline's network and its training."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lbtts.params.section import Count, NotNegative, Positive, Section, Share


class Architecture(Section):
    """The shape of the network; it is stored with the weights."""

    width: Count
    heads: Count
    feed_forward: Count  # inner width of its blocks
    encoder_layers: Count
    decoder_layers: Count
    bottleneck: Count  # of the layers that see the previous frame
    frames_per_step: Annotated[int, Field(ge=1, le=4)]  # that the decoder makes at once
    window: Annotated[int, Field(ge=0)]  # steps to each side, whose text a step may see
    dropout: Annotated[float, Field(ge=0, lt=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "Architecture":
        if self.width % (2 * self.heads):
            raise ValueError("width must be an even multiple of heads")
        return self


class History(Section):
    """What training does to the earlier frames, which are perfect only there."""

    noise: NotNegative  # standard deviation, in normalised mels
    dropout: Share  # of the frames that are hidden
    own: Share  # of the frames that are the network's own
    own_from: Annotated[int, Field(ge=0)]  # step


class TransformerLosses(Section):
    """Weights of the losses, see `lbtts.models.transformer.losses`."""

    mel: Positive
    duration: Positive
    stop: Positive


class TransformerTraining(Section):
    """The baseline."""

    architecture: Architecture
    history: History
    losses: TransformerLosses
    vocoder: Literal["griffinlim", "hifigan"]
    hifigan: str | None  # a folder, or a name on the hub with its commit: name@commit
