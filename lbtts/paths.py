"""The paths of all files that stages read and write, relative to the project's root."""

from pathlib import Path

RAW = Path("data/raw")  # the original corpora, one folder each
ADDITIONS = Path("data/additions.tsv")  # pronunciations by the user
CORRECTIONS = Path("data/corrections")  # TextGrids that a person corrected

CORPUS = Path("data/corpus")
MANIFEST = CORPUS / "manifest.csv"
AUDIO = CORPUS / "audio"
TRUTH = CORPUS / "demo_truth.csv"  # the demo's phoneme times

LEXICON = Path("data/lexicon")

G2P = Path("data/g2p")
PLANNED = G2P / "utterances.jsonl"  # token plans, with the expected pronunciations
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
    """The folder of the original corpus of that name."""
    return RAW / corpus


def metrics(stage: str) -> Path:
    """The metrics file of a stage."""
    return METRICS / f"{stage}.json"
