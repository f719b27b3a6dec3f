"""Protocols: what makes two papers' numbers comparable, as data.

A protocol says how the two images are made from a scene and which scenes train and test. Each is one TOML
file in the folder `protocols` beside this module; a further file there is a further protocol.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.degradation import BOUNDARIES, Boundary, apply_srf, blur, decimate, gaussian_psf
from hsfusion_bench.data.responses import response
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Observation
from hsfusion_bench.suggest import unknown

Part = Literal["train", "test"]


def _digest(value: object) -> str:
    """Return the sha256 of the canonical JSON of a value: sorted keys, no spaces, shortest exact floats."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Split:
    """Which scenes of a data set train and which test.

    Parameters
    ----------
    id
        Name of the split, for records.
    train, test
        Names of scenes; no scene is in both.
    excluded
        Scenes that take part in neither, each with the reason.
    """

    id: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    excluded: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [*self.train, *self.test, *self.excluded]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise HsbenchError(f"split {self.id!r} names {', '.join(twice)} more than once")

    def scenes(self, part: Part) -> tuple[str, ...]:
        """Return the names of the "train" or of the "test" scenes.

        Raises
        ------
        UsageError
            If there is no such part.
        """
        if part not in get_args(Part):
            raise UsageError(f"a split has the parts train and test, not {part!r}")
        return self.train if part == "train" else self.test

    @property
    def digest(self) -> str:
        """Sha256 of the two sets of names; their order does not matter."""
        return _digest({"train": sorted(self.train), "test": sorted(self.test)})


@dataclass(frozen=True)
class Blur:
    """The hyperspectral camera's blur: a Gaussian of `size` x `size` pixels, and how the image continues."""

    kind: Literal["gaussian"]
    size: int
    sigma: float
    boundary: Boundary

    def __post_init__(self) -> None:
        if self.kind != "gaussian" or self.boundary not in BOUNDARIES:
            raise HsbenchError(f"blur {self.kind!r} with boundary {self.boundary!r} is unknown")

    @property
    def psf(self) -> npt.NDArray[np.float64]:
        """Kernel, float64 [size, size], sums to 1."""
        return gaussian_psf(self.size, self.sigma)


@dataclass(frozen=True)
class Protocol:
    """How observations are made, and on which scenes.

    Parameters
    ----------
    id, version, title, source
        Its name, its edition, its name in tables, and how we know it.
    blur
        Blur of the hyperspectral camera.
    phase
        For each scale the index of the first sampled HR pixel, from 0.
    response
        Name of the multispectral camera's response, see `hsfusion_bench.data.responses`.
    value_range, range_note
        Range of the values after division, and what they are divided by.
    patch
        Side of a training patch, HR pixels.
    splits
        For each data set that the protocol knows, its split.
    stride
        Distance of training patches, HR pixels, see `hsfusion_bench.data.windows.starts`; None: half a patch.
    """

    id: str
    version: int
    title: str
    source: str
    blur: Blur
    phase: Mapping[int, int]
    response: str
    value_range: tuple[float, float]
    range_note: str
    patch: int
    splits: Mapping[str, Split]
    stride: int | None = None

    @property
    def scales(self) -> tuple[int, ...]:
        """Scales for which the protocol is defined."""
        return tuple(self.phase)

    @cached_property
    def srf(self) -> npt.NDArray[np.float64]:
        """Response of the multispectral camera, float64 [msi_bands, bands], rows sum to 1."""
        return response(self.response)

    def digest(self, scale: int) -> str:
        """Sha256 of all that decides an observation at a scale: blur, phase, response values, range.

        Raises
        ------
        UsageError
            If the protocol is not defined at this scale.
        """
        return _digest(
            {
                "blur": asdict(self.blur),
                "scale": scale,
                "phase": self.first_sample(scale),
                "srf": self.srf.tolist(),
                "range": list(self.value_range),
            }
        )

    def first_sample(self, scale: int) -> int:
        """Return the index of the first HR pixel that is sampled at a scale.

        Raises
        ------
        UsageError
            If the protocol is not defined at this scale.
        """
        if scale not in self.phase:
            raise UsageError(f"protocol {self.id} is defined at scale {_listed(self.scales)}, not at {scale}")
        return self.phase[scale]

    def observe(self, hr_hsi: npt.NDArray[np.float32], scale: int) -> Observation:
        """Make the two images of a scene that a method sees, with the true PSF and SRF.

        Parameters
        ----------
        hr_hsi
            The reference, [bands, H, W], values in [0, 1].
        scale
            One of `scales`; must divide H and W.

        Returns
        -------
        Observation with float32 arrays. `psf` and `srf` are filled in; whoever runs a blind method hides
        them.

        Raises
        ------
        UsageError
            If the protocol is not defined at the scale, the scale does not divide the image, or the number of
            bands is not that of the camera's response.
        """
        phase = self.first_sample(scale)
        bands, height, width = hr_hsi.shape
        if height % scale or width % scale:
            possible = [s for s in self.scales if not (height % s or width % s)]
            raise UsageError(
                f"an image of {height} x {width} pixels cannot be reduced by {scale}; "
                f"of the scales of protocol {self.id}, {_listed(possible) if possible else 'none'} would do"
            )
        if bands != self.srf.shape[1]:
            raise UsageError(
                f"protocol {self.id} sees {self.srf.shape[1]} bands (camera response {self.response}), "
                f"but the image has {bands}"
            )
        psf = self.blur.psf
        low = [decimate(blur(band, psf, self.blur.boundary), scale, phase) for band in hr_hsi]
        return Observation(
            lr_hsi=np.stack(low).astype(np.float32),
            hr_msi=apply_srf(hr_hsi, self.srf).astype(np.float32),
            scale=scale,
            phase=float(phase),
            psf=psf.astype(np.float32),
            srf=self.srf.astype(np.float32),
        )


def _listed(scales: tuple[int, ...] | list[int]) -> str:
    return " and ".join(str(scale) for scale in scales)


def _parse(content: Mapping[str, Any]) -> Protocol:
    """Make a protocol of the content of its TOML file."""
    return Protocol(
        **{
            **content,
            "blur": Blur(**content["blur"]),
            "phase": {int(scale): first for scale, first in content["phase"].items()},
            "value_range": tuple(content["value_range"]),
            "splits": {name: _split(table) for name, table in content["splits"].items()},
        }
    )


def _split(table: Mapping[str, Any]) -> Split:
    return Split(table["id"], tuple(table["train"]), tuple(table["test"]), table.get("excluded", {}))


def _folder() -> Traversable:
    return files("hsfusion_bench.data") / "protocols"


def protocol_names() -> tuple[str, ...]:
    """Return the names of the protocols there are, sorted."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in _folder().iterdir()))


def load_protocol(name: str) -> Protocol:
    """Return a protocol by name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in protocol_names():
        raise UsageError(unknown("protocol", name, protocol_names()))
    return _parse(tomllib.loads((_folder() / f"{name}.toml").read_text("utf-8")))
