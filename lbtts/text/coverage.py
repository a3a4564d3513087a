"""What the front end knew of a corpus and what it had to guess."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from lbtts.text.front_end import FrontEnd
from lbtts.text.tokens import TokenPlan


def guesses(plans: Sequence[TokenPlan], front_end: FrontEnd) -> pd.DataFrame:
    """The words that are in no lexicon, most frequent first, to be corrected by hand.

    Columns: word, count, pronunciation (as in a file of additions), example (id of an utterance).
    """
    rows: dict[str, dict[str, object]] = {}
    count: Counter[str] = Counter()
    for plan in plans:
        for word, phones in plan.pronunciations():
            count[word] += 1
            if word not in rows and front_end.is_guess(word):
                rows[word] = {"word": word, "pronunciation": " ".join(phones), "example": plan.id}
    table = pd.DataFrame(
        [{**row, "count": count[word]} for word, row in rows.items()],
        columns=["word", "count", "pronunciation", "example"],
    )
    return table.sort_values(["count", "word"], ascending=[False, True], ignore_index=True)


def unspoken(plans: Sequence[TokenPlan], front_end: FrontEnd) -> pd.DataFrame:
    """What stood in brackets or tags of the transcripts and is not spoken, most frequent first.

    Columns: noise, count, example (id of an utterance).
    """
    count: Counter[str] = Counter()
    example: dict[str, str] = {}
    for plan in plans:
        for noise in front_end.noises(plan.text):
            count[noise] += 1
            example.setdefault(noise, plan.id)
    table = pd.DataFrame(
        [{"noise": noise, "count": n, "example": example[noise]} for noise, n in count.items()],
        columns=["noise", "count", "example"],
    )
    return table.sort_values(["count", "noise"], ascending=[False, True], ignore_index=True)


def metrics(
    plans: Sequence[TokenPlan], guessed: pd.DataFrame, front_end: FrontEnd
) -> dict[str, int | float]:
    """Numbers on a corpus: words, phones, tokens, and the share of words that were guessed."""
    words = Counter(word for plan in plans for word in plan.words)
    phones = Counter(phone.label for plan in plans for phone in plan.phones)
    return {
        "words": words.total(),
        "distinct_words": len(words),
        "oov_words": len(guessed),
        "oov_rate": round(int(guessed["count"].sum()) / max(words.total(), 1), 5),
        "noises_dropped": sum(len(front_end.noises(plan.text)) for plan in plans),
        "emoji_dropped": sum(plan.emoji for plan in plans),
        "phones": phones.total(),
        "distinct_phones": len(phones),
        "tokens": sum(len(plan.tokens) for plan in plans),
        "tokens_max": max((len(plan.tokens) for plan in plans), default=0),
    }
