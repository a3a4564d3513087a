"""The pages that are made from templates beside this module."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_TEMPLATES = Environment(
    loader=PackageLoader("lbtts.release", "."),
    autoescape=select_autoescape(["html.jinja"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: Any) -> str:
    """The page of `template` with `values`; what goes into HTML is escaped."""
    return _TEMPLATES.get_template(template).render(**values)
