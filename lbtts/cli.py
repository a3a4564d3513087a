"""The command line of speaking: `lbtts speak "Moien" -o moien.wav`; see `lbtts --help`."""

import argparse
import hashlib
import io
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lbtts import __version__
from lbtts.errors import InputError, Reject
from lbtts.grid import samples_to_seconds

if TYPE_CHECKING:
    from misaki.token import MToken

_FOLDER = "models/export"
_STREAM = Path("-")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; bad input ends it with status 1 and one line on standard error."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):  # text is UTF-8, whatever the terminal is set to
            stream.reconfigure(encoding="utf-8", errors="strict")
    warnings.showwarning = _warn
    try:
        options.run(options)
    except (InputError, Reject) as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit("interrupted: the same command continues a file")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lbtts", description="Speaks text with Kokoro's voices.")
    parser.add_argument("--version", action="version", version=f"lbtts {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_speak(commands.add_parser("speak", help="text to audio"))

    phonemes = commands.add_parser("phonemes", help="text to phonemes, line by line")
    _add_text(phonemes)
    _add_folder(phonemes)
    phonemes.set_defaults(run=_phonemes)

    normalize = commands.add_parser("normalize", help="text to words as spoken, line by line")
    _add_text(normalize)
    _add_folder(normalize)
    normalize.set_defaults(run=_normalize)

    voices = commands.add_parser("voices", help="the voices of a folder")
    _add_folder(voices)
    voices.set_defaults(run=_voices)

    _add_serve(commands.add_parser("serve", help="a page, and OpenAI's interface of speech"))
    return parser


def _add_speak(speak: argparse.ArgumentParser) -> None:
    _add_text(speak)
    _add_folder(speak)
    speak.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help=".wav, .flac, .mp3, .ogg or .opus; - streams WAV to standard output",
    )
    speak.add_argument("--voice", help="a name that `lbtts voices` lists; by default the first")
    speak.add_argument("--precision", default="fp32", help="of the graph: fp32, fp16 or int8")
    speak.add_argument("--speed", type=float, default=1.0, help="0.5 to 2; 1 is the voice's own")
    speak.add_argument(
        "--sentence-pause",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="silence after a sentence, besides the voice's own",
    )
    speak.add_argument(
        "--paragraph-pause",
        type=float,
        default=0.3,
        metavar="SECONDS",
        help="silence after a paragraph (0.3)",
    )
    speak.add_argument(
        "--timestamps", type=Path, metavar="FILE", help="times of the words: .srt, .vtt or .json"
    )
    speak.add_argument(
        "--phonemes", action="store_true", help="the text is phonemes, in Kokoro's symbols"
    )
    speak.set_defaults(run=_speak)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    _add_folder(serve)
    serve.add_argument("--precision", default="fp32", help="of the graph: fp32, fp16 or int8")
    serve.add_argument("--host", default="127.0.0.1", help="this machine only, if not given")
    serve.add_argument("--port", type=int, default=8880)
    serve.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="a file with the bearer key that requests must have",
    )
    serve.set_defaults(run=_serve)


def _add_text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", help="the text; without it, standard input")
    parser.add_argument("-f", "--file", type=Path, help="a text file, UTF-8")


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m",
        "--model",
        default=_FOLDER,
        metavar="FOLDER",
        help=f"an exported folder, or owner/name on the hub ({_FOLDER})",
    )


def _speak(options: argparse.Namespace) -> None:
    from lbtts.speaking.recording import record
    from lbtts.voice import Manner, Voice

    manner = Manner(options.speed, options.sentence_pause, options.paragraph_pause)
    with _lines(options) as lines:
        voice = Voice.load(options.model, options.voice, options.precision)
        speech = (voice.say_phonemes if options.phonemes else voice)(lines, manner)
        if options.output == _STREAM:
            _stream(speech)
            return
        spoken = record(speech, options.output, options.timestamps, _fingerprint(options))
        for chunk in spoken:
            seconds = chunk.start + samples_to_seconds(len(chunk.audio))
            print(f"\r{seconds / 60:.1f} minutes spoken", end="", file=sys.stderr, flush=True)
    print(f"\r{options.output}: written{' ' * 12}", file=sys.stderr)


def _stream(speech: Iterable) -> None:
    """Writes the speech as WAV of unknown length while it is spoken."""
    from lbtts.speaking import formats

    out = sys.stdout.buffer
    out.write(formats.wav_header())
    for chunk in speech:
        out.write(formats.pcm(chunk.audio).tobytes())
        out.flush()


def _fingerprint(options: argparse.Namespace) -> str | None:
    """Of all that makes the speech of a file or of given text; None for standard input."""
    if not options.file and not options.text:
        return None
    digest = hashlib.sha256()
    chosen = vars(options) | {"run": None, "output": None, "timestamps": None}
    digest.update(repr(sorted(chosen.items(), key=lambda item: item[0])).encode())
    if options.file:
        with options.file.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    graph = Path(options.model) / "onnx"
    for path in sorted(graph.glob("*")):
        digest.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def _phonemes(options: argparse.Namespace) -> None:
    from lbtts.speaking.sentences import phonemes_of

    for parts in _read(options):
        print(" ".join(map(phonemes_of, parts)))


def _normalize(options: argparse.Namespace) -> None:
    for parts in _read(options):
        said = "".join(token.text + token.whitespace for part in parts for token in part)
        print(said.strip())


def _read(options: argparse.Namespace) -> Iterator[list[list["MToken"]]]:
    """The tokens of each line of the text, between its pauses."""
    from lbtts.speaking.markup import Pause
    from lbtts.speaking.phonemiser import phonemise
    from lbtts.voice import front_end

    with _lines(options) as lines:
        speaker = front_end(options.model)
        for line in lines:
            yield [part for part in phonemise(line, speaker) if not isinstance(part, Pause)]


def _voices(options: argparse.Namespace) -> None:
    from lbtts.voice import names

    print("\n".join(names(options.model)))


def _serve(options: argparse.Namespace) -> None:
    try:
        from lbtts.server.serving import serve
    except ImportError as error:
        raise InputError(
            f"{error.name}: not installed; in the checkout: pip install '.[serve]'"
        ) from None
    serve(options.model, options.precision, options.host, options.port, options.key_file)


@contextmanager
def _lines(options: argparse.Namespace) -> Iterator[Iterable[str]]:
    """The lines of the text, with their ends.

    Raises:
        InputError: there are two texts or none, or the file is missing or not UTF-8.
    """
    if options.file and options.text:
        raise InputError("give the text or a file, not both")
    if options.text:
        yield " ".join(options.text).splitlines(keepends=True)
    elif options.file:
        try:
            file = options.file.open(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(f"{options.file}: {error.strerror or error}") from error
        try:
            with file:
                yield file
        except UnicodeDecodeError as error:
            raise InputError(f"{options.file}: is not UTF-8 ({error}); convert it") from error
    elif sys.stdin.isatty():
        raise InputError("no text: write it behind the command, or give a file with -f")
    else:
        try:
            yield sys.stdin
        except UnicodeDecodeError as error:
            raise InputError(f"standard input: is not UTF-8 ({error}); convert it") from error


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    print(f"\rwarning: {message}", file=sys.stderr)


if __name__ == "__main__":
    main()
