"""A working package with a method in it, for somebody to start from."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from hsfusion_bench.errors import HsbenchError, UsageError, reason_of_system
from hsfusion_bench.files import slug
from hsfusion_bench.registry import entries
from hsfusion_bench.scratch import TemporaryFolder

Kind = Literal["classical", "network"]

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_SHARED: Mapping[str, str] = {
    "shared/pyproject.toml.in": "pyproject.toml",
    "shared/__init__.py.in": "$package/__init__.py",
}
_FILES: Mapping[Kind, Mapping[str, str]] = {
    "classical": {
        "classical/README.md.in": "README.md",
        "classical/method.py.in": "$package/method.py",
        "classical/test.py.in": "tests/test_$package.py",
    },
    "network": {
        "network/README.md.in": "README.md",
        "network/method.py.in": "$package/method.py",
        "network/network.py.in": "$package/network.py",
        "network/test.py.in": "tests/test_$package.py",
    },
}
_DEPENDENCIES: Mapping[Kind, tuple[str, ...]] = {
    "classical": ("hsfusion-bench", "numpy"),
    "network": ("hsfusion-bench", "torch"),
}


def write_package(name: str, kind: Kind, folder: Path) -> list[Path]:
    """Write a package with a method, its test and a README; whole or not at all.

    Parameters
    ----------
    name
        The method's name on the command line, and the distribution's; with "_" for "-" the Python package's.
    kind
        "classical": a function of NumPy arrays. "network": a torch network with a recipe.
    folder
        Where to; it must not exist.

    Returns
    -------
    list of Path
        The files, relative to `folder`.

    Raises
    ------
    UsageError
        If the name is not a name, is taken, or hides an installed module; if the folder exists.
    HsbenchError
        If it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for a method: lower-case letters and digits, with single - or _ between words and "
            "a letter first, such as my-method"
        )
    package = name.replace("-", "_")
    class_name = "".join(part.capitalize() for part in re.split("[-_]", name))
    _require_free(name, package, class_name)
    if folder.exists():
        raise UsageError(f"{folder} exists already; name another folder with --out, or another method")
    values = {
        "name": name,
        "package": package,
        "class_name": class_name,
        "title": name.replace("-", " ").replace("_", " ").capitalize(),
        "year": str(date.today().year),
        "dependencies": ", ".join(f'"{each}"' for each in _DEPENDENCIES[kind]),
    }
    texts = {
        Template(target).substitute(values): Template(_template(source)).substitute(values)
        for source, target in {**_SHARED, **_FILES[kind]}.items()
    }
    _write(folder, texts)
    return [Path(path) for path in texts]


def _require_free(name: str, package: str, class_name: str) -> None:
    """Refuse a name that a method, a Python module or the language has already."""
    for known, entry in entries().items():
        # records are kept by slug
        if slug(known) == slug(name):
            raise UsageError(f"there is a method {known!r} already, of {entry.origin}; choose another name")
    if name == "schema":
        raise UsageError("`hsbench show schema` shows the schema of a record; choose another name")
    if keyword.iskeyword(package) or keyword.iskeyword(class_name):
        raise UsageError(f"{name!r} is a word of Python; choose another name")
    found = importlib.util.find_spec(package)
    if package == "tests" or (found is not None and found.origin is not None):
        where = found.origin if found is not None else "the folder of its own tests"
        raise UsageError(f"a package {package!r} would be in the way of another, {where}; choose another name")


def _template(source: str) -> str:
    return (files("hsfusion_bench.cli") / "templates" / source).read_text(encoding="utf-8")


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFolder(folder.parent, f".{folder.name}.") as temporary:
            whole = temporary / folder.name
            for path, text in texts.items():
                file = whole / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            whole.rename(folder)
    except OSError as error:
        raise HsbenchError(f"{folder} cannot be written: {reason_of_system(error)}") from error
