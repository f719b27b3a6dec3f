"""Seeds as an axis: names of files, and means over seeds whose numbers are computed by hand."""

from __future__ import annotations

import json
import statistics
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import hsfusion_bench as hb
from hsfusion_bench.cli import main
from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods.weights import TrainingInfo, ValidationInfo, cached_path, scenes_folder, training_seed
from hsfusion_bench.registry import find
from hsfusion_bench.report import frame, latex, markdown
from hsfusion_bench.report.choosing import choose_entries, place_of, spelt
from hsfusion_bench.report.comparison import compare
from hsfusion_bench.report.contestants import choose
from hsfusion_bench.report.figures.choosing import Asked
from hsfusion_bench.report.figures.kept import once
from hsfusion_bench.report.leaderboard import Leaderboard, leaderboards
from hsfusion_bench.report.seeds import Spread, means, noise_spread, split_name, training_spread
from hsfusion_bench.report.sources import RECORDED, entries_of, gather
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.records import MethodInfo, Record, SceneResult, Store, WeightsInfo
from hsfusion_bench.runs.seeds import deciding_seed
from hsfusion_bench.runs.setting import Setting
from hsfusion_bench.training.course import Budget
from hsfusion_bench.training.queue import Item
from tests.support.records import INDEXES, boards_of, make_record, make_speed

#: Three seeds, two scenes. Means over scenes 31, 33, 38: their mean is 34 and their deviation, by N-1, the root of
#: (9 + 1 + 16) / 2. Means over seeds 32 and 36, whose deviation is the root of 8.
THREE = {0: {"a": 30.0, "b": 32.0}, 1: {"a": 31.0, "b": 35.0}, 2: {"a": 35.0, "b": 41.0}}
OF_SEEDS = 13.0**0.5
OF_SCENES = 8.0**0.5


def trained(seed: int, scenes: dict[str, float] | None = None, name: str = "net", **changes: Any) -> Record:
    """Make a record of a network that was trained with a seed; `steps` and `of` are of the training and the split."""
    steps = changes.pop("steps", 100)
    training = TrainingInfo(
        steps=steps, recipe_steps=1000, batch_size=1, patch=32, learning_rate=1e-3, changes={}, supervision="reference",
        scenes=["t"], seed=seed, device="cpu", first_loss={"l": seed}, last_loss={"l": seed},
        validation=ValidationInfo(best_psnr=30 + seed, best_step=1, last_psnr=30 + seed, last_step=1, bicubic_psnr=29),
    )  # fmt: skip
    weights = WeightsInfo(
        sha256=f"{seed:064x}", file="w.safetensors", origin="hsbench", trained_on="cave x4 uestc", training=training
    )
    made = make_record(name, THREE[seed] if scenes is None else scenes, of=changes.pop("of", 2), seed=seed, **changes)
    method = made.method.model_copy(update={"family": "cnn"})
    return made.model_copy(update={"method": method, "weights": weights})


def noisy(seed: int, scenes: dict[str, float], name: str = "mine", digest: str | None = None) -> Record:
    """Make a record under noise of a seed, which its protocol's name says, and its conditions, as runs write them."""
    made = make_record(name, scenes)
    told = {
        "protocol": "uestc-snr30-40" + (f"-seed{seed}" if seed else ""),
        "protocol_digest": digest or f"{seed:064x}",
        "conditions": {"snr_hsi": 30.0, "snr_msi": 40.0} | ({"noise_seed": float(seed)} if seed else {}),
    }
    return made.model_copy(update={"dataset": made.dataset.model_copy(update=told)})


def board(records: Sequence[Record], **options: Any) -> Leaderboard:
    (only,) = boards_of(records, **options)
    return only


# -- names


def test_the_seed_of_a_training_is_part_of_the_name() -> None:
    assert [trained(seed).key for seed in (0, 1, 2)] == ["net", "net.seed-1", "net.seed-2"]
    assert trained(1, of=3).key == "net.seed-1.subset-a-b"
    assert make_record(seed=1).key == "mine", "a seed decides nothing of a classical method"
    failed = trained(1).model_copy(update={"weights": None, "status": "failed", "summary": None})
    assert failed.key == "net.seed-1", "a training that failed is no record of another seed"
    assert failed.model_copy(update={"status": "no weights"}).key == "net"
    theirs = trained(0).model_copy(update={"seed": 5})
    assert theirs.key == "net", "the seed of a run that does not train decides nothing"


def test_an_option_called_seed_is_told_apart() -> None:
    record = trained(1)
    method = record.method.model_copy(update={"options": {"seed": 1}, "changed": ["seed"]})
    assert record.model_copy(update={"method": method}).key == "net.seed-1.training-seed-1"


def test_a_network_of_ones_own_is_known_by_what_is_said_of_the_machine() -> None:
    record = trained(3, {"a": 1.0, "b": 2.0})
    method = record.method.model_copy(update={"family": "custom"})
    failed = record.model_copy(update={"method": method, "weights": None, "environment": {"torch-threads": "1"}})
    assert failed.key == "net.seed-3"
    assert failed.model_copy(update={"environment": {}}).key == "net"


def test_seeds_do_not_write_over_each_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    paths = {store.write(trained(seed)).path.name for seed in (0, 1, 2)}
    assert paths == {"net.json", "net.seed-1.json", "net.seed-2.json"}
    assert [record.training_seed for record in store.records()] == [0, 1, 2]


def test_weights_have_a_file_for_each_seed() -> None:
    method: Any = find("ssfcnn").load()
    usual, other = (cached_path("ssfcnn", method, "demo-x4-uestc", seed) for seed in (0, 1))
    assert usual == cached_path("ssfcnn", method, "demo-x4-uestc")
    assert other == usual.with_name("demo-x4-uestc.seed-1.safetensors")
    assert scenes_folder(other).name == "demo-x4-uestc.seed-1.scenes"
    assert other.with_suffix(".json").name == "demo-x4-uestc.seed-1.json"


def test_the_seed_that_decides_is_known_before_the_run(tmp_path: Path) -> None:
    task = hb.open_task("demo", scale=4)

    def decided(name: str, **given: Any) -> int:
        return deciding_seed(Contender.of(name), Setting(task, Store(tmp_path), seed=4, **given))

    assert decided("gsa") == 0
    assert decided("ssfcnn") == 0, "there are no weights"
    assert decided("ssfcnn", budget=Budget(2)) == 4
    path = hb.train(task, "ssfcnn", steps=1, seed=3, device="cpu", weights=tmp_path / "w.safetensors")
    assert decided("ssfcnn", weights={"ssfcnn": path}) == 3
    assert training_seed(tmp_path) == 3, "a folder of one file a scene"
    assert training_seed(tmp_path / "none.safetensors") == 0
    loaded = hb.load_method("ssfcnn", task=task, weights=path, device="cpu")
    assert deciding_seed(Contender.of(loaded), Setting(task, Store(tmp_path), seed=4)) == 3


def test_trainings_of_a_list_have_a_place_for_each_seed() -> None:
    places = [Item(method="ssfcnn", dataset="demo", scale=4, seed=seed) for seed in (0, 1)]
    assert [str(item.place) for item in places] == ["ssfcnn/demo-x4.safetensors", "ssfcnn/demo-x4.seed-1.safetensors"]
    assert [item.title for item in places] == ["ssfcnn demo x4", "ssfcnn demo x4, seed 1"]


# -- means by hand


def test_three_seeds_of_two_scenes() -> None:
    found = board([trained(seed) for seed in (0, 1, 2)])
    (row,) = found.rows
    assert row.value("psnr") == pytest.approx((34.0, OF_SCENES), abs=1e-12)
    assert row.trainings is not None
    assert row.trainings.seeds == (0, 1, 2)
    assert row.trainings.std == pytest.approx(dict.fromkeys(INDEXES, OF_SEEDS), abs=1e-12)
    assert row.noises is None
    assert (row.seeds, row.title, found.seeded) == ("3", "Net", True)
    assert row.note.startswith("mean over 3 trainings (seeds 0, 1, 2), ± over them: PSNR 3.61, SAM 3.61, ERGAS 3.61, ")
    assert "2.00 dB above bicubic" in row.note, "the gains of 1, 2 and 3 dB"
    assert [scene.psnr for scene in row.record.scenes] == [32.0, 36.0]


def test_the_mean_of_seeds_is_the_mean_of_their_means() -> None:
    records = [trained(seed) for seed in (0, 1, 2)]
    each = [record.summary["psnr"].mean for record in records if record.summary]
    (row,) = board(records).rows
    value = row.value("psnr")
    assert value is not None
    assert value[0] == pytest.approx(statistics.mean(each), abs=1e-12)
    assert row.trainings is not None
    assert row.trainings.std["psnr"] == pytest.approx(statistics.stdev(each), abs=1e-12)


def test_one_seed_is_the_row_that_it_always_was() -> None:
    record = trained(0)
    found = board([record])
    assert found.rows[0].record is record
    assert not found.seeded
    assert (found.rows[0].trainings, found.rows[0].noises, found.rows[0].apart) == (None, None, "")
    assert not any("seed" in name for name in frame.frame([found]).columns)


VALUES = st.lists(st.lists(st.floats(-100, 100, allow_nan=False), min_size=2, max_size=2), min_size=2, max_size=4)


@given(values=VALUES, data=st.data())
def test_the_order_of_seeds_does_not_matter(values: list[list[float]], data: st.DataObject) -> None:
    records = [trained(seed, dict(zip("ab", its, strict=True))) for seed, its in enumerate(values)]
    order = data.draw(st.permutations(records))
    first, second = (frame.csv(leaderboards(entries_of(some))) for some in (records, order))
    assert first == second


def test_not_finite_values_are_said_as_such() -> None:
    (row,) = board([trained(0, {"a": float("inf"), "b": 1.0}), trained(1)]).rows
    assert row.printed("psnr") == "Inf±NaN"
    assert row.trainings is not None
    assert row.trainings.std["psnr"] != row.trainings.std["psnr"]


def test_single_seeds_beside_several_say_so() -> None:
    found = board([*(trained(seed) for seed in (0, 1, 2)), trained(4, {"a": 1.0, "b": 2.0}, "one"), make_record()])
    notes = {row.title: row.note for row in found.rows}
    assert notes["One"].startswith("one training (seed 4)")
    assert notes["Mine"] == ""
    assert {row.title: row.seeds for row in found.rows} == {"Net": "3", "One": "1", "Mine": "-"}


def test_common_scenes_are_those_of_each_seed() -> None:
    three = [trained(seed, {**THREE[seed], "c": 0.0}, of=3) for seed in (0, 1, 2)]
    (found,) = boards_of([*three, make_record(of=3)], common=True)
    row = next(row for row in found.rows if row.trainings)
    assert row.value("psnr") == pytest.approx((34.0, OF_SCENES), abs=1e-12)
    assert row.trainings is not None
    assert row.trainings.std["psnr"] == pytest.approx(OF_SEEDS, abs=1e-12)


# -- what is not joined


def test_only_whole_seeds_count() -> None:
    cut = trained(2).model_copy(update={"status": "incomplete"})
    scenes = [cut.scenes[0], SceneResult(name="b", digest=None)]
    cut = cut.model_copy(update={"scenes": scenes, "dataset": cut.dataset.model_copy(update={"scenes": 1})})
    found = board([trained(0), trained(1), cut])
    assert [row.seeds for row in found.rows] == ["2"]
    assert "Net: training seed 2 is left out, for it is incomplete: 1 of 2 scenes" in found.remarks
    alone = board([trained(0), cut])
    assert [row.record.training_seed for row in alone.rows] == [0]
    assert any("training seed 2 is left out" in line for line in alone.remarks)


def test_a_seed_without_values_is_named() -> None:
    failed = make_record("net", {}, status="failed", error="it diverged", seed=2)
    failed = failed.model_copy(update={"method": trained(0).method})
    found = board([trained(0), trained(1), failed])
    assert [row.seeds for row in found.rows] == ["2"]
    assert "Net: a run of training seed 2 without values is not shown (it diverged)" in found.remarks


def test_other_budgets_stand_apart() -> None:
    found = board([trained(0), trained(1), trained(2, steps=200)])
    assert [row.title for row in found.rows] == ["Net (training seed 2)", "Net (training seeds 0, 1)"]
    assert "Net: training seed 2 stands apart from training seed 0: steps 200, not 100" in found.remarks
    assert not any("disagree" in line for line in found.remarks)


def test_other_options_and_folders_stand_apart() -> None:
    record = trained(1)
    method = MethodInfo.model_validate(record.method.model_dump() | {"options": {"w": 2}, "changed": ["w"]})
    found = board([trained(0), record.model_copy(update={"method": method})])
    assert [row.seeds for row in found.rows] == ["-", "-"]
    entries = [*entries_of([trained(0)]), *entries_of([trained(1)], origin=RECORDED)]
    (mixed,) = leaderboards(entries)
    assert [row.title for row in mixed.rows] == ["Net (training seed 1) †", "Net (training seed 0)"]


def test_other_weights_of_authors_are_no_seeds() -> None:
    records = []
    for seed, digest in ((0, "a"), (1, "b")):
        record = noisy(seed, THREE[seed], "net")
        weights = WeightsInfo(sha256=digest * 64, file=digest, origin="authors", trained_on=None, training=None)
        records.append(record.model_copy(update={"weights": weights}))
    found = board(records)
    assert [row.title for row in found.rows] == ["Net (noise seed 1)", "Net (noise seed 0)"]
    assert any("other weights, b" in line for line in found.remarks)


def test_each_seed_may_have_a_row() -> None:
    found = board([trained(seed) for seed in (0, 1, 2)], each_seed=True)
    assert [row.title for row in found.rows] == [f"Net (training seed {seed})" for seed in (2, 1, 0)]
    assert found.remarks == ()


# -- noise


def test_seeds_of_the_noise_are_one_board() -> None:
    found = board([*(noisy(seed, THREE[seed]) for seed in (0, 1, 2)), noisy(0, {"a": 1.0, "b": 3.0}, "other")])
    assert found.protocol == "uestc-snr30-40"
    assert found.conditions == "noise of 30 dB in the LR-HSI and 40 dB in the HR-MSI"
    row, single = found.rows
    assert row.value("psnr") == pytest.approx((34.0, OF_SCENES), abs=1e-12)
    assert row.noises == Spread((0, 1, 2), pytest.approx(dict.fromkeys(INDEXES, OF_SEEDS), abs=1e-12))
    assert (row.trainings, row.seeds, single.seeds) == (None, "3", "1")
    assert row.note.startswith("mean over 3 seeds of the noise (seeds 0, 1, 2), ± over them: PSNR 3.61")
    assert single.note == "one seed of the noise (seed 0)"
    line = frame.frame([found]).iloc[0]
    assert (line["n_noise_seeds"], line["noise_seeds"]) == (3, "0 1 2")
    assert line["psnr_noise_seed_std"] == pytest.approx(OF_SEEDS, abs=1e-12)


def test_a_board_where_each_method_has_one_noise_keeps_its_name() -> None:
    boards = boards_of([noisy(1, THREE[0]), noisy(2, THREE[1], "other")])
    assert [each.protocol for each in boards] == ["uestc-snr30-40-seed1", "uestc-snr30-40-seed2"]


def test_noise_of_another_content_of_the_protocol_is_not_joined() -> None:
    records = [noisy(0, THREE[0]), noisy(1, THREE[1]), noisy(1, THREE[2], "other", digest="f" * 64)]
    assert {each.protocol for each in boards_of(records)} == {"uestc-snr30-40", "uestc-snr30-40-seed1"}


def test_trainings_by_noise() -> None:
    # by hand: trainings have the means 2 and 6 over noise, the noise 3 and 5 over trainings
    values = {(0, 0): 1.0, (0, 1): 3.0, (1, 0): 5.0, (1, 1): 7.0}
    records = []
    for (training, noise), value in values.items():
        record = trained(training, {"a": value, "b": value})
        records.append(record.model_copy(update={"dataset": noisy(noise, {"a": 1.0, "b": 1.0}).dataset}))
    (row,) = board(records).rows
    assert row.value("psnr") == pytest.approx((4.0, 0.0))
    assert row.trainings is not None
    assert row.noises is not None
    assert row.trainings.std["psnr"] == pytest.approx(8.0**0.5)
    assert row.noises.std["psnr"] == pytest.approx(2.0**0.5)
    assert row.seeds == "2×2"
    found = board(records[:3])
    assert found.rows[0].value("psnr") == pytest.approx((2.0, 0.0)), "training 0 has both noises"
    assert any("not every training has every seed of the noise" in line for line in found.remarks)


def test_a_protocol_stands_for_all_seeds_of_its_noise(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for seed in (0, 1):
        store.write(noisy(seed, THREE[seed]))

    def found(protocol: str) -> list[str]:
        return [entry.record.dataset.protocol for entry in gather([tmp_path], "mine", protocol=protocol).entries]

    assert found("uestc-snr30-40") == ["uestc-snr30-40", "uestc-snr30-40-seed1"]
    assert found("uestc-snr30-40-seed1") == ["uestc-snr30-40-seed1"]
    store.path(noisy(0, THREE[0])).unlink()
    assert found("uestc-snr30-40") == []


# -- outputs


def test_csv_has_deviations_over_seeds_apart() -> None:
    table = frame.frame(leaderboards(entries_of([*(trained(seed) for seed in (0, 1, 2)), make_record()])))
    net, mine = table.to_dict("records")
    assert (net["n_seeds"], net["seeds"]) == (3, "0 1 2")
    assert [net[f"{index}_seed_std"] for index in INDEXES] == pytest.approx([OF_SEEDS] * 7)
    assert net["psnr_std"] == pytest.approx(OF_SCENES)
    assert table.isna().iloc[1][["n_seeds", "seeds", "psnr_seed_std"]].all(), mine


def test_markdown_and_latex() -> None:
    boards = leaderboards(entries_of([trained(seed) for seed in (0, 1, 2)]), published=True)
    text = markdown.markdown(boards)
    assert "| seeds | scenes | note |" in text
    assert "| 3 | 2 of 2 | mean over 3 trainings (seeds 0, 1, 2), ± over them: PSNR 3.61" in text
    columns = {line.count("|") for line in text.splitlines() if line.startswith("| ")}
    assert len(columns) == 1
    made = latex.latex(boards)
    assert r"mean $\pm$ standard deviation over the scenes, of means over seeds" in made
    assert r"Mean over 3 trainings (seeds 0, 1, 2), $\pm$ over them: PSNR 3.61" in made


def test_speeds_are_those_of_the_method() -> None:
    (row,) = board([trained(0), trained(1)], speeds=[make_speed("net", 5.0)]).rows
    assert row.latency == "5.0"


# -- comparing


def test_tests_are_of_the_means_over_seeds() -> None:
    entries = entries_of([*(trained(seed) for seed in (0, 1, 2)), make_record(scenes={"a": 31.0, "b": 34.0})])
    (choice,) = choose(entries, ["net", "mine"])
    (pair,) = compare(choice.contestants, "psnr").pairs
    assert (pair.difference, pair.wins) == (1.5, 2)
    assert choice.notes == ["values are means over trainings, scene by scene: net 3 (seeds 0, 1, 2)"]


def test_a_seed_is_compared_by_its_name() -> None:
    entries = entries_of([trained(seed) for seed in (0, 1, 2)])
    (choice,) = choose(entries, ["net.seed-0", "net.seed-2"])
    assert [each.record.training_seed for each in choice.contestants] == [0, 2]
    assert choice.notes == []
    (pair,) = compare(choice.contestants, "psnr").pairs
    assert pair.difference == -7.0
    with pytest.raises(UsageError, match=r"no record of 'net\.seed-5'"):
        choose(entries, ["net.seed-0", "net.seed-5"])


def test_names_with_seeds() -> None:
    assert split_name("net.w-2.seed-1@mine") == ("net.w-2@mine", 1)
    assert split_name("net") is None
    entries = entries_of([trained(seed) for seed in (0, 1, 2)])
    kept, left_out = choose_entries(entries, ["net.seed-1"])
    assert ([entry.record.training_seed for entry in kept], left_out) == ([1], [])
    assert len(choose_entries(entries, ["net"])[0]) == 3


def named(record: Record, **told: Any) -> Record:
    return record.model_copy(update={"method": record.method.model_copy(update=told)})


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("file:Net", "file:Net"),
        ("file-net", "file:Net"),
        ("My net", "file:Net"),
        ("FILE:net", "file:Net"),
        ("file-net.seed-1", "file:Net.seed-1"),
        ("mtf", "mtf"),
        ("MTF", "mtf"),
        ("mtf.nyquist_gain-0.3", "mtf.nyquist_gain-0.3"),
        ("mtf.nyquist-gain-0.3", "mtf.nyquist_gain-0.3"),
    ],
)
def test_rows_are_named_as_in_tables_and_as_files_are(name: str, row: str) -> None:
    gain = {"options": {"nyquist_gain": 0.3}, "changed": ["nyquist_gain"]}
    records = [named(trained(seed), name="file:Net", title="My net") for seed in (0, 1)]
    records += [make_record("mtf"), named(make_record("mtf"), **gain)]
    entries = entries_of(records)
    assert spelt(entries, [name]) == [row]
    assert choose_entries(entries, [name]) == choose_entries(entries, [row])
    assert all(place_of(entry.record, [row]) == 0 for entry in choose_entries(entries, [name])[0])


def test_figures_take_one_seed_in_the_order_of_the_names() -> None:
    entries = entries_of([trained(0), trained(1), make_record("other")])
    asked = Asked(entries, [Path("results")], ["Other", "net.seed-1"], "psnr", False, [])
    assert [entry.record.key for entry in once(asked.chosen(), asked)] == ["other", "net.seed-1"]


def test_a_name_of_no_row_or_of_several_is_refused() -> None:
    entries = entries_of([named(make_record(name), title="Net") for name in ("one", "two")])
    with pytest.raises(UsageError, match=r"there is no row of 'ones'; did you mean one\?"):
        spelt(entries, ["ones"])
    with pytest.raises(UsageError, match=r"there is no row of 'one\.seed-3'"):
        spelt(entries, ["one.seed-3"])
    with pytest.raises(UsageError, match="Net may be any of one, two"):
        spelt(entries, ["Net"])


def test_rows_of_papers_are_named_as_they_are_printed() -> None:
    assert spelt(entries_of([make_record()]), ["DCINN", "mine"], published=True) == ["dcinn", "mine"]


def test_means_are_made_once() -> None:
    once = means(entries_of([trained(0), trained(1)])).entries
    assert means(once).entries == once
    assert training_spread(once[0]) == training_spread(means(once).entries[0])
    assert noise_spread(once[0]).seeds == (0,)


# -- the command line


def invoke(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of records, one a seed, and of a classical method."""
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "results")
    for record in (*(trained(seed) for seed in (0, 1, 2)), make_record()):
        store.write(record)
    return store.root


def test_the_leaderboard_of_seeds(three: Path) -> None:
    printed = invoke("leaderboard", "--only", "mine")
    assert "seeds" in printed.splitlines()[2] + printed.splitlines()[3]
    assert "34.00±2.83" in printed
    assert "mean over 3 trainings (seeds 0, 1, 2), ± over them: PSNR 3.61" in " ".join(printed.split())
    apart = invoke("leaderboard", "--only", "mine", "--each-seed")
    assert "mean over" not in apart
    assert "38.00±4.24" in apart
    alone = invoke("leaderboard", "--only", "mine", "--methods", "net.seed-1")
    assert "33.00±2.83" in alone
    by_scene = invoke("leaderboard", "--only", "mine", "--per-scene", "--format", "markdown")
    assert "| 36.00 | " in by_scene.replace("**", "")
    assert "mean over 3 trainings" in by_scene


def test_the_page_has_the_records_of_every_seed(three: Path) -> None:
    invoke("report", "--only", "mine", "--out", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "net.json, net.seed-1.json, net.seed-2.json, made here" in page
    for name in ("net.json", "net.seed-1.json", "net.seed-2.json"):
        assert f"hsbench reproduce results/cave-x4-uestc/{name}" in page
    for seed in (0, 1, 2):
        assert f"SHA-256 of the weights, training seed {seed}" in page
    invoke("report", "--only", "mine", "--each-seed", "--out", "apart.html")
    assert "hsbench report --only mine --each-seed" in Path("apart.html").read_text(encoding="utf-8")


def test_a_record_of_an_older_version_is_found_by_its_older_name(three: Path) -> None:
    folder = three / "cave-x4-uestc"
    for name in ("net.json", "net.seed-2.json"):
        (folder / name).unlink()
    (folder / "net.seed-1.json").rename(folder / "net.json")
    invoke("report", "--only", "mine", "--out", "page.html")
    assert "hsbench reproduce results/cave-x4-uestc/net.json" in Path("page.html").read_text(encoding="utf-8")


def test_results_in_python(three: Path) -> None:
    found = hb.leaderboard(three, only="mine")
    assert len(found.records) == 4, "records stay what they are"
    assert len(found.table()) == 2
    assert len(found.table(each_seed=True)) == 4
    assert sorted(set(found.per_scene()["seed"])) == [0, 1, 2]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        line = found.compare("net", "mine").iloc[0]
    assert any("means over trainings" in str(each.message) for each in warned)
    assert line["first_mean"] == pytest.approx(34.0)


def test_trainings_of_two_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HSBENCH_CACHE", str(tmp_path / "cache"))
    common = ("--methods", "ssfcnn", "--dataset", "demo", "--scale", "4", "--scenes", "figs", "--no-timing")
    for seed in ("0", "1"):
        invoke("run", *common, "--device", "cpu", "--train", "--max-steps", "2", "--seed", seed)
    folder = tmp_path / "results" / "demo-x4-uestc"
    records = [json.loads((folder / f"ssfcnn{each}.subset-figs.json").read_text()) for each in ("", ".seed-1")]
    assert [record["seed"] for record in records] == [0, 1]
    assert [record["weights"]["training"]["seed"] for record in records] == [0, 1]
    assert records[0]["weights"]["sha256"] != records[1]["weights"]["sha256"]
    weights = tmp_path / "cache" / "weights" / "ssfcnn"
    assert {path.name for path in weights.glob("*.safetensors")} == {
        "demo-x4-uestc.safetensors",
        "demo-x4-uestc.seed-1.safetensors",
    }
    psnr = [record["summary"]["psnr"]["mean"] for record in records]
    (line,) = hb.leaderboard("results", only="mine").table().to_dict("records")
    assert line["psnr_mean"] == pytest.approx(statistics.mean(psnr), abs=1e-12)
    assert line["psnr_seed_std"] == pytest.approx(statistics.stdev(psnr), abs=1e-12)
    # without --train those of seed 0 are taken, unless others are named
    invoke("run", *common, "--device", "cpu", "--results-dir", "again")
    invoke("run", *common, "--device", "cpu", "--results-dir", "again", "--weights",
           f"ssfcnn={weights / 'demo-x4-uestc.seed-1.safetensors'}")  # fmt: skip
    for name, recorded in zip(("ssfcnn", "ssfcnn.seed-1"), records, strict=True):
        here = json.loads((tmp_path / "again" / "demo-x4-uestc" / f"{name}.subset-figs.json").read_text())
        assert here["weights"]["sha256"] == recorded["weights"]["sha256"]
        assert here["scenes"] == recorded["scenes"]
    printed = invoke("reproduce", str(folder / "ssfcnn.seed-1.subset-figs.json"))
    assert "identical" in printed
