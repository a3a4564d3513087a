"""The feature file, written from the measured corpus."""

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import TimedUtterance
from lbtts.acoustics.measuring.pitch import statistics
from lbtts.acoustics.measuring.report import Row
from lbtts.acoustics.measuring.survey import Survey
from lbtts.acoustics.store.layout import Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.errors import InputError, Reject
from lbtts.params import Features


def assemble(
    utterances: Sequence[TimedUtterance],
    survey: Survey,
    cache: MeasureCache,
    features: Features,
    path: Path,
) -> list[Row]:
    """Writes the feature file, in the order of the utterances, and returns a report row for each.

    Args:
        utterances: the corpus, sorted by id.
        survey: of all of them.
        cache: with the measures of all utterances.
        features: the section.
        path: of the feature file.

    Raises:
        InputError: the file cannot be written, or measures are missing from the cache.
    """
    span = survey.pitch.span()
    rows = []
    with FeatureWriter(path, features.f0) as writer:
        for utterance in tqdm(utterances, unit="utt", desc=path.name):
            try:
                rows.append(_add(writer, utterance, survey, cache, features, span))
            except Reject as reason:
                rows.append(Row(utterance.id, str(reason)))
    return rows


def _add(
    writer: FeatureWriter,
    utterance: TimedUtterance,
    survey: Survey,
    cache: MeasureCache,
    features: Features,
    span: tuple[float, float],
) -> Row:
    if utterance.id in survey.rejects:
        raise Reject(survey.rejects[utterance.id])
    audio, measures = utterance.audio(), cache.get(survey.digests[utterance.id])
    if measures.f0 is None or measures.spectral is None:
        raise InputError(
            f"{utterance.path}: its cached measures are damaged; check the disk and run again"
        )
    pitch = statistics(measures.f0, span)
    suspicion = pitch.suspicion(features.check)
    if suspicion and features.check.suspects == "reject":
        raise Reject(suspicion)
    spectral = measures.spectral
    arrays = Arrays(spectral.mel, measures.f0, spectral.energy, audio)
    writer.add(utterance.id, utterance.split, utterance.tokens, utterance.timing.units, arrays)
    return Row(utterance.id, "", suspicion, pitch.voiced, pitch.outside, pitch.jumps)
