from typing import get_args

import pytest

from lbtts import params
from lbtts.evaluation import gate
from lbtts.evaluation.bootstrap import Estimate
from lbtts.inspection.audit import AUDITED
from lbtts.params import Gate
from lbtts.params.evaluation import AuditMeasure
from tests.conftest import ROOT

GATE = params.load(ROOT / "profiles/folder.yaml").evaluate.gate

GOOD = {
    "phone_errors": Estimate(4, 2, 6, 7),
    "character_errors": Estimate(1, 0, 3, 7),
    "dnsmos": Estimate(-0.3, -0.5, -0.1, 7),
    "similarity": Estimate(0.8, 0.7, 0.9, 7),
    "spread": Estimate(0.95, 0.8, 1.1, 7),
    "rate": Estimate(0.05, 0, 0.1, 7),
    "artefacts": Estimate(3, 2, 4, 7),
}


def test_a_voice_within_all_limits_passes():
    verdicts = gate.judge(GOOD, GATE)
    assert [v.name for v in verdicts] == list(gate.LIMITS)
    assert gate.passes(verdicts)
    assert all(v.met and v.certain for v in verdicts)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("phone_errors", Estimate(30, 20, 40, 7)),
        ("dnsmos", Estimate(1.2, 1.0, 1.4, 7)),
        ("similarity", Estimate(0.1, 0, 0.2, 7)),
        ("spread", Estimate(0.3, 0.2, 0.4, 7)),
        ("rate", Estimate(0.6, 0.5, 0.7, 7)),
        ("artefacts", Estimate(12, 9, 15, 7)),
    ],
)
def test_each_limit_stops_a_voice_on_its_own_side(name, bad):
    verdicts = gate.judge(GOOD | {name: bad}, GATE)
    assert [v.name for v in verdicts if not v.met] == [name]
    assert not gate.passes(verdicts)
    [line] = [v.line() for v in verdicts if not v.met]
    assert line.startswith("NOT MET: ") and f"{bad.value:.3g}" in line


def test_an_interval_across_the_limit_is_told():
    [verdict] = [
        v
        for v in gate.judge(GOOD | {"similarity": Estimate(0.6, 0.4, 0.8, 3)}, GATE)
        if v.name == "similarity"
    ]
    assert verdict.met and not verdict.certain
    assert "too few utterances to be sure" in verdict.line()


def test_what_was_not_measured_stops_nothing_and_is_said():
    measured = {name: e for name, e in GOOD.items() if name != "character_errors"}
    verdicts = gate.judge(measured, GATE)
    assert gate.passes(verdicts)
    assert any(v.line().startswith("not measured: characters") for v in verdicts)


def test_a_limit_that_is_not_set_is_no_verdict():
    none = Gate(**dict.fromkeys(Gate.model_fields))
    assert gate.judge(GOOD, none) == []


def test_metrics_are_flat_numbers():
    entries = gate.flat(gate.judge(GOOD | {"artefacts": Estimate(9, 8, 10, 7)}, GATE))
    assert entries["gate"] is False
    assert entries["gate_artefacts"] == 9
    assert entries["gate_artefacts_low"] == 8
    assert entries["gate_artefacts_met"] is False
    assert entries["gate_similarity_met"] is True


def test_the_audit_s_limits_may_be_of_all_measures_that_there_are():
    assert set(get_args(AuditMeasure)) == set(AUDITED)
