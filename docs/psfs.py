"""Draw psfs.svg: the ten families of blur, as kernels and as profiles, of one width.

Run it from anywhere: ``python docs/psfs.py``. It needs hsfusion-bench.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hsfusion_bench.data.observing.psfs import families, kernel

WIDTH, HALF = 4.0, 8
CELL, GAP, TOP, PLOT, LEFT = 8, 26, 44, 66, 20
SIDE = (2 * HALF + 1) * CELL
COLUMNS = 5
INK, GRID, LINE, LIGHT = "#222222", "#c8ccd2", "#1f6fb4", "#c8501e"


def text(x: float, y: float, words: str, size: int = 13, anchor: str = "middle") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">{words}</text>'


def cut(name: str) -> np.ndarray:
    """Return the middle of a kernel, 2 * HALF + 1 pixels a side, its greatest value 1."""
    values = kernel(name, None if name == "delta" else WIDTH)
    around = max(0, HALF - len(values) // 2)
    values = np.pad(values, around)
    middle = len(values) // 2
    values = values[middle - HALF : middle + HALF + 1, middle - HALF : middle + HALF + 1]
    return values / np.abs(values).max()


def colour(value: float) -> str:
    """Return the colour of a pixel: blue above zero, orange below, by the square root of the size."""
    share = abs(value) ** 0.5
    end = (31, 111, 180) if value > 0 else (200, 80, 30)
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in end)


def panel(x: float, y: float, name: str, title: str) -> list[str]:
    """Return the kernel and, below it, its row through the middle."""
    values = cut(name)
    parts = [text(x + SIDE / 2, y - 8, title)]
    for (row, column), value in np.ndenumerate(values):
        if abs(value) > 2e-3:
            place = f'x="{x + column * CELL:g}" y="{y + row * CELL:g}" width="{CELL}" height="{CELL}"'
            parts.append(f'<rect {place} fill="{colour(value)}"/>')
    parts.append(f'<rect x="{x:g}" y="{y:g}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{GRID}"/>')
    zero = y + SIDE + 8 + PLOT * 0.75
    parts.append(f'<line x1="{x:g}" y1="{zero:g}" x2="{x + SIDE:g}" y2="{zero:g}" stroke="{GRID}"/>')
    half = zero - PLOT * 0.375
    ends = [x + (HALF + 0.5 + sign * WIDTH / 2) * CELL for sign in (-1, 1)]
    if name != "delta":
        parts.append(
            f'<line x1="{ends[0]:g}" y1="{half:g}" x2="{ends[1]:g}" y2="{half:g}" stroke="{LIGHT}" stroke-width="2"/>'
        )
    row = values[HALF] / values[HALF].max()
    points = " ".join(f"{x + (i + 0.5) * CELL:g},{zero - PLOT * 0.75 * value:.4g}" for i, value in enumerate(row))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="1.6"/>')
    return parts


def picture() -> str:
    """Return the SVG."""
    rows = -(-len(families()) // COLUMNS)
    height = TOP + SIDE + PLOT + 12
    width = 2 * LEFT + COLUMNS * SIDE + (COLUMNS - 1) * GAP
    total = rows * height + 26
    parts = [f'<rect width="{width}" height="{total}" fill="white"/>']
    for number, family in enumerate(families()):
        x = LEFT + number % COLUMNS * (SIDE + GAP)
        parts += panel(x, number // COLUMNS * height + TOP - 14, family.name, family.title)
    words = (
        f"PSFs {WIDTH:g} HR pixels wide at half maximum: the pixels (blue above zero, orange below; square roots), and "
        "the row through the middle"
    )
    parts.append(text(width / 2, total - 12, words, 12))
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" font-family="sans-serif">'
    return "\n".join([opening, "<title>Ten families of point spread functions</title>", *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("psfs.svg").write_text(picture(), encoding="utf-8")
