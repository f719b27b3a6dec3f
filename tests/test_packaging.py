"""The distribution: what the wheel holds, what the command line imports, what a stranger's package can do."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from hsfusion_baselines import METHODS
from hsfusion_bench import __version__

ROOT = Path(__file__).parent.parent

HEAVY = {"torch", "pandas", "skimage", "matplotlib"}
#: Runs a command line, and fails where something of `heavy` was imported for it.
SCRIPT = """
import sys
from hsfusion_bench.cli import main
try: main(sys.argv[1:])
except SystemExit as stop: assert not stop.code, stop.code
found = {heavy} & set(sys.modules)
sys.exit(f"imported {{found}}" if found else 0)
"""


def run(*arguments: str, path: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=cwd, timeout=300
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == {
        "hsfusion_bench",
        "hsfusion_baselines",
        "hsfusion_metrics",
    }
    for package in ("hsfusion_bench", "hsfusion_baselines", "hsfusion_metrics"):
        assert f"{package}/py.typed" in names
    for data in (
        "data/observing/protocols/uestc.toml",
        "data/observing/responses/ikonos.toml",
        "data/sources/cave.csv",
        "report/html/page.html.j2",
        "report/html/script.js",
        "report/html/style.css",
        "report/published.csv",
        "runs/weights/authors.toml",
    ):
        assert f"hsfusion_bench/{data}" in names
    assert "hsfusion_bench/cli/templates/shared/pyproject.toml.in" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    stand_ins = {f"hsfusion_bench/matlab/octave/{function}.m" for function in ("blockproc", "cov", "fwind1", "kaiser")}
    assert stand_ins <= set(names)
    committed = {f"hsfusion_bench/{path.relative_to(ROOT)}" for path in (ROOT / "results").glob("*-x*-*/*.json")}
    assert len(committed) > 40
    assert committed <= set(names)
    for method in ("feinfn", "mossfuse"):
        assert f"hsfusion_bench/results/weights/{method}/cave-x4-uestc.safetensors" in names
    results = {name for name in names if name.startswith("hsfusion_bench/results/")}
    for name in set(names) - stand_ins - results:
        known = (".py", ".toml", ".in", "published.csv", "sources/cave.csv", "py.typed")
        known = (*known, ".html.j2", "html/style.css", "html/script.js")
        assert name.endswith(known) or ".dist-info/" in name, name


def test_one_version_is_told_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    told = re.findall(r"^version: (.*)$", citation, flags=re.MULTILINE)
    released = re.findall(r"^## \[(\d[^\]]*)\] - (.*)$", changes, flags=re.MULTILINE)
    assert told == [__version__] == [released[0][0]]
    assert f"date-released: {released[0][1]}\n" in citation


def test_a_plain_install_can_train() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(each.startswith("accelerate") for each in project["dependencies"])
    assert "train" not in project["optional-dependencies"]


def test_the_wheel_works_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    shown = run("-m", "hsfusion_bench", "list", "protocols", path=tmp_path, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "uestc" in shown.stdout
    verified = run("-m", "hsfusion_bench", "verify", "--golden", path=tmp_path, cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    listed = run("-m", "hsfusion_bench", "weights", "list", "--method", "feinfn", path=tmp_path, cwd=tmp_path)
    (line,) = [line for line in listed.stdout.splitlines() if line.startswith("feinfn-cave-x4-uestc ")]
    assert "package" in line
    assert line.endswith(" yes")
    where = run("-c", "import hsfusion_bench; print(hsfusion_bench.__file__)", path=tmp_path, cwd=tmp_path)
    assert where.stdout.startswith(str(tmp_path))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["compare", "--help"],
        ["list", "methods"],
        ["list", "metrics"],
        ["list", "responses"],
        ["leaderboard", "--only", "recorded"],
        ["show", "feinfn"],
        ["weights", "list"],
    ],
)
def test_help_lists_and_tables_import_no_torch(arguments: list[str]) -> None:
    done = run("-c", SCRIPT.format(heavy=HEAVY), *arguments)
    assert done.returncode == 0, done.stderr


def test_a_list_of_methods_imports_none_of_them() -> None:
    methods = {target.partition(":")[0] for target in METHODS.values()}
    done = run("-c", SCRIPT.format(heavy=methods | {"numpy", "scipy", "multiprocessing"}), "list", "methods")
    assert done.returncode == 0, done.stderr
    assert "bicubic" in done.stdout


def test_a_table_imports_no_scipy() -> None:
    done = run("-c", SCRIPT.format(heavy={"scipy", "torch", "pandas", "h5py"}), "leaderboard", "--only", "recorded")
    assert done.returncode == 0, done.stderr
    assert "FeINFN" in done.stdout


@pytest.mark.parametrize("more", [["--no-timing"], [], ["--no-timing", "--again"]])
def test_a_classical_run_imports_no_torch(more: list[str], tmp_path: Path) -> None:
    asked = ["--methods", "bicubic,gsa", "--dataset", "demo", "--scale", "4"]
    done = run("-c", SCRIPT.format(heavy=HEAVY), "run", *asked, "--results-dir", str(tmp_path), *more)
    assert done.returncode == 0, done.stderr
    record = tmp_path / "demo-x4-uestc" / "gsa.json"
    assert record.is_file()
    if more == ["--no-timing"]:
        done = run("-c", SCRIPT.format(heavy=HEAVY), "reproduce", str(record))
        assert done.returncode == 0, done.stderr


def test_to_choose_a_device_for_classical_methods_imports_no_torch() -> None:
    script = (
        "import sys\n"
        "import hsfusion_bench as hb\n"
        "results = hb.run(hb.open_task('demo', scale=4), ['bicubic'], records=None, timing=False, device='auto')\n"
        "assert len(results.records) == 1 and results.records[0].device == 'cpu'\n"
        "sys.exit('torch was imported' if 'torch' in sys.modules else 0)\n"
    )
    done = run("-c", script)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third party's package, really built and installed into a folder."""
    folder = tmp_path_factory.mktemp("stranger")
    installed = run(
        *("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"),
        *("--target", str(folder), str(ROOT / "tests" / "plugin")),
    )
    assert installed.returncode == 0, installed.stderr
    return folder


def test_a_strangers_method_is_listed_with_its_distribution(stranger: Path) -> None:
    listed = run("-m", "hsfusion_bench", "list", "methods", path=stranger)
    assert listed.returncode == 0, listed.stderr
    (line,) = [line for line in listed.stdout.splitlines() if line.strip().startswith("nearest")]
    assert "stranger-fusion 0.3.1" in line
    # one that cannot be imported is named, and stops nothing
    assert "this plugin is broken on purpose" in listed.stderr
    assert "stranger-fusion 0.3.1" in listed.stderr
    # a shipped name wins, and the clash is reported
    assert "'bicubic' of stranger-fusion 0.3.1 is hidden" in listed.stderr


def test_a_strangers_method_runs_and_a_broken_one_stops_only_itself(stranger: Path, tmp_path: Path) -> None:
    done = run(
        *("-m", "hsfusion_bench", "run", "--methods", "broken,nearest", "--dataset", "demo", "--scale", "4"),
        *("--no-timing", "--results-dir", str(tmp_path)),
        path=stranger,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "this plugin is broken on purpose" in done.stderr
    record = (tmp_path / "demo-x4-uestc" / "nearest.json").read_text()
    assert '"distribution": "stranger-fusion"' in record
    assert '"status": "ok"' in record
