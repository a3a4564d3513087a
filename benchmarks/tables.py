"""Figures side by side, as Markdown."""

from collections.abc import Mapping, Sequence

from lbtts.evaluation.bootstrap import Estimate


def as_table(
    rows: Mapping[str, Mapping[str, str | float | Sequence[float] | Estimate]],
    columns: Mapping[str, str],
) -> str:
    """A Markdown table of figures to four digits, a pair as least to greatest, text as it is.

    An estimate has three digits, and its interval beside it.
    """

    def shown(value: str | float | Sequence[float] | Estimate | None) -> str:
        match value:
            case None:
                return "–"
            case str():
                return value
            case Estimate(value=found, low=low, high=high):
                return f"{found:.3g} ({low:.3g}–{high:.3g})"
            case float() | int():
                return f"{value:.4g}"
            case _:
                return " to ".join(map(shown, value))

    table = [["", *columns.values()], ["---", *["---:"] * len(columns)]]
    table += [[name, *(shown(row.get(key)) for key in columns)] for name, row in rows.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in table)
