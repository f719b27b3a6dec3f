"""The conditions of a record, in words."""

from __future__ import annotations

from collections.abc import Mapping

from hsfusion_bench.data.observing.limits import FAMILIES

_TITLES = {name: name.capitalize() for name in FAMILIES} | {
    "sinc": "sinc", "lorentzian2": "squared Lorentzian", "parabolic": "parabolic", "delta": "delta",
}  # fmt: skip


def in_words(conditions: Mapping[str, float | str]) -> str:
    """Return what departs from a protocol as a text, such as "noise of 30 dB in the LR-HSI; HR-MSI times 1.05".

    Parameters
    ----------
    conditions
        As `hsfusion_bench.data.observing.protocols.Protocol.departures` names them; what this version does not know is
        told by its name.
    """
    left = dict(conditions)

    def take(name: str) -> float | str | None:
        return left.pop(name, None)

    parts = []
    if response := take("response"):
        parts.append(f"camera response {response}")
    if off_table := take("off_table"):
        parts.append(f"taken at other wavelengths by the rule {off_table}")
    hsi, msi, seed = take("snr_hsi"), take("snr_msi"), take("noise_seed")
    seeded = f", seed {_number(seed)}" if seed is not None else ""
    if hsi is not None and hsi == msi:
        parts.append(f"noise of {_number(hsi)} dB in both images{seeded}")
    elif hsi is not None or msi is not None:
        each = ((hsi, "LR-HSI"), (msi, "HR-MSI"))
        ratios = [f"{_number(ratio)} dB in the {image}" for ratio, image in each if ratio is not None]
        parts.append(f"noise of {' and '.join(ratios)}{seeded}")
    true = conditions.get("psf")
    if blur := _blur(take("psf"), take("psf_fwhm")):
        parts.append(blur)
    rows, columns = take("shift_rows"), take("shift_columns")
    if rows is not None or columns is not None:
        parts.append(f"HR-MSI moved by {_number(rows or 0)} rows and {_number(columns or 0)} columns")
    if (gain := take("gain")) is not None:
        parts.append(f"HR-MSI times {_number(gain)}")
    dead, seed = take("dead_lines"), take("dead_seed")
    if isinstance(dead, float | int):
        which = f", seed {_number(seed)}" if seed is not None else ""
        many = f"{100 * dead:g} % of all columns" if dead < 1 else f"{dead:g} column{'s' if dead > 1 else ''} a band"
        parts.append(f"dead in the LR-HSI: {many}{which}")
    told = []
    if blur := _blur(take("told_psf"), take("told_psf_fwhm"), "gaussian" if true in (None, "delta") else true):
        told.append(f"a {blur}")
    if response := take("told_response"):
        told.append(f"camera response {response}")
    if (phase := take("told_phase")) is not None:
        told.append(f"a phase {float(phase):+g} HR pixels off")
    if told:
        parts.append(f"methods are told {' and '.join(told)}")
    parts += [f"{name.replace('_', ' ')} {_number(value)}" for name, value in left.items()]
    return "; ".join(parts)


def _blur(family: float | str | None, width: float | str | None, usual: float | str | None = "gaussian") -> str:
    if family is None and width is None:
        return ""
    name = str(usual if family is None else family)
    named = _TITLES.get(name, name)
    return f"{named} blur".strip() + ("" if width is None else f" {_number(width)} HR pixels wide")


def _number(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)
