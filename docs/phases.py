"""Draw phases.svg: where LR pixels lie on the HR grid, and where bicubic enlargement takes them to be.

Run it from anywhere: ``python docs/phases.py``. It needs nothing but Python.
"""

from __future__ import annotations

from pathlib import Path

SCALE, PIXELS, CELL = 4, 8, 26
SIDE, GAP, TOP = PIXELS * CELL, 44, 62
PANELS = [  # phase, as a formula, and the protocols that have it
    (0.0, "0", "every r-th pixel; mossfuse at ×2"),
    (SCALE / 2 - 1, "r/2 − 1", "mossfuse"),
    ((SCALE - 1) / 2, "(r − 1)/2", "xidian, yokoya, yokoya-toolbox"),
    (SCALE / 2, "r/2", "uestc (wald: half a pixel further)"),
]
INK, GRID, BLOCK, TRUE, ASSUMED = "#222222", "#c8ccd2", "#8a93a0", "#1f6fb4", "#c8501e"


def text(x: float, y: float, words: str, size: int = 13, anchor: str = "middle", colour: str = INK) -> str:
    """Return a line of text."""
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{words}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, more: str = "") -> str:
    """Return a straight line."""
    ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{more}/>'


def panel(left: float, phase: float, formula: str, protocols: str) -> list[str]:
    """Return the drawing of one phase: pixel i covers i to i + 1 cells, its centre is at index i."""

    def at(index: float) -> float:
        return (index + 0.5) * CELL

    head = f"phase {formula}" if formula == f"{phase:g}" else f"phase {formula} = {phase:g}"
    parts = [text(left + SIDE / 2, TOP - 26, head, 15), text(left + SIDE / 2, TOP - 9, protocols, 11)]
    for k in range(PIXELS + 1):
        colour, width = (BLOCK, 1.8) if k % SCALE == 0 else (GRID, 1)
        parts.append(line(left + k * CELL, TOP, left + k * CELL, TOP + SIDE, colour, width))
        parts.append(line(left, TOP + k * CELL, left + SIDE, TOP + k * CELL, colour, width))
    assumed = (SCALE - 1) / 2
    for row in range(PIXELS // SCALE):
        for column in range(PIXELS // SCALE):
            x, y = left + at(SCALE * column + phase), TOP + at(SCALE * row + phase)
            u, v = left + at(SCALE * column + assumed), TOP + at(SCALE * row + assumed)
            if phase != assumed:
                parts.append(line(x, y, u, v, INK, 1.2))
            parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{TRUE}"/>')
            parts.append(f'<circle cx="{u:g}" cy="{v:g}" r="9" fill="none" stroke="{ASSUMED}" stroke-width="2.2"/>')
    moved = assumed - phase
    words = "bicubic moves nothing" if moved == 0 else f"bicubic moves it by {moved:+g} pixels".replace("-", "−")
    parts.append(text(left + SIDE / 2, TOP + SIDE + 22, words, 12))
    return parts


def picture() -> str:
    """Return the SVG."""
    width, height = len(PANELS) * SIDE + (len(PANELS) + 1) * GAP, TOP + SIDE + 78
    parts = [f'<rect width="{width}" height="{height}" fill="white"/>']
    for number, (phase, formula, protocols) in enumerate(PANELS):
        parts += panel(GAP + number * (SIDE + GAP), phase, formula, protocols)
    y = height - 22
    parts.append(f'<circle cx="{GAP + 8}" cy="{y - 4}" r="6" fill="{TRUE}"/>')
    parts.append(text(GAP + 24, y, "where an LR pixel lies: the centre of what it averages", 12, "start"))
    middle = GAP + 2 * (SIDE + GAP)
    parts.append(f'<circle cx="{middle + 8}" cy="{y - 4}" r="9" fill="none" stroke="{ASSUMED}" stroke-width="2.2"/>')
    words = "where bicubic enlargement takes it to be: the centre of its block of r × r"
    parts.append(text(middle + 26, y, words, 12, "start"))
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
    return "\n".join([opening, "<title>LR pixels on the HR grid at scale 4</title>", *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("phases.svg").write_text(picture(), encoding="utf-8")
