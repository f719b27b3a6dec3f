"""The command line, as a user meets it: on the demo data set, with small methods of the user's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.runs.records import Record, Store
from support.unfinished import leave_scenes

MINE = """
import numpy as np
from hsfusion_bench.methods import Card, Method, upsample_bicubic

class Good(Method):
    "Bicubic, pulled a little towards its mean."
    card = Card("good", "Good", "classical", uses=frozenset({"srf"}))
    def fuse(self, observation):
        assert observation.srf is not None and observation.psf is None
        return upsample_bicubic(observation.lr_hsi, observation.scale)

def plain(observation):
    assert observation.srf is None and observation.psf is None
    return upsample_bicubic(observation.lr_hsi, observation.scale)

def raises(observation): raise ZeroDivisionError("oh no")
def small(observation): return observation.lr_hsi
def whole(observation): return np.zeros(observation.shape, int)
def holes(observation):
    cube = np.zeros(observation.shape, np.float32)
    cube[3, 4, 5] = np.nan
    return cube

class LaterBad(Method):
    card = Card("later", "Later", "classical")
    calls = 0
    def fuse(self, observation):
        LaterBad.calls += 1
        if LaterBad.calls == 3:
            raise KeyboardInterrupt if self.interrupt else RuntimeError("the third is too much")
        return upsample_bicubic(observation.lr_hsi, observation.scale)
    interrupt = False

class Interrupted(LaterBad):
    interrupt = True
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def demo(methods: str, *more: str | Path, timing: bool = False) -> Result:
    options = [] if timing else ["--no-timing"]
    return hsbench("run", "--methods", methods, "--dataset", "demo", "--scale", "4", *options, *more)


def read(name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads(Path(f"results/demo-x4-uestc/{name}.json").read_text())
    return content


def test_a_run_writes_records_tables_and_a_leaderboard(mine: Path) -> None:
    done = demo(f"bicubic,{mine}:Good", "--csv", "out/t.csv", "--latex", "out/t.tex", timing=True)
    assert done.exit_code == 0, done.output
    assert "Bicubic" in done.stdout
    assert "Good (uses srf)" in done.stdout
    assert "3 of 3 scenes" in done.stdout
    assert Path("out/t.csv").read_text().startswith("method,title")
    assert r"\toprule" in Path("out/t.tex").read_text()
    record = read("mine-good")
    assert record["status"] == "ok"
    assert record["method"]["distribution"] == "mine.py"  # type: ignore[index]
    assert len(list(Path("results/speed").glob("*/demo-x4-uestc/*.json"))) == 2
    board = hsbench("leaderboard", "--dataset", "demo")
    assert board.exit_code == 0
    assert "Bicubic" in board.stdout


def test_what_save_mat_writes_scores_as_the_run_did() -> None:
    assert demo("bicubic", "--save-mat", "out").exit_code == 0
    assert [path for path in Path("out").rglob("*") if path.is_file()] == [Path("out/demo-x4-uestc/bicubic.mat")]
    scored = json.loads(hsbench("score", "out/demo-x4-uestc/bicubic.mat", "--ratio", "4", "--json").stdout)
    summary = read("bicubic")["summary"]
    for ours, theirs in [("psnr", "psnr"), ("sam", "sam"), ("uqi", "qave"), ("q2n", "qn")]:
        assert scored[theirs] == [summary[ours]["mean"], summary[ours]["std"]]  # type: ignore[index]


def test_the_same_run_writes_the_same_bytes() -> None:
    demo("bicubic", "--results-dir", "one", timing=True)
    demo("bicubic", "--results-dir", "two")
    record = "demo-x4-uestc/bicubic.json"
    assert Path("one", record).read_bytes() == Path("two", record).read_bytes()


def test_a_subset_of_scenes_is_said_everywhere() -> None:
    name = json.loads(hsbench_scenes())[0]
    done = demo("bicubic", "--scenes", name)
    assert done.exit_code == 0, done.output
    assert "1 of 3 scenes" in done.stdout
    record = read(f"bicubic.subset-{name}")
    assert record["dataset"]["scenes"] == 1  # type: ignore[index]
    assert record["dataset"]["scenes_in_split"] == 3  # type: ignore[index]


def hsbench_scenes() -> str:
    demo("bicubic")
    return json.dumps([scene["name"] for scene in read("bicubic")["scenes"]])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("raises", "ZeroDivisionError: oh no"),
        ("small", "returned an array of shape (31, 32, 32)"),
        ("whole", "returned int64"),
        ("holes", "the first at band 3, row 4, column 5"),
        ("LaterBad", "the third is too much"),
    ],
)
def test_a_method_that_fails_is_explained_and_the_others_run(mine: Path, function: str, words: str) -> None:
    done = demo(f"{mine}:{function},bicubic")
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert words in done.stderr
    assert read("bicubic")["status"] == "ok"
    record = read(f"mine-{function.lower()}")
    assert words in str(record["error"])
    scored = [scene for scene in record["scenes"] if scene["psnr"] is not None]  # type: ignore[attr-defined]
    assert len(scored) == (2 if function == "LaterBad" else 0)
    assert record["status"] == ("incomplete" if scored else "failed")


def test_a_results_folder_that_cannot_be_written_is_named_before_anything_runs(mine: Path) -> None:
    done = demo("bicubic", "--results-dir", mine / "results")
    assert done.exit_code == 1
    assert "results cannot be written there" in done.stderr


def test_a_network_that_cannot_be_built_stops_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        "from hsfusion_bench.methods import Card, NetworkMethod, Recipe\n"
        "class Net(NetworkMethod):\n"
        "    card = Card('net', 'Net', 'cnn')\n"
        "    recipe = Recipe('reference', 'adam', 1e-3, 1e-4, 1, 1, 8, 2, 16, 'L1', 'a test')\n"
        "    def build(self, problem): raise RuntimeError('out of memory, say')\n"
        "    def predict(self, network, lr_hsi, hr_msi, problem): ...\n"
        "    def loss(self, network, batch): ...\n"
    )
    done = demo(f"{path}:Net,bicubic")
    assert done.exit_code == 1
    assert "RuntimeError: out of memory, say" in done.stderr
    assert "Traceback" not in done.output
    assert read("bicubic")["status"] == "ok"


def test_debug_shows_where_a_method_failed(mine: Path) -> None:
    done = hsbench(
        *("--debug", "run", "--methods", f"{mine}:raises", "--dataset", "demo", "--scale", "4", "--no-timing")
    )
    assert 'raise ZeroDivisionError("oh no")' in done.stderr


def test_an_interrupted_run_keeps_its_scenes_and_resumes(mine: Path) -> None:
    stopped = demo(f"{mine}:Interrupted")
    assert stopped.exit_code != 0
    record = read("mine-interrupted")
    assert record["error"] == "interrupted"
    done = record["scenes"]
    assert [scene["psnr"] is not None for scene in done] == [True, True, False]  # type: ignore[attr-defined]
    # make the first two scenes recognisable, to see that they are not computed again
    done[1]["psnr"] = 12.25  # type: ignore[index]
    leave_scenes(Store(Path("results")), Record.model_validate(record))
    again = demo(f"{mine}:Interrupted")
    assert again.exit_code == 0, again.output
    resumed = read("mine-interrupted")
    assert resumed["status"] == "ok"
    assert resumed["scenes"][1]["psnr"] == 12.25  # type: ignore[index]
    assert not list(Path("results").rglob("*unfinished*"))


def test_without_weights_the_row_says_so_and_the_others_run() -> None:
    done = demo("feinfn,bicubic")
    assert done.exit_code == 1
    assert "no weights" in done.stdout
    assert "--train" in done.stderr
    assert "--weights feinfn=FILE" in done.stderr
    assert read("bicubic")["status"] == "ok"
    assert read("feinfn")["status"] == "no weights"
    assert read("feinfn")["model"]["trainable"] == 3164816  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--methods", "feinf", "--dataset", "demo", "--scale", "4"], "did you mean feinfn"),
        (["--methods", "bicubic", "--dataset", "dema", "--scale", "4"], "did you mean demo"),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "5"], "not at 5"),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--protocol", "west"], "did you mean uestc"),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--scenes", "xyz"], "no test scene 'xyz'"),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--max-steps", "3"], "add --train"),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--weights", "feinfn"], "METHOD=VALUE"),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--weights", "a=b"], "not among the methods"),
        (
            ["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--train", "--max-steps", "many"],
            "not a number of steps",
        ),
        (["--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--train", "--set", "patch=3"], "METHOD.NAME"),
        (["--methods", ",", "--dataset", "demo", "--scale", "4"], "names no method"),
    ],
)
def test_a_bad_request_is_one_clear_message(arguments: list[str], words: str) -> None:
    done = hsbench("run", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a readable"),
        (b"not a checkpoint at all", "not a readable"),
    ],
)
@pytest.mark.parametrize(("method", "suffix"), [("feinfn", ".safetensors"), ("feinfn", ".pth"), ("mossfuse", ".pth")])
def test_a_corrupt_checkpoint_is_named(content: bytes, words: str, method: str, suffix: str) -> None:
    file = Path("weights" + suffix)
    file.write_bytes(content)
    done = demo(f"{method},bicubic", "--weights", f"{method}={file}")
    assert done.exit_code == 1
    assert words in done.stderr
    assert file.name in done.stderr
    assert "Traceback" not in done.output
    assert read("bicubic")["status"] == "ok"


def test_an_absent_checkpoint_is_named() -> None:
    done = demo("feinfn", "--weights", "feinfn=nowhere.pth")
    assert done.exit_code == 1
    assert "nowhere.pth: there is no such weights file" in done.stderr


def test_foreign_and_other_peoples_checkpoints_are_refused() -> None:
    import torch
    from safetensors.torch import save_file

    torch.save({"state_dict": {"conv.weight": torch.zeros(3)}}, "foreign.pth")
    save_file({"conv.weight": torch.zeros(3)}, "foreign.safetensors")
    for method in ("feinfn", "mossfuse"):
        done = demo(method, "--weights", f"{method}=foreign.pth")
        assert done.exit_code == 1
        assert "foreign.pth" in done.stderr
        assert "Traceback" not in done.output
    done = demo("feinfn", "--weights", "feinfn=foreign.safetensors")
    assert "was not written by hsbench" in done.stderr


@pytest.mark.slow
def test_training_first_leaves_weights_that_the_next_run_finds(own_cache: Path) -> None:
    budget = ["--train", "--max-steps", "2", "--max-steps", "mossfuse=3"]
    budget += ["--set", "feinfn.patch=16", "--set", "mossfuse.patch=16"]
    one = ["--scenes", "figs"]
    trained = demo("feinfn,mossfuse", *one, *budget)
    assert trained.exit_code == 0, trained.output
    assert "FeINFN: trained 2 steps (1.6e-05 % of the pixels of the recipe), patch 16" in " ".join(
        trained.stdout.split()
    )
    record = read("mossfuse.subset-figs")
    assert record["weights"]["training"]["steps"] == 3  # type: ignore[index]
    assert record["weights"]["training"]["supervision"] == "none"  # type: ignore[index]
    flops = read("feinfn.subset-figs")["model"]["flops"]  # type: ignore[index]
    assert flops["lower_bound"]
    assert any("fft" in operator for operator in flops["uncounted"])
    assert flops["hr_size"] == [128, 128]
    assert sorted(path.name for path in own_cache.rglob("*.safetensors")) == ["demo-x4-uestc.safetensors"] * 2
    found = demo("feinfn,mossfuse", *one, "--results-dir", "again")
    assert found.exit_code == 0, found.output
    for name in ("feinfn", "mossfuse"):
        path = Path("demo-x4-uestc") / f"{name}.subset-figs.json"
        assert ("results" / path).read_bytes() == ("again" / path).read_bytes()
    # weights of one method are not those of another
    (file,) = (own_cache / "weights" / "mossfuse").glob("*.safetensors")
    swapped = demo("feinfn", "--weights", f"feinfn={file}")
    assert swapped.exit_code == 1
    assert "weights of 'mossfuse', not of 'feinfn'" in swapped.stderr


@pytest.mark.parametrize(
    "verb",
    [
        "run",
        "train",
        "fuse",
        "evaluate",
        "join",
        "score",
        "verify",
        "leaderboard",
        "report",
        "compare",
        "cost",
        "list",
        "show",
        "new-method",
    ],
)
def test_every_verb_helps_with_an_example(verb: str) -> None:
    shown = hsbench(verb, "--help")
    assert shown.exit_code == 0
    assert f"hsbench {verb}" in shown.stdout.partition("Example")[2]


def test_the_verbs_of_the_help_are_these() -> None:
    commands = hsbench("--help").stdout.partition("Commands:\n")[2].splitlines()
    expected = (
        "run train fuse evaluate join reproduce submit-check score verify leaderboard compare report figure cost data "
        "weights list show new-method"
    )
    assert [line.split()[0] for line in commands if not line.startswith("   ")] == expected.split()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("goldens matlab.toml", "goldens is now hsbench verify --make-golden"),
        ("goldens --help", "goldens is now hsbench verify --make-golden"),
        ("data proof --markdown x.md", "data proof is now hsbench verify --published"),
        ("list datasets", "list datasets is now hsbench data list"),
        ("schema", "schema is now hsbench show schema"),
    ],
)
def test_a_verb_of_an_older_name_says_the_new_one(old: str, new: str) -> None:
    done = hsbench(*old.split())
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr == f"Error: hsbench {new}\n"


@pytest.mark.parametrize("what", ["methods", "protocols", "metrics", "responses"])
def test_lists(what: str) -> None:
    shown = hsbench("list", what)
    assert shown.exit_code == 0
    expected = {"methods": "mossfuse", "protocols": "uestc", "metrics": "qave", "responses": "Nikon D700"}[what]
    assert expected in shown.stdout


def test_responses_are_listed_and_exported(tmp_path: Path) -> None:
    listed = {each["name"]: each for each in json.loads(hsbench("list", "responses", "--json").stdout)}
    assert listed["A"]["wavelengths"] == {"first": 400, "last": 700, "count": 31}
    assert listed["A"]["channels"] == ["red", "green", "blue"]
    assert listed["landsat"]["wavelengths"] == {"first": 435, "last": 2294, "count": None}
    assert listed["landsat"]["edges"][-1] == [2107, 2294]
    assert "GeoEye" in listed["ikonos"]["source"]
    csv = hsbench("list", "responses", "--csv", "A").stdout
    assert csv.splitlines()[:2] == ["wavelength,red,green,blue", "400.0,2.0,1.0,7.0"]
    (tmp_path / "A.csv").write_text(csv)
    assert hsbench("list", "responses", "--csv", tmp_path / "A.csv").stdout == csv
    for wrong in (["methods", "--csv", "A"], ["responses", "--csv", "A", "--json"], ["responses", "--csv", "ikonos"]):
        refused = hsbench("list", *wrong)
        assert refused.exit_code == 2
        assert refused.stdout == ""


def test_a_turned_camera_scores_as_the_right_one_and_is_said(tmp_path: Path) -> None:
    lines = hsbench("list", "responses", "--csv", "A").stdout.splitlines()[1:]
    columns = np.array([line.split(",")[1:] for line in lines], float)  # [31, 3]
    np.save(tmp_path / "turned.npy", columns)
    np.save(tmp_path / "right.npy", columns.T)
    turned = demo("gsa", "--response", tmp_path / "turned.npy", "--csv", "turned.csv")
    right = demo("gsa", "--response", tmp_path / "right.npy", "--csv", "right.csv")
    assert turned.exit_code == right.exit_code == 0
    assert "[31, 3], and the image has 31 bands: it was turned" in turned.stderr
    assert "turned to" not in right.stderr
    scores = [Path(f"{name}.csv").read_text().replace(name, "") for name in ("turned", "right")]
    assert re.sub("[.][0-9a-f]{8}", "", scores[0]) == re.sub("[.][0-9a-f]{8}", "", scores[1])


def test_show_gives_parameters_recipe_and_origin() -> None:
    facts = json.loads(hsbench("show", "feinfn", "--json").stdout)
    assert facts["parameters"]["trainable"] == 3164816
    assert facts["recipe"]["learning_rate"] == 2e-4
    assert facts["origin"]["kind"] == "shipped"
    assert "NeurIPS" in facts["description"]
    assert "results depend on them" in facts["tiles"]
    assert facts["variants"]["text"]["accumulation"]["value"] == "mean"
    shown = " ".join(hsbench("show", "mossfuse").stdout.split())
    assert "recipe.batch_size 2 (MossFuse train.py" in shown
    assert "recipe text: schedule_epochs" not in shown  # its length is not a number that can be set
    assert "recipe text: shuffle true (ours: the text does not say)" in shown


def test_leaderboard_without_records_says_how_to_make_some() -> None:
    done = hsbench("leaderboard", "--dataset", "harvard")
    assert done.exit_code == 1
    said = " ".join(done.stderr.split())
    assert "results and hsbench itself hold no records of dataset harvard" in said
    assert "hsbench run" in said


def test_leaderboard_formats_and_sorting() -> None:
    demo("bicubic")
    assert hsbench("leaderboard", "--format", "csv").stdout.startswith("method,title")
    assert r"\toprule" in hsbench("leaderboard", "--format", "latex", "--indexes", "uqi,q2n").stdout
    assert "| Bicubic |" in hsbench("leaderboard", "--format", "markdown").stdout
    wrong = hsbench("leaderboard", "--sort", "psn")
    assert wrong.exit_code == 2
    assert "the indexes are psnr" in wrong.stderr


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    demo("bicubic")
    Path("results/demo-x4-uestc/bicubic.json").write_text('{"schema": "x"}')
    done = hsbench("leaderboard")
    assert done.exit_code == 1
    assert "bicubic.json is not a valid record" in done.stderr


def test_the_schema_is_json() -> None:
    assert "summary" in json.loads(hsbench("show", "schema").stdout)["properties"]
