"""Results made elsewhere against our references: cubes in, a record out.

Nothing of a method is known here but its results, so these are looked at closely before they are scored: a wrong
range, a swapped axis or another reference would only give bad numbers, silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.data.scenes import scene_digest
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import slug
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.finding import REFERENCE, RESULT, find_array, last, require_finite
from hsfusion_bench.registry import entries
from hsfusion_bench.runs.account import dataset_info, environment, metrics_info, scene_result, status_of, summary_of
from hsfusion_bench.runs.gallery import Gallery
from hsfusion_bench.runs.pictures import folder_of
from hsfusion_bench.runs.predictions import Cubes, PredictionFile, find_predictions
from hsfusion_bench.runs.records import ExternalInfo, MethodInfo, ModelInfo, Record, SceneResult
from hsfusion_bench.runs.setting import Result, Setting
from hsfusion_bench.scratch import alone

FloatArray = NDArray[np.float64]
Image = NDArray[np.floating]

#: Two references are one if no value differs by more: single precision, far below a step of 16 bits.
SAME = 1e-6
#: A network overshoots, but not as far as this.
_LOWEST, _HIGHEST = -1.0, 2.0
#: A mean this many times below the reference's is not a result of the stated range.
_TOO_SMALL = 4
#: Below this correlation a cube is hardly of its scene; bicubic enlargement at x8 has 0.68 and more.
_POOR = 0.5
#: From this correlation on, a cube that is not of its scene is of the other one.
_SURE = 0.9
#: The least full scale of whole numbers, eight bits.
_FEWEST_COUNTS = 255
_FULL_SCALES = (1, 255, 1023, 2047, 4095, 65535)


@dataclass(frozen=True)
class Claim:
    """Results that were made elsewhere, and what is said of them.

    Attributes
    ----------
    path
        One file, or a folder of one file a scene; see `find_predictions`.
    name
        Name of the method in tables.
    key, layout
        Which array of a file it is and the order of its axes, such as "HWC"; None: find out.
    const
        Full scale of the values: 1, 255, 2047, 65535; None: what each file states, else 1.
    trust_reference
        Score against the reference that comes with the results where it is not ours.
    parameters, latency_ms
        As its makers report them.
    uses
        What the method was told of the cameras beyond the two images, some of `TRUTHS`; empty where nothing is said.
    """

    path: Path
    name: str
    key: str | None = None
    layout: str | None = None
    const: float | None = None
    trust_reference: bool = False
    parameters: int | None = None
    latency_ms: float | None = None
    uses: tuple[str, ...] = ()


@dataclass
class _Findings:
    """What came to light while the cubes were read."""

    digest: str = ""
    key: str = ""
    axes: str = ""
    const: float | None = None
    warnings: list[str] = field(default_factory=list)
    brought_reference: bool = False
    used_theirs: bool = False


def score_claim(claim: Claim, setting: Setting) -> tuple[Result, list[str]]:
    """Score results made elsewhere on the planned scenes, and write their record.

    Nothing is written unless every cube could be read and scored.

    Returns
    -------
    Result
        The record and where it lies.
    list of str
        Warnings: what is odd about the cubes but no error.

    Raises
    ------
    UsageError
        If the name is taken, or axes are ambiguous.
    HsbenchError
        If a cube is missing, or is not what it is said to be; the message names file, scene and values. Or if another
        process writes the same record.
    """
    if setting.pictures and claim.trust_reference:
        raise UsageError("--pictures shows errors against our references: it does not go with --trust-their-reference")
    files = find_predictions(claim.path, setting.task.plan, setting.task.source.scene_names())
    _require_free_name(claim, setting)
    setting.store.require_writable()
    with alone(setting.store.path(_record(claim, setting, [], _Findings()))):
        return _score_and_write(claim, setting, files)


def _score_and_write(claim: Claim, setting: Setting, files: list[PredictionFile]) -> tuple[Result, list[str]]:
    found = _Findings()
    scenes: list[SceneResult] = []
    total = len(setting.task.names)
    gallery: Gallery | None = None
    if setting.pictures:
        gallery = Gallery(folder_of(setting.store, _record(claim, setting, [], found)), setting.task, {})
    for result in _score(claim, setting, files, found, gallery):
        scenes.append(result)
        setting.listener.scene_done(claim.name, result.name, len(scenes), total)
    if claim.trust_reference and not found.brought_reference:
        raise UsageError(f"--trust-their-reference: no reference ({REFERENCE.usual[0]}) came with {claim.path}")
    record = _record(claim, setting, scenes, found)
    if gallery is not None:
        record = record.model_copy(update={"pictures": gallery.finish(complete=True)})
    made = None if gallery is None else gallery.folder
    return Result(record, None, setting.store.write(record), pictures=made), found.warnings


@dataclass(frozen=True)
class Scored:
    """Cubes made elsewhere, scored: their scenes, the SHA-256 of the cubes, and what is odd about them."""

    scenes: tuple[SceneResult, ...]
    sha256: str
    warnings: tuple[str, ...]


def score_cubes(claim: Claim, setting: Setting) -> Scored:
    """Score results made elsewhere as `score_claim` does, for nobody's record; raises likewise."""
    files = find_predictions(claim.path, setting.task.plan, setting.task.source.scene_names())
    found = _Findings()
    scenes = []
    for result in _score(claim, setting, files, found):
        scenes.append(result)
        setting.listener.scene_done(claim.name, result.name, len(scenes), len(setting.task.names))
    return Scored(tuple(scenes), found.digest, tuple(found.warnings))


def _score(
    claim: Claim,
    setting: Setting,
    files: list[PredictionFile],
    found: _Findings,
    gallery: Gallery | None = None,
) -> Iterator[SceneResult]:
    """Score scene after scene, in the split's order, and make pictures where there is a gallery for them."""
    digest = sha256()
    for file in files:
        with open_arrays(file.path) as arrays:
            stored = find_array(arrays, file.path, RESULT, [claim.key] if claim.key else ())
            if claim.key and not stored.name:
                raise UsageError(f"--key {claim.key}: the arrays of {file.path} have no names; leave it out")
            theirs = brought(arrays)
            cubes: Cubes | None = None
            for number, name in enumerate(file.scenes):
                scene = setting.task[name]
                hr_hsi = scene.hr_hsi
                if cubes is None:
                    cubes = Cubes(stored, file.scenes, hr_hsi.shape, claim.layout, claim.const)
                    _note_full_scale(cubes, claim, found)
                    references = theirs and Cubes(
                        theirs, file.scenes, hr_hsi.shape, claim.layout, claim.const, cubes.const
                    )
                    found.key, found.axes = found.key or stored.name, found.axes or cubes.axes
                cube = _checked(cubes, number, name, hr_hsi, claim, setting, found)
                digest.update(cube.astype("<f8").data)
                reference: Image = hr_hsi
                if references:
                    found.brought_reference = True
                    reference = _agreed(references, number, name, hr_hsi, claim, setting, found)
                of_reference = scene_digest(reference.astype(np.float32))
                if gallery is not None:
                    gallery.add(name, of_reference, hr_hsi, cube)
                yield scene_result(
                    name, of_reference, reference, cube, setting.task.scale, scene.cropped_from, setting.also
                )
    found.digest = digest.hexdigest()


def _note_full_scale(cubes: Cubes, claim: Claim, found: _Findings) -> None:
    """Keep the full scale for the record, which has one for all of the files."""
    const = cubes.const if claim.const is None else claim.const
    if found.const not in (None, const):
        raise HsbenchError(
            f"{cubes.array}: its full scale is {const:g}, that of the files before it {found.const:g}; a record is of "
            "results of one full scale"
        )
    found.const = const


def brought(arrays: Mapping[str, StoredArray]) -> StoredArray | None:
    """Return the reference that a file brings itself, if it does."""
    names = [name for name, array in arrays.items() if last(name).lower() in REFERENCE.usual and len(array.shape) >= 3]
    return arrays[names[0]] if names else None


def _checked(
    cubes: Cubes, number: int, name: str, hr_hsi: Image, claim: Claim, setting: Setting, found: _Findings
) -> FloatArray:
    """Read a cube and see that it may be a result for a scene."""
    cube, where = cubes[number], f"{cubes.array}, scene {name}"
    if cube.shape != hr_hsi.shape:
        raise HsbenchError(f"{where}: the cube is {list(cube.shape)} [bands, H, W], the reference {list(hr_hsi.shape)}")
    require_finite(cube, where)
    require_range(cube, hr_hsi, cubes.const, where)
    swapped = _swapped(cubes.axes)
    straight, crossed = _correlation(cube, hr_hsi), 0.0
    if cube.shape[1] == cube.shape[2]:
        crossed = _correlation(cube.swapaxes(1, 2), hr_hsi)
    if 1 - crossed < (1 - straight) / 2:
        fits = (
            f"with rows and columns swapped ({swapped}) the cube fits the reference far better: correlation "
            f"{crossed:.3f}, not {straight:.3f}"
        )
        if claim.layout is None:
            raise HsbenchError(
                f"{where}: {fits}. Say --layout {swapped}, or --layout {cubes.axes.replace('1', 'B')} if it is right "
                "as it is"
            )
        found.warnings.append(f"{where}: {fits}")
    elif straight < _POOR:
        _refuse_other_scene(cube, straight, setting, where)
        found.warnings.append(
            f"{where}: the cube hardly resembles the reference (correlation {straight:.3f}): are the files in the "
            "split's order?"
        )
    if np.array_equal(cube, hr_hsi):
        found.warnings.append(f"{where}: the cube is the reference itself")
    return cube


def _refuse_other_scene(cube: FloatArray, straight: float, setting: Setting, where: str) -> None:
    """Refuse a cube that hardly resembles its scene and is like another one."""
    others = {other: _correlation(cube, hr_hsi) for other, hr_hsi in _references(setting) if hr_hsi.shape == cube.shape}
    likest = max(others, key=lambda name: others[name], default="")
    if likest and others[likest] >= _SURE:
        raise HsbenchError(
            f"{where}: it is of scene {likest} (correlation {others[likest]:.3f}, not {straight:.3f}). Give files "
            f"the names of their scenes, or put the cubes in the split's order: {', '.join(setting.task.names)}"
        )


def require_range(cube: FloatArray, hr_hsi: Image, const: float, where: str) -> None:
    """Refuse a cube, already divided by `const`, whose values obviously belong to another range.

    Parameters
    ----------
    cube
        [bands, H, W], finite.
    hr_hsi
        The reference, in [0, 1].
    const
        The stated full scale.
    where
        What the message starts with.

    Raises
    ------
    HsbenchError
        If values lie far outside [0, 1], or all far below the reference.
    """
    low, high, mean, due = float(cube.min()), float(cube.max()), float(abs(cube).mean()), float(hr_hsi.mean())
    too_large = low < _LOWEST or high > _HIGHEST
    too_small = 0 < mean < due / _TOO_SMALL
    if not (too_large or too_small):
        return
    likely = min(_FULL_SCALES, key=lambda scale: abs(np.log(mean * const / scale / due))) if due else const
    hint = f"; they look like values of --const {likely}" if likely != const else ""
    raise HsbenchError(
        f"{where}: the values, from {low * const:g} to {high * const:g}, do not fit a full scale of {const:g} "
        f"(--const): they would be {low:g} to {high:g} of it, where the reference reaches {float(hr_hsi.max()):g}{hint}"
    )


def _agreed(
    references: Cubes, number: int, name: str, hr_hsi: Image, claim: Claim, setting: Setting, found: _Findings
) -> Image:
    """Compare the reference that came with the results with ours, and return the one to score against."""
    theirs, where = references[number], f"{references.array}, scene {name}"
    require_finite(theirs, where)
    difference = abs(theirs - hr_hsi)
    if difference.max() <= SAME:
        return hr_hsi
    band, row, column = (int(place) for place in np.unravel_index(difference.argmax(), difference.shape))
    text = (
        f"{where}: their reference is not ours: values differ by up to {difference.max():.3g}, in the mean by "
        f"{difference.mean():.3g} (at band {band}, row {row}, column {column} theirs is "
        f"{theirs[band, row, column]:.6g}, ours {hr_hsi[band, row, column]:.6g})"
    )
    if not claim.trust_reference and _whole_counts(theirs, difference, references.const):
        found.warnings.append(
            f"{where}: their reference is ours in whole counts of {references.const:g}; scored against ours"
        )
        return hr_hsi
    if not claim.trust_reference:
        other = _scene_of(theirs, setting)
        text += f"; it is the one of scene {other}, so the order is not the split's" if other else ""
        raise HsbenchError(f"{text}. To score against theirs all the same: --trust-their-reference")
    require_range(theirs, hr_hsi, references.const, where)
    found.used_theirs = True
    found.warnings.append(f"{text}; scored against theirs")
    return theirs


def _whole_counts(theirs: FloatArray, difference: FloatArray, const: float) -> bool:
    """Tell whether a reference is ours, rounded or cut to the whole numbers that a file of integers holds."""
    counts = theirs * const
    return const >= _FEWEST_COUNTS and difference.max() < 1 / const and abs(counts - counts.round()).max() <= SAME


def _scene_of(reference: FloatArray, setting: Setting) -> str | None:
    """Return the scene of the plan that a cube is the reference of."""
    for name, hr_hsi in _references(setting):
        if hr_hsi.shape == reference.shape and abs(reference - hr_hsi).max() <= SAME:
            return name
    return None


def _references(setting: Setting) -> Iterator[tuple[str, Image]]:
    """Read the references of the plan, without observing them."""
    for name in setting.task.names:
        yield name, setting.task.protocol.cropped(setting.task.source.read(name), setting.task.scale)


def _correlation(cube: Image, reference: Image) -> float:
    """Return the correlation of the two mean images; 0 where one of them is constant."""
    first, second = (image.mean(axis=0, dtype=np.float64).ravel() for image in (cube, reference))
    first, second = first - first.mean(), second - second.mean()
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size else 0.0


def _swapped(axes: str) -> str:
    """Return the layout in which rows are columns."""
    return axes.translate(str.maketrans("HW1", "WHB"))


def _require_free_name(claim: Claim, setting: Setting) -> None:
    """See that the record will not take the place of another method's."""
    mine = slug(claim.name)
    if not claim.name.isprintable():
        raise UsageError(f"--name {claim.name!r} holds characters that are not printed")
    if not mine:
        raise UsageError(f"--name {claim.name!r} has no letter or digit to name a file by")
    advice = f"give these results another name, such as --name '{claim.name} (authors)'"
    taken = next((name for name in entries() if slug(name) == mine), None)
    if taken is not None:
        raise UsageError(f"--name {claim.name!r}: {taken} is a method that hsbench runs itself; {advice}")
    planned = _record(claim, setting, [], _Findings())
    standing = setting.store.standing(planned)
    if standing is not None and (standing.method.name, standing.method.origin) != (claim.name, "external"):
        path = setting.store.path(planned)
        raise UsageError(f"--name {claim.name!r}: {path} is the record of {standing.method.name!r}; {advice}")


def _record(claim: Claim, setting: Setting, scenes: list[SceneResult], found: _Findings) -> Record:
    planned = scenes or [SceneResult(name=name, digest=None) for name in setting.task.names]
    stated = {"parameters": claim.parameters, "latency": claim.latency_ms}
    return Record(
        status=status_of(planned),
        method=MethodInfo(
            name=claim.name,
            title=claim.name,
            family="custom",
            year=None,
            uses=sorted(claim.uses),
            origin="external",
            distribution=claim.path.name,
            version=found.digest[:12],
        ),
        dataset=dataset_info(setting.task, len(scenes)),
        scenes=planned,
        summary=summary_of(planned),
        model=ModelInfo(parameters=claim.parameters),
        weights=None,
        metrics=metrics_info(setting.task.scale),
        seed=None,
        device="unknown",
        environment=environment(),
        external=ExternalInfo(
            file=claim.path.name,
            sha256=found.digest,
            key=found.key,
            axes=found.axes,
            const=found.const or claim.const or 1.0,
            reference="theirs" if found.used_theirs else "ours",
            reported=[name for name, value in stated.items() if value is not None],
            latency_ms=claim.latency_ms,
        ),
    )
