"""Stands in for the Montreal Forced Aligner 3.4.3 where the tests cannot have the real one.

Its arguments are parsed by click, as MFA's are, from what MFA declares (mfa_options.tsv); what
neither click nor MFA's settings know, MFA ignores and this refuses. It reads audio and .lab and
writes what MFA writes: the phones of a word 10, 20, 10, ... ms long, the rest of the time shared by
the last ones; no grid where the audio begins or ends with digital silence. The environment variable
FAULT chooses what goes wrong, SEEN names a file that gets a line for each call.
"""

import csv
import json
import os
import signal
import sys
import time
import zipfile
from pathlib import Path

import click
import numpy as np
import soundfile

TABLE = Path(__file__).with_name("mfa_options.tsv")
WIDTH = int(os.environ.get("COLUMNS", "80"))
FAULT = os.environ.get("FAULT", "")
FRAME = 0.01  # seconds

TYPES = {
    "int": click.INT,
    "float": click.FLOAT,
    "str": click.STRING,
    "bool": click.BOOL,
    "path": click.Path(path_type=Path),
    "folder": click.Path(file_okay=False, path_type=Path),
    "existing file": click.Path(exists=True, dir_okay=False, path_type=Path),
    "existing folder": click.Path(exists=True, file_okay=False, path_type=Path),
}


def log(text):
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def command(name, action):
    """The click command that MFA declares under this name."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader((line for line in file if line[0] != "#"), delimiter="\t")
        rows = [row for row in rows if row["command"] == name]
    params, settings = [], {}
    for row in rows:
        kind = row["type"]
        if row["kind"] == "argument":
            params.append(click.Argument([row["name"]], type=TYPES[kind], callback=existing))
        elif row["kind"] == "setting":
            settings[row["name"]] = TYPES[kind]
        elif kind == "flag":
            on, _, off = row["name"].partition(" / ")
            names = on.split()
            if off:
                names = ["/".join(pair) for pair in zip(names, off.split(), strict=True)]
            params.append(click.Option(names, default=None, is_flag=True))
        elif kind.startswith("choice"):
            params.append(click.Option(row["name"].split(), type=click.Choice(kind.split()[1:])))
        else:
            params.append(click.Option(row["name"].split(), type=TYPES[kind]))

    def run(**given):
        context = click.get_current_context()
        places = [str(given[p.name]) for p in params if isinstance(p, click.Argument)]
        extra = collected(context.args, settings, context)
        call = json.dumps(seen(name, places, given, extra))
        with Path(os.environ.get("SEEN", os.devnull)).open("a", encoding="utf-8") as calls:
            calls.write(f"{call}\n")
        Path(os.environ["MFA_ROOT_DIR"]).mkdir(parents=True, exist_ok=True)
        action(**{key: given[key] for key in given if key.endswith(("directory", "path"))})

    context = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, params=params, callback=run, context_settings=context)


def collected(left, settings, context):
    """What MFA collects from the arguments that click leaves over; nothing else may be there."""
    found, rest = {}, iter(left)
    for word in rest:
        if word not in settings:
            raise click.UsageError(f"No such option or setting: {word}", context)
        found[word] = settings[word].convert(next(rest, ""), None, context)
    return found


def seen(verb, places, given, extra):
    corpus = Path(places[0])
    return {
        "verb": verb,
        "places": places,
        "options": {name: str(value) for name, value in given.items() if value is not None},
        "settings": extra,
        "state": os.environ["MFA_ROOT_DIR"],
        "hash": os.environ.get("PYTHONHASHSEED"),
        "fresh": not Path(os.environ["MFA_ROOT_DIR"]).exists() and not Path(places[-1]).exists(),
        "labs": {p.stem: p.read_text(encoding="utf-8") for p in sorted(corpus.rglob("*.lab"))},
        "utterances": sorted(
            p.name for p in corpus.rglob("*.*") if p.suffix != ".lab" and p.exists()
        ),
    }


def existing(context, param, value):
    """What MFA's callbacks refuse, which click calls before it looks at what is left over."""
    if param.name == "corpus_directory" and not Path(value).exists():
        raise click.BadParameter("Corpus directory does not exist.")
    if param.name in ("dictionary_path", "acoustic_model_path") and not Path(value).exists():
        raise click.BadParameter(f'FileArgumentNotFoundError:\n\nCould not find "{value}".')
    return value


def trouble(corpus):
    """The failures that come after the arguments."""
    log(" INFO     Setting up corpus information...")
    if FAULT == "killed":
        log(" INFO     Accumulating statistics...")
        os.kill(os.getpid(), signal.SIGKILL)
    if FAULT == "slow":
        Path(os.environ["SEEN"]).with_suffix(".pid").write_text(str(os.getpid()))
        time.sleep(60)
    if FAULT == "nothing":
        count = len(list(corpus.rglob("*.lab")))
        log(
            "Traceback (most recent call last):\n  raise self.exception\n"
            "montreal_forced_aligner.exceptions.NoAlignmentsError: NoAlignmentsError:\n\n"
            f"There were no successful alignments for {count} utterances.\n"
            "The current set up used a beam of 10 and a retry beam of 40.\n"
        )
        sys.exit(1)
    for path in corpus.rglob("*.*"):
        if path.suffix != ".lab":
            try:
                soundfile.info(path)
            except soundfile.LibsndfileError as error:
                log(f"soundfile.LibsndfileError: {error}")
                sys.exit(1)


def entries_of(dictionary):
    entries = {}
    for line in Path(dictionary).read_text(encoding="utf-8").splitlines():
        word, *fields = line.split()
        while fields and fields[0].replace(".", "", 1).isdigit():
            fields.pop(0)
        entries.setdefault(word, fields)
    return entries


def train(corpus_directory, dictionary_path, output_model_path, output_directory=None, **_):
    trouble(Path(corpus_directory))
    entries = entries_of(dictionary_path)
    phones = sorted({phone for phones in entries.values() for phone in phones})
    with zipfile.ZipFile(output_model_path, "w") as archive:
        archive.writestr("model/meta.json", json.dumps({"version": "3.4.3", "phones": phones}))
    if output_directory:
        export(Path(corpus_directory), entries, Path(output_directory))


def align(corpus_directory, dictionary_path, acoustic_model_path, output_directory, **_):
    trouble(Path(corpus_directory))
    with zipfile.ZipFile(acoustic_model_path) as archive:
        known = set(json.loads(archive.read("model/meta.json"))["phones"])
    entries = entries_of(dictionary_path)
    lacking = {p for phones in entries.values() for p in phones} - known
    if lacking:
        log(f" WARNING  The following phones are not in the acoustic model: {sorted(lacking)}")
    entries = {word: phones for word, phones in entries.items() if set(phones) <= known}
    Path(output_directory).mkdir(parents=True, exist_ok=True)
    done = export(Path(corpus_directory), entries, Path(output_directory))
    with (Path(output_directory) / "alignment_analysis.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "begin", "end", "speaker", "overall_log_likelihood",
                       "speech_log_likelihood", "phone_duration_deviation"])  # fmt: skip
        for number, (name, seconds) in enumerate(done.items()):
            worth = ["", "", ""] if seconds is None else [-50, -40 - number / 8, 2.5]
            rows.writerow([name, 0.0, seconds or 0.0, "speaker", *worth])


def silent_edge(samples):
    edge = samples[: round(FRAME * 24_000)], samples[-round(FRAME * 24_000) :]
    return any(not np.any(part) for part in edge)


def export(corpus, entries, out):
    """Writes the grids; the length of each utterance by name, None of those that get no grid."""
    done = {}
    for lab in sorted(corpus.rglob("*.lab")):
        utterance = next(p for p in lab.parent.glob(f"{lab.stem}.*") if p.suffix != ".lab")
        samples, rate = soundfile.read(utterance, dtype="int16")
        seconds = len(samples) / rate
        if silent_edge(samples) or (FAULT == "missing" and lab.stem == "b"):
            done[lab.stem] = None
            continue
        done[lab.stem] = seconds
        words = lab.read_text(encoding="utf-8").replace("'", "' ").split()
        words = [(w, entries.get(w, ["spn"])) for w in words]
        if FAULT == "other":
            words = [(w, ["m", *p]) for w, p in words]
        path = out / lab.relative_to(corpus).with_suffix(".TextGrid")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(grid(words, seconds), encoding="utf-8")
    return done


def grid(words, seconds):
    """A long TextGrid: phones from 0.1 s to 0.1 s before the end, every other one of one frame."""
    count = sum(len(phones) for _, phones in words)
    frames = [1] * count
    room = round((seconds - 0.2) / FRAME)
    for k in range(0, count, 2):
        frames[k] = max(1, (room - count // 2) // -(-count // 2))
    frames[0] = 1
    at = 10
    tiers = {"words": [(0, at, "")], "phones": [(0, at, "")]}
    for word, phones in words:
        begin = at
        for phone in phones:
            step = frames.pop(0)
            tiers["phones"].append((at, at + step, phone))
            at += step
        tiers["words"].append((begin, at, word))
    text = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 \nxmax = {seconds:.6f}'
    text += " \ntiers? <exists> \nsize = 2 \nitem []: \n"
    for number, (name, rest) in enumerate(tiers.items(), 1):
        last = [] if at * FRAME >= seconds else [(at, seconds / FRAME, "")]
        text += f'    item [{number}]:\n        class = "IntervalTier" \n        name = "{name}" \n'
        text += f"        xmin = 0 \n        xmax = {seconds:.6f} \n"
        text += f"        intervals: size = {len(rest) + len(last)} \n"
        for k, (start, stop, label) in enumerate([*rest, *last], 1):
            text += f"        intervals [{k}]:\n            xmin = {start * FRAME:.6f} \n"
            text += f'            xmax = {stop * FRAME:.6f} \n            text = "{label}" \n'
    return text


def main(arguments):
    if FAULT == "chatty":
        log(" WARNING  There were 1 utterances ignored due to an issue in feature generation")
    verbs = {"align": align, "train": train}
    try:
        command(arguments[0], verbs[arguments[0]]).main(arguments[1:], standalone_mode=False)
    except click.UsageError as error:
        room = WIDTH - 4
        lines = [line[k : k + room] for line in error.format_message().splitlines()
                 for k in range(0, max(1, len(line)), room)]  # fmt: skip
        log(f"\n Usage: mfa {arguments[0]} [OPTIONS] ...\n")
        log("╭─ Error " + "─" * (WIDTH - 10) + "╮")
        log("\n".join(f"│ {line:{room}} │" for line in lines))
        log("╰" + "─" * (WIDTH - 2) + "╯")
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
