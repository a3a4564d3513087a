"""All that is peculiar to a language, each in its own folder. See `language.Language`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from lbtts.errors import InputError
from lbtts.languages.language import Language


@cache
def every() -> tuple[Language, ...]:
    """The languages there are, by the names of their folders."""
    folders = sorted(module.name for module in iter_modules(__path__) if module.ispkg)
    return tuple(import_module(f"{__name__}.{name}").LANGUAGE for name in folders)


def get(code: str) -> Language:
    """The language of an ISO 639 code.

    Raises:
        InputError: there is no such language.
    """
    for language in every():
        if language.code == code:
            return language
    codes = ", ".join(language.code for language in every())
    raise InputError(f"params.yaml: language: {code} is not supported; there are: {codes}")
