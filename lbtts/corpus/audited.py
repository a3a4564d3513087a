"""What became of every utterance in the stage audit: one row of data/audit.csv each."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lbtts.errors import InputError, first_line

_HEAD = ["status", "reason", "worst", "measure"]


def write_audit(table: pd.DataFrame, reasons: Mapping[str, str], path: Path) -> None:
    """Writes the audit, worst first.

    Args:
        table: by id: `worst`, distance in deviations from the corpus, `measure`, which one that is,
            and every measure in its own unit, NaN where it cannot be told.
        reasons: why an utterance is rejected, by id.
        path: of the file.
    """
    found = [reasons.get(str(name), "") for name in table.index]
    status = ["rejected" if reason else "ok" for reason in found]
    written = table.assign(status=status, reason=found)
    written = written[[*_HEAD, *table.columns.drop(["worst", "measure"])]]
    written.to_csv(path, index_label="id", float_format="%.5g", lineterminator="\n")


def read_audit(path: Path) -> pd.DataFrame:
    """The audit by id, worst first: status, reason, worst, measure and the measures.

    Raises:
        InputError: it is missing, or no such file.
    """
    try:
        table = pd.read_csv(
            path, dtype={"id": str, "reason": str}, keep_default_na=False, na_values=[""]
        ).set_index("id")
        if list(table.columns[: len(_HEAD)]) != _HEAD:
            raise ValueError("its columns are others")
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro audit`") from None
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path}: not an audit ({first_line(error)}); run `dvc repro -s -f audit`"
        ) from error
    table["reason"] = table["reason"].fillna("")
    return table


def rejected(path: Path) -> set[str]:
    """Ids of the utterances that the audit took out; raises as `read_audit` does."""
    table = read_audit(path)
    return set(table.index[table["status"] == "rejected"])
