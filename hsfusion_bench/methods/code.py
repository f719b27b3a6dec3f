"""The code of a method that does not ship, as a digest: a package keeps its version while its author changes it.

What decides what a method does is in its module, and in those modules of its own package that this one imports, at the
top or in a function. Comments, docstrings, layout and the card decide nothing, and are left out; so are recipes, whose
numbers are compared by themselves.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Final

from hsfusion_bench.methods.contract import FunctionMethod

#: Packages whose version tells what their code is.
_SHIPPED: Final = frozenset({"hsfusion_bench", "hsfusion_baselines"})
#: Attributes of a method that are no part of its code.
_APART: Final = frozenset({"card", "recipe", "recipes"})


def code_of(method: object) -> str | None:
    """Return the SHA-256 of a method's code; None of one that ships, or whose source is not here (as in a notebook)."""
    owner = method.function if isinstance(method, FunctionMethod) else type(method)
    name = str(getattr(owner, "__module__", None))
    module = sys.modules.get(name)
    return None if module is None or name.partition(".")[0] in _SHIPPED else _of_module(module, name)


@cache
def _of_module(imported: ModuleType, name: str) -> str | None:
    """Return the digest of a module: of its source as it is when it is first asked for."""
    file = getattr(imported, "__file__", None)
    if file is None or Path(file).suffix != ".py":
        return None
    top = name.partition(".")[0]
    depth = name.count(".") + (Path(file).name == "__init__.py")
    folder = Path(file).parents[depth - 1] if depth else None  # of the package; a single module has none
    sources: dict[str, str] = {}
    waiting = {name: Path(file)}
    while waiting:
        module, path = waiting.popitem()
        sources[module] = ""
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):  # gone, or not what was imported
            return None
        for each in _imported(tree, module, path.name == "__init__.py"):
            found = None if folder is None or each.partition(".")[0] != top else _file(folder, each)
            if found is not None and each not in sources:
                waiting[each] = found
        sources[module] = ast.unparse(_Deciding().visit(tree))
    return sha256("\0".join(f"{each}\0{sources[each]}" for each in sorted(sources)).encode()).hexdigest()


def _file(folder: Path, module: str) -> Path | None:
    """Return where the source of a module lies, of a package in a folder; None where there is no such module."""
    place = folder.joinpath(*module.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imported(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Yield what may be names of modules that a module imports, and of the packages that they are in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            up = node.level - is_package
            base = [".".join(parts[: len(parts) - up])] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            steps = name.split(".")
            yield from (".".join(steps[:count]) for count in range(1, len(steps) + 1))


class _Deciding(ast.NodeTransformer):
    """Leaves of a module what decides what it does."""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _decides_nothing(each)] or [ast.Pass()]
        return node


def _decides_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a text, such as a docstring, or the card or a recipe of a method."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return all(isinstance(target, ast.Name) and target.id in _APART for target in targets)
