"""The sections of the data stages: corpus, lexicon, alignment, features."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lbtts.params.section import Count, NotNegative, Positive, Section, Seed, Share


class Demo(Section):
    """The synthetic demo corpus: each sentence is read once, at the next pair of rate and pitch."""

    # words per minute
    rates: Annotated[tuple[Annotated[int, Field(ge=80, le=400)], ...], Field(min_length=1)]
    # espeak's 0-99 scale
    pitches: Annotated[tuple[Annotated[int, Field(ge=0, le=99)], ...], Field(min_length=1)]


class Corpus(Section):
    """The source of the recordings, and how they are prepared."""

    source: Literal["demo", "ljspeech", "csv", "folder"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]  # also data/raw/<name>
    speaker: str
    licence: str  # SPDX identifier; also written into the model card
    attribution: str  # who made the recordings and on what terms
    test_share: Share  # share of utterances held out, where the source has no split of its own
    trim_db: Positive  # edges that are this far below the peak are silence
    # silence kept or added at both edges; BOS and EOS hold at most 1.25 s of it
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
    kind: Literal["packaged", "file", "url"]  # packaged: the language's own, installed by pip
    at: str | None = None  # path or address of an MFA dictionary, or of a table with a header
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None  # of the file

    @model_validator(mode="after")
    def _consistent(self) -> "Source":
        if (self.kind == "packaged") != (self.at is None):
            raise ValueError("kind: file and kind: url need `at`, and only they")
        if self.kind == "url" and not self.sha256:
            raise ValueError("kind: url needs sha256, or a changed file would go unnoticed")
        return self


class Network(Section):
    """The networks of the model for unknown words."""

    ensemble: Count  # networks whose outputs are averaged
    embedding: Count  # size of the embeddings of letters and of outputs
    encoder: Count  # units in each direction
    layers: Count  # of the encoder
    prediction: Count  # units of the prediction network
    dropout: Share
    history_dropout: Share  # share of previous outputs that are hidden in training
    epochs: Count
    batch: Count  # letters per step
    lr: Positive


class Lexicon(Section):
    """The known words, and the model for unknown words, which is trained on them."""

    sources: tuple[Source, ...]  # the first that has a word is used; may be none
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

    command: str  # `mfa`, or a longer command, e.g. `conda run --no-capture-output -n aligner mfa`
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
    training_utterances: Count  # the model is trained on at most so many, chosen evenly


class Quality(Section):
    """Bounds of the alignment confidence, see `lbtts.alignment.quality.confidence`."""

    suspect_below: float  # kept, but listed
    reject_below: float  # rejected

    @model_validator(mode="after")
    def _consistent(self) -> "Quality":
        if self.reject_below > self.suspect_below:
            raise ValueError("reject_below must not be above suspect_below")
        return self


Backend = Literal["kaldi", "mfa", "textgrid"]


class Align(Section):
    """The forced aligner."""

    backend: Backend
    second: Backend | None  # another one, for comparison, or null
    quality: Quality
    kaldi: Kaldi
    mfa: MFA


class F0(Section):
    """The F0 tracker."""

    method: Literal["harvest", "dio"]
    floor: Annotated[float, Field(ge=20)]  # Hz
    ceiling: Annotated[float, Field(le=2000)]  # Hz
    silence_db: Positive  # a frame this far below the utterance's loud frames is unvoiced

    @model_validator(mode="after")
    def _consistent(self) -> "F0":
        if self.floor >= self.ceiling:
            raise ValueError("floor must be below ceiling")
        return self

    def quick(self) -> "F0":
        """The same with DIO: enough for the spread of F0, in a fraction of the time."""
        return self.model_copy(update={"method": "dio"})


class Check(Section):
    """When F0 is suspect, see `lbtts.acoustics.measuring.pitch`. F0 itself is not changed."""

    max_outside: Share  # of its voiced frames, outside the speaker's range
    max_jumps: NotNegative  # octave jumps per voiced second
    suspects: Literal["keep", "reject"]


class Features(Section):
    """The measurement of features."""

    f0: F0
    check: Check
