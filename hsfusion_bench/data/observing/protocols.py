"""Protocols: what makes two papers' numbers comparable, as data.

A protocol says how the two images are made from a scene and which scenes train and test. Each is one TOML
file in the folder `protocols` beside this module; a further file there is a further protocol, and a user's own may
lie anywhere. Another camera response, noise, or other conditions make a *variant*, whose name and digest tell it from
the original.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from hsfusion_bench.claims import TOML, parse_toml, read_text
from hsfusion_bench.data.observing.conditions import FWHM_OF_SIGMA, NUMBER, Conditions, unspelled
from hsfusion_bench.data.observing.degradation import Array, apply_srf, downsample, gaussian_psf
from hsfusion_bench.data.observing.limits import FAMILIES
from hsfusion_bench.data.observing.named_responses import load_response
from hsfusion_bench.data.observing.noise import Noise
from hsfusion_bench.data.observing.response_files import split_key
from hsfusion_bench.data.observing.responses import WAVELENGTHS, OffTable, Response, own_name
from hsfusion_bench.data.observing.rules import Scaled
from hsfusion_bench.data.observing.tables import STRICT, fill
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Cube, Observation
from hsfusion_bench.suggest import unknown

Part = Literal["train", "test"]
#: Protocol of a data set that recommends none.
DEFAULT = "uestc"
#: What noise adds to a name, see `Noise.id`.
_NOISE = re.compile(r"-snr([^-]+)-([^-]+?)(?:-seed(\d+))?$")
#: What conditions add to it, see `Conditions.id`.
_CONDITIONS = re.compile(
    rf"(?:-psf-(?P<psf>{'|'.join(FAMILIES)}))?(?:-fwhm(?P<psf_fwhm>{NUMBER}))?"
    rf"(?:-shift(?P<rows>{NUMBER})(?:x(?P<columns>{NUMBER}))?)?(?:-gain(?P<gain>{NUMBER}))?"
    rf"(?:-dead(?P<dead_lines>{NUMBER})(?:s(?P<dead_seed>\d+))?)?"
    rf"(?:-told-psf-(?P<told_psf>{'|'.join(FAMILIES)}))?(?:-told-fwhm(?P<told_psf_fwhm>{NUMBER}))?"
    rf"(?:-told-response-(?P<told_response>.+?))?(?:-told-phase(?P<told_phase>{NUMBER}))?$"
)
#: Keys of a protocol that variants alone have.
_OF_VARIANTS = frozenset({"conditions", "original"})


def _digest(value: object) -> str:
    """Return the sha256 of the canonical JSON of a value: sorted keys, no spaces, shortest exact floats."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
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

    __pydantic_config__: ClassVar = STRICT

    id: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    excluded: Mapping[str, str] = dataclasses.field(default_factory=dict)

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


@dataclass(frozen=True, config=STRICT)
class Blur:
    """The hyperspectral camera's blur: a kernel of `size` x `size` pixels, and how the image continues.

    Parameters
    ----------
    kind
        "gaussian" or "average".
    size
        Side of the kernel, pixels; a number or a rule, see `observing.rules`. `downsample` says how even kernels are
        centred.
    sigma
        Standard deviation of a Gaussian, pixels; a number or a rule.
    boundary
        One that `degradation.downsample` knows; or "block": samples whose window would leave the image
        weigh their own block of scale x scale pixels alone.
    """

    kind: Literal["gaussian", "average"]
    size: Scaled
    boundary: Literal["reflect-101", "symmetric", "circular", "zero", "block"]
    sigma: Scaled | None = None

    def __post_init__(self) -> None:
        if (self.sigma is None) == (self.kind == "gaussian"):
            raise ValueError(f"a blur of the kind {self.kind!r} {'takes no' if self.sigma else 'needs a'} sigma")

    def psf(self, scale: int) -> npt.NDArray[np.float64]:
        """Return the kernel at a scale, float64 [size, size], sums to 1."""
        return self._kernel(self.size.whole(scale), scale)

    def fwhm(self, scale: int) -> float:
        """Return its full width at half maximum, pixels; of a mean, its side."""
        return float(self.size.whole(scale)) if self.sigma is None else FWHM_OF_SIGMA * self.sigma.at(scale)

    def halfway(self, scale: int) -> npt.NDArray[np.float64]:
        """Return the kernel about a middle that lies half a pixel off, one pixel larger: as a Gaussian, or as a mean.

        The pixels at the edges of such a mean are covered by half.
        """
        size = self.size.whole(scale) + 1
        if self.sigma is not None:
            return gaussian_psf(size, self.sigma.at(scale))
        covered = np.ones(size)
        covered[[0, -1]] = 0.5
        mean: npt.NDArray[np.float64] = np.outer(covered, covered) / covered.sum() ** 2
        return mean

    def sample(
        self, cube: Array, scale: int, first: int, psf: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[np.float64]:
        """Blur a cube [..., H, W] and keep every scale-th pixel from `first` on, float64 [..., h, w].

        With another kernel, "block", which is about the protocol's own, becomes "symmetric".
        """
        if psf is not None:
            return downsample(cube, psf, "symmetric" if self.boundary == "block" else self.boundary, scale, first)
        if self.boundary != "block":
            return downsample(cube, self.psf(scale), self.boundary, scale, first)
        samples = downsample(cube, self.psf(scale), "zero", scale, first)
        blocks = downsample(cube, self._kernel(scale, scale), "zero", scale, (scale - 1) // 2)
        samples[..., [0, -1], :] = blocks[..., [0, -1], :]
        samples[..., [0, -1]] = blocks[..., [0, -1]]
        return samples

    def described(self, scale: int) -> dict[str, object]:
        """Return the numbers that hold at a scale, for digests."""
        sigma = None if self.sigma is None else self.sigma.at(scale)
        return {"kind": self.kind, "size": self.size.whole(scale), "sigma": sigma, "boundary": self.boundary}

    def _kernel(self, size: int, scale: int) -> npt.NDArray[np.float64]:
        if self.sigma is None:
            return np.full((size, size), 1 / size**2)
        return gaussian_psf(size, self.sigma.at(scale))


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """Which of the blurred pixels are kept: every scale-th from index `first` (from 0) on, at these scales."""

    scales: tuple[int, ...]
    first: Scaled


def _response(given: object) -> object:
    return load_response(given) if isinstance(given, str) else given


@dataclass(frozen=True, config=STRICT)
class Protocol:
    """How observations are made, and on which scenes.

    Parameters
    ----------
    id, version, title, source
        Its name, its edition, its name in tables, and how we know it.
    blur, sampling
        Of the hyperspectral camera.
    response
        Of the multispectral camera: a name or a file, see `named_responses.load_response`.
    off_table
        What to do where the response is tabulated at other wavelengths, see `Response.at`.
    crop
        What to do with a scene whose sides the scale does not divide: "none" refuses it, "bottom-right" leaves out
        the rows at the bottom and the columns on the right that are too many.
    value_range, range_note
        Range of the values after division, and what they are divided by.
    patch
        Side of a training patch, HR pixels.
    splits
        For each data set that the protocol knows, its split.
    stride
        Distance of training patches, HR pixels, see `hsfusion_bench.data.windows.starts`; None: half a patch.
    noise
        Noise of the cameras; None in all that are shipped.
    conditions
        What else departs from it, and what methods are told; None in all but variants.
    original
        The protocol that this is a variant of.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: int
    title: str
    source: str
    blur: Blur
    sampling: Sampling
    response: Annotated[Response, BeforeValidator(_response)]
    value_range: tuple[float, float]
    range_note: str
    patch: int
    off_table: OffTable = "refuse"
    crop: Literal["none", "bottom-right"] = "none"
    splits: Mapping[str, Split] = dataclasses.field(default_factory=dict)
    stride: int | None = None
    noise: Noise | None = None
    conditions: Conditions | None = None
    original: Protocol | None = dataclasses.field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for scale in self.scales:
            if scale < 2:
                raise ValueError(f"sampling.scales: {scale} is not a scale; the least is 2")
            if _whole("blur.size", self.blur.size, scale) < 1:
                raise ValueError(f"blur.size: at scale {scale} it would be {self.blur.size.whole(scale)}")
            if self.blur.sigma is not None and not self.blur.sigma.at(scale) > 0:
                raise ValueError(f"blur.sigma: at scale {scale} it would be {self.blur.sigma.at(scale):g}")
            first = _whole("sampling.first", self.sampling.first, scale)
            if not 0 <= first < scale:
                raise ValueError(f"sampling.first: at scale {scale} it would be {first}, not one of 0 to {scale - 1}")
            if self.blur.boundary == "block" and self.phase(scale) != (scale - 1) / 2:
                raise ValueError("blur.boundary: 'block' needs kernels that are centred on the blocks")

    @property
    def scales(self) -> tuple[int, ...]:
        """Scales for which the protocol is defined."""
        return self.sampling.scales

    def digest(self, scale: int, wavelengths: Sequence[float] = WAVELENGTHS) -> str:
        """Sha256 of all that decides an observation at a scale: blur, sampling, response, range, noise, and so on.

        Parameters
        ----------
        scale
            One of `scales`.
        wavelengths
            Centres of the bands, nanometres; the digest holds the response to them.

        Raises
        ------
        UsageError
            If the protocol is not defined at this scale, or its response at these wavelengths.
        """
        content: dict[str, object] = {
            "blur": self.blur.described(scale),
            "scale": scale,
            "phase": self.first_sample(scale),
            "srf": self.srf_at(wavelengths).tolist(),
            "range": list(self.value_range),
        }
        # what came later is there only where it is made use of, so that older digests stay what they were
        if self.crop != "none":
            content["crop"] = self.crop
        if self.noise is not None:
            content["noise"] = {"seed": self.noise.seed} | {
                name: None if ratio is None else float(ratio)  # 30 and 30.0 are one number
                for name, ratio in (("snr_hsi", self.noise.snr_hsi), ("snr_msi", self.noise.snr_msi))
            }
        if self.conditions is not None:
            # of blurs what they are at this scale, of a response its numbers: names and defaults are not enough
            held: dict[str, object] = {**self.conditions.said, "usual_fwhm": self.blur.fwhm(scale)}
            held["psf_sizes"] = [len(self.psf(scale)), len(self.told_psf(scale))]
            if held.pop("told_response", None):
                held["told_srf"] = self.told_srf_at(wavelengths).tolist()
            content["conditions"] = held
        return _digest(content)

    @property
    def departures(self) -> dict[str, float | str]:
        """What of a variant departs from the original, by name: response, noise, and conditions."""
        before = self.original or self
        said: dict[str, float | str] = {}
        if self.response != before.response:
            said["response"] = self.response.name
        if self.off_table != before.off_table:
            said["off_table"] = self.off_table
        if self.noise is not None and self.noise != before.noise:
            held = {"snr_hsi": self.noise.snr_hsi, "snr_msi": self.noise.snr_msi, "noise_seed": self.noise.seed or None}
            said |= {name: float(value) for name, value in held.items() if value is not None}
        return said | (self.conditions.said if self.conditions else {})

    def psf(self, scale: int) -> npt.NDArray[np.float64]:
        """Return the kernel that the LR-HSI is made with, float64 [size, size], sums to 1; raises as `phase`."""
        self.first_sample(scale)
        if self.conditions is None or not self.conditions.blurs:
            return self.blur.psf(scale)
        even = self.blur.size.whole(scale) % 2 == 0  # or the samples would lie elsewhere
        return self.conditions.true_psf(self.blur.fwhm(scale), even=even)

    def told_psf(self, scale: int) -> npt.NDArray[np.float64]:
        """Return the kernel that methods are told; its side is even where the phase they are told is half a pixel."""
        if self.conditions is None:
            return self.psf(scale)
        even = not self.told_phase(scale).is_integer()
        if self.conditions.tells_blur or self.conditions.blurs:
            return self.conditions.told_kernel(self.blur.fwhm(scale), even=even)
        return self.blur.psf(scale) if even == (self.blur.size.whole(scale) % 2 == 0) else self.blur.halfway(scale)

    def first_sample(self, scale: int) -> int:
        """Return the index of the first HR pixel that is sampled at a scale.

        Raises
        ------
        UsageError
            If the protocol is not defined at this scale.
        """
        if scale not in self.scales:
            raise UsageError(f"protocol {self.id} is defined at scale {_listed(self.scales)}, not at {scale}")
        return self.sampling.first.whole(scale)

    def phase(self, scale: int) -> float:
        """Return where the samples lie: LR pixel k sits at HR index ``scale*k + phase``, in both directions.

        That is the centre of what was averaged: the first sampled pixel, and half a pixel more if the kernel's side
        is even.

        Raises
        ------
        UsageError
            If the protocol is not defined at this scale.
        """
        return self.first_sample(scale) + (0.0 if self.blur.size.whole(scale) % 2 else 0.5)

    def told_phase(self, scale: int) -> float:
        """Return where methods are told that the samples lie, as `phase`.

        Raises
        ------
        UsageError
            If the protocol is not defined at this scale, or the phase would lie outside the pixels that a sample is of.
        """
        true = self.phase(scale)
        off = self.conditions.told_phase if self.conditions else None
        if off is None:
            return true
        if not 0 <= true + off <= scale:
            raise UsageError(
                f"methods cannot be told a phase of {true + off:g}: at scale {scale} it is 0 to {scale}, and the true "
                f"one of protocol {self.id} is {true:g}, so that --told-phase is {-true:g} to {scale - true:g}"
            )
        return true + off

    def told_srf_at(self, wavelengths: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the response that methods are told, as `srf_at`.

        Raises
        ------
        UsageError
            If it is not known at these wavelengths, or has other channels than the true one.
        """
        true = self.srf_at(wavelengths)
        told = self.conditions.told_response if self.conditions else None
        if told is None:
            return true
        srf = told.at(wavelengths, self.off_table)
        if srf.shape != true.shape:
            raise UsageError(
                f"methods cannot be told the camera response {told.name}, which has {len(srf)} channels: the HR-MSI is "
                f"of {self.response.name} and has {len(true)}"
            )
        return srf

    def srf_at(self, wavelengths: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the response to a cube's bands, float64 [msi_bands, bands], rows sum to 1; see `Response.at`."""
        return self.response.at(wavelengths, self.off_table)

    def cropped(self, hr_hsi: Cube, scale: int) -> Cube:
        """Return the part of a scene [bands, H, W] that the scale divides, as a view.

        Raises
        ------
        UsageError
            If the protocol is not defined at the scale; if it does not divide H and W, and the protocol crops nothing
            or nothing would be left.
        """
        self.first_sample(scale)
        _, height, width = hr_hsi.shape
        if self.crop == "none" or min(height, width) < scale:
            self._require_whole(height, width, scale)
        return hr_hsi[:, : height // scale * scale, : width // scale * scale]

    def _require_whole(self, height: int, width: int, scale: int) -> None:
        if height % scale or width % scale:
            possible = [s for s in self.scales if not (height % s or width % s)]
            raise UsageError(
                f"an image of {height} x {width} pixels cannot be reduced by {scale}; "
                f"of the scales of protocol {self.id}, {_listed(possible) if possible else 'none'} would do"
            )

    def observe(
        self, hr_hsi: Cube, scale: int, wavelengths: Sequence[float] = WAVELENGTHS, scene: str = ""
    ) -> Observation:
        """Make the two images of a scene that a method sees, with the PSF, SRF and phase that it is told.

        They are the true ones, unless the conditions tell others.

        Parameters
        ----------
        hr_hsi
            The reference, [bands, H, W], values in [0, 1].
        scale
            One of `scales`; must divide H and W.
        wavelengths
            Centres of the bands, nanometres.
        scene
            Name of the scene, on which its noise depends.

        Returns
        -------
        Observation with float32 arrays. `psf` and `srf` are filled in; whoever runs a blind method hides
        them.

        Raises
        ------
        UsageError
            If the protocol is not defined at the scale, the scale does not divide the image, or the camera's
            response is not known for its bands.
        """
        first = self.first_sample(scale)
        bands, height, width = hr_hsi.shape
        self._require_whole(height, width, scale)
        if bands != len(wavelengths):
            raise UsageError(
                f"protocol {self.id} sees {len(wavelengths)} bands (camera response {self.response.name}), "
                f"but the image has {bands}"
            )
        told = self.conditions
        psf = self.psf(scale) if told is not None and told.blurs else None
        lr_hsi = self.blur.sample(hr_hsi, scale, first, psf)
        hr_msi = apply_srf(hr_hsi, self.srf_at(wavelengths))
        if told is not None:
            hr_msi = told.on_msi(hr_msi)
        if self.noise is not None:
            lr_hsi, hr_msi = self.noise.add(lr_hsi, "hsi", scene), self.noise.add(hr_msi, "msi", scene)
        if told is not None:
            lr_hsi = told.on_hsi(lr_hsi, scene)
        return Observation(
            lr_hsi=lr_hsi.astype(np.float32),
            hr_msi=hr_msi.astype(np.float32),
            scale=scale,
            phase=self.told_phase(scale),
            psf=self.told_psf(scale).astype(np.float32),
            srf=self.told_srf_at(wavelengths).astype(np.float32),
        )

    def variant(
        self,
        response: Response | None = None,
        off_table: OffTable | None = None,
        noise: Noise | None = None,
        conditions: Conditions | None = None,
    ) -> Protocol:
        """Return the protocol with another response, with noise or other conditions, and with a name that says so.

        None leaves a part as it is. A variant that changes nothing is the protocol itself.

        Examples
        --------
        >>> load_protocol("uestc").variant(load_response("ikonos"), noise=Noise(35, 40)).id
        'uestc-ikonos-snr35-40'
        """
        changes: dict[str, Any] = {}
        parts = [self.id]
        if response is not None and response != self.response:
            changes["response"] = response
            parts.append(response.name)
        if off_table is not None and off_table != self.off_table:
            changes["off_table"] = off_table
            parts.append(off_table)
        conditions = None if conditions is None else self._departing(conditions, response or self.response)
        if conditions is not None and conditions != self.conditions:
            changes["conditions"] = conditions
            parts.append(conditions.id)
        if noise is not None and noise != self.noise:
            changes["noise"] = noise
            parts.append(noise.id)
        if not changes:
            return self
        return dataclasses.replace(self, id="-".join(parts), original=self.original or self, **changes)

    def _departing(self, conditions: Conditions, response: Response) -> Conditions | None:
        """Return conditions without what this protocol says itself: a family that is its own, the true response."""
        own, changes = self.blur.kind, dict[str, Any]()  # "average" is no family
        if conditions.psf == (own if conditions.psf_fwhm is None else "gaussian"):  # a width alone is a Gaussian's
            changes["psf"] = None
        tells_family = own == "gaussian" or conditions.psf or conditions.psf_fwhm or conditions.told_psf_fwhm
        if tells_family and conditions.told_psf == conditions.inherited:
            changes["told_psf"] = None
        if conditions.told_response == response:
            changes["told_response"] = None
        return dataclasses.replace(conditions, **changes).departing()


def _listed(scales: Sequence[int]) -> str:
    *others, last = map(str, scales)
    return f"{', '.join(others)} and {last}" if others else last


def _whole(key: str, rule: Scaled, scale: int) -> int:
    try:
        return rule.whole(scale)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


@dataclasses.dataclass(frozen=True)
class ProtocolChoice:
    """A protocol, and what is to be changed of it, as a command line asks for it.

    Parameters
    ----------
    name
        A name, or a user's file (.toml); None: the one that suits the data set.
    response
        See `load_response`.
    off_table
        See `Response.at`.
    snr_hsi, snr_msi, noise_seed
        See `Noise`.
    psf, psf_fwhm, shift, gain, dead_lines, dead_seed, told_psf, told_psf_fwhm, told_response, told_phase
        See `Conditions`; the response is named as `response` is.
    """

    __pydantic_config__: ClassVar = STRICT

    name: str | None = None
    response: str | None = None
    off_table: OffTable | None = None
    snr_hsi: float | None = None
    snr_msi: float | None = None
    noise_seed: int = 0
    psf: str | None = None
    psf_fwhm: float | None = None
    shift: tuple[float, float] | None = None
    gain: float | None = None
    dead_lines: float | None = None
    dead_seed: int = 0
    told_psf: str | None = None
    told_psf_fwhm: float | None = None
    told_response: str | None = None
    told_phase: float | None = None

    @property
    def conditions(self) -> Conditions | None:
        """The conditions that it asks for; raises as they do, and as `load_response`."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(Conditions)}
        told = self.told_response
        return Conditions.of(**given | {"told_response": None if told is None else load_response(told)})


def choice_of(protocol_id: str, base: str | None = None) -> ProtocolChoice:
    """Return the choice that makes a protocol of that name: `Protocol.variant` read backwards.

    Parameters
    ----------
    protocol_id
        As records say it, such as "uestc-ikonos-snr35-40".
    base
        File of the protocol it is a variant of, if that is a user's own.

    Raises
    ------
    UsageError
        If the name begins with no protocol that ships, and no file is given; or the response has no name we know.
    HsbenchError
        If the file is not there, or not as it should be.
    """
    names = [load_protocol(base).id] if base else sorted(protocol_names(), key=len, reverse=True)
    found = next((name for name in names if f"{protocol_id}-".startswith(f"{name}-")), None)
    if found is None:
        raise UsageError(unknown("protocol", protocol_id, names))
    changes: dict[str, Any] = {}
    rest = protocol_id.removeprefix(found)
    if noise := _NOISE.search(rest):
        rest = rest.removesuffix(noise[0])
        hsi, msi = map(unspelled, noise.group(1, 2))
        changes |= {"snr_hsi": hsi, "snr_msi": msi, "noise_seed": int(noise[3] or 0)}
    if (conditions := _CONDITIONS.search(rest)) and conditions[0]:
        rest = rest.removesuffix(conditions[0])
        changes |= _read_conditions({name: text for name, text in conditions.groupdict().items() if text})
    for off_table in get_args(OffTable):
        if rest.endswith(f"-{off_table}"):
            rest = rest.removesuffix(f"-{off_table}")
            changes["off_table"] = off_table
    if rest:
        changes["response"] = load_response(rest.removeprefix("-")).name
    return ProtocolChoice(base or found, **changes)


def _read_conditions(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what `Conditions.id` wrote, by the names of `ProtocolChoice`."""
    words = {"psf", "told_psf", "told_response", "dead_seed"}
    read: dict[str, Any] = {name: text if name in words else unspelled(text) for name, text in texts.items()}
    if "dead_seed" in read:
        read["dead_seed"] = int(read["dead_seed"])
    if "rows" in read:
        rows = read.pop("rows")
        read["shift"] = (rows, read.pop("columns", rows))
    return read


def _folder() -> Traversable:
    return files("hsfusion_bench.data.observing") / "protocols"


def protocol_names() -> tuple[str, ...]:
    """Return the names of the protocols there are, sorted."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in _folder().iterdir()))


def load_protocol(choice: str | ProtocolChoice) -> Protocol:
    """Return a protocol, or a variant of one.

    Parameters
    ----------
    choice
        A name, a user's file (.toml), or either with changes; without a name, `DEFAULT`.

    Raises
    ------
    UsageError
        If there is none of that name, or the changes make no sense.
    HsbenchError
        If a file is not there, or not as it should be; the message names file and key.
    """
    if isinstance(choice, str):
        choice = ProtocolChoice(choice)
    name = choice.name or DEFAULT
    protocol = _read_own(Path(name).expanduser()) if name.endswith(".toml") else _read(name)
    noise = None
    if choice.snr_hsi is not None or choice.snr_msi is not None:
        noise = Noise(choice.snr_hsi, choice.snr_msi, choice.noise_seed)
    elif choice.noise_seed:
        raise UsageError("--noise-seed is about noise: add --snr-hsi or --snr-msi")
    response = None if choice.response is None else load_response(choice.response)
    return protocol.variant(response, choice.off_table, noise, choice.conditions)


def _read(name: str) -> Protocol:
    if name not in protocol_names():
        message = unknown("protocol", name, protocol_names())
        raise UsageError(f"{message} A file of your own ends in .toml.")
    where = f"{name}.toml"
    return fill(Protocol, parse_toml((_folder() / where).read_text("utf-8"), where), where)


def _read_own(path: Path) -> Protocol:
    """Read a user's file; its name in records tells it from every other, shipped ones included."""
    try:
        text = read_text(path, limit=TOML)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise HsbenchError(f"the protocol {path} cannot be read: {reason}") from error
    content = parse_toml(text, str(path))
    for key in _OF_VARIANTS & content.keys():
        raise HsbenchError(f"{path}: {key}: a protocol has none of its own; the command line states conditions")
    response = content.get("response")
    if isinstance(response, str) and split_key(response)[0]:
        content["response"] = str(path.parent / response)
    protocol = fill(Protocol, content, str(path))
    decisive = dataclasses.replace(protocol, version=0, title="", source="", range_note="")
    return dataclasses.replace(protocol, id=own_name(protocol.id, decisive))
