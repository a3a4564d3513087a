"""Measures the voice on held-out utterances and makes the listening report."""

from pathlib import Path

from tqdm import tqdm

from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.evaluation.renditions import (
    NATURALNESS,
    Measured,
    measure,
    measure_recording,
    render,
    render_copy,
    summarise,
)
from lbtts.evaluation.synthesis import Synthesiser
from lbtts.models.kokoro.checkpoint import load_base, load_finetuned, load_tensors
from lbtts.records import read_json, write_json
from lbtts.release import report
from lbtts.text.tokens import read_token_plans
from stages import run

FEATURES = Path("data/features.h5")
BASE, VOICE, FINETUNED = Path("models/base"), Path("models/voice"), Path("models/finetuned")
METRICS, PAGE = Path("metrics"), Path("metrics/report/index.html")
EARLIER = ("corpus", "g2p", "align", "durations", "features", "base", "voice", "train")


def main() -> None:
    """Has both networks and the vocoder say each utterance; writes figures and page."""
    p = params.load()
    f0 = p.features.f0
    store = FeatureStore(FEATURES, p.features.f0)
    chosen = store.held_out("report", p.evaluate.utterances)
    plans = {plan.id: plan for plan in read_token_plans("data/alignment/spoken.jsonl")}
    provenance = read_json(FINETUNED / "provenance.json")
    stages = {stage: read_json(METRICS / f"{stage}.json") for stage in EARLIER}
    ours = Synthesiser(*load_finetuned(FINETUNED))
    initial = load_tensors(VOICE / "voice.safetensors")["table"]
    floor = Synthesiser(load_base(BASE), initial)

    measured: dict[str, list[Measured]] = {"floor_": [], "": [], "ceiling_": []}
    recordings: list[Measured] = []
    samples: list[report.Sample] = []
    for index in tqdm(chosen, unit="utt", desc="evaluate"):
        utterance = store[index]
        said = render(floor, utterance), render(ours, utterance), render_copy(utterance, f0)
        for of_system, rendition in zip(measured.values(), said, strict=True):
            of_system.append(measure(rendition, utterance, f0))
        recordings.append(measure_recording(utterance))
        if len(samples) < p.evaluate.samples:
            names = ("recording", "base (zero shot)", "fine-tuned", "copy synthesis")
            sounds = (utterance.audio, *(rendition.free for rendition in said))
            clips = tuple(
                report.clip(name, audio, f0) for name, audio in zip(names, sounds, strict=True)
            )
            plan = plans[utterance.id]
            samples.append(report.Sample(plan.id, plan.text, plan.phonemes, clips))

    metrics = {"utterances": len(chosen), "base": provenance["base"]}
    natural = summarise(recordings)
    metrics |= {f"recording_{name}": natural[name] for name in NATURALNESS if name in natural}
    for prefix, of_system in measured.items():
        metrics |= {f"{prefix}{name}": value for name, value in summarise(of_system).items()}
    page = report.page(
        title=f"Kokoro, fine-tuned on {p.corpus.name}",
        subtitle=f"Speaker: {p.corpus.speaker}. Steps of training: {provenance['steps']}.",
        base=provenance,
        synthetic=p.corpus.source == "demo",
        metrics=metrics,
        samples=samples,
        learning=report.curves(METRICS / "train"),
        rejected=report.rejects(),
        stages=stages,
    )
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    write_json(METRICS / "evaluate.json", metrics)


if __name__ == "__main__":
    run(main)
