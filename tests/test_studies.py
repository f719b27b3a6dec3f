"""Studies: what a command line says, as a file; its rows, its plan, and what comes of them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.protocols import ProtocolChoice
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.studies.expected import Expected
from hsfusion_bench.studies.plan import told_time
from hsfusion_bench.studies.roster import chosen_methods
from hsfusion_bench.studies.study import Study, read_study, tidy
from support.pages import ROOT

MINIMAL = 'methods = ["bicubic"]\ndatasets = ["demo"]\nscales = [4]\n'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    monkeypatch.setenv("HSBENCH_CACHE", str(tmp_path / "cache"))


def hsbench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def run(methods: str, *more: str | Path, dataset: str = "demo", scale: str = "4") -> Result:
    return hsbench("run", "--methods", methods, "--dataset", dataset, "--scale", scale, "--no-timing", *more)


def plan(methods: str, *more: str | Path, **which: str) -> dict[str, Any]:
    done = run(methods, *more, "--plan", "--json", **which)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- files

_NAME = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/,:.~\\"), min_size=1, max_size=8
).filter(lambda text: text.strip() == text)
_FILE = st.builds(
    lambda folder, name, end: f"{folder}{name}{end}", st.sampled_from(["", "a/", "../b/"]), _NAME, st.just("")
)
_SEED = st.integers(0, 2**32 - 1)


def _lists(of: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, min_size=least, max_size=3, unique=True).map(tuple)


_STUDIES = st.builds(
    Study,
    methods=_lists(st.one_of(_NAME, _FILE.map(lambda file: f"{file}.py:Mine")), 1),
    datasets=_lists(
        st.one_of(_NAME, _FILE.map(lambda file: f"{file}.toml"), _FILE.map(lambda file: f"mat:{file}.mat:k")), 1
    ),
    scales=_lists(st.integers(2, 1024), 1),
    protocols=_lists(st.one_of(_NAME, _FILE.map(lambda file: f"{file}.toml"))),
    observing=st.builds(
        ProtocolChoice,
        response=st.one_of(st.none(), st.just("ikonos"), _FILE.map(lambda file: f"{file}.csv")),
        snr_hsi=st.one_of(st.none(), st.floats(-60, 200)),
        shift=st.one_of(st.none(), st.tuples(st.floats(-4, 4), st.floats(-4, 4))),
    ),
    noise_seeds=_lists(_SEED, 1),
    seeds=_lists(_SEED, 1),
    scenes=_lists(_NAME),
    sweeps=_lists(st.sampled_from(["snr=20,30", "response=A,cams/x.csv", "blur=1:4:0.5"])),
    wavelengths=st.one_of(st.none(), st.sampled_from(["400:700", "0.9:1.7um", "bands/nm.txt"])),
    train=st.booleans(),
    max_steps=st.dictionaries(_NAME, st.integers(1, 999_999_999), max_size=2),
    settings=st.dictionaries(
        _NAME, st.dictionaries(_NAME, st.text('abc"\\\n\x7f 1.é', max_size=5), min_size=1, max_size=2), max_size=2
    ),
    weights=st.dictionaries(_NAME, st.one_of(_NAME, _FILE.map(lambda file: f"{file}.safetensors")), max_size=2),
    blind=st.booleans(),
    tile=st.one_of(st.sampled_from(["auto", "none"]), st.integers(1, 999_999)),
    also=_lists(st.sampled_from(["ergas_fused", "ssim_full"])),
    timing=st.booleans(),
    pictures=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(study=_STUDIES, folder=st.sampled_from([".", "deep/er", "../beside"]))
def test_a_study_that_was_written_reads_as_the_same(study: Study, folder: str) -> None:
    study, file = tidy(study), Path(folder, "study.toml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(study.text(file.parent), encoding="utf-8")
    assert read_study(file) == study
    assert pickle.loads(pickle.dumps(study)) == study


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("studies").mkdir()
    Path("studies/s.toml").write_text(
        'methods = ["./mine.py:M", "bicubic"]\ndatasets = ["../x.toml", "mat:a/b.mat:K", "mat:/abs.mat"]\nscales = 4\n'
        '[observing]\nresponse = "cam.csv"\n[weights]\nfeinfn = "w.safetensors"\npsrt = "psrt-cave-x4-uestc-authors"\n'
    )
    for _ in range(2):
        study = read_study(Path("studies/s.toml"))
        assert study.methods == ("studies/mine.py:M", "bicubic")
        assert study.datasets == ("x.toml", "mat:studies/a/b.mat:K", "mat:/abs.mat")
        assert study.observing.response == "studies/cam.csv"
        assert study.weights == {"feinfn": "studies/w.safetensors", "psrt": "psrt-cave-x4-uestc-authors"}
    monkeypatch.chdir("studies")
    assert read_study(tmp_path / "studies/s.toml").methods == ("mine.py:M", "bicubic")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINIMAL.replace("methods", "method"), "method: there is no key 'method'; did you mean methods?"),
        (MINIMAL.replace("scales = [4]\n", ""), "the key scales is missing"),
        (MINIMAL.replace("[4]", "[4, 1]"), "scales: Input should be greater than or equal to 2"),
        (MINIMAL.replace("[4]", "[true]"), "scales: Input should be a valid integer"),
        (MINIMAL.replace('["demo"]', "[]"), "datasets: the list is empty; leave the key out, or name one at least"),
        (MINIMAL + "tile = true\n", 'tile: True is none of "auto", "none", and the side of a tile'),
        (MINIMAL + "train = 1\n", "train: Input should be a valid boolean"),
        (MINIMAL + '[observing]\nrespons = "A"\n', "there is no key 'respons'; did you mean response"),
        (MINIMAL + "[observing]\nsnr_hsi = true\n", "observing: snr_hsi is true or false"),
        (MINIMAL + '[observing]\nname = "uestc"\n', "observing.name: state it by the key protocols"),
        (MINIMAL + "seeds = [-1]\n", "seeds: Input should be greater than or equal to 0"),
        (MINIMAL.replace("bicubic", "bicubc"), "methods: there is no method 'bicubc'; did you mean bicubic"),
        (MINIMAL.replace("bicubic", "clasical"), "did you mean classical?"),
        (MINIMAL.replace("demo", "dmo"), "datasets: there is no data set 'dmo'; did you mean demo?"),
        (MINIMAL + 'protocols = ["uestcc"]\n', "protocols: there is no protocol 'uestcc'; did you mean uestc?"),
        (MINIMAL + "[settings.cnm]\nx = 1\n", "settings: 'cnm' is not among the methods of this study"),
        (MINIMAL + "seeds = [1, 2]\n", "--seed is about networks, and none is among the methods (bicubic)"),
        ("methods = [", "is not a TOML file"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_it(text: str, words: str) -> None:
    Path("s.toml").write_text(text)
    done = hsbench("run", "--study", "s.toml", "--plan")
    assert done.exit_code in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert not Path("results").exists()


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.toml")), ids=lambda file: file.name)
def test_the_example_can_be_planned(file: Path) -> None:
    done = hsbench("run", "--study", file, "--plan", "--json")
    assert done.exit_code == 0, done.output
    assert {task["state"] for task in json.loads(done.stdout)["tasks"]} == {"open", "missing"}


def test_an_option_may_add_to_a_file_but_not_contradict_it() -> None:
    Path("s.toml").write_text(MINIMAL)
    refused = hsbench("run", "--study", "s.toml", "--scale", "8", "--plan")
    assert refused.exit_code == 2
    assert "--scale: the study s.toml states scales already" in refused.stderr
    narrowed = hsbench("run", "--study", "s.toml", "--scenes", "figs", "--snr-hsi", "30", "--plan", "--json")
    [task] = json.loads(narrowed.stdout)["tasks"]
    assert task["protocol"] == "uestc-snr30-inf"
    assert task["rows"][0]["scenes"] == 1
    Path("s.toml").write_text(MINIMAL + "[observing]\nsnr_hsi = 20\n")
    assert "states observing.snr_hsi already" in hsbench("run", "--study", "s.toml", "--snr-hsi", "30").stderr


def test_the_command_line_and_the_file_that_it_writes_do_the_same() -> None:
    words = ("--noise-seed", "0,1", "--snr-hsi", "30", "--scenes", "figs", "--set", "gsa.interpolation=block")
    written = run("bicubic,gsa", *words, "--write-study", "studies/s.toml", scale="4,8")
    assert written.exit_code == 0, written.output
    assert not Path("results").exists()  # nothing is run
    by_file = json.loads(hsbench("run", "--study", "studies/s.toml", "--plan", "--json").stdout)
    assert by_file == plan("bicubic,gsa", *words, scale="4,8")
    assert [task["protocol"] for task in by_file["tasks"]] == ["uestc-snr30-inf", "uestc-snr30-inf-seed1"] * 2


# -- what is run


def test_families_and_all_stand_for_methods() -> None:
    classical = [member.name for member in chosen_methods(["classical"])]
    assert classical[:3] == ["bicubic", "brovey", "gsa"]
    assert "feinfn" not in classical
    mixed = chosen_methods(["gsa", "classical", "mossfuse"])
    assert [member.name for member in mixed if member.named] == ["gsa", "mossfuse"]
    assert len(mixed) == len(classical) + 1
    assert {"bicubic", "feinfn", "psrt"} < {member.name for member in chosen_methods(["all"])}


def test_networks_without_weights_are_left_out_of_all_and_it_is_said() -> None:
    found = plan("cnn,gsa,ssfcnn")
    rows = {row["method"]: row for row in found["tasks"][0]["rows"]}
    assert (rows["gsa"]["state"], rows["ssfcnn"]["state"], rows["tfnet"]["state"]) == ("run", "run", "skipped")
    assert rows["tfnet"]["note"] == "no weights"
    assert found["rows"] == 2
    done = run("cnn,bicubic", "--scenes", "figs")
    assert done.exit_code == 0, done.output
    assert "skipped, no weights: conssfcnn" in done.stderr
    assert [path.name for path in Path("results").rglob("*.json")] == ["bicubic.subset-figs.json"]
    assert run("cnn").exit_code == 1
    assert run("bicubic,ssfcnn", "--scenes", "figs", scale="4,8").exit_code == 1  # as it was asked for by name


def test_a_matrix_writes_what_single_runs_write_and_runs_nothing_twice() -> None:
    for scale in ("4", "8"):
        for method in ("bicubic", "gsa"):
            assert run(method, "--results-dir", "single", scale=scale).exit_code == 0
    done = run("bicubic,gsa", "--csv", "t.csv", scale="4,8,5")
    assert done.exit_code == 0, done.output
    assert "not possible: demo ×5: protocol uestc is defined at scale 2, 4, 8, 16 and 32, not at 5" in done.stderr
    assert "4 rows, 12 scenes, 0 done" in done.stderr
    assert "task 2 of 2: demo ×8" in done.stderr
    single = {path.relative_to("single"): path.read_bytes() for path in Path("single").rglob("*.json")}
    assert single == {path.relative_to("results"): path.read_bytes() for path in Path("results").rglob("*.json")}
    assert len(Path("t.csv").read_text().splitlines()) == 5
    marked = Path("results/demo-x4-uestc/gsa.json")
    before = marked.stat().st_mtime_ns
    again = run("bicubic,gsa,brovey", "--csv", "t.csv", scale="4,8")
    assert "6 rows, 18 scenes, 12 done" in again.stderr
    assert marked.stat().st_mtime_ns == before
    assert len(Path("t.csv").read_text().splitlines()) == 7  # those that stand are in the tables all the same
    assert again.stdout.count("GSA") == 2
    nothing = run("bicubic,gsa", scale="4,8")
    assert (nothing.exit_code, "nothing to run" in nothing.stderr) == (0, True)
    assert run("bicubic,gsa", "--again", scale="4,8").exit_code == 0
    assert marked.stat().st_mtime_ns > before


@pytest.mark.parametrize(
    "more",
    [
        ("--also", "ergas_fused"),
        ("--pictures",),
        ("--save-mat", "out"),
        ("--blind",),
        ("--set", "gsa.interpolation=block"),
    ],
    ids=lambda more: more[0],
)
def test_what_would_give_another_record_is_run(more: tuple[str, ...]) -> None:
    assert run("gsa", "--scenes", "figs").exit_code == 0
    assert plan("gsa", "--scenes", "figs", scale="4,8")["rows_to_run"] == 1
    assert plan("gsa", "--scenes", "figs", *more, scale="4,8")["rows_to_run"] == 2


def test_a_row_that_was_interrupted_is_gone_on_with(tmp_path: Path) -> None:
    Path("mine.py").write_text(
        "from hsfusion_bench.methods import upsample_bicubic\ncalls = 0\n"
        "def mine(observation):\n    global calls\n    calls += 1\n"
        "    if calls == 3: raise KeyboardInterrupt\n"
        "    return upsample_bicubic(observation.lr_hsi, observation.scale)\n"
    )
    stopped = hsbench(
        *("--debug", "run", "--methods", "bicubic,./mine.py:mine", "--dataset", "demo", "--scale", "4,8", "--no-timing")
    )
    assert stopped.exit_code == 130
    assert "the same command goes on there" in stopped.stderr
    found = plan("bicubic,./mine.py:mine", scale="4,8")
    assert (found["rows"], found["scenes_done"]) == (4, 3 + 2)


def test_one_row_that_fails_does_not_stop_the_others() -> None:
    Path("mine.py").write_text("def mine(observation): raise ValueError('oh no')\n")
    done = run("./mine.py:mine,bicubic", "--scenes", "figs", scale="4,8")
    assert done.exit_code == 1
    assert "mine:mine on demo ×8 uestc: " in done.stderr
    assert done.stderr.count("ValueError: oh no") == 2
    assert len(list(Path("results").rglob("bicubic*.json"))) == 2


def test_missing_data_are_told_and_the_rest_is_run() -> None:
    done = run("bicubic", "--scenes", "figs", dataset="demo,cave", scale="4,8")
    assert done.exit_code == 1
    assert "missing data: cave ×4, cave ×8: the data set cave is not here" in done.stderr
    assert len(list(Path("results").rglob("bicubic*.json"))) == 2
    nothing = run("bicubic", dataset="cave", scale="4,8")
    assert nothing.exit_code == 1
    assert "the data set cave is not here" in nothing.stderr


@pytest.mark.parametrize(("dataset", "code"), [("cave", 1), ("demo,cave", 0)])
def test_a_plan_lists_the_rows_whose_data_are_missing(dataset: str, code: int) -> None:
    done = run("bicubic,gsa", "--plan", dataset=dataset, scale="4,8")
    assert (done.exit_code, done.stderr) == (code, "")
    assert "missing data: cave ×4, cave ×8: the data set cave is not here" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.endswith("data missing")]
    assert rows == 2 * [[name, "-", "-", "-", "data", "missing"] for name in ("bicubic", "gsa")]
    last = done.stdout.splitlines()[-1]
    assert last == "0 rows, 0 scenes, 0 done, nothing to run" if code else last.startswith("4 rows, 12 scenes")
    as_json = run("bicubic,gsa", "--plan", "--json", dataset=dataset, scale="4,8")
    assert as_json.exit_code == code
    found = json.loads(as_json.stdout)
    missing = [task for task in found["tasks"] if task["state"] == "missing"]
    assert [row["state"] for task in missing for row in task["rows"]] == 4 * ["missing"]
    assert found["rows"] == (0 if code else 4)


def test_a_plan_of_which_nothing_makes_sense_is_refused() -> None:
    done = run("bicubic", "--plan", scale="5")
    assert (done.exit_code, done.stdout) == (2, "")


def test_a_scale_that_does_not_divide_is_known_without_reading() -> None:
    np.save("odd.npy", np.random.default_rng(0).random((31, 36, 36), np.float32))
    found = plan("bicubic", "--wavelengths", "400:700", dataset="mat:odd.npy", scale="4,8")
    assert [task["state"] for task in found["tasks"]] == ["open", "impossible"]
    assert "an image of 36 x 36 pixels cannot be reduced by 8" in found["tasks"][1]["problem"]


def test_folders_of_several_data_sets(tmp_path: Path) -> None:
    refused = run("bicubic", "--data-root", "cav=/x", dataset="cave,harvard")
    assert refused.exit_code == 2
    assert "'cav' is not among the data sets of this run: cave, harvard" in refused.stderr
    refused = run("bicubic", "--data-root", "demo=/x", dataset="cave,demo")
    assert "demo needs none" in refused.stderr
    refused = run("bicubic", "--data-root", "/a", "--data-root", "/b", dataset="cave,harvard")
    assert "two folders of all data sets" in refused.stderr
    told = run(
        "bicubic", "--data-root", "cave=nowhere", "--data-root", "else where", "--plan", dataset="demo,cave,harvard"
    )
    assert "nowhere: there is no such folder (the root of the CAVE database)" in told.stdout
    assert "else where" in told.stdout


def test_a_folder_of_the_environment_may_have_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSBENCH_DATA", "my data:here")
    done = run("bicubic", dataset="cave")
    assert "my data:here: there is no such folder" in done.stderr


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("h5:a.h5:gt=GT,const=4095,demo", ["h5:a.h5:gt=GT,const=4095", "demo"]),
        ("mat:a,b.mat,mat:c.mat", ["mat:a,b.mat", "mat:c.mat"]),
        ("demo, cave,demo", ["demo", "cave"]),
        ("demo,cav", ["demo", "cav"]),
    ],
)
def test_names_with_commas_between_them(text: str, names: list[str]) -> None:
    from hsfusion_bench.cli.run_options import _names

    assert _names(None, None, text) == tuple(names)  # type: ignore[arg-type]


# -- seeds


def test_seeds_are_an_axis_of_what_is_trained() -> None:
    found = plan("bicubic,ssfcnn", "--train", "--max-steps", "2", "--seed", "0,1,2")
    rows = [(row["method"], row["seed"]) for row in found["tasks"][0]["rows"]]
    assert rows == [("bicubic", 0), ("ssfcnn", 0), ("ssfcnn", 1), ("ssfcnn", 2)]
    assert found["remarks"] == ["seeds 0, 1, 2: of networks only; what is not trained runs once (bicubic)"]
    untrained = plan("bicubic,ssfcnn", "--seed", "0,1,2")
    assert untrained["rows"] == 2
    assert "nothing is trained, so that each method runs once" in untrained["remarks"][0]
    assert "--seed is that of a training: add --train" in run("ssfcnn", "--seed", "1").stderr
    assert "--seed is about networks" in run("bicubic", "--seed", "1").stderr


@pytest.mark.slow
def test_trainings_that_are_recorded_are_not_repeated() -> None:
    words = ("--train", "--max-steps", "2", "--set", "ssfcnn.patch=32", "--scenes", "figs")
    assert run("ssfcnn", *words, "--seed", "0,1").exit_code == 0
    assert plan("ssfcnn", *words, "--seed", "0,1")["rows_to_run"] == 0
    assert plan("ssfcnn", *words, "--seed", "0,1,2")["rows_to_run"] == 1
    assert plan("ssfcnn", "--train", "--max-steps", "3", *words[3:], "--seed", "0,1")["rows_to_run"] == 2


def test_sweeps_start_from_the_base_point() -> None:
    found = plan("bicubic", "--sweep", "snr=30,inf", "--sweep", "shift=0,1")
    assert [task["protocol"] for task in found["tasks"]] == ["uestc-snr30-30", "uestc", "uestc-shift1"]


# -- times


def test_times_are_those_that_were_measured_in_proportion_to_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsfusion_bench.studies.expected.SCORING", 0.0)
    costs = {
        "schema": "hsfusion-bench/costs/1",
        "task": {"size": 64, "scale": 4, "device": "cpu"},
        "device": "an abacus",
        "threads": 1,
        "measured": "2026-01-01",
        "environment": {},
        "rows": [{"method": "gsa", "title": "GSA", "family": "classical", "latency": _latency(3000, 64)}],
    }
    Path("results").mkdir()
    Path("results/cost.json").write_text(json.dumps(costs))
    monkeypatch.setattr("hsfusion_bench.studies.expected.recorded_root", lambda: Path("nothing"))
    [task] = plan("gsa,bicubic", "--scenes", "figs,melons")["tasks"]
    seconds = {row["method"]: row["seconds"] for row in task["rows"]}
    # four times the pixels of the table, two scenes of 128 x 128
    assert seconds == {"gsa": pytest.approx(2 * 4 * 3.0), "bicubic": None}
    timed = hsbench("run", "--methods", "gsa", "--dataset", "demo", "--scale", "4", "--plan", "--json")
    # three scenes, and one that is timed once, as it takes longer than two seconds
    assert json.loads(timed.stdout)["seconds"] == pytest.approx((3 + 1) * 4 * 3.0)
    assert Expected([Path("results")], "cpu").device == "cpu"


def _latency(milliseconds: float, side: int) -> dict[str, Any]:
    return {
        "median_ms": milliseconds,
        "p90_ms": milliseconds,
        "runs": 1,
        "warmup": 1,
        "batch": 1,
        "hr_size": [side, side],
        "precision": "float32",
        "synchronised": False,
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "about 1 s"),
        (59, "about 59 s"),
        (61, "about 1 min"),
        (6000, "about 1 h 40 min"),
        (3600 * 30, "about 30 h"),
        (86400 * 5, "about 5 days"),
    ],
)
def test_times_in_words(seconds: float, text: str) -> None:
    assert told_time(seconds) == text


def test_a_study_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(HsbenchError, match="the study study"):
        read_study(Path("study.toml"))
    Path("file").write_text("")
    assert run("bicubic", "--write-study", "file/s.toml").exit_code == 1
