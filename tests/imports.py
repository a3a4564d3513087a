"""What a stage runs: its script and every module of the project that it imports in turn."""

import ast
from pathlib import Path


def closure(root: Path, script: str) -> set[str]:
    """Paths relative to `root` of `script` and of all project modules that it imports in turn."""
    seen: set[str] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        waiting += imports(root, path)
    return seen


def imports(root: Path, path: str) -> set[str]:
    """Paths relative to `root` of the project modules that the module at `path` imports itself."""
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    return {found for name in _names(tree) if (found := _file(root, name))}


def _names(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ("lbtts", "stages")}


def _file(root: Path, name: str) -> str | None:
    path = Path(*name.split(".")).with_suffix(".py")
    return path.as_posix() if (root / path).is_file() else None
