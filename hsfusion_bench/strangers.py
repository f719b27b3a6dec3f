"""Where in the code of a method that does not ship an error arose: its author wants the line, no traceback of ours."""

from __future__ import annotations

from pathlib import Path

_modules: set[str] = set()


def know(module: str) -> None:
    """Take note that a module, and the package that it is in, are a stranger's."""
    _modules.add(module.partition(".")[0])


def place(error: BaseException) -> str | None:
    """Return the innermost line of a stranger's that an error passed, such as "network.py, line 12"; None if none.

    Of a module that is not found although it lies beside a method's file, what to do is said, too.
    """
    import traceback  # only where something failed

    lines = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _modules
    ]
    if not lines:
        return None
    file, line = lines[-1]
    found = f"{file.name}, line {line}"
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        beside = file.with_name(error.name.partition(".")[0])
        if beside.is_dir() or beside.with_suffix(".py").is_file():
            found += (
                "; a method in a file is that file alone, whatever lies beside it: put it all into one file, or into a "
                "package, as `hsbench new-method` makes one"
            )
    return found
