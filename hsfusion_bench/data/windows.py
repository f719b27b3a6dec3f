"""Where training patches are cut from a scene."""

from __future__ import annotations

from hsfusion_bench.errors import UsageError


def check_patch(patch: int, scale: int) -> None:
    """Refuse a patch whose LR-HSI would not have whole pixels.

    Raises
    ------
    UsageError
        If its side is not a multiple of the scale.
    """
    if patch % scale:
        fitting = patch // scale * scale or scale
        raise UsageError(f"a patch of {patch} pixels is not a multiple of the scale {scale}; take {fitting}")


def starts(side: int, patch: int, stride: int, scale: int) -> tuple[int, ...]:
    """Return where patches start along one axis of a scene.

    As many patches as a stride gives, ``(side - patch) // stride + 1``, are spread evenly from the first pixel to the
    last, and each start is rounded down to a multiple of the scale, so that every patch has LR pixels of its own.
    A stride that divides ``side - patch`` and is a multiple of the scale is kept exactly.

    The published 14 x 14 patches of 64 pixels on 512 cannot be had with one stride: only 33 and 34 give 14, and
    neither is a multiple of 4. With 34 this rule has steps of 32 and 36 pixels at x4, and of 32 and 40 at x8. The
    rule is ours; the authors' is not published.

    Parameters
    ----------
    side, patch
        Of the scene and of a patch, HR pixels, multiples of the scale.
    stride
        HR pixels, at least the scale.
    scale
        Ratio of the two resolutions.

    Raises
    ------
    UsageError
        If the patch does not fit into the scene or is not a multiple of the scale, or the stride is too small.

    Examples
    --------
    >>> starts(256, 64, 34, 4)
    (0, 36, 76, 112, 152, 192)
    """
    check_patch(patch, scale)
    if patch > side:
        raise UsageError(f"a patch of {patch} pixels is larger than a scene of {side}; take at most {side}")
    if stride < scale:
        raise UsageError(f"a stride of {stride} pixels is less than one LR pixel; take at least the scale, {scale}")
    steps = (side - patch) // stride
    if not steps:
        return (0,)
    return tuple(step * (side - patch) // steps // scale * scale for step in range(steps + 1))


def grid(height: int, width: int, patch: int, stride: int, scale: int) -> list[tuple[int, int]]:
    """Return the first row and column of every patch of a scene, row by row; see `starts`."""
    columns = starts(width, patch, stride, scale)
    return [(row, column) for row in starts(height, patch, stride, scale) for column in columns]
