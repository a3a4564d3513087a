"""The measured corpus put into the feature file."""

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import TimedClip
from lbtts.acoustics.measuring.pitch import statistics
from lbtts.acoustics.measuring.report import Row
from lbtts.acoustics.measuring.survey import Survey
from lbtts.acoustics.store.layout import Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.errors import InputError, Reject
from lbtts.params import Features


def assemble(
    clips: Sequence[TimedClip], survey: Survey, cache: MeasureCache, features: Features, path: Path
) -> list[Row]:
    """Writes the feature file, in the order of the clips, and returns a row of the report for each.

    Args:
        clips: the corpus, sorted by id.
        survey: of all of them.
        cache: where it has put the measures.
        features: the section.
        path: of the feature file.

    Raises:
        InputError: the file cannot be written, or measures are no longer in the cache.
    """
    span = survey.pitch.span()
    rows = []
    with FeatureWriter(path, features.f0) as writer:
        for clip in tqdm(clips, unit="utt", desc=path.name):
            try:
                rows.append(_add(writer, clip, survey, cache, features, span))
            except Reject as reason:
                rows.append(Row(clip.id, str(reason)))
    return rows


def _add(
    writer: FeatureWriter,
    clip: TimedClip,
    survey: Survey,
    cache: MeasureCache,
    features: Features,
    span: tuple[float, float],
) -> Row:
    if clip.id in survey.rejects:
        raise Reject(survey.rejects[clip.id])
    audio, measures = clip.audio(), cache.get(survey.digests[clip.id])
    if measures.f0 is None or measures.spectral is None:
        raise InputError(
            f"{clip.path}: its measures are gone again; see that the disk is sound and run again"
        )
    pitch = statistics(measures.f0, span)
    suspicion = pitch.suspicion(features.check)
    if suspicion and features.check.suspects == "reject":
        raise Reject(suspicion)
    spectral = measures.spectral
    arrays = Arrays(spectral.mel, measures.f0, spectral.energy, audio)
    writer.add(clip.id, clip.split, clip.tokens, clip.timing.units, arrays)
    return Row(clip.id, "", suspicion, pitch.voiced, pitch.outside, pitch.jumps)
