"""Golden cases: images rebuilt from their names, and what the MATLAB script returned for them.

The images come from a hash of the case's name, through integers and one division, so that every machine and every
version of NumPy builds the same bits. The values lie in ``goldens.toml``; `make` builds such a file anew.
"""

from __future__ import annotations

import hashlib
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy import io

from hsfusion_bench.engine import SCRIPT, Engine, check_package, run_script
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import sha256_file
from hsfusion_bench.verify import Check, compare
from hsfusion_metrics import METRICS, MeanStd, evaluate, summarise

SCHEMA: Final = "hsfusion-bench/goldens/1"
SHIPPED: Final = Path(__file__).with_name("goldens.toml")

_Integers = NDArray[np.int64]
_Pair = tuple[_Integers, _Integers]


@dataclass(frozen=True)
class Case:
    """A batch of images that exercises the script.

    Attributes
    ----------
    shape
        [B, C, H, W].
    about
        What it is for.
    ratio, const
        The script's arguments.
    top
        The largest integer an image holds; it becomes `const`.
    kind
        MATLAB's class of the images.
    change
        Makes of the integers of gt and sr those of a special case.
    """

    shape: tuple[int, int, int, int]
    about: str
    ratio: float = 4.0
    const: float = 1.0
    top: int = 65535
    kind: Literal["double", "single"] = "double"
    change: Callable[[_Integers, _Integers], _Pair] = lambda gt, sr: (gt, sr)


def _corners(gt: _Integers, sr: _Integers) -> _Pair:
    gt[0, :, :8, :8] = 0
    sr[0, :, 4:12, 4:12] = 0
    gt[0, 1], sr[0, 1] = 20000, 20001
    sr[1] = gt[1]
    return gt, sr


CASES: Mapping[str, Case] = {
    "reflectance": Case((2, 31, 64, 64), "reflectances of 31 bands"),
    "eleven_bits": Case((3, 8, 50, 70), "digital numbers, sides that fill no block", 8.0, 2047.0, 2047),
    "one_image": Case((1, 4, 40, 33), "a deviation of one image"),
    "many_bands": Case((1, 102, 36, 32), "bands that are not a power of two", 8.0),
    "corners": Case((2, 5, 48, 48), "zero pixels and a flat band; a perfect estimate", change=_corners),
    "singles": Case((2, 31, 48, 48), "a file of singles", kind="single"),
}
"""The cases that `make` hands to the script, by name."""


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


class Goldens(BaseModel):
    """A golden file."""

    model_config = ConfigDict(extra="forbid")

    schema_id: Literal["hsfusion-bench/goldens/1"] = Field(alias="schema")
    engine: str
    script_sha256: str
    cases: dict[str, Golden]


def images(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Build the images of a case.

    Parameters
    ----------
    name
        A key of `CASES`.

    Returns
    -------
    tuple of ndarray
        gt and sr, each [B, C, H, W], float64 or float32.
    """
    case = CASES[name]
    batch, bands, height, width = case.shape
    # Patches of 8 x 8 pixels with a fine texture, and an estimate that errs by a few percent
    patches = _random(f"{name} patches", (batch, bands, -(-height // 8), -(-width // 8)), case.top)
    enlarged = patches.repeat(8, axis=2).repeat(8, axis=3)[:, :, :height, :width]
    gt = (3 * enlarged + _random(f"{name} texture", case.shape, case.top)) // 4
    error = _random(f"{name} error", case.shape, case.top // 16) - case.top // 32
    integers = case.change(gt, np.clip(gt + error, 0, case.top))
    dtype = np.float32 if case.kind == "single" else np.float64
    reference, estimate = ((image * case.const / case.top).astype(dtype) for image in integers)
    return reference, estimate


def read(path: Path = SHIPPED) -> Goldens:
    """Read a golden file.

    Raises
    ------
    HsbenchError
        When it is missing, is no golden file, or holds a case that this version does not know.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        goldens = Goldens.model_validate(content)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HsbenchError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HsbenchError(f"{path} is not a golden file: {where}: {first['msg']}") from error
    unknown = sorted(set(goldens.cases) - set(CASES))
    if unknown:
        raise HsbenchError(f"{path} holds the case {unknown[0]}, which this version cannot rebuild; make the file anew")
    return goldens


def check(name: str, golden: Golden) -> list[Check]:
    """Score a case and compare it with what the script returned.

    Raises
    ------
    HsbenchError
        When the images that were built are not those that the script saw.
    """
    gt, sr = images(name)
    if (_sha256(gt), _sha256(sr)) != (golden.sha256_gt, golden.sha256_sr):
        raise HsbenchError(f"case {name}: the images built here are not those of the golden file; make the file anew")
    case = CASES[name]
    ours = summarise(evaluate(*pair, ratio=case.ratio, const=case.const) for pair in zip(gt, sr, strict=True))
    return compare({index: getattr(golden, index) for index in METRICS}, ours, case.kind)


def make(engine: Engine, package: Path, *, time_limit: float) -> str:
    """Run the script on every case.

    Parameters
    ----------
    engine, package, time_limit
        As in `hsfusion_bench.engine.run_script`; the time limit holds for each case.

    Returns
    -------
    str
        The text of a golden file, with values of 17 digits.

    Raises
    ------
    HsbenchError
        As `hsfusion_bench.engine.run_script`.
    """
    check_package(package)
    parts, versions = [], set()
    with tempfile.TemporaryDirectory(prefix="hsbench-") as temporary:
        file = Path(temporary) / "case.mat"
        for name, case in CASES.items():
            gt, sr = images(name)
            io.savemat(file, {"gt": gt, "sr": sr})
            answer = run_script(engine, package, file, ratio=case.ratio, const=case.const, time_limit=time_limit)
            versions.add(answer.engine)
            parts.append(_case_text(name, gt, sr, answer.summary))
    [version] = versions
    head = (
        "# What the MATLAB test package returned for the cases of goldens.py, [mean, std] over the batch.\n"
        "# Made by `hsbench goldens`; not to be edited.\n"
        f'schema = "{SCHEMA}"\n'
        f'engine = "{version}"\n'
        f'script_sha256 = "{sha256_file(package / SCRIPT)}"\n'
    )
    return "\n".join([head, *parts])


def _random(seed: str, shape: tuple[int, ...], top: int) -> _Integers:
    """Integers from 0 to `top`, by SHAKE-256 of the seed."""
    drawn = np.frombuffer(hashlib.shake_256(seed.encode()).digest(4 * int(np.prod(shape))), dtype="<u4")
    return (drawn.astype(np.int64) % (top + 1)).reshape(shape)


def _sha256(image: NDArray[Any]) -> str:
    little_endian = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()


def _case_text(name: str, gt: NDArray[Any], sr: NDArray[Any], summary: Mapping[str, MeanStd]) -> str:
    case = CASES[name]
    lines = [
        f"# {case.about}; {case.kind}, [B, C, H, W] = {list(case.shape)}, ratio {case.ratio:g}, const {case.const:g}",
        f"[cases.{name}]",
        f'sha256_gt = "{_sha256(gt)}"',
        f'sha256_sr = "{_sha256(sr)}"',
        *(f"{index} = [{', '.join(map(_toml, summary[index]))}]" for index in METRICS),
    ]
    return "".join(f"{line}\n" for line in lines)


def _toml(value: float) -> str:
    text = f"{value:.17g}"
    return text if set(text) & set(".enif") else f"{text}.0"
