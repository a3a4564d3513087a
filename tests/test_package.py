"""The package for those who only speak."""

import re
import tomllib

from packaging.requirements import Requirement


def pins(root, name):
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    found = (line.partition("#")[0].strip() for line in lines)
    return {
        Requirement(line).name.lower().replace("_", "-"): Requirement(line)
        for line in found
        if line
    }


def test_what_the_package_depends_on_is_pinned_within_its_bounds(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = pins(root, "requirements.txt")
    for needed in map(Requirement, project["dependencies"]):
        (version,) = pinned[needed.name.lower()].specifier
        assert needed.specifier.contains(version.version), needed


def test_files_that_the_library_reads_are_packaged(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packaged = {
        re.sub(r"^\*", "", glob) for glob in project["tool"]["setuptools"]["package-data"]["*"]
    }
    files = {path for path in (root / "lbtts").rglob("*") if path.is_file()}
    others = {path.suffix for path in files} - {".py", ".pyc"}
    assert others <= packaged
