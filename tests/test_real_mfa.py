"""The real Montreal Forced Aligner, where there is one: `pytest -m mfa`.

It is looked for on PATH; the environment variable LBTTS_MFA may name another command line, such as
`conda run --no-capture-output -n aligner mfa`.
"""

import csv
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from lbtts.alignment import kaldi, mfa
from lbtts.alignment.quality import Measures, confidence, disagreement
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.corpus.ingest import ingest_one
from lbtts.corpus.readers import Recording
from lbtts.errors import InputError, Reject
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import load
from lbtts.text.dictionary import write_dictionary
from tests import speech

pytestmark = pytest.mark.mfa

UTTERANCES = 60


@pytest.fixture(scope="module")
def choice(root):
    """The section `align.mfa` of the demo, with the command that is here."""
    command = os.environ.get("LBTTS_MFA") or shutil.which("mfa")
    if not command:
        pytest.skip("no Montreal Forced Aligner: not on PATH, and LBTTS_MFA names no command")
    return load(root / "profiles/demo.yaml").align.mfa.model_copy(update={"command": command})


def aligned(plans, entries, choice, folder, workers=2):
    dictionary = folder / "lexicon.dict"
    write_dictionary((entry for plan in plans for entry in plan.pronunciations()), dictionary)
    return dict(mfa.align(plans, entries, dictionary, INVENTORY, choice, workers, folder / "run"))


@pytest.fixture(scope="module")
def demo(root, tmp_path_factory):
    """The demo's sentences read by espeak-ng, between two stretches of digital silence."""
    sentences = (root / "data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()
    spoken = speech.read_aloud(sentences, tmp_path_factory.mktemp("demo"))
    # Each sentence has words w0, w1, ...: of one name they would have 40 pronunciations each.
    plans = [replace(p, words=tuple(f"{p.id}{word}" for word in p.words)) for p in spoken.plans]
    return replace(spoken, plans=plans)


@pytest.fixture(scope="module")
def found(demo, choice, tmp_path_factory):
    return aligned(demo.plans, demo.entries, choice, tmp_path_factory.mktemp("mfa"))


def survivors(results, most_rejected):
    """What was aligned; says what was not."""
    rejects = {name: str(r) for name, r in results.items() if isinstance(r, Reject)}
    print(f"{len(results) - len(rejects)} of {len(results)} aligned; rejected: {rejects}")
    assert len(rejects) <= most_rejected
    return {name: r for name, r in results.items() if isinstance(r, AlignmentResult)}


def test_the_demo_is_aligned_where_espeak_says(demo, found):
    there = survivors(found, most_rejected=1)
    errors = np.array(
        [
            there[name].phones[number].start - begin
            for name, begins in demo.truth.items()
            if name in there
            for number, begin in begins.items()
        ]
    )
    print(f"{len(errors)} phones: {1000 * np.median(np.abs(errors)):.1f} ms, "
          f"{np.mean(np.abs(errors) <= 0.025):.1%} within 25 ms, "
          f"bias {1000 * errors.mean():+.1f} ms")  # fmt: skip
    assert np.median(np.abs(errors)) <= 0.015
    assert np.mean(np.abs(errors) <= 0.025) >= 0.8


def test_every_utterance_has_a_likelihood_and_confidence_in_usual_ones_is_high(found):
    there = survivors(found, most_rejected=1)
    assert all(result.score is not None for result in there.values())
    measures = Measures()
    for name, result in there.items():
        measures.add(name, result)
    assert np.mean(confidence(measures.table()) >= -5) >= 0.9


def test_the_number_of_processes_that_align_changes_nothing(demo, choice, found, tmp_path):
    plans = demo.plans
    again = aligned(plans, demo.entries, choice, tmp_path, workers=1)
    assert {n: r.phones for n, r in again.items() if isinstance(r, AlignmentResult)} == {
        n: r.phones for n, r in found.items() if isinstance(r, AlignmentResult)
    }


def test_a_missing_dictionary_is_told_in_mfas_own_words(demo, choice, tmp_path):
    nowhere = tmp_path / "nowhere.dict"
    with pytest.raises(InputError, match=r"mfa failed with status 2: .*nowhere\.dict") as caught:
        list(mfa.align(demo.plans, demo.entries, nowhere, INVENTORY, choice, 1, tmp_path / "run"))
    assert "\n" not in str(caught.value)


def test_real_speech_is_aligned_as_by_kaldi(shared, root, choice, tmp_path):
    entries, plans, skipped = {}, [], 0
    g2p = LBG2P()
    g2p.unknown_words = speech._refuse
    params = load(root / "profiles/folder.yaml")
    with shared("marylux", "metadata.csv").open(encoding="utf-8", newline="") as file:
        for name, text in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            try:
                plan = g2p.token_plan(name, text)
            except Reject:
                skipped += 1
                continue
            recording = Recording(name, text, shared("marylux", "wavs", f"{name}.flac"), name)
            entries[name], _ = ingest_one(recording, params.corpus, tmp_path)
            plans.append(plan)
            if len(plans) == UTTERANCES:
                break
    print(f"{len(plans)} utterances; skipped {skipped} with words that the lexicon lacks")
    there = survivors(aligned(plans, entries, choice, tmp_path), most_rejected=3)
    others = dict(
        kaldi.align(plans, {}, entries, params.align.kaldi, params.run, tmp_path / "kaldi")
    )
    apart = [
        disagreement(others[name].phones, result.phones, INVENTORY)
        for name, result in there.items()
    ]
    signed = [
        mine.start - theirs.start
        for name, result in there.items()
        if len(result.phones) == len(others[name].phones)
        for mine, theirs in zip(result.phones, others[name].phones, strict=True)
    ]
    print(f"{np.median(apart):.1f} ms apart in the middle utterance; "
          f"{1000 * np.mean(signed):+.1f} ms on the whole, "
          f"{np.mean(np.abs(signed) <= 0.02):.1%} within 20 ms")  # fmt: skip
    assert np.median(apart) <= 25 and abs(np.mean(signed)) <= 0.01
