"""Which bands of a file can be scored: neither those that it marks as bad, nor those that say nothing."""

from __future__ import annotations

from collections.abc import Sequence

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import StoredArray
from hsfusion_bench.formats.cubes import Limits, find_holes, flat_bands
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.statements import told_bands


def usable_bands(
    array: StoredArray,
    axes: str,
    among: Sequence[int],
    *,
    rows: Limits | None = None,
    columns: Limits | None = None,
    keep_bad: bool = False,
    drop_holed: bool = False,
) -> list[int]:
    """Return the bands that are not bad, and log a note of those that are.

    A band is bad if the file marks it so; if no pixel of it has a value, as the file states; or if all pixels have the
    same: indexes that divide by the deviation of a band are not defined then.

    Parameters
    ----------
    array, axes
        The cube, and what its axes are.
    among
        Bands that are wanted, from 0.
    rows, columns
        The region that the data set is about; None: all.
    keep_bad
        Whether bad bands are kept all the same.
    drop_holed
        Whether bands of which any pixel has no value are left out.

    Raises
    ------
    HsbenchError
        If there is no other band.
    """
    marked, empty, constant = frozenset[int](), frozenset[int](), frozenset[int]()
    if not keep_bad:
        marked = frozenset(array.stated.bad_bands)
        empty, constant = flat_bands(array, axes, rows=rows, columns=columns)
    left = [band for band in among if band not in marked | empty]
    if not set(left) <= constant:  # else it is the scene that is constant, and no matter of bands
        left = [band for band in left if band not in constant]
    if drop_holed and (holes := find_holes(array, axes, rows=rows, columns=columns, keep=left)):
        left = [band for band, count in zip(left, holes.counts, strict=True) if not count]
    gone = sorted(set(among) - set(left))
    if not gone:
        return left
    why, told = [], set[int]()
    for reason, bands in (
        (f"marked as bad ({array.stated.bad_bands_words})", marked),
        (f"without any value ({array.stated.no_data_words})", empty),
        ("the same everywhere", constant),
        (f"with pixels without a value ({array.stated.no_data_words})", frozenset(gone)),
    ):
        if here := sorted(set(gone) & bands - told):
            why.append(array.stated.bad_bands_words if here == sorted(marked) else f"{told_bands(here)} {reason}")
            told |= bands
    said = f"{array}: {len(gone)} of {len(among)} bands are left out: {'; '.join(why)}"
    if not left:
        raise HsbenchError(f"{said}; there is no other")
    note(said + " (keep_bad_bands = true in a TOML description keeps them)" * (not keep_bad))
    return left
