"""The forced aligners by the names that `align.backend` knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lbtts.alignment import kaldi, mfa, prealigned
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.params import Align, Backend, Run
from lbtts.scratch import scratch
from lbtts.text.dictionary import read_dictionary
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import TokenPlan


@dataclass(frozen=True)
class Aligner:
    """A corpus, ready for any backend.

    entries: of the manifest, by id.
    dictionary: path of the aligner's dictionary.
    grids: folder of the TextGrids that came with the corpus.
    inventory: the language's phones.
    align: the section.
    run: the section; it does not change any result.
    """

    entries: Mapping[str, Entry]
    dictionary: Path
    grids: Path
    inventory: Inventory
    align: Align
    run: Run

    def results(
        self, backend: Backend, plans: Sequence[TokenPlan]
    ) -> Iterator[tuple[str, AlignmentResult | Reject]]:
        """The id of each plan with the alignment that a backend finds, in the order of the plans.

        Args:
            backend: which one.
            plans: sorted by id.

        Raises:
            InputError: the backend, or what it needs, is missing, or it fails as a whole.
        """
        match backend:
            case "kaldi":
                dictionary = read_dictionary(self.dictionary)
                with scratch("align") as folder:
                    yield from kaldi.align(
                        plans,
                        dictionary,
                        self.entries,
                        self.align.kaldi,
                        self.run,
                        folder / "kaldi",
                    )
            case "mfa":
                with scratch("mfa") as folder:
                    yield from mfa.align(
                        plans,
                        self.entries,
                        self.dictionary,
                        self.inventory,
                        self.align.mfa,
                        self.run.workers,
                        folder / "run",
                    )
            case "textgrid":
                yield from prealigned.align(plans, self.entries, self.grids, self.inventory)
