"""What a stage runs: its script and every module of the project that it imports in turn."""

import ast
from collections.abc import Iterable
from pathlib import Path

REGISTRY = "lbtts/languages/__init__.py"


def closure(root: Path, script: str) -> set[str]:
    """Paths relative to `root` of `script` and of all project modules that it imports in turn.

    A language loads its parts when they are asked for: who gets a language is taken to import the
    parts that it names, of every language.
    """
    seen: set[str] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        found = imports(root, path)
        waiting += found
        if REGISTRY in found:
            names = {n.attr for n in ast.walk(_parsed(root, path)) if isinstance(n, ast.Attribute)}
            for language in _languages(root):
                waiting += [language, *_parts(root, language, names)]
    return seen


def imports(root: Path, path: str) -> set[str]:
    """Paths relative to `root` of the project modules that the module at `path` imports itself.

    Of a language, what it imports before it is asked for a part.
    """
    tree = _parsed(root, path)
    nodes = tree.body if path in _languages(root) else ast.walk(tree)
    return _files(root, nodes)


def _languages(root: Path) -> list[str]:
    found = (root / "lbtts/languages").glob("*/__init__.py")
    return sorted(path.relative_to(root).as_posix() for path in found)


def _parts(root: Path, language: str, names: set[str]) -> set[str]:
    """What the methods of these names import."""
    methods = (n for n in ast.walk(_parsed(root, language)) if isinstance(n, ast.FunctionDef))
    nodes = (node for method in methods if method.name in names for node in ast.walk(method))
    return _files(root, nodes)


def _parsed(root: Path, path: str) -> ast.Module:
    return ast.parse((root / path).read_text(encoding="utf-8"))


def _files(root: Path, nodes: Iterable[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    inside = {name for name in names if name.split(".")[0] in ("lbtts", "stages")}
    return {found for name in inside if (found := _file(root, name))}


def _file(root: Path, name: str) -> str | None:
    if name == "lbtts.languages":
        return REGISTRY
    path = Path(*name.split(".")).with_suffix(".py")
    return path.as_posix() if (root / path).is_file() else None
