"""Words whose stress marks disagree with the speech: a list for correction; nothing is changed.

A stressed vowel tends to be longer, louder and higher than the other vowels of its word. The
weights of these cues are learned from the corpus itself, because most of its stress marks are
right. A word is listed if the speech, over all its occurrences, favours another vowel by odds of
twenty to one.

Source: Fry, "Duration and intensity as physical correlates of linguistic stress", JASA 27 (1955),
and "Experiments in the perception of stress", Language and Speech 1 (1958), for the three cues.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from lbtts.acoustics.store.layout import Utterance
from lbtts.grid import FRAMES_PER_UNIT
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import TokenPlan

COLUMNS = ["word", "phones", "times", "marked", "heard", "log_odds"]
_CUES = ["duration", "energy", "pitch"]
_PLACES = ["first", "last"]  # vowel of a word: its place changes duration and pitch too
_SURE = np.log(20)  # log odds summed over a word's occurrences
_FEWEST = 50  # marked vowels needed to learn the weights


def nuclei(plan: TokenPlan, utterance: Utterance, inventory: Inventory) -> Iterator[dict[str, Any]]:
    """The full vowels (no schwas) of each word with several of them and a mark of main stress.

    Args:
        plan: as aligned; its tokens are those of `utterance`.
        utterance: whole.
        inventory: the language's phones.
    """
    ends = utterance.units.cumsum()[1:-1]  # of the tokens between BOS and EOS
    spans: dict[int, list[int]] = {}  # of each phone, in units
    stressed: set[int] = set()
    for token, end, length in zip(plan.tokens, ends, utterance.units[1:-1], strict=True):
        if token.phone is not None:
            spans.setdefault(token.phone, [int(end - length), int(end)])[1] = int(end)
    for token, following in pairwise(plan.tokens):
        if token.symbol == inventory.stress and following.phone is not None:
            stressed.add(following.phone)
    words: dict[int, list[int]] = {}
    for number, phone in enumerate(plan.phones):
        words.setdefault(phone.word, []).append(number)
    for word, phones in words.items():
        vowels = [
            n
            for n in phones
            if plan.phones[n].label in inventory.vowels - inventory.schwas and n in spans
        ]
        if len(vowels) < 2 or len(stressed & {*vowels}) != 1:
            continue
        for syllable, number in enumerate(vowels, start=1):
            begin, end = spans[number]
            frames = slice(FRAMES_PER_UNIT * begin, FRAMES_PER_UNIT * end)
            f0 = utterance.f0[frames]
            yield {
                "place": f"{plan.id} {word}",
                "word": plan.words[word],
                "phones": " ".join(plan.phones[n].label for n in phones),
                "label": plan.phones[number].label,
                "syllable": syllable,
                "marked": number in stressed,
                "duration": np.log(end - begin),
                "energy": utterance.energy[frames].mean(),
                "pitch": 12 * np.log2(f0[f0 > 0].mean()) if (f0 > 0).any() else np.nan,
                "first": syllable == 1,
                "last": number == vowels[-1],
            }


def disagreements(found: Iterable[dict[str, Any]]) -> tuple[pd.DataFrame, float | None]:
    """The words whose stress mark disagrees with the speech, surest first, and the reliability.

    Args:
        found: from `nuclei`, of all utterances.

    Returns:
        a table with `word`, `phones`, `times` it occurs, the numbers of its `marked` full vowel and
        of the full vowel that is `heard` as stressed, and the `log_odds` of the latter; and the
        area under the ROC curve of the cues (0.5: no better than chance), None with too few vowels.
    """
    table = pd.DataFrame(found)
    if table.empty or table["marked"].sum() < _FEWEST:
        return pd.DataFrame(columns=COLUMNS), None
    cues = table[_CUES].fillna(table.groupby("place")[_CUES].transform("mean")).fillna(0)
    cues[["duration", "energy"]] -= cues.groupby(table["label"])[["duration", "energy"]].transform(
        "mean"
    )
    cues -= cues.groupby(table["place"]).transform("mean")
    cues /= cues.std().replace(0, 1)
    fitted = LogisticRegression().fit(
        cues.join(table[_PLACES].astype(float)).to_numpy(), table["marked"]
    )
    table["evidence"] = cues.to_numpy() @ fitted.coef_[0, : len(_CUES)]
    by_word = table.groupby(["word", "phones"], sort=True)
    rows = []
    for (word, phones), vowels in by_word:
        sums = vowels.groupby("syllable")["evidence"].sum()
        marked = vowels.loc[vowels["marked"], "syllable"].mode().iloc[0]
        heard = sums.idxmax()
        odds = sums[heard] - sums[marked]
        if odds > _SURE:
            times = vowels["place"].nunique()
            rows.append((word, phones, times, int(marked), int(heard), round(float(odds), 2)))
    listed = pd.DataFrame(rows, columns=COLUMNS).sort_values(
        ["log_odds", "word"], ascending=[False, True], kind="stable"
    )
    return listed, float(roc_auc_score(table["marked"], table["evidence"]))
