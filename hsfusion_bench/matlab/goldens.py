"""Golden cases: images rebuilt from their names, and what the MATLAB scripts returned for them.

The images come from a hash of the case's name, through integers and one division, so that every machine and every
version of NumPy builds the same bits. The values lie in ``goldens.toml``; `make` builds such a file anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy import io

from hsfusion_bench.claims import read_toml
from hsfusion_bench.errors import HsbenchError, reason_of_system
from hsfusion_bench.files import sha256_file
from hsfusion_bench.matlab.engine import Engine, check_package, run_script
from hsfusion_bench.matlab.package import NO_REFERENCE, REFERENCE, Arguments, Script
from hsfusion_bench.matlab.verify import Check, compare, our_summary
from hsfusion_bench.scratch import TemporaryFolder
from hsfusion_metrics import MeanStd

SCHEMA: Final = "hsfusion-bench/goldens/2"
SHIPPED: Final = Path(__file__).with_name("goldens.toml")

_Integers = NDArray[np.int64]
_Change = Callable[[_Integers, _Integers], None]


@dataclass(frozen=True)
class Case:
    """A batch of images that exercises a script.

    Attributes
    ----------
    shape
        [B, C, H, W].
    about
        What it is for.
    arguments
        What the script is told.
    top
        The largest integer an image holds; it becomes `const`, the full scale.
    kind
        MATLAB's class of the images.
    change
        Makes of the integers of the reference (or the low-resolution image) and the estimate those of a special case.
    script
        Which of the two.
    """

    shape: tuple[int, int, int, int]
    about: str
    arguments: Arguments = field(default_factory=Arguments)
    top: int = 65535
    kind: Literal["double", "single"] = "double"
    change: _Change = lambda _first, _sr: None
    script: Script = REFERENCE


def _counts(shape: tuple[int, int, int, int], about: str, sensor: str | None, ratio: float = 4.0, **more: Any) -> Case:
    """Digital numbers of 11 bits without a reference: of data in [0, 1] D_lambda is that of two binary images."""
    return Case(shape, about, Arguments(ratio, 2047.0, sensor), 2047, script=NO_REFERENCE, **more)


def _corners(gt: _Integers, sr: _Integers) -> None:
    gt[0, :, :8, :8] = 0
    sr[0, :, 4:12, 4:12] = 0
    gt[0, 1], sr[0, 1] = 20000, 20001
    sr[1] = gt[1]


def _dark_block(lms: _Integers, sr: _Integers) -> None:
    for image in (lms, sr):
        image[1, :, :32, :32] = 0


CASES: Mapping[str, Case] = {
    "reflectance": Case((2, 31, 64, 64), "reflectances of 31 bands"),
    "eleven_bits": Case((3, 8, 50, 70), "digital numbers, sides that fill no block", Arguments(8.0, 2047.0), 2047),
    "one_image": Case((1, 4, 40, 33), "a deviation of one image"),
    "many_bands": Case((1, 102, 36, 32), "bands that are not a power of two", Arguments(8.0)),
    "corners": Case((2, 5, 48, 48), "zero pixels and a flat band; a perfect estimate", change=_corners),
    "singles": Case((2, 31, 48, 48), "a file of singles", kind="single"),
    "no_sensor": _counts((2, 31, 64, 64), "31 bands of a sensor that the script does not know", None),
    "quickbird": _counts((1, 4, 64, 96), "a deviation of one image", "QB"),
    "gaofen_2": _counts((3, 4, 32, 64), "ratio 2", "GF2", 2.0),
    "worldview_3": _counts((2, 8, 64, 64), "a gain for each band", "WV3"),
    "dark_block": _counts((2, 4, 64, 64), "a block of zeros, of which D_s has no value", "IKONOS", change=_dark_block),
    "single_counts": _counts((2, 8, 64, 64), "a file of singles", "WV2", kind="single"),
}
"""The cases that `make` hands to the scripts, by name."""


class Golden(BaseModel):
    """One case of a golden file; each index is [mean, std] over the batch."""

    model_config = ConfigDict(extra="forbid")

    sha256_gt: str
    sha256_sr: str
    psnr: MeanStd
    ssim: MeanStd
    sam: MeanStd
    ergas: MeanStd
    scc: MeanStd
    uqi: MeanStd
    q2n: MeanStd


class NoReferenceGolden(BaseModel):
    """One case of a golden file without a reference; each index is [mean, std] over the batch."""

    model_config = ConfigDict(extra="forbid")

    sha256_sr: str
    sha256_lms: str
    sha256_pan: str
    d_lambda: MeanStd
    d_s: MeanStd
    hqnr: MeanStd


class Goldens(BaseModel):
    """A golden file; one of the first schema has cases with a reference only."""

    model_config = ConfigDict(extra="forbid")

    schema_id: Literal["hsfusion-bench/goldens/1", "hsfusion-bench/goldens/2"] = Field(alias="schema")
    engine: str
    script_sha256: str
    no_reference_script_sha256: str | None = None
    stand_ins: tuple[str, ...] = ()
    cases: dict[str, Golden]
    no_reference: dict[str, NoReferenceGolden] = {}

    @property
    def all(self) -> dict[str, Golden | NoReferenceGolden]:
        """The cases of both scripts."""
        return {**self.cases, **self.no_reference}


def images(name: str) -> dict[str, NDArray[Any]]:
    """Build the images of a case.

    Parameters
    ----------
    name
        A key of `CASES`.

    Returns
    -------
    dict of str to ndarray
        The variables of the script's file, each [B, C, H, W], float64 or float32.
    """
    case = CASES[name]
    batch, bands, height, width = case.shape
    # Patches of 8 x 8 pixels with a fine texture, and an estimate that errs by a few percent
    patches = _random(f"{name} patches", (batch, bands, -(-height // 8), -(-width // 8)), case.top)
    enlarged = patches.repeat(8, axis=2).repeat(8, axis=3)[:, :, :height, :width]
    first = (3 * enlarged + _random(f"{name} texture", case.shape, case.top)) // 4
    error = _random(f"{name} error", case.shape, case.top // 16) - case.top // 32
    sr = np.clip(first + error, 0, case.top)
    case.change(first, sr)
    integers = {"gt": first, "sr": sr}
    if case.script is NO_REFERENCE:
        step = int(case.arguments.ratio)
        integers = {
            "sr": sr,
            "ms": first[:, :, ::step, ::step],
            "lms": first,
            "pan": first.sum(axis=1, keepdims=True) // bands,
        }
    dtype = np.float32 if case.kind == "single" else np.float64
    return {name: (image * case.arguments.const / case.top).astype(dtype) for name, image in integers.items()}


def read(path: Path = SHIPPED) -> Goldens:
    """Read a golden file.

    Raises
    ------
    HsbenchError
        When it is missing, is no golden file, or holds a case that this version does not know.
    """
    try:
        content = read_toml(path)
        goldens = Goldens.model_validate(content)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HsbenchError(f"{path} is not a golden file: {where}: {first['msg']}") from error
    unknown = [
        name
        for script, names in ((REFERENCE, goldens.cases), (NO_REFERENCE, goldens.no_reference))
        for name in names
        if name not in CASES or CASES[name].script is not script
    ]
    if unknown:
        raise HsbenchError(f"{path} holds the case {unknown[0]}, which this version cannot rebuild; make the file anew")
    return goldens


def check(name: str, golden: Golden | NoReferenceGolden) -> list[Check]:
    """Score a case and compare it with what the script returned.

    Raises
    ------
    HsbenchError
        When the images that were built are not those that the script saw.
    """
    case = CASES[name]
    built = images(name)
    if any(_sha256(built[image]) != getattr(golden, f"sha256_{image}") for image in case.script.images):
        raise HsbenchError(f"case {name}: the images built here are not those of the golden file; make the file anew")
    with _saved(built) as file:
        ours = our_summary(case.script, file, case.arguments)
    return compare({index: getattr(golden, index) for index in case.script.indexes}, ours, case.kind)


def make(engine: Engine, package: Path, *, time_limit: float) -> str:
    """Run the scripts on every case.

    Parameters
    ----------
    engine, package, time_limit
        As in `hsfusion_bench.matlab.engine.run_script`; the time limit holds for each case.

    Returns
    -------
    str
        The text of a golden file, with values of 17 digits.

    Raises
    ------
    HsbenchError
        As `hsfusion_bench.matlab.engine.run_script`.
    """
    for script in (REFERENCE, NO_REFERENCE):
        check_package(package, script)
    parts, versions, stand_ins = [], set(), {}
    for name, case in CASES.items():
        built = images(name)
        with _saved(built) as file:
            answer = run_script(engine, package, case.script, file, case.arguments, time_limit=time_limit)
        versions.add(answer.engine)
        stand_ins[case.script.name] = answer.stand_ins
        parts.append(_case_text(name, built, answer.summary))
    [version] = versions
    head = (
        "# What the MATLAB test package returned for the cases of goldens.py, [mean, std] over the batch.\n"
        "# Made by `hsbench verify --make-golden`; not to be edited.\n"
        f'schema = "{SCHEMA}"\n'
        f'engine = "{version}"\n'
        f'script_sha256 = "{sha256_file(package / REFERENCE.file)}"\n'
        f'no_reference_script_sha256 = "{sha256_file(package / NO_REFERENCE.file)}"\n'
        "# In the cases without a reference, functions of ours took the place of these of MATLAB's toolboxes\n"
        f"stand_ins = {json.dumps(stand_ins[NO_REFERENCE.name])}\n"
    )
    return "\n".join([head, *parts])


@contextmanager
def _saved(variables: Mapping[str, NDArray[Any]]) -> Iterator[Path]:
    """Give a MAT-file with these variables, as long as the block lasts."""
    with TemporaryFolder() as temporary:
        file = temporary / "case.mat"
        io.savemat(file, dict(variables))
        yield file


def _random(seed: str, shape: tuple[int, ...], top: int) -> _Integers:
    """Integers from 0 to `top`, by SHAKE-256 of the seed."""
    drawn = np.frombuffer(hashlib.shake_256(seed.encode()).digest(4 * int(np.prod(shape))), dtype="<u4")
    return (drawn.astype(np.int64) % (top + 1)).reshape(shape)


def _sha256(image: NDArray[Any]) -> str:
    little_endian = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()


def _case_text(name: str, built: Mapping[str, NDArray[Any]], summary: Mapping[str, MeanStd]) -> str:
    case = CASES[name]
    section = "cases" if case.script is REFERENCE else "no_reference"
    lines = [
        f"# {case.about}; {case.kind}, [B, C, H, W] = {list(case.shape)}, {case.script.told_as_text(case.arguments)}",
        f"[{section}.{name}]",
        *(f'sha256_{image} = "{_sha256(built[image])}"' for image in case.script.images),
        *(f"{index} = [{', '.join(map(_toml, summary[index]))}]" for index in case.script.indexes),
    ]
    return "".join(f"{line}\n" for line in lines)


def _toml(value: float) -> str:
    text = f"{value:.17g}"
    return text if set(text) & set(".enif") else f"{text}.0"
