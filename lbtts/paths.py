"""Where every stage keeps what it reads and writes, relative to the project's root."""

from pathlib import Path

RAW = Path("data/raw")  # the corpora as they come, one folder each
ADDITIONS = Path("data/additions.tsv")  # a person's own pronunciations
CORRECTIONS = Path("data/corrections")  # TextGrids that a person corrected

CORPUS = Path("data/corpus")
MANIFEST = CORPUS / "manifest.csv"
AUDIO = CORPUS / "audio"
TRUTH = CORPUS / "demo_truth.csv"  # the demo's phoneme times

LEXICON = Path("data/lexicon")

G2P = Path("data/g2p")
PLANNED = G2P / "utterances.jsonl"  # token plans, as the text is expected to be spoken
DICTIONARY = G2P / "lexicon.dict"
G2P_REJECTS = G2P / "rejects.csv"
OOV = G2P / "oov.csv"
NOISES = G2P / "noises.csv"

ALIGNMENT = Path("data/alignment")  # <id>.TextGrid of each utterance
SPOKEN = ALIGNMENT / "spoken.jsonl"  # token plans, with the pronunciations that were spoken
ALIGNMENT_REPORT = ALIGNMENT / "report.csv"

DURATIONS = Path("data/durations.csv")

AUDIT = Path("data/audit.csv")

FEATURES = Path("data/features.h5")
FEATURES_REPORT = Path("data/features_report.csv")

BASE = Path("models/base")
VOICE = Path("models/voice/voice.safetensors")
VOICE_PLOT = VOICE.with_name("table.png")
FINETUNED = Path("models/finetuned")
EXPORT = Path("models/export")

REFERENCE = Path("data/reference")  # recordings, ceiling and floor, see lbtts.evaluation.systems
SPEECH = Path("data/speech")  # the fine-tuned voice, likewise

METRICS = Path("metrics")
CURVES = METRICS / "train"
INSPECTION = METRICS / "inspection"
REPORT = METRICS / "report/index.html"


def raw(corpus: str) -> Path:
    """The folder of the corpus of that name, as it comes."""
    return RAW / corpus


def metrics(stage: str) -> Path:
    """The metrics of a stage."""
    return METRICS / f"{stage}.json"
