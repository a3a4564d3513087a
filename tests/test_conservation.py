"""Any TextGrid: every unit of the audio is accounted for, or it is rejected with a reason."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lbtts.alignment import prealigned, textgrid
from lbtts.alignment.durations import durations
from lbtts.alignment.pronunciation import follow
from lbtts.errors import Reject
from lbtts.grid import MAX_UNITS, SAMPLES_PER_UNIT, UNIT_RATE, samples_to_units
from lbtts.languages.luxembourgish.phones import INVENTORY, SYMBOLS
from lbtts.text.tokens import Phone, Token, TokenPlan

LABELS = [label for label in SYMBOLS if not label.startswith("h")]
ODDITIES = (
    "none",
    "position marks",
    "spn",
    "utf-16",
    "no phones",
    "zero length",
    "overlap",
    "gap",
    "long pause",
    "other length",
    "not a grid",
)


def plan_of(draw, name):
    """One to six words of one to five phones, some stressed, with spaces and marks between."""
    phones, tokens = [], []
    words = int(draw.integers(1, 7))
    for word in range(words):
        if word:
            tokens += [Token(mark, None, None) for mark in draw.choice([" ", ", ", " — "])]
        stressed = draw.random() < 0.5
        for k, label in enumerate(draw.choice(LABELS, draw.integers(1, 6))):
            if stressed and not k:
                tokens.append(Token("ˈ", word, None))
            tokens += [Token(symbol, word, len(phones)) for symbol in SYMBOLS[label]]
            phones.append(Phone(str(label), word))
    tokens += [Token(mark, None, None) for mark in draw.choice(["", ".", "?!", "…"])]
    return TokenPlan(name, "", tuple(f"w{k}" for k in range(words)), tuple(phones), tuple(tokens))


def grid_of(draw, plan, oddity):
    """A TextGrid's text and its utterance's length in seconds; half of the words run on."""
    now, phones, words = float(draw.uniform(0, 0.4)), [], []
    for word in range(len(plan.words)):
        begin = now
        for label in (p.label for p in plan.phones if p.word == word):
            length = float(draw.lognormal(np.log(0.08), 0.5))
            phones.append([now, now + length, label + "_I" * (oddity == "position marks")])
            now += length
        words.append([begin, now, plan.words[word]])
        now += float(draw.choice([0, draw.uniform(0, 0.5)]))
    k = int(draw.integers(len(phones)))
    match oddity:
        case "spn":
            phones[k][2] = "spn"
        case "zero length":
            phones[k][1] = phones[k][0]
        case "overlap" if k:
            phones[k][0] -= 1e-7
        case "gap" if k:
            phones[k][0] += min(0.01, (phones[k][1] - phones[k][0]) / 2)
        case "long pause":
            end = words[0][1]
            for interval in [i for i in (*phones, *words) if i[0] >= end]:
                interval[0] += 3
                interval[1] += 3
            now += 3
    seconds = np.ceil((now + 0.2) * UNIT_RATE) / UNIT_RATE
    written = seconds + (0.5 if oddity == "other length" else 0)
    tiers = {"words": words} | ({} if oddity == "no phones" else {"phones": phones})
    text = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {written}\n'
    text += f"tiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        text += f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n'
        text += f"        xmin = 0\n        xmax = {written}\n"
        text += f"        intervals: size = {len(intervals)}\n"
        for i, (begin, end, label) in enumerate(intervals, 1):
            text += f"        intervals [{i}]:\n            xmin = {begin:.7f}\n"
            text += f'            xmax = {end:.7f}\n            text = "{label}"\n'
    return ("no grid" if oddity == "not a grid" else text), seconds


def outcome(plan, path, seconds):
    """Its durations' total and cuts checked against the utterance: "right", or the reason."""
    corrected = prealigned.corrections(path.parent, [plan], INVENTORY)[plan.id]
    total = samples_to_units(round(seconds * 24_000))
    try:
        if isinstance(corrected, Reject):
            raise corrected
        heard, phones = follow(plan, corrected.phones, {}, INVENTORY)
        alignment = textgrid.from_phones(heard, phones, corrected.seconds)
        found, _ = durations(heard, alignment, total)
    except Reject as reason:
        assert str(reason)
        return str(reason)
    cut = sum(end - begin for begin, end in found.cuts)
    assert len(found.units) == len(heard.tokens) + 2
    assert min(found.units) >= 1 and max(found.units) <= MAX_UNITS
    assert sum(found.units) * SAMPLES_PER_UNIT + cut == total * SAMPLES_PER_UNIT
    return "right"


def outcomes(count: int, folder: Path):
    """How many grids of each oddity came out right, and how many there were."""
    draw = np.random.default_rng(0)
    right, seen = Counter(), Counter()
    path = folder / "x.TextGrid"
    for k in range(count):
        oddity = ODDITIES[k % len(ODDITIES)]
        plan = plan_of(draw, "x")
        text, seconds = grid_of(draw, plan, oddity)
        path.write_text(text, encoding="utf-16" if oddity == "utf-16" else "utf-8")
        seen[oddity] += 1
        right[oddity] += outcome(plan, path, seconds) == "right"
    return right, seen


def check(count, folder):
    right, seen = outcomes(count, folder)
    for oddity in ("spn", "no phones", "other length", "not a grid"):
        assert right[oddity] == 0, oddity
    for oddity in ("none", "position marks", "utf-16", "overlap", "gap", "long pause"):
        assert right[oddity] > 0.8 * seen[oddity], oddity
    return right, seen


def test_every_unit_is_accounted_for_or_the_grid_is_rejected(tmp_path):
    check(330, tmp_path)


@pytest.mark.slow
def test_every_unit_of_10000_grids_is_accounted_for_or_the_grid_is_rejected(tmp_path):
    right, seen = check(10_000, tmp_path)
    print({oddity: f"{right[oddity]} of {seen[oddity]}" for oddity in seen})
