"""Figures: what is drawn is what the records say, and files are as journals want them."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.protocols import ProtocolChoice, load_protocol
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.report.figures import canvas, errors, ranks, scenes, spectra, sweep, swept, tradeoff, training
from hsfusion_bench.report.figures.choosing import Asked
from hsfusion_bench.report.figures.errors import Window, most_telling
from hsfusion_bench.report.sources import Entry, entries_of, gather
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import Flops, ModelInfo, Record, Store, read_record
from support.records import make_record, make_speed

pytest.importorskip("matplotlib")

METHODS = """
from hsfusion_bench.methods import upsample_bicubic

def plain(observation):
    return upsample_bicubic(observation.lr_hsi, observation.scale)

def planted(observation):
    cube = plain(observation)
    if abs(float(observation.lr_hsi.mean()) - MEAN) < 1e-6:
        cube[:, 90:110, 20:40] += 0.2
    return cube
"""
HOSTILE = (
    "$\\frac{1}{0}$",
    "_hidden",
    "a\x00b\n\tc",
    "蝶の方法",
    "x" * 300,
    "100 % & #1 {} ~^",
    "<b>&amp;</b>",
    "\ud800",
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments], catch_exceptions=False)


def asked(entries: list[Entry], **changes: Any) -> Asked:
    given: dict[str, Any] = {"folders": [Path("results")], "methods": None, "index": "psnr", "common": False}
    return Asked(entries, notes=[], **(given | changes))


def network(name: str, psnr: float, parameters: int | None, flops: int | None = None, dataset: str = "cave") -> Record:
    counted = None
    if flops is not None:
        counted = Flops(value=flops, counter="", lower_bound=False, uncounted=[], hr_size=[8, 8])
    record = make_record(name, {"a": psnr - 1, "b": psnr + 1}, model=ModelInfo(parameters=parameters, flops=counted))
    record.dataset = record.dataset.model_copy(update={"name": dataset})
    return record


def under(protocol: str, psnr: float, name: str = "mine") -> Record:
    record = make_record(name, {"a": psnr, "b": psnr})
    record.dataset = record.dataset.model_copy(update={"protocol": protocol, "protocol_digest": protocol})
    return record


def circles(figure: Any) -> list[tuple[float, float, float]]:
    (axes,) = figure.axes
    return sorted((*map(float, each.get_offsets()[0]), float(each.get_sizes()[0])) for each in axes.collections)


def texts(figure: Any) -> list[Any]:
    from matplotlib.text import Text

    return [each for each in figure.findobj(Text) if each.get_text() and each.get_visible()]


def require_apart(labels: list[Any]) -> None:
    boxes = [canvas.extent(label) for label in labels]
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert min(across, down) < 0.5, (labels[number], labels[boxes.index(other)])


def require_inside(figure: Any) -> None:
    figure.canvas.draw()
    shown = [*figure.texts, *([figure._suptitle] if figure._suptitle else [])]
    for axes in figure.axes:
        shown += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
    for text in shown:
        if text.get_text():
            box = canvas.extent(text)
            assert min(box.x0, box.y0) > -1, text
            assert box.x1 < figure.bbox.width + 1, text
            assert box.y1 < figure.bbox.height + 1, text


# -- trade-offs


def test_circles_stand_where_the_records_say() -> None:
    records = [network("small", 30, 1000, 10**9), network("large", 40, 4000, 4 * 10**9), network("classical", 35, None)]
    with canvas.drawing():
        given = asked(entries_of(records))
        found = circles(tradeoff.draw(given, "column", "params", None))
    assert [each[:2] for each in found] == [(1000, 30), (4000, 40)]
    assert found[1][2] == pytest.approx(4 * found[0][2])
    assert given.notes == ["left out, for they have no parameters: Classical"]


def test_latency_is_that_of_the_speeds() -> None:
    speeds = [make_speed("one", 20.0), make_speed("two", 300.0)]
    with canvas.drawing():
        records = [make_record("one", {"a": 30.0}), make_record("two", {"a": 31.0})]
        figure = tradeoff.draw(asked(entries_of(records, speeds)), "page", "latency", None)
    assert [each[0] for each in circles(figure)] == [20, 300]
    assert figure.axes[0].get_xlabel() == "latency (ms), Some CPU @ 2 GHz"


def test_latency_of_rows_that_nobody_timed_is_that_of_the_recorded_costs() -> None:
    rows = json.loads((recorded_root() / "speed/cost-x4-cpu.json").read_text())["rows"]
    told = {row["method"]: row["latency"]["median_ms"] for row in rows if row["latency"]}
    chosen = [read_record(recorded_root() / "cave-x4-uestc" / f"{name}.json") for name in ("bicubic", "feinfn")]
    with canvas.drawing():
        given = asked(entries_of(chosen))
        figure = tradeoff.draw(given, "page", "latency", None)
        assert [each[0] for each in circles(figure)] == pytest.approx([told["bicubic"], told["feinfn"]])
        assert "2 threads, 512 × 512 pixels" in figure.axes[0].get_xlabel()
        assert any("not beside the records" in note for note in given.notes)
        # a device that is named is not another one
        with pytest.raises(HsbenchError, match="no latency was measured on a device called 'AMD'"):
            tradeoff.draw(asked(entries_of(chosen)), "page", "latency", None, device="AMD")


def test_two_data_sets_are_the_two_axes() -> None:
    records = [network("one", 30, 9), network("one", 20, 9, dataset="other"), network("two", 33, 18)]
    records += [network("two", 25, 18, dataset="other"), network("lonely", 50, 1)]
    with canvas.drawing():
        given = asked(entries_of(records))
        found = circles(tradeoff.draw(given, "column", None, None))
    assert [each[:2] for each in found] == [(30, 20), (33, 25)]
    assert found[1][2] == pytest.approx(2 * found[0][2])
    assert any("lonely" in note for note in given.notes)


@pytest.mark.parametrize("width", ["column", "page"])
def test_no_name_covers_another(width: canvas.Width) -> None:
    entries = [
        entry
        for entry in gather([], "recorded", scale=4).entries
        if (entry.record.dataset.name, entry.record.dataset.protocol) in (("cave", "uestc"), ("jasper-ridge", "yokoya"))
    ]
    with canvas.drawing():
        figure = tradeoff.draw(asked(entries), width, None, None)
        figure.canvas.draw()
        labels = [text for text in figure.axes[0].texts if text.get_text()]
        assert len(labels) > 10
        require_apart(labels)


def test_methods_without_the_number_are_told_what_has_it() -> None:
    with pytest.raises(HsbenchError, match="none of these 1 methods has parameters"):
        tradeoff.draw(asked(entries_of([make_record()])), "column", "params", None)
    with pytest.raises(UsageError, match="horizontal axis shows already"):
        tradeoff.draw(asked(entries_of([network("n", 30, 5)])), "column", "params", "params")


# -- scenes and ranks


def test_the_heat_map_has_the_values_of_the_records() -> None:
    records = [make_record("low", {"a": 20.0, "b": 21.0}), make_record("high", {"a": 40.0, "b": 30.5})]
    with canvas.drawing():
        figure = scenes.draw(asked(entries_of(records)), "column")
    axes = figure.axes[0]
    assert axes.images[0].get_array().tolist() == [[40.0, 30.5], [20.0, 21.0]]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["High", "Low"]
    assert [text.get_text() for text in axes.texts] == ["40.0", "30.5", "20.0", "21.0"]


def test_bars_join_the_longest_runs_without_a_difference() -> None:
    differing = {frozenset(pair) for pair in ("ac", "ad", "bd", "ae", "be", "ce", "de")}
    assert ranks.groups("abcde", differing) == [(0, 1), (1, 2), (2, 3)]
    assert ranks.groups("abc", set()) == [(0, 2)]
    assert ranks.groups("ab", {frozenset("ab")}) == []


def test_ranks_are_those_of_the_scenes() -> None:
    names = [f"s{number}" for number in range(8)]
    best = make_record("best", {name: 40.0 + number for number, name in enumerate(names)}, of=8)
    near = make_record("near", {name: 39.9 + number + 0.3 * (number % 2) for number, name in enumerate(names)}, of=8)
    far = make_record("far", {name: 10.0 + number / 7 for number, name in enumerate(names)}, of=8)
    with canvas.drawing():
        figure = ranks.draw(asked(entries_of([far, near, best])), "column")
        figure.canvas.draw()
        shown = [text.get_text() for text in figure.axes[0].texts]
        require_apart([text for text in figure.axes[0].texts if text.get_text()])
    assert shown.count("1.50") == 2
    assert {"Best", "Near", "Far", "3.00"} <= set(shown)
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() == 2.5]
    assert len(bars) == 1


def test_ranks_need_two_methods() -> None:
    with pytest.raises(HsbenchError, match="Mine alone"):
        ranks.draw(asked(entries_of([make_record()])), "column")


@pytest.mark.parametrize("width", ["column", "page"])
def test_the_recorded_ranks_and_scenes_have_no_texts_that_meet(width: canvas.Width) -> None:
    entries = list(gather([], "recorded", dataset="cave", scale=4, protocol="uestc").entries)
    with canvas.drawing():
        for draw in (ranks.draw, scenes.draw):
            figure = draw(asked(entries), width)
            require_inside(figure)
            require_apart([text for text in figure.axes[0].texts if text.get_text()])


# -- sweeps


def test_sweeps_are_found_in_the_names_of_protocols() -> None:
    found = sweep.sweeps(["uestc", "uestc-snr20-40", "uestc-snr30-40", "uestc-snrinf-40", "uestc-snr20-30"])
    assert [(each.title, each.numbers) for each in found] == [
        ("signal-to-noise ratio of HR-MSI (dB)", {"uestc-snr20-40": 40, "uestc-snr20-30": 30}),
        ("signal-to-noise ratio of LR-HSI (dB)", {"uestc-snr20-40": 20, "uestc-snr30-40": 30}),
    ]
    (both,) = sweep.sweeps(["p-snr20-20", "p-snr30-30", "p-snrm5-m5"])
    assert both.title == "signal-to-noise ratio of both images (dB)"
    assert sorted(both.numbers.values()) == [-5, 20, 30]
    (blur,) = sweep.sweeps(["mine-blur1.5", "mine-blur2", "uestc"])
    assert (blur.title, blur.numbers) == ("protocol mine-blur…", {"mine-blur1.5": 1.5, "mine-blur2": 2})
    assert sweep.sweeps(["uestc", "yokoya"]) == []


def test_a_sweep_has_the_means_of_the_scenes_that_all_have() -> None:
    records = [under("p-snr20-inf", 30), under("p-snr30-inf", 33), under("p-snr40-inf", 36)]
    records[2] = records[2].model_copy(update={"scenes": records[2].scenes[:1]})
    with canvas.drawing():
        figure = sweep.draw(asked(entries_of(records)), "column")
    (line,) = figure.axes[0].lines
    assert line.get_xydata().tolist() == [[20, 30], [30, 33], [40, 36]]
    assert figure.axes[0].get_title() == "cave ×4, 1 scene"


@pytest.mark.parametrize("width", ["column", "page"])
def test_of_a_sweep_what_has_one_value_is_left_out_and_the_rest_keeps_its_room(width: canvas.Width) -> None:
    names = [f"m{number}" for number in range(20)]
    records = [under(protocol, 30, name) for name in names for protocol in ("p-snr20-20", "p-snr30-30")]
    alone = under("p-snr20-20", 90, "alone")
    alone.scenes = alone.scenes[:1]  # nor do its scenes restrict the others'
    long = [under(protocol, 31, "long") for protocol in ("p-snr20-20", "p-snr30-30")]
    for record in long:
        record.method.title = "A method of a very long title (interpolation block; nyquist_gain 0.3)"
    few, many = asked(entries_of([*records[:2], alone])), asked(entries_of([*records, *long, alone]))
    with canvas.drawing():
        heights = []
        for each in (few, many):
            figure = sweep.draw(each, width)
            figure.canvas.draw()
            require_inside(figure)
            heights.append(figure.axes[0].get_window_extent().height)
            assert figure.axes[0].get_title() == "cave ×4, 2 scenes"
    assert heights[1] > 0.85 * heights[0]
    assert len(figure.axes[0].lines) == 21
    assert max(y for line in figure.axes[0].lines for _, y in line.get_xydata()) == 31
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "A method of a very long title\n(interpolation block; nyquist_gain\n0.3)" in labels
    assert few.notes[-1] == many.notes[-1] == "left out, as they have one value only: Alone"


def test_variants_whose_titles_are_cut_alike_have_lines_of_their_own() -> None:
    records = [
        under(protocol, psnr, name)
        for name, psnr in (("a", 30), ("b", 35))
        for protocol in ("p-snr20-20", "p-snr30-30")
    ]
    for record in records:
        record.method.title = 60 * "long " + record.method.name + 60 * " long"
    with canvas.drawing():
        figure = sweep.draw(asked(entries_of(records)), "column")
    assert sorted(line.get_ydata().tolist() for line in figure.axes[0].lines) == [[30, 30], [35, 35]]


def test_a_sweep_of_which_no_method_has_two_values_is_refused() -> None:
    with pytest.raises(HsbenchError, match=r"no method has records at two values .*: A, B"):
        sweep.draw(asked(entries_of([under("p-snr20-20", 1, "a"), under("p-snr30-30", 1, "b")])), "column")


def observed(psnr: float, **conditions: Any) -> Record:
    """A record under conditions of uestc, as a run makes it."""
    protocol = load_protocol(ProtocolChoice("uestc", **conditions))
    record = under(protocol.id, psnr)
    record.dataset = record.dataset.model_copy(update={"conditions": protocol.departures or None})
    return record


def found(*records: Record) -> list[tuple[str, list[tuple[float | str, str]]]]:
    each = swept.find(record.dataset for record in records)
    return [
        (sweep.axis, sorted((value, name.removeprefix("uestc-")) for name, value in sweep.values.items()))
        for sweep in each
    ]


def test_sweeps_are_found_in_the_conditions_of_records() -> None:
    # the protocol itself is where nothing is changed; its blur has a width of its own: 2.3548 * 0.5
    assert found(observed(1), observed(1, shift=(0.5, 0.5)), observed(1, shift=(1, 1))) == [
        ("shift", [(0, "uestc"), (0.5, "shift0.5"), (1, "shift1")])
    ]
    ((axis, points),) = found(observed(1), observed(1, told_psf_fwhm=2))
    assert (axis, points[1]) == ("told-psf-fwhm", (2, "told-fwhm2"))
    assert points[0] == (pytest.approx(1.17741), "uestc")
    assert found(observed(1), observed(1, response="B"), observed(1, told_response="B")) == [
        ("response", [("A", "uestc"), ("B", "B")]),
        ("told-response", [("A", "uestc"), ("B", "told-response-B")]),
    ]
    # a delta, which has no width, is one of the families of any
    assert found(*(observed(1, psf=psf, psf_fwhm=4) for psf in ("gaussian", "airy")), observed(1, psf="delta")) == [
        ("psf", [("airy", "psf-airy-fwhm4"), ("delta", "psf-delta"), ("gaussian", "fwhm4")])
    ]
    # both ratios together, and one alone; no noise has no place on the axis
    assert found(observed(1), observed(1, snr_hsi=20, snr_msi=20), observed(1, snr_hsi=30, snr_msi=30)) == [
        ("snr", [(20, "snr20-20"), (30, "snr30-30")])
    ]
    # what else departs must be the same
    assert found(observed(1, gain=2, snr_hsi=20), observed(1, gain=3, snr_hsi=30)) == []
    (sweep_of,) = swept.find(
        each.dataset for each in (observed(1, gain=2, snr_hsi=20), observed(1, gain=3, snr_hsi=20))
    )
    assert sweep_of.base == "uestc; noise of 20 dB in the LR-HSI"


def test_older_records_tell_by_their_protocols_name() -> None:
    older = [under("uestc-snr20-inf", 30), under("uestc-snr30-inf", 31)]
    assert [each.axis for each in swept.find(record.dataset for record in older)] == ["snr-hsi"]
    # a user's own protocol, whose file is not here
    own = [under("mine.9f3b02c1", 30), under("mine.9f3b02c1-gain2", 31)]
    own[1].dataset = own[1].dataset.model_copy(update={"conditions": {"gain": 2.0}})
    assert [(each.axis, each.base) for each in swept.find(record.dataset for record in own)] == [
        ("gain", "mine.9f3b02c1")
    ]


def test_families_are_names_on_an_axis() -> None:
    records = [observed(30 + number, psf=psf, psf_fwhm=4) for number, psf in enumerate(("moffat", "gaussian", "airy"))]
    with canvas.drawing():
        figure = sweep.draw(asked(entries_of(records)), "column")
        figure.canvas.draw()
        (axes,) = figure.axes
        assert [text.get_text() for text in axes.get_xticklabels()] == ["gaussian", "airy", "moffat"]
        assert axes.lines[0].get_xydata().tolist() == [[0, 31], [1, 32], [2, 30]]
        require_inside(figure)


def test_an_axis_is_chosen_by_its_name() -> None:
    records = [observed(30), observed(31, gain=2), observed(32, shift=(1, 1))]
    with canvas.drawing():
        with pytest.raises(UsageError, match="Choose one by --axis"):
            sweep.draw(asked(entries_of(records)), "column")
        figure = sweep.draw(asked(entries_of(records)), "column", "gain")
        assert figure.axes[0].get_xlabel() == "gain of the HR-MSI"
        with pytest.raises(UsageError, match="did you mean gain"):
            sweep.draw(asked(entries_of(records)), "column", "gian")


def test_several_sweeps_are_told_apart() -> None:
    names = ("p-snr20-20", "p-snr20-30", "p-snr30-20", "p-snr30-30")
    with pytest.raises(UsageError, match="several numbers change"):
        sweep.draw(asked(entries_of([under(name, 30) for name in names])), "column")
    with pytest.raises(HsbenchError, match="--snr-hsi"):
        sweep.draw(asked(entries_of([make_record()])), "column")


# -- trainings


def test_curves_are_those_of_the_log() -> None:
    lines = ["step,loss,validation_psnr", *(f"{step},{1 / step},{20 + step // 4}" for step in range(1, 13))]
    Path("log.csv").write_text("\n".join(lines) + "\n")
    log = training.read_log(Path("log.csv"), "mine")
    with canvas.drawing():
        figure = training.draw([log], "page")
    loss, validation = figure.axes
    assert loss.lines[0].get_ydata() == pytest.approx([1 / step for step in range(1, 13)])
    assert loss.lines[1].get_ydata()[0] == pytest.approx(np.median([1 / step for step in range(1, 9)]))
    assert validation.lines[0].get_xydata().tolist() == [[1, 20], [4, 21], [8, 22], [12, 23]]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "step,loss,validation_psnr\n1,x,2\n", "step,loss,validation_psnr\n1\n"]
)
def test_what_is_no_log_is_refused(text: str) -> None:
    Path("log.csv").write_text(text)
    found = hsbench("figure", "training", "--log", "log.csv", "--out", "f.png")
    assert found.exit_code == 1
    assert "log.csv" in found.output
    assert not Path("f.png").exists()


def test_logs_of_ones_own_trainings_are_found(own_cache: Path) -> None:
    def log(root: Path, name: str) -> Path:
        path = root / "weights" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("step,loss,validation_psnr\n1,1,30\n")
        return path

    mine = log(own_cache, "file-net/cave-x4-uestc.csv")
    second = log(own_cache, "file-net/cave-x4-uestc.seed-1.csv")
    log(own_cache, "file-net/cave-x8-uestc.csv")
    kept = log(Path("results"), "file-net/demo-x4-uestc.csv")
    folders = [Path("results")]
    assert training.find_logs(folders, ["file:Net"], "cave", 4, "uestc") == [mine, second]
    assert training.find_logs(folders, ["file:Net.seed-1"], "cave", 4, None) == [second]
    assert training.find_logs(folders, ["file-net"], "demo", None, None) == [kept]
    with pytest.raises(HsbenchError, match="no log of such a training of other"):
        training.find_logs(folders, ["file:Net", "other"], "cave", 4, None)


# -- pictures


def test_the_window_is_where_the_difference_is_planted() -> None:
    maps = np.full((3, 64, 64), 0.01)
    maps[1, 40:53, 10:23] = 0.04
    assert most_telling(maps, 2, (128, 128)) == Window(80, 20, 26)
    maps[:, :13, :13] = 0.05  # a large error of all of them tells nothing
    assert most_telling(maps, 2, (128, 128)) == Window(80, 20, 26)
    assert most_telling(maps[:1], 2, (128, 128)) == Window(0, 0, 26)
    assert most_telling(np.zeros((2, 3, 200)), 1, (3, 200)).side == 3


@pytest.fixture(scope="module")
def pictures_of_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hsfusion_bench.data.task import open_task

    folder = tmp_path_factory.mktemp("pictured")
    mean = float(open_task("demo", 4)["melons"].observation.lr_hsi.mean())
    mine = folder / "mine.py"
    mine.write_text(METHODS.replace("MEAN", repr(mean)))
    run = ("run", "--methods", f"{mine}:plain,{mine}:planted,sfim", "--dataset", "demo", "--scale", "4", "--no-timing")
    assert hsbench(*run, "--pictures", "--results-dir", str(folder / "results")).exit_code == 0
    return folder / "results"


@pytest.fixture
def pictured(pictures_of_all: Path, tmp_path: Path) -> Path:
    shutil.copytree(pictures_of_all, tmp_path / "results")
    return tmp_path / "results"


def test_scene_and_window_of_a_planted_difference_are_found(pictured: Path) -> None:
    entries = list(gather([pictured], "mine").entries)
    given = asked(entries, folders=[pictured], methods=["mine:plain", "mine:planted"])
    with canvas.drawing():
        figure = errors.draw(given, "page", None, None)
    (note,) = [note for note in given.notes if note.startswith("scene")]
    name, row, column, side = re.match(r"scene (\w+), window (\d+),(\d+),(\d+)", note).groups()  # type: ignore[union-attr]
    assert name == "melons"
    assert int(row) <= 90
    assert int(row) + int(side) >= 110
    assert int(column) <= 20
    assert int(column) + int(side) >= 40
    maps = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].get_array().ndim == 2]
    assert len(maps) == 4
    assert len({each.norm.vmax for each in maps}) == 1
    whole, window = maps[2].get_array(), maps[3].get_array()
    start, left = int(row), int(column)
    assert np.array_equal(window, whole[start : start + int(side), left : left + int(side)])
    figure.canvas.draw()
    require_apart([text for text in texts(figure) if text.axes is None])


def test_spectra_are_the_kept_ones_beside_the_reference(pictured: Path) -> None:
    from hsfusion_bench.data.task import open_task

    entries = list(gather([pictured], "mine").entries)
    with canvas.drawing():
        figure = spectra.draw(asked(entries, folders=[pictured], methods=["sfim"]), "page", "figs")
        figure.canvas.draw()
    cube = open_task("demo", 4)["figs"].hr_hsi
    for axes in figure.axes[:5]:
        row, column = map(int, re.findall(r"\d+", axes.get_title()))
        assert axes.lines[0].get_ydata() == pytest.approx(cube[:, row, column], abs=1e-6)
        assert axes.lines[0].get_xdata()[[0, -1]].tolist() == [400, 700]
    assert len(figure.axes[5].lines) == 1


def test_scenes_and_windows_that_are_not_there_are_refused(pictured: Path) -> None:
    figure = ("figure", "errors", "--dataset", "demo", "--out", "f.png")
    missing = hsbench(*figure, "--scene", "fig")
    assert missing.exit_code == 2
    assert "figs" in missing.output
    outside = hsbench(*figure, "--scene", "figs", "--window", "120,0,20")
    assert outside.exit_code == 2
    assert "figs is 128 x 128 pixels" in outside.output
    assert hsbench(*figure, "--window", "1,2").exit_code == 2


def test_pictures_of_another_run_are_not_shown(pictured: Path) -> None:
    index = pictured / "demo-x4-uestc/pictures/sfim/pictures.json"
    index.write_text(index.read_text() + " ")
    found = hsbench("figure", "errors", "--dataset", "demo", "--out", "f.png")
    assert "SFIM" in found.output
    assert "not the one that the record is of" in " ".join(found.output.split())
    gone = hsbench("figure", "errors", "--dataset", "demo", "--methods", "sfim", "--out", "g.png")
    assert gone.exit_code == 1
    assert not Path("g.png").exists()


def test_records_without_pictures_are_told_the_command() -> None:
    for kind in ("errors", "spectra"):
        found = hsbench("figure", kind, "--dataset", "cave", "--scale", "8", "--out", "f.png")
        assert found.exit_code == 1
        assert "--dataset cave --scale 8 --pictures" in " ".join(found.output.split())


# -- files


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_the_same_records_give_the_same_bytes(ending: str) -> None:
    for number in (1, 2):
        drawn = hsbench("figure", "ranks", "--dataset", "demo", "--scale", "4", "--out", f"{number}.{ending}")
        assert drawn.exit_code == 0
    assert Path(f"1.{ending}").read_bytes() == Path(f"2.{ending}").read_bytes()


def test_fonts_are_embedded_as_outlines_and_texts_stay_texts() -> None:
    drawn = ("figure", "scenes", "--dataset", "demo", "--scale", "4", "--out")
    assert hsbench(*drawn, "f.pdf").exit_code == 0
    content = Path("f.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    assert b"/MediaBox [ 0 0 515.52 " in content  # 7.16 in
    assert hsbench(*drawn, "f.svg", "--width", "column").exit_code == 0
    svg = Path("f.svg").read_text()
    assert re.search(r"<text[^>]*>Bicubic</text>", svg)
    assert "<dc:date>" not in svg
    assert 'width="252pt"' in svg  # 3.5 in


def test_hostile_titles_are_text() -> None:
    records = []
    for number, title in enumerate(HOSTILE):
        record = network(f"m{number}", 30 + number, 10 ** (number + 2))
        records.append(record.model_copy(update={"method": record.method.model_copy(update={"title": title})}))
    with canvas.drawing():
        given = asked(entries_of(records))
        for number, figure in enumerate(
            (
                tradeoff.draw(given, "column", "params", None),
                scenes.draw(given, "column"),
                ranks.draw(given, "column"),
            )
        ):
            require_inside(figure)
            for ending in canvas.FORMATS:
                canvas.save(figure, Path(f"{number}.{ending}"))
    assert "$\\frac{1}{0}$" in Path("1.svg").read_text()
    assert canvas.plain("a\x00b\n\tc") == "a b c"
    assert canvas.plain("蝶") == canvas.plain("\ud800") == "?"
    assert len(canvas.plain("x" * 300)) == 40


def test_titles_that_are_cut_stay_different() -> None:
    long = ["MTF-GLP-HS (interpolation block)", "MTF-GLP-HS (interpolation block; gain 0.3)", "x" * 30, "x" * 31]
    short = canvas.distinct(long, 18)
    assert len(set(short)) == 4
    assert all(len(each) <= 18 for each in short)
    assert canvas.distinct(["a", "b"], 18) == ["a", "b"]


def test_the_legend_has_titles_that_begin_with_an_underscore() -> None:
    records = [under("p-snr20-20", 30, "_mine"), under("p-snr30-30", 31, "_mine")]
    with canvas.drawing():
        figure = sweep.draw(asked(entries_of(records)), "column")
    assert [text.get_text().strip() for text in figure.legends[0].get_texts()] == ["_Mine"]


def test_too_many_records_are_refused_at_once() -> None:
    some = entries_of([make_record(f"m{number}", {"a": 30.0 + number, "b": 31.0}) for number in range(31)])
    with pytest.raises(UsageError, match="31 records are too many"):
        scenes.draw(asked(some), "page")
    with pytest.raises(UsageError, match="10000 records are too many"):
        ranks.draw(asked(some[:1] * 10_000), "page")


def test_several_tasks_are_named() -> None:
    found = hsbench("figure", "ranks", "--dataset", "cave", "--out", "f.png")
    assert found.exit_code == 2
    assert "cave ×8, protocol uestc" in " ".join(found.output.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ranks", "--out", "f.gif"), "a figure is a .pdf, .svg or .png"),
        (("ranks", "--out", "f.png", "--scene", "x"), "--scene is for errors and spectra, not for ranks"),
        (("ranks", "--out", "f.png", "--index", "psn"), "there is no index 'psn'"),
        (("ranks", "--out", "f.png", "--dataset", "a", "--dataset", "b"), "a trade-off takes two"),
        (("ranks", "--out", "f.png", "--methods", ","), "--methods names no method"),
        (("ranks", "--out", "f.png", "--methods", "gsb", "--dataset", "demo"), "gsa"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[str, ...], told: str) -> None:
    found = hsbench("figure", *arguments)
    assert found.exit_code == 2
    assert told in " ".join(found.output.split())


def test_no_record_at_all_is_told() -> None:
    found = hsbench("figure", "scenes", "--dataset", "nothing", "--out", "f.png")
    assert found.exit_code == 1
    assert "there are no records of nothing; `hsbench run` makes some" in found.output


def test_a_damaged_record_is_named_and_the_others_are_drawn() -> None:
    store = Store(Path("results"))
    for name in ("one", "two"):
        store.write(make_record(name))
    Path("results/cave-x4-uestc/bad.json").write_text("{")
    found = hsbench("figure", "scenes", "--only", "mine", "--out", "f.png")
    assert found.exit_code == 1
    assert "bad.json" in found.output
    assert Path("f.png").exists()


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = hsbench("figure", "scenes", "--dataset", "demo", "--out", "f.png")
    assert found.exit_code == 1
    assert "pip install 'hsfusion-bench[report]'" in found.output


def test_values_that_are_not_finite_do_not_stop_a_figure() -> None:
    records = [make_record("inf", {"a": math.inf, "b": 30.0}), make_record("nan", {"a": math.nan, "b": 31.0})]
    with canvas.drawing():
        canvas.save(scenes.draw(asked(entries_of(records)), "column"), Path("f.png"))
