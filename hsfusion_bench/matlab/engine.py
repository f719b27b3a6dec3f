"""Running the user's own copy of the MATLAB test package, in GNU Octave or in MATLAB.

The package is not shipped with us. Its scripts run unmodified, in a temporary copy of its folder: they change into a
sub-folder while they compute, and must be started where they lie. Nothing of the user's is named on a command line or
in a program: the copy has a name of ours, and the file lies beside it, so that blanks and accents in a path do no harm.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hsfusion_bench.children.supervised import supervised
from hsfusion_bench.children.supervisor import CANNOT_START
from hsfusion_bench.errors import HsbenchError, reason_of_system
from hsfusion_bench.matlab import octave
from hsfusion_bench.matlab.package import Arguments, Script
from hsfusion_bench.scratch import TemporaryFolder
from hsfusion_metrics import MeanStd

EngineName = Literal["octave", "matlab"]

_TITLES: Mapping[EngineName, str] = {"octave": "GNU Octave", "matlab": "MATLAB"}
_PROGRAMS: Mapping[EngineName, tuple[str, ...]] = {"octave": ("octave-cli", "octave"), "matlab": ("matlab",)}
_INSTALL: Mapping[EngineName, str] = {
    "octave": "install GNU Octave and its image package (Debian, Ubuntu: apt install octave octave-image)",
    "matlab": "put the folder of the program matlab (R2019a or later) into PATH",
}
_IMAGE: Mapping[EngineName, str] = {
    "octave": "its package `image` is missing: apt install octave-image, or in Octave: pkg install -forge image",
    "matlab": "its Image Processing Toolbox is missing, or has no licence",
}
#: What the scripts are made of; a folder may hold gigabytes of results besides.
_CODE = (".m", ".p")

_DRIVER_NAME = "hsbench_driver"
_DRIVER = """\
function {name}
    answer = fopen('../answer.txt', 'w');
    try
        if exist('OCTAVE_VERSION', 'builtin')
            more off
            fprintf(answer, 'version %s', OCTAVE_VERSION);
            try
                pkg('load', 'image');
                image = pkg('list', 'image');
                fprintf(answer, ', image %s', image{{1}}.version);
            catch
            end
            fprintf(answer, '\\n');
        else
            fprintf(answer, 'version %s\\n', version);
        end
        if isempty(which('imfilter'))
            fprintf(answer, 'missing image\\n');
        else
            % MATLAB makes the relative folders absolute that a script adds; Octave loses them where it changes folder
            for folder = {{'Quality_Indices', 'Tools'}}
                if exist(folder{{1}}, 'dir')
                    addpath(fullfile(pwd, folder{{1}}));
                end
            end
{stand_ins}            result = {call};
            fields = fieldnames(result);
            for number = 1:numel(fields)
                fprintf(answer, 'field %s', fields{{number}});
                fprintf(answer, ' %.17g', double(result.(fields{{number}})));
                fprintf(answer, '\\n');
            end
        end
    catch problem
        fprintf(answer, 'error %s\\n', strrep(problem.message, sprintf('\\n'), ' '));
    end
    fclose(answer);
end
"""
_STAND_IN = """\
            try
                fits = {test};
            catch
                fits = false;
            end
            if ~fits
                addpath(fullfile(pwd, '..', 'stand_ins', '{name}'));
                fprintf(answer, 'stand-in {name}\\n');
            end
"""


@dataclass(frozen=True)
class Engine:
    """A program that runs MATLAB code.

    Attributes
    ----------
    name
        Which of the two.
    program
        Its executable file.
    """

    name: EngineName
    program: Path

    @property
    def title(self) -> str:
        """Its name as people write it."""
        return _TITLES[self.name]

    @property
    def command(self) -> list[str]:
        """The command line that runs our driver in the working directory."""
        if self.name == "matlab":
            return [str(self.program), "-batch", _DRIVER_NAME]
        # A start-up file of the user's may change the working directory.
        return [str(self.program), "--no-gui", "--quiet", "--no-init-file", "--eval", _DRIVER_NAME]


@dataclass(frozen=True)
class Answer:
    """What the script returned.

    Attributes
    ----------
    engine
        Name and version of what ran it, as "GNU Octave 7.3.0, image 2.14.0".
    summary
        Mean and standard deviation over the batch, by our names of the indexes.
    stand_ins
        Functions of `hsfusion_bench.matlab.octave` that took the place of MATLAB's, none in MATLAB.
    """

    engine: str
    summary: dict[str, MeanStd]
    stand_ins: tuple[str, ...]


def find_engine(name: EngineName | Literal["auto"] = "auto") -> Engine:
    """Find an engine among the programs of PATH.

    Parameters
    ----------
    name
        Which; "auto" takes MATLAB, for which the package was written, and else Octave.

    Returns
    -------
    Engine
        The first that is there; whether it starts shows when it runs.

    Raises
    ------
    HsbenchError
        When there is none.
    """
    wanted: tuple[EngineName, ...] = ("matlab", "octave") if name == "auto" else (name,)
    for engine in wanted:
        for program in _PROGRAMS[engine]:
            if found := shutil.which(program):
                return Engine(engine, Path(found))
    remedies = "; or ".join(_INSTALL[engine] for engine in reversed(wanted))
    missing = f"{_TITLES[wanted[0]]} was not found" if len(wanted) == 1 else "neither MATLAB nor GNU Octave was found"
    raise HsbenchError(f"{missing} in PATH: {remedies}")


def check_package(folder: str | Path, script: Script) -> Path:
    """Make sure that a folder is the MATLAB test package.

    Raises
    ------
    HsbenchError
        When it does not exist, or does not hold the script itself.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise HsbenchError(f"{folder}: there is no such folder; the one that holds {script.file} is needed")
    if not (folder / script.file).is_file():
        below = sorted(folder.glob(f"*/{script.file}"))
        hint = f"; {below[0].parent} does" if below else "; we ship no copy of the package, yours is needed"
        raise HsbenchError(f"{folder} does not hold {script.file}{hint}")
    return folder


def run_script(
    engine: Engine,
    package: str | Path,
    script: Script,
    file: str | Path,
    arguments: Arguments,
    *,
    time_limit: float,
) -> Answer:
    """Run a script of a copy of the package.

    Parameters
    ----------
    engine
        What runs it, from `find_engine`.
    package
        Folder that holds the script; it is read only.
    script
        Which of its two.
    file
        A MAT-file with the script's variables, each [B, C, H, W].
    arguments
        What the script is told beside the file.
    time_limit
        Seconds after which the engine is stopped; Octave needs about 20 for one image of 512 x 512 x 31.

    Returns
    -------
    Answer
        Mean and standard deviation of the script's indexes.

    Raises
    ------
    HsbenchError
        When the folder is not the package; when the engine does not start, lacks its image package or does
        not finish in time; when the script stops with an error or returns other fields.
    """
    package = check_package(package, script)
    with TemporaryFolder() as workplace:
        _copy_code(package, workplace / "package")
        _place(Path(file).resolve(), workplace / "input.mat")
        wanted = script.toolbox if engine.name == "octave" else ()
        for name in wanted:  # each in a folder of its own, to be put on Octave's path or not
            (workplace / "stand_ins" / name).mkdir(parents=True)
            shutil.copy(octave.FOLDER / f"{name}.m", workplace / "stand_ins" / name)
        stand_ins = "".join(_STAND_IN.format(name=name, test=octave.TESTS[name]) for name in wanted)
        driver = _DRIVER.format(name=_DRIVER_NAME, stand_ins=stand_ins, call=script.command(arguments))
        (workplace / "package" / f"{_DRIVER_NAME}.m").write_text(driver, encoding="ascii")
        output = workplace / "output.txt"
        _run(engine, workplace / "package", output, time_limit)
        answer = workplace / "answer.txt"
        lines = _text(answer).splitlines() if answer.exists() else []
        return _understood(engine, script, lines, _text(output))


def _copy_code(package: Path, target: Path) -> None:
    def foreign(folder: str, names: list[str]) -> set[str]:
        return {
            name
            for name in names
            if name.startswith(".")
            or not ((Path(folder) / name).is_dir() or Path(name).suffix in _CODE or ".mex" in name)
        }

    try:
        shutil.copytree(package, target, ignore=foreign)
        target.chmod(0o700)  # the copy of a folder that is read only is so, too
    except (OSError, shutil.Error) as error:
        raise HsbenchError(f"{package} cannot be copied to {target}: {reason_of_system(error)}") from error


def _place(file: Path, target: Path) -> None:
    """Make a file appear at `target`, without a copy where the system has links."""
    try:
        target.symlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def _run(engine: Engine, folder: Path, output: Path, time_limit: float) -> None:
    with (
        output.open("wb") as written,
        supervised(
            engine.command, cwd=folder, stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            process.wait(time_limit)
            if process.returncode == CANNOT_START:
                raise HsbenchError(f"{engine.program} cannot be started: {_text(output).strip()}")
        except subprocess.TimeoutExpired:
            raise HsbenchError(
                f"{engine.title} did not finish within {time_limit:g} s and was stopped; --time-limit gives it more"
            ) from None


def _understood(engine: Engine, script: Script, lines: list[str], output: str) -> Answer:
    said = {"version": ""}
    values: dict[str, list[float]] = {}
    stand_ins = []
    for line in lines:
        key, _, rest = line.partition(" ")
        if key == "field":
            field, *numbers = rest.split()
            values[field] = [_number(number) for number in numbers]
        elif key == "stand-in":
            stand_ins.append(rest)
        else:
            said[key] = rest
    if "missing" in said:
        raise HsbenchError(f"{engine.title} {said['version']} runs, but {_IMAGE[engine.name]}")
    if "error" in said:
        raise HsbenchError(f"{script.file} stopped in {engine.title}: {said['error']}")
    unfit = [index.field for index in script.indexes.values() if len(values.get(index.field, ())) != 2]
    if values and unfit:
        raise HsbenchError(
            f"{script.file} returned no mean and deviation of {', '.join(unfit)}; is it the script of the test package?"
        )
    if not values:
        raise HsbenchError(f"{engine.title} ({engine.program}) ended without an answer{_last_lines(output)}")
    summary = {name: MeanStd(*values[index.field]) for name, index in script.indexes.items()}
    return Answer(f"{engine.title} {said['version']}", summary, tuple(stand_ins))


def _number(text: str) -> float:
    # Octave writes NA, its missing value, in its own way; to us it is a NaN.
    return math.nan if text == "NA" else float(text)


def _last_lines(output: str) -> str:
    lines = [line.strip() for line in re.sub(r"[\x00-\x08\x0b-\x1f]", "", output).splitlines() if line.strip()]
    return f"; it wrote last: {' | '.join(lines[-3:])}" if lines else ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
