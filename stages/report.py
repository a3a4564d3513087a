"""Makes the listening report from the results of earlier stages, in seconds."""

from lbtts import params, paths
from lbtts.errors import InputError
from lbtts.evaluation.systems import read_summary
from lbtts.records import read_json
from lbtts.release import report
from lbtts.text.tokens import read_token_plans
from stages import run

EARLIER = ("corpus", "g2p", "align", "durations", "audit", "features", "base", "voice", "train")


def main() -> None:
    """Writes one page with metrics, samples, curves and rejects."""
    p = params.load()
    provenance = read_json(paths.FINETUNED / "provenance.json")
    spoken = sorted(path.stem for path in (paths.REFERENCE / "recording").glob("*.wav"))
    if not spoken:
        raise InputError(f"{paths.REFERENCE}: no recordings; run `dvc repro reference`")
    plans = {plan.id: plan for plan in read_token_plans(paths.SPOKEN)}
    page = report.page(
        title=f"{p.model.capitalize()}, trained on {p.corpus.name}",
        subtitle=f"Speaker: {p.corpus.speaker}. Steps of training: {provenance['steps']}.",
        base=provenance,
        synthetic=p.corpus.source == "demo",
        evaluated=read_summary(paths.SPEECH),
        samples=[report.sample(plans[name], p.features.f0) for name in spoken[: p.report.samples]],
        learning=report.curves(paths.CURVES),
        rejected=report.rejects(),
        stages={stage: read_json(paths.metrics(stage)) for stage in EARLIER},
    )
    paths.REPORT.parent.mkdir(parents=True, exist_ok=True)
    paths.REPORT.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
