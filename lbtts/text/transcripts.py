"""The token plans of a corpus and the aligner's dictionary, from transcripts."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from lbtts.errors import Reject
from lbtts.text.front_end import FrontEnd
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import read_variants
from lbtts.text.tokens import TokenPlan


def token_plans(
    texts: Iterable[tuple[str, str]], total: int, front_end: FrontEnd
) -> tuple[list[TokenPlan], list[tuple[str, str]]]:
    """The plans of (id, text) pairs, and (id, reason) of those that cannot be spoken."""
    plans: list[TokenPlan] = []
    rejects: list[tuple[str, str]] = []
    for name, text in tqdm(texts, desc="g2p", total=total, unit="utt"):
        try:
            plans.append(front_end.token_plan(name, text))
        except Reject as reject:
            rejects.append((name, str(reject)))
    return plans, rejects


def pronunciations(
    plans: Sequence[TokenPlan], additions: Path, front_end: FrontEnd
) -> set[tuple[str, Phones]]:
    """Every word of the plans as it is planned, and as a person's additions say it may be said.

    Raises:
        InputError: the file of additions is missing or broken.
    """
    planned = {entry for plan in plans for entry in plan.pronunciations()}
    words = {word for word, _ in planned}
    own = read_variants(additions, front_end.inventory).items()
    return planned | {(w.lower(), p) for w, several in own for p in several if w.lower() in words}
