"""How all figures look, and how they are written: fonts, colours, sizes, and files without dates."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

Width: TypeAlias = Literal["column", "page"]

#: Inches, of IEEE's two-column journals.
WIDTHS: Final[dict[Width, float]] = {"column": 3.5, "page": 7.16}
FORMATS: Final = ("pdf", "svg", "png")
INSTALL: Final = "pip install 'hsfusion-bench[report]'"
#: Okabe and Ito's colours, which the colour-blind tell apart, without the yellow that white swallows.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS: Final = "osD^vP*X<>"
LINES: Final = ("-", "--", "-.", ":")
#: No figure shows more methods.
MOST: Final = 30
_LONGEST: Final = 40
#: Inches of a legend that figures have room for as they are: two lines.
_LEGEND: Final = 0.4
_STYLE: Final = {
    "font.family": "DejaVu Sans",
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "grid.linewidth": 0.4,
    "grid.color": "#cccccc",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 300.0,
    "savefig.dpi": 300.0,
    # strangers' titles are text: no "$" of theirs begins a formula
    "text.parse_math": False,
    "text.usetex": False,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "hsfusion-bench",
    "legend.frameon": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with our settings, whatever the user's own are.

    Raises
    ------
    HsbenchError
        If Matplotlib is not installed.
    """
    try:
        from matplotlib import style
    except ImportError as error:
        raise HsbenchError(f"figures are drawn by Matplotlib, which is not installed: {INSTALL}") from error
    with style.context(["default", _STYLE]):
        yield


def check_file(path: Path) -> str:
    """Return the format that the ending of a file's name asks for.

    Raises
    ------
    UsageError
        If it is none of ours.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise UsageError(f"--out {path}: a figure is a .pdf, .svg or .png")
    return ending


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; the same figure gives the same bytes.

    Raises
    ------
    HsbenchError
        If the file cannot be written.
    """
    ending = check_file(path)
    undated: dict[str, dict[str, Any]] = {
        "pdf": {"CreationDate": None},
        "svg": {"Date": None},
        "png": {"Software": "hsfusion-bench"},
    }
    with replacing(path) as temporary:
        figure.savefig(temporary, format=ending, metadata=undated[ending])


def new(width: Width, height: float, *, constrained: bool = True) -> Figure:
    """Return an empty figure of one or two columns' width and a height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTHS[width], height), layout="constrained" if constrained else None)
    FigureCanvasAgg(figure)
    return figure


def plain(text: str, longest: int = _LONGEST) -> str:
    """Return a stranger's text as a figure can show it: one line, not too long, of characters that the font has."""
    line = " ".join("".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text).split())
    known = _characters()
    line = "".join(each if ord(each) in known else "?" for each in line)
    if not line:
        return "?"
    return cut(line, longest)


def cut(text: str, longest: int) -> str:
    """Return a text that is left out in the middle: variants of a method differ at the end."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) * 2 // 5
    return f"{text[: longest - 1 - tail].rstrip()}…{text[len(text) - tail :].lstrip()}"


def distinct(texts: Sequence[str], longest: int) -> list[str]:
    """Return short texts of which no two are the same."""
    found: list[str] = []
    for text in texts:
        short, number = cut(text, longest), 2
        while short in found:
            short, number = f"{cut(text, longest - 3)} {number}", number + 1
        found.append(short)
    return found


def legend_label(text: str) -> str:
    """Return a text for a legend, which leaves out labels that begin with an underscore."""
    return f" {text}" if text.startswith("_") else text


def hue(number: int) -> str:
    """Return the colour of a method."""
    return COLOURS[number % len(COLOURS)]


def line(number: int) -> str:
    """Return the style of a method's line: another one where colours begin again."""
    return LINES[number // len(COLOURS) % len(LINES)]


def extent(text: Text) -> Bbox:
    """Return where a text stands, pixels."""
    figure: Any = text.get_figure(root=True)
    return text.get_window_extent(figure.canvas.get_renderer())


def shorten(text: Text, width: float) -> None:
    """Make a text narrower until it fits into a width in pixels: smaller first, then shorter."""
    size = float(text.get_fontsize())
    while extent(text).width > width and size > 5:
        size -= 0.5
        text.set_fontsize(size)
    whole = text.get_text()
    for kept in range(len(whole) - 1, 2, -1):
        if extent(text).width <= width:
            return
        text.set_text(cut(whole, kept))


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str], width: Width) -> None:
    """Put a legend under all axes, in as many columns as there is room for; what is long makes the figure higher.

    Labels may have several lines.
    """
    longest = max(len(part) for label in labels for part in label.split("\n"))
    room = int(WIDTHS[width] * 72 / (longest * 3.7 + 34))
    columns = max(1, min(len(labels), room))
    legend = figure.legend(
        handles, [legend_label(label) for label in labels], loc="outside lower center", ncols=columns, handlelength=2.2
    )
    drawn: Any = figure.canvas
    height = legend.get_window_extent(drawn.get_renderer()).height / figure.dpi
    figure.set_figheight(figure.get_figheight() + max(0.0, height - _LEGEND))


def thousands(value: float) -> str:
    """Return a number of an axis: 20, 1 k, 3.2 M, 226 G."""
    for factor, unit in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def log_ticks(axes: Axes, which: Literal["x", "y"], text: Any = thousands) -> None:
    """Make an axis logarithmic, with ticks as plain text (Matplotlib's own are formulas)."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    few = high / max(low, 1e-300) < 50
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_formatter(NullFormatter())


@functools.cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
