"""The options of `hsbench run` that say what is run: of one task, or of a study of many; or a file says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hsfusion_bench.cli.common import CONDITIONS, dataset_parameters, with_key
from hsfusion_bench.cli.sections import SectionOption
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from hsfusion_bench.studies.study import Study

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Fields of a study that options state, by the name of the option's value; of a protocol's changes they are the same.
_FIELDS: Final[Mapping[str, str]] = {
    "methods": "methods",
    "dataset": "datasets",
    "key": "datasets",
    "const": "datasets",
    "scale": "scales",
    "protocol": "protocols",
    "noise_seed": "noise_seeds",
    "sweep": "sweeps",
    "scenes": "scenes",
    "wavelengths": "wavelengths",
    "train": "train",
    "seed": "seeds",
    "max_steps": "max_steps",
    "changes": "settings",
    "weights": "weights",
    "blind": "blind",
    "tile": "tile",
    "also": "also",
    "no_timing": "timing",
    "pictures": "pictures",
}
#: What a command line has to say, where no file does.
_REQUIRED: Final = ("methods", "dataset", "scale")
_FILES: Final = ("mat:", "h5:")
#: Heading of the help.
STUDIES: Final = "Studies of many tasks"
#: Data sets that need no folder.
_WITHOUT_FOLDER: Final = ("demo", *_FILES)


class Several(click.ParamType[Any]):
    """Values with commas between them, each of another type; a tuple without repetitions."""

    def __init__(self, each: click.ParamType[Any]) -> None:
        self.each = each
        self.name = f"{each.name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the values."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",") if part.strip()]
        if not parts:
            self.fail(f"{value!r} names no value", param, ctx)
        return tuple(dict.fromkeys(self.each.convert(part, param, ctx) for part in parts))


class _Folder(click.ParamType[Any]):
    """A folder, or NAME=FOLDER; of the environment all is one, spaces and colons included."""

    name = "folder"
    envvar_list_splitter = "\0"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text."""
        return value


def study_options(function: _Function) -> _Function:
    """Add the options of `dataset_parameters`, of which some take several values, and `--sweep`."""
    made: Any = function
    sweep = click.option(
        "--sweep",
        cls=SectionOption,
        section=CONDITIONS,
        multiple=True,
        metavar="AXIS[=VALUE,...]",
        help="One condition after the other, such as snr=20,30,40 or blur=1:4:0.5; may be given again.",
    )
    for option in reversed([*dataset_parameters(), sweep]):
        made = option(made)
    for parameter in made.__click_params__:
        if parameter.name in ("scale", "noise_seed"):
            parameter.type = Several(parameter.type)
            parameter.metavar = "N,..."
        if parameter.name in ("dataset", "protocol"):
            parameter.callback, parameter.metavar = _names, "NAME,..."
        if parameter.name in _REQUIRED:
            parameter.required = False
        if parameter.name == "data_root":
            parameter.type, parameter.multiple, parameter.metavar = _Folder(), True, "[NAME=]FOLDER"
            parameter.help = (
                "Folder of the dataset's files, or of a folder for each dataset; of one of several by NAME=FOLDER, "
                "which may be given again. Default: where `hsbench data download` puts them."
            )
            parameter.default = None
    typed: _Function = made
    return typed


def _names(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Split "a,b" into names of data sets or protocols; a file may have commas in its name."""
    if value is None:
        return ()
    if "," not in value or Path(value).expanduser().exists():
        return (value,)
    found: list[str] = []
    for part in value.split(","):
        own = part.strip().startswith(_FILES) or part.strip().endswith(".toml")
        # what follows a file, and is no name, is of the file's name or options: h5:FILE:gt=GT,const=4095
        if found and found[-1].startswith(_FILES) and not own and not _is_dataset(part.strip()):
            found[-1] += f",{part}"
        elif part.strip():
            found.append(part.strip())
    if not found:
        raise UsageError(f"{parameter.opts[0]} names no {parameter.name}")
    return tuple(dict.fromkeys(found))


def _is_dataset(name: str) -> bool:
    from hsfusion_bench.data.catalog import dataset_names

    return name in dataset_names()


def data_roots(texts: tuple[str, ...], datasets: tuple[str, ...], *, given: bool) -> dict[str, Path]:
    """Return the folders that `--data-root` names, by data set; by "" that of all others.

    Parameters
    ----------
    texts
        As given: a folder, or NAME=FOLDER.
    datasets
        Of the study.
    given
        Whether they are of the command line; else of the environment, which may be meant for other data sets.

    Raises
    ------
    UsageError
        If a name is no data set of the study, one of them needs no folder, or two folders are of one.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        named = bool(equals) and (name in datasets or not (Path(text).exists() or "/" in name))
        if named and name not in datasets:
            raise UsageError(
                f"--data-root {text}: {name!r} is not among the data sets of this run: {', '.join(datasets)}"
            )
        if named and not folder:
            raise UsageError(f"--data-root {text}: expected {name}=FOLDER")
        key, path = (name, Path(folder)) if named else ("", Path(text))
        about = [key] if key else list(datasets)
        if given and all(dataset.startswith(_WITHOUT_FOLDER) for dataset in about):
            raise UsageError(f"--data-root names the folder of a data set's files, and {', '.join(about)} needs none")
        if key in found:
            whose = f"of {key}" if key else "of all data sets; name those of each by NAME=FOLDER"
            raise UsageError(f"--data-root {found[key]} and {path}: two folders {whose}")
        found[key] = path
    return found


def given_options(context: click.Context) -> set[str]:
    """Return the names of the options that the command line states."""
    line = click.core.ParameterSource.COMMANDLINE
    return {name for name in context.params if context.get_parameter_source(name) is line}


def require_stated(context: click.Context) -> None:
    """Refuse a command line that does not say what is run; raises as click does of an option that is required."""
    missing = next((name for name in _REQUIRED if not context.params[name]), None)
    if missing is not None:
        [option] = (parameter for parameter in context.command.params if parameter.name == missing)
        raise click.MissingParameter(ctx=context, param=option)


def study_of(context: click.Context, names: list[str], file: Study | None, where: Path | None) -> Study:
    """Return the study that options state, beside what a file does.

    Parameters
    ----------
    context
        Of the command.
    names
        Of the methods.
    file, where
        The study of `--study`, and its file.

    Raises
    ------
    UsageError
        If an option states what the file does, or a text is not as it should be.
    """
    from dataclasses import replace

    from pydantic import ValidationError

    from hsfusion_bench.data.observing.protocols import ProtocolChoice
    from hsfusion_bench.studies.study import Study, tidy

    told = context.params
    given = given_options(context)
    by_name = {parameter.name: parameter for parameter in context.command.params}
    stated = set() if file is None else {*file.stated, *(_FIELDS[name] for name in _REQUIRED)}
    for name in sorted(given & _FIELDS.keys()):
        if _FIELDS[name] in stated:
            option = max(by_name[name].opts, key=len)
            raise UsageError(
                f"{option}: the study {where} states {_FIELDS[name]} already; change it there, or leave it out"
            )
    changes = {name: told[name] for name in _changes_of(ProtocolChoice, told) if name in given or file is None}
    if file is not None:
        for name in changes:
            if getattr(file.observing, name) != getattr(ProtocolChoice(), name):
                option = max(by_name[name].opts, key=len)
                raise UsageError(
                    f"{option}: the study {where} states observing.{name} already; change it there, or leave it out"
                )
    values: dict[str, Any] = {
        "methods": tuple(told["methods"] or ()),
        "datasets": tuple(with_key(name, told["key"], told["const"]) for name in told["dataset"]),
        "scales": told["scale"],
        "protocols": told["protocol"],
        "noise_seeds": told["noise_seed"],
        "sweeps": told["sweep"],
        "scenes": tuple(told["scenes"] or ()),
        "wavelengths": told["wavelengths"],
        "train": told["train"],
        "seeds": told["seed"],
        "max_steps": _steps(told["max_steps"], names),
        "settings": _settings(told["changes"], names),
        "weights": _per_method(told["weights"], names, "--weights"),
        "blind": told["blind"],
        "tile": told["tile"],
        "also": told["also"],
        "timing": not told["no_timing"],
        "pictures": told["pictures"],
    }
    try:
        if file is None:
            return tidy(Study(**values, observing=ProtocolChoice(**changes)))
        chosen = {_FIELDS[name]: values[_FIELDS[name]] for name in given & _FIELDS.keys()}
        return tidy(replace(file, **chosen, observing=replace(file.observing, **changes)))
    except ValidationError as error:  # of a name that is no text
        first = error.errors(include_url=False)[0]
        raise UsageError(f"{first['loc'][0]}: {first['msg']}") from error


def _changes_of(choice: type, told: Mapping[str, Any]) -> list[str]:
    """Return the names of options that change a protocol, without those that a study has a field of its own for."""
    from dataclasses import fields

    return [field.name for field in fields(choice) if field.name in told and field.name not in ("name", "noise_seed")]


def require_among(study: Study, names: Iterable[str], where: Path | None) -> None:
    """Refuse what a file says of methods that are not those of the run.

    Raises
    ------
    UsageError
        If there is any.
    """
    from hsfusion_bench.studies.study import ALL
    from hsfusion_bench.suggest import suggestion

    known = list(names)
    for key, table in (("max_steps", study.max_steps), ("settings", study.settings), ("weights", study.weights)):
        for name in table:
            if name not in known and (key, name) != ("max_steps", ALL):
                raise UsageError(
                    f"{where}: {key}: {name!r} is not among the methods of this study{suggestion(name, known)}"
                )


def _per_method(values: tuple[str, ...], names: list[str], option: str) -> dict[str, str]:
    """Read ``METHOD=VALUE`` options."""
    found = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise UsageError(f"{option} {text!r}: expected METHOD=VALUE, such as {option} {names[0]}=...")
        if name not in names:
            raise UsageError(f"{option} {text!r}: {name!r} is not among the methods of this run ({', '.join(names)})")
        found[name] = value
    return found


def _steps(values: tuple[str, ...], names: list[str]) -> dict[str, int]:
    """Return the number of training steps of each method that has a limit, and by "all" that of the others."""
    from hsfusion_bench.studies.study import ALL

    common = [text for text in values if "=" not in text]
    texts = {ALL: common[-1]} if common else {}
    texts |= _per_method(tuple(text for text in values if "=" in text), names, "--max-steps")
    for name, text in texts.items():
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
            raise UsageError(f"--max-steps: {text[:40]!r} (for {name}) is not a number of steps, 1 to 999999999")
    return {name: int(text) for name, text in texts.items()}


def _settings(values: tuple[str, ...], names: list[str]) -> dict[str, dict[str, str]]:
    """Return the texts of each method's changes by name."""
    found: dict[str, dict[str, str]] = {}
    for text in values:
        path, equals, value = text.partition("=")
        name, dot, number = path.partition(".")
        if not (equals and dot and value):
            raise UsageError(f"--set {text!r}: expected METHOD.NAME=VALUE, such as --set {names[0]}.patch=32")
        if name not in names:
            raise UsageError(f"--set {text!r}: {name!r} is not among the methods of this run ({', '.join(names)})")
        found.setdefault(name, {})[number] = value
    return found
