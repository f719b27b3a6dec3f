"""Running the MATLAB test package beside us, and the golden file that stands for it.

The package itself is used where HSBENCH_MATLAB_PACKAGE names it; a stand-in of a few lines where only Octave is.
"""

from __future__ import annotations

import json
import math
import os
import select
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import io

from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.matlab import goldens as shipped
from hsfusion_bench.matlab.batches import write_batches
from hsfusion_bench.matlab.engine import Engine, find_engine, run_script
from hsfusion_bench.matlab.package import NO_REFERENCE, REFERENCE, Arguments
from hsfusion_bench.matlab.verify import Check, compare, kind_of_file, our_summary
from hsfusion_metrics import METRICS, MeanStd
from support import goldens

STANDIN = Path(__file__).parent / "standin"
GT = np.random.default_rng(3).random((2, 3, 20, 18))
SR = GT[:, ::-1].copy()
LMS = np.random.default_rng(4).integers(1, 2048, (2, 8, 32, 64)).astype(float)
COUNTS = {"sr": LMS[:, ::-1].copy(), "ms": LMS[:, :, ::4, ::4], "lms": LMS, "pan": LMS.mean(axis=1, keepdims=True)}
UNREF = json.loads((goldens.FOLDER / "unref.json").read_text())["cases"]

SCRIPT = "analysis_ref_batched_images.m"
NO_REFERENCE_SCRIPT = "analysis_unref_batched_images.m"
REST = [name for name in UNREF if name != "ikonos"]
ANSWER = "version 9.9 (R2099a)\n" + "".join(f"field {metric.matlab_field} 1 0.5\n" for metric in METRICS.values())

needs_octave = pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")


@pytest.fixture(autouse=True)
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STANDIN", raising=False)
    monkeypatch.delenv("HSBENCH_MATLAB_PACKAGE", raising=False)


@pytest.fixture(scope="module")
def real_package() -> Path:
    folder = os.environ.get("HSBENCH_MATLAB_PACKAGE")
    if not folder:
        pytest.skip("HSBENCH_MATLAB_PACKAGE names no copy of the MATLAB test package")
    if shutil.which("octave-cli") is None and shutil.which("matlab") is None:
        pytest.skip("neither octave-cli nor matlab is installed")
    return Path(folder)


@pytest.fixture
def mat(tmp_path: Path) -> Path:
    file = tmp_path / "results.mat"
    write_batches(file, zip(GT, SR, strict=True), count=len(GT))
    return file


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    file = tmp_path / "counts.mat"
    io.savemat(file, COUNTS)
    return file


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leave in PATH the programs of a shell, and one of ours."""

    def leave(name: str | None = None, body: str = "") -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for tool in ("sh", "cat", "sleep"):
            (folder / tool).symlink_to(shutil.which(tool) or tool)
        if name:
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return leave


def write_v73(path: Path, kind: str = "double", **variables: np.ndarray) -> Path:
    """Write as MATLAB's `save -v7.3`: HDF5 with the axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            file[name] = values.T
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
    return path


def verify(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def octave() -> Engine:
    return find_engine("octave")


class TestComparison:
    def check(self, matlab: tuple[float, float], ours: tuple[float, float], tolerance: float = 1e-10) -> Check:
        return Check("psnr", MeanStd(*matlab), MeanStd(*ours), tolerance)

    @pytest.mark.parametrize(
        ("matlab", "ours", "passed"),
        [
            ((40.0, 2.0), (40.0, 2.0), True),
            ((40.0, 2.0), (40.0 + 3e-9, 2.0), True),
            ((40.0, 2.0), (40.0 + 5e-9, 2.0), False),
            ((40.0, 2.0), (40.0, 2.0 - 5e-9), False),
            # a deviation near zero has the rounding of the values it was taken of
            ((40.0, 1e-12), (40.0, 3e-9), True),
            ((40.0, 1e-12), (40.0, 5e-9), False),
            ((0.0, 0.0), (9e-13, 9e-13), True),
            ((0.0, 0.0), (2e-12, 0.0), False),
            ((math.inf, math.nan), (math.inf, math.nan), True),
            ((math.nan, math.nan), (math.nan, math.nan), True),
            ((math.inf, math.nan), (400.0, math.nan), False),
            ((400.0, math.nan), (math.inf, math.nan), False),
            ((math.inf, math.nan), (-math.inf, math.nan), False),
            ((40.0, 2.0), (math.nan, 2.0), False),
            ((40.0, math.nan), (40.0, 2.0), False),
            ((math.nan, 2.0), (math.nan, 2.5), False),
        ],
    )
    def test_what_passes(self, matlab: tuple[float, float], ours: tuple[float, float], passed: bool) -> None:
        assert self.check(matlab, ours).passed is passed

    def test_differences_are_relative(self) -> None:
        check = self.check((40.0, 2.0), (41.0, 2.5))
        assert (check.mean_difference, check.std_difference) == (1 / 40, 0.5 / 40)

    def test_singles_are_allowed_more_than_doubles(self) -> None:
        same = dict.fromkeys(METRICS, MeanStd(1.0, 0.1))
        off = dict.fromkeys(METRICS, MeanStd(1.0 + 2e-6, 0.1))
        assert not any(check.passed for check in compare(same, off, "double"))
        assert {check.index for check in compare(same, off, "single") if check.passed} == {"psnr", "sam", "uqi"}

    def test_the_golden_of_singles_passes_as_single_only(self, tmp_path: Path) -> None:
        golden = goldens.batch("cave_like_single")
        matlab = {index: MeanStd(*pair) for index, pair in golden.summary.items()}
        file = tmp_path / "a.mat"
        io.savemat(file, {"gt": golden.gt, "sr": golden.sr})
        assert kind_of_file(REFERENCE, file) == "single"
        ours = our_summary(REFERENCE, file, Arguments(golden.ratio, golden.const))
        assert all(check.passed for check in compare(matlab, ours, "single"))
        assert not all(check.passed for check in compare(matlab, ours, "double"))

    @pytest.mark.parametrize(
        ("dtype", "kind"), [(np.float64, "double"), (np.float32, "single"), (np.uint16, "uint16"), (np.int8, "int8")]
    )
    def test_the_kind_of_a_file(self, tmp_path: Path, dtype: type, kind: str) -> None:
        gt, sr = (100 * GT).astype(dtype), (100 * SR).astype(dtype)
        io.savemat(tmp_path / "a.mat", {"gt": gt, "sr": sr})
        assert kind_of_file(REFERENCE, tmp_path / "a.mat") == kind
        assert kind_of_file(REFERENCE, write_v73(tmp_path / "b.mat", kind, gt=gt, sr=sr)) == kind

    def test_one_single_makes_a_file_of_singles(self, tmp_path: Path) -> None:
        io.savemat(tmp_path / "a.mat", {"gt": GT, "sr": SR.astype(np.float32)})
        assert kind_of_file(REFERENCE, tmp_path / "a.mat") == "single"

    def test_the_kind_without_a_reference_is_not_that_of_ms(self, tmp_path: Path) -> None:
        io.savemat(tmp_path / "a.mat", COUNTS | {"ms": COUNTS["ms"].astype(np.float32)})
        assert kind_of_file(NO_REFERENCE, tmp_path / "a.mat") == "double"
        io.savemat(tmp_path / "a.mat", COUNTS | {"pan": COUNTS["pan"].astype(np.float32)})
        assert kind_of_file(NO_REFERENCE, tmp_path / "a.mat") == "single"

    def test_a_struct_is_not_for_the_script(self, tmp_path: Path) -> None:
        io.savemat(tmp_path / "a.mat", {"results": {"gt": GT, "sr": SR}})
        with pytest.raises(HsbenchError, match=f"{SCRIPT} needs gt, sr as variables, not in a struct; .* results"):
            kind_of_file(REFERENCE, tmp_path / "a.mat")

    def test_the_script_without_a_reference_loads_ms(self, tmp_path: Path) -> None:
        io.savemat(tmp_path / "a.mat", {name: image for name, image in COUNTS.items() if name != "ms"})
        with pytest.raises(HsbenchError, match=f"has no variable ms; {NO_REFERENCE_SCRIPT} needs sr, ms, lms, pan"):
            kind_of_file(NO_REFERENCE, tmp_path / "a.mat")


class TestWhatIsMissing:
    def test_no_engine(self, mat: Path, only: Callable[..., None]) -> None:
        only()
        done = verify(mat, "--package", STANDIN)
        assert done.exit_code == 1
        assert "neither MATLAB nor GNU Octave was found in PATH" in done.output
        assert "apt install octave octave-image" in done.output

    def test_not_the_engine_that_was_asked_for(self, mat: Path, only: Callable[..., None]) -> None:
        only("octave-cli")
        done = verify(mat, "--package", STANDIN, "--engine", "matlab")
        assert done.exit_code == 1
        assert "MATLAB was not found in PATH" in done.output

    def test_no_package(self, mat: Path) -> None:
        done = verify(mat)
        assert done.exit_code == 2
        assert "--package FOLDER" in done.output

    def test_no_such_folder(self, mat: Path, tmp_path: Path) -> None:
        done = verify(mat, "--package", tmp_path / "nowhere")
        assert done.exit_code == 1
        assert "there is no such folder" in done.output

    def test_another_folder(self, mat: Path, tmp_path: Path) -> None:
        done = verify(mat, "--package", tmp_path)
        assert done.exit_code == 1
        assert f"does not hold {SCRIPT}" in done.output

    def test_the_folder_above(self, mat: Path) -> None:
        done = verify(mat, "--package", STANDIN.parent)
        assert done.exit_code == 1
        assert f"{STANDIN} does" in done.output

    def test_no_file(self) -> None:
        assert verify().exit_code == 2

    def test_a_file_that_is_no_mat(self, tmp_path: Path) -> None:
        (tmp_path / "a.mat").write_text("gt sr")
        done = verify(tmp_path / "a.mat", "--package", STANDIN)
        assert done.exit_code == 1
        assert "cannot be read as a MAT-file" in done.output

    @pytest.mark.parametrize("option", [("--ratio", 4), ("--no-reference",), ("--sensor", "WV3")])
    def test_golden_needs_nothing(self, option: tuple[object, ...]) -> None:
        done = verify("--golden", *option)
        assert done.exit_code == 2
        assert f"{option[0]} goes with a FILE" in done.output

    def test_a_package_without_the_other_script(self, counts: Path, tmp_path: Path) -> None:
        (tmp_path / SCRIPT).touch()
        done = verify(counts, "--no-reference", "--package", tmp_path)
        assert done.exit_code == 1
        assert f"does not hold {NO_REFERENCE_SCRIPT}" in done.output

    @pytest.mark.parametrize(
        ("options", "code", "message"),
        [
            (("--no-reference", "--ratio", 8), 2, "--no-reference needs --ratio 2 or 4"),
            (("--no-reference", "--const", 1), 2, "--const goes with"),
            (("--sensor", "WV3"), 2, "--sensor goes with --no-reference"),
            (("--no-reference", "--sensor", "W"), 1, "there is no sensor W; known are IKONOS"),
            (("--no-reference", "--sensor", "QB"), 1, "4 gains for 8 bands"),
            ((), 1, f"has no variable gt; {SCRIPT} needs gt, sr"),
        ],
    )
    def test_what_the_scripts_cannot_be_told(
        self, counts: Path, only: Callable[..., None], options: tuple[object, ...], code: int, message: str
    ) -> None:
        only("matlab", "echo 'the script must not run' >&2; exit 3")
        done = verify(counts, "--package", STANDIN, *options)
        assert done.exit_code == code
        assert message in done.output


@pytest.mark.skipif(os.name != "posix", reason="the programs are shell scripts")
class TestPrograms:
    def test_matlab_is_called_in_the_packages_copy(self, mat: Path, only: Callable[..., None]) -> None:
        only(
            "matlab", f'test "$*" = "-batch hsbench_driver" -a -f $2.m -a -f {SCRIPT} && echo "{ANSWER}" >../answer.txt'
        )
        done = verify(mat, "--package", STANDIN, "--json")
        answer = json.loads(done.stdout)
        assert done.exit_code == 1
        assert answer["engine"] == "MATLAB 9.9 (R2099a)"
        assert answer["passed"] is False
        assert answer["cases"][str(mat)]["indexes"]["sam"]["matlab"] == [1.0, 0.5]

    def test_matlab_gets_no_stand_in(self, counts: Path, only: Callable[..., None]) -> None:
        fields = "field d_lambda 0.1 0\nfield d_s 0.2 0\nfield qnr_index 0.72 0\n"
        only(
            "matlab",
            f"test -f {NO_REFERENCE_SCRIPT} -a ! -e ../stand_ins && cat $2.m >&2 && "
            f'case "$(cat $2.m)" in *stand_ins*) exit 4;; esac && printf "version 9.9\n{fields}" >../answer.txt',
        )
        answer = json.loads(verify(counts, "--no-reference", "--package", STANDIN, "--json").stdout)
        assert (answer["engine"], answer["stand_ins"], answer["passed"]) == ("MATLAB 9.9", [], False)
        case = answer["cases"][str(counts)]
        assert case["script"] == "analysis_unref_batched_images"
        assert (case["type"], case["ratio"], case["sensor"]) == ("double", 4.0, "none")
        assert {name: index["matlab"] for name, index in case["indexes"].items()} == {
            "d_lambda": [0.1, 0],
            "d_s": [0.2, 0],
            "hqnr": [0.72, 0],
        }

    def test_a_program_that_gives_no_answer(self, mat: Path, only: Callable[..., None]) -> None:
        only("matlab", "echo 'License checkout failed.'; exit 1")
        done = verify(mat, "--package", STANDIN)
        assert done.exit_code == 1
        assert "ended without an answer" in done.output
        assert "License checkout failed." in done.output

    def test_a_toolbox_that_is_missing(self, mat: Path, only: Callable[..., None]) -> None:
        only("matlab", "printf 'version 9.9\\nmissing image\\n' >../answer.txt")
        done = verify(mat, "--package", STANDIN)
        assert done.exit_code == 1
        assert "Image Processing Toolbox" in done.output

    def test_a_program_that_cannot_start(self, mat: Path, only: Callable[..., None], tmp_path: Path) -> None:
        only("octave-cli")
        (tmp_path / "bin" / "octave-cli").write_text("#!/nowhere/sh\n")
        done = verify(mat, "--package", STANDIN)
        assert done.exit_code == 1
        assert "cannot be started" in done.output

    def test_what_takes_too_long_is_stopped_with_its_children(
        self, mat: Path, only: Callable[..., None], tmp_path: Path
    ) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        only("octave-cli", f"(echo up; sleep 60) >'{pipe}' & wait")
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        done = verify(mat, "--package", STANDIN, "--time-limit", 2)
        assert done.exit_code == 1
        assert "did not finish within 2 s" in done.output
        assert os.read(reader, 99) == b"up\n"
        # the pipe ends when nobody is left who holds it open
        assert select.select([reader], [], [], 30)[0]
        assert os.read(reader, 99) == b""
        os.close(reader)


@needs_octave
class TestStandIn:
    """What reaches a script, and what comes back from it."""

    def run(self, package: Path, file: Path) -> dict[str, MeanStd]:
        return run_script(octave(), package, REFERENCE, file, Arguments(8, 2047), time_limit=120).summary

    def test_arguments_data_and_numbers_pass(self, mat: Path) -> None:
        found = self.run(STANDIN, mat)
        assert found["sam"] == (8, 2047)
        assert found["ergas"] == GT.shape[:2]
        assert found["scc"] == GT.shape[2:]
        assert found["q2n"] == (0, 1 / 3)
        assert found["uqi"] == (np.float32(0.1), np.float32(0.2))
        assert found["psnr"].mean == math.inf
        assert math.isnan(found["psnr"].std)
        assert found["ssim"] == (GT[0, 0, 0, 1], SR[0, 1, 0, 0])

    @pytest.mark.parametrize(("sensor", "told"), [("WV3", 1), (None, 2)])
    def test_the_script_without_a_reference(self, counts: Path, sensor: str | None, told: int) -> None:
        arguments = Arguments(ratio=2, sensor=sensor)
        answer = run_script(octave(), STANDIN, NO_REFERENCE, counts, arguments, time_limit=120)
        assert answer.summary["d_lambda"] == (2, told)
        assert answer.summary["d_s"] == (LMS[0, 1, 0, 0], COUNTS["pan"][0, 0, 0, 1])
        # a function of Tools; cov of (1, 2, 4) and (1, 3, 3); four blocks begin at 1 and 3; a window's middle
        assert answer.summary["hqnr"] == pytest.approx((1 / 5 + 4 / 3, 8 + 80 + 1), rel=1e-15)
        assert set(answer.stand_ins) <= set(NO_REFERENCE.toolbox)
        assert {"kaiser", "fwind1"} <= set(answer.stand_ins)

    def test_what_the_engine_has_is_not_replaced(self, counts: Path, tmp_path: Path) -> None:
        package = tmp_path / "package"
        shutil.copytree(STANDIN, package)
        (package / "kaiser.m").write_text("function w = kaiser(n)\n    w = 7 * ones(n, 1);\nend\n")
        answer = run_script(octave(), package, NO_REFERENCE, counts, Arguments(), time_limit=120)
        assert "kaiser" not in answer.stand_ins
        assert answer.summary["hqnr"].std == pytest.approx(8 + 80 + 7, rel=1e-15)

    def test_its_command_prints_three_indexes(self, counts: Path) -> None:
        done = verify(counts, "--no-reference", "--sensor", "WV3", "--package", STANDIN, "--engine", "octave")
        assert done.exit_code == 1
        assert done.output.startswith("analysis_unref_batched_images in GNU Octave")
        assert "(ratio 4, sensor WV3)" in done.output
        assert "kaiser, fwind1" in done.output
        lines = [line.split()[0] for line in done.output.splitlines() if line.endswith(("pass", "FAIL"))]
        assert lines == ["D_lambda", "D_s", "HQNR"]

    def test_its_error_is_told(self, counts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STANDIN", "error")
        done = verify(counts, "--no-reference", "--sensor", "WV3", "--package", STANDIN, "--engine", "octave")
        assert done.exit_code == 1
        assert f"{NO_REFERENCE_SCRIPT} stopped in GNU Octave: the stand-in stops as it was told" in done.output

    def test_a_file_of_version_73(self, tmp_path: Path) -> None:
        file = write_v73(tmp_path / "a.mat", gt=GT, sr=SR)
        assert self.run(STANDIN, file)["ssim"] == (GT[0, 0, 0, 1], SR[0, 1, 0, 0])

    def test_blanks_and_accents_in_every_path(
        self, mat: Path, counts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        odd = tmp_path / "mes données 'été' 结果 %d"
        package, temporary = odd / "le paquet", odd / "temp"
        shutil.copytree(STANDIN, package)
        temporary.mkdir()
        file = mat.rename(odd / "résultats de l'essai.mat")
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        assert self.run(package, file)["sam"] == (8, 2047)
        answer = run_script(octave(), package, NO_REFERENCE, counts, Arguments(), time_limit=120)
        assert answer.summary["d_lambda"].mean == 4
        assert list(temporary.iterdir()) == []

    def test_relative_paths(self, mat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(mat.parent)
        assert self.run(Path(os.path.relpath(STANDIN)), Path(mat.name))["sam"] == (8, 2047)

    def test_the_package_and_its_data_stay_as_they_are(self, mat: Path, tmp_path: Path) -> None:
        package = tmp_path / "package"
        shutil.copytree(STANDIN, package)
        (package / "results").mkdir()
        (package / "results" / "huge.mat").write_bytes(bytes(1000))
        before = {path: path.stat().st_mtime_ns for path in package.rglob("*")}
        self.run(package, mat)
        assert {path: path.stat().st_mtime_ns for path in package.rglob("*")} == before

    def test_an_error_of_the_script_is_told(self, mat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STANDIN", "error")
        with pytest.raises(HsbenchError, match=r"stopped in GNU Octave: the stand-in stops as it was told"):
            self.run(STANDIN, mat)

    def test_a_script_that_ends_the_engine(self, mat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STANDIN", "crash")
        with pytest.raises(HsbenchError, match=r"ended without an answer.*the stand-in leaves"):
            self.run(STANDIN, mat)

    def test_a_result_without_an_index(self, mat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STANDIN", "fields")
        with pytest.raises(HsbenchError, match="no mean and deviation of qn;"):
            self.run(STANDIN, mat)

    def test_no_image_package(self, mat: Path, tmp_path: Path) -> None:
        package = tmp_path / "package"
        shutil.copytree(STANDIN, package)
        (package / "imfilter.m").unlink()
        (package / "pkg.m").write_text("function varargout = pkg(varargin)\n    error('none');\nend\n")
        with pytest.raises(HsbenchError, match="package `image` is missing: apt install octave-image"):
            self.run(package, mat)

    def test_the_command_prints_every_index_and_fails(self, mat: Path) -> None:
        done = verify(mat, "--package", STANDIN, "--engine", "octave")
        assert done.exit_code == 1
        assert "GNU Octave" in done.output
        lines = {line.split()[0]: line for line in done.output.splitlines() if line.endswith(("pass", "FAIL"))}
        assert list(lines) == [metric.title for metric in METRICS.values()]
        assert "comparisons fail" in done.output

    def test_integers_are_said_to_be_another_arithmetic(self, tmp_path: Path) -> None:
        file = tmp_path / "a.mat"
        io.savemat(file, {"gt": (255 * GT).astype(np.uint8), "sr": (255 * SR).astype(np.uint8)})
        done = verify(file, "--package", STANDIN)
        assert "a file of uint8: the script computes in integers" in done.output


class TestPackage:
    """The package itself, where it is."""

    @pytest.mark.parametrize("name", ["cave_like_64", "odd_size", "ratio_8", "black_block"])
    def test_it_returns_the_goldens_and_we_agree(self, name: str, real_package: Path, tmp_path: Path) -> None:
        golden = goldens.batch(name)
        file = tmp_path / f"{name}.mat"
        io.savemat(file, {"gt": golden.gt, "sr": golden.sr})
        done = verify(
            *(file, "--package", real_package, "--ratio", golden.ratio, "--const", golden.const, "--json"),
        )
        assert done.exit_code == 0, done.output
        answer = json.loads(done.stdout)
        assert answer["passed"] is True
        for index, pair in golden.summary.items():
            found = [float(value) for value in answer["cases"][str(file)]["indexes"][index]["matlab"]]
            assert found == pytest.approx(pair, rel=1e-10, abs=1e-12, nan_ok=True)

    def test_a_file_of_integers_is_compared_in_integers(self, real_package: Path, tmp_path: Path) -> None:
        with np.load(goldens.FOLDER / "classes.npz") as stored:
            images = {name: stored[f"reference_uint8_{name}"][None] for name in ("gt", "sr")}
        file = tmp_path / "a.mat"
        io.savemat(file, images)
        done = verify(file, "--package", real_package, "--const", 255)
        assert done.exit_code == 0, done.output
        assert (
            "a file of uint8: the script computes in integers, which are rounded and saturate, and so do we"
            in done.output
        )

    def test_a_wrong_ratio_fails_in_ergas_alone(self, real_package: Path, tmp_path: Path) -> None:
        # the script gets 4, we are asked about the same file and another ratio
        golden = goldens.batch("small_48x40")
        file = tmp_path / "a.mat"
        io.savemat(file, {"gt": golden.gt, "sr": golden.sr})
        told = Arguments(golden.ratio, golden.const)
        answer = run_script(find_engine(), real_package, REFERENCE, file, told, time_limit=300)
        ours = our_summary(REFERENCE, file, Arguments(2 * golden.ratio, golden.const))
        assert [check.index for check in compare(answer.summary, ours, "double") if not check.passed] == ["ergas"]

    @pytest.mark.parametrize("name", ["ikonos", *(pytest.param(n, marks=pytest.mark.slow) for n in REST)])
    def test_it_returns_the_goldens_without_a_reference(self, name: str, real_package: Path, tmp_path: Path) -> None:
        case = UNREF[name]
        ratio = case["ratio"]
        with np.load(goldens.FOLDER / "unref.npz") as stored:
            images = {image: stored[f"{name}_{image}"] / case["scale"] for image in ("sr", "lms", "pan")}
        file = tmp_path / "a.mat"
        io.savemat(file, images | {"ms": images["lms"][:, :, ::ratio, ::ratio]})
        told = Arguments(ratio, sensor=case["sensor"])
        answer = run_script(find_engine(), real_package, NO_REFERENCE, file, told, time_limit=300)
        for index, (_, field) in NO_REFERENCE.indexes.items():
            assert list(answer.summary[index]) == pytest.approx(case[field], rel=1e-10, abs=1e-14), index

    def test_the_script_without_a_reference_and_we_agree(self, counts: Path, real_package: Path) -> None:
        done = verify(counts, "--no-reference", "--sensor", "WV3", "--package", real_package, "--json")
        assert done.exit_code == 0, done.output
        answer = json.loads(done.stdout)
        assert answer["cases"][str(counts)]["sensor"] == "WV3"
        assert list(answer["cases"][str(counts)]["indexes"]) == ["d_lambda", "d_s", "hqnr"]

    def test_another_sensor_fails_in_d_lambda_and_in_what_is_made_of_it(self, counts: Path, real_package: Path) -> None:
        told = Arguments(sensor="WV2")
        answer = run_script(find_engine(), real_package, NO_REFERENCE, counts, told, time_limit=300)
        ours = our_summary(NO_REFERENCE, counts, Arguments(sensor="WV3"))
        failed = [check.index for check in compare(answer.summary, ours, "double") if not check.passed]
        assert failed == ["d_lambda", "hqnr"]

    @pytest.mark.slow
    def test_goldens_made_anew_are_those_we_ship(self, real_package: Path, tmp_path: Path) -> None:
        file = tmp_path / "new.toml"
        made = verify("--make-golden", file, "--package", real_package)
        assert made.exit_code == 0, made.output
        assert verify("--golden", file).exit_code == 0
        new, old = shipped.read(file), shipped.read()
        assert list(new.all) == list(old.all)
        for name, case in old.all.items():
            known = shipped.CASES[name]
            values = (
                {index: getattr(which.all[name], index) for index in known.script.indexes} for which in (old, new)
            )
            assert all(check.passed for check in compare(*values, known.kind))
            for image in known.script.images:
                assert getattr(new.all[name], f"sha256_{image}") == getattr(case, f"sha256_{image}")


class TestGolden:
    def test_we_agree_with_what_the_script_returned(self) -> None:
        done = verify("--golden")
        assert done.exit_code == 0, done.output
        count = sum(len(case.script.indexes) for case in shipped.CASES.values())
        heads = [line for line in done.output.splitlines() if line.endswith("beside us")]
        assert [head.split()[0] for head in heads] == [REFERENCE.name, NO_REFERENCE.name]
        assert done.output.splitlines()[-1] == f"all {count} comparisons pass"

    def test_all_cases_are_in_the_file(self) -> None:
        assert list(shipped.read().all) == list(shipped.CASES)

    def test_a_file_of_the_first_schema(self, tmp_path: Path) -> None:
        text = shipped.SHIPPED.read_text().replace("goldens/2", "goldens/1")
        added = ("no_reference_script_sha256", "stand_ins", "# In the cases without")
        lines = [line for line in text.splitlines() if not line.startswith(added)]
        first = next(number for number, line in enumerate(lines) if line.startswith("[no_reference."))
        file = tmp_path / "first.toml"
        file.write_text("\n".join(lines[: first - 1]))
        done = verify("--golden", file)
        assert done.exit_code == 0, done.output
        assert done.output.splitlines()[-1] == f"all {7 * 6} comparisons pass"

    def test_json(self) -> None:
        answer = json.loads(verify("--golden", "--json").stdout)
        assert answer["passed"] is True
        assert answer["engine"].startswith("GNU Octave 7.3.0, image")
        assert answer["cases"]["corners"]["indexes"]["psnr"]["matlab"] == ["Inf", "NaN"]
        assert answer["cases"]["singles"]["type"] == "single"
        assert answer["stand_ins"] == ["kaiser", "fwind1", "blockproc", "cov"]
        assert answer["cases"]["worldview_3"]["sensor"] == "WV3"
        assert answer["cases"]["dark_block"]["indexes"]["d_s"]["ours"] == ["NaN", "NaN"]

    def edited(self, tmp_path: Path, old: str, new: str) -> Path:
        text = shipped.SHIPPED.read_text()
        assert old in text
        file = tmp_path / "edited.toml"
        file.write_text(text.replace(old, new, 1))
        return file

    def test_a_value_that_differs_fails(self, tmp_path: Path) -> None:
        value = tomllib.loads(shipped.SHIPPED.read_text())["cases"]["eleven_bits"]["uqi"][0]
        file = self.edited(tmp_path, f"uqi = [{value:.17g}", f"uqi = [{value * (1 + 2e-10):.17g}")
        done = verify("--golden", file, "--json")
        assert done.exit_code == 1
        cases = json.loads(done.stdout)["cases"]
        failed = [
            (name, index)
            for name, case in cases.items()
            for index, check in case["indexes"].items()
            if not check["passed"]
        ]
        assert failed == [("eleven_bits", "uqi")]
        shown = verify("--golden", file)
        assert "1 of 60 comparisons fail" in shown.output
        assert [line.split()[0] for line in shown.output.splitlines() if line.endswith("FAIL")] == ["UQI"]

    def test_other_images_are_not_compared(self, tmp_path: Path) -> None:
        digest = shipped.read().cases["corners"].sha256_sr
        done = verify("--golden", self.edited(tmp_path, digest, "0" * 64))
        assert done.exit_code == 1
        assert "case corners: the images built here are not those" in done.output

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("[cases.corners]", "[cases.edges]", "holds the case edges"),
            ("psnr = [", "psnr = ", "is not a TOML file"),
            ("psnr = [", "mse = [", "is not a golden file: cases.reflectance"),
            ("[no_reference.gaofen_2]", "[no_reference.eleven_bits]", "holds the case eleven_bits"),
            ("goldens/2", "goldens/3", "is not a golden file: schema"),
        ],
    )
    def test_files_that_cannot_be_used(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        done = verify("--golden", self.edited(tmp_path, old, new))
        assert done.exit_code == 1
        assert message in done.output

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        done = verify("--golden", tmp_path / "none.toml")
        assert done.exit_code == 1
        assert "cannot be read" in done.output


class TestMakeGolden:
    def test_the_text_is_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hsfusion_bench.matlab.engine.find_engine", lambda name: Engine("octave", "octave"))
        monkeypatch.setattr(shipped, "make", lambda engine, package, time_limit: f"{package} {time_limit:g}\n")
        done = verify("--make-golden", tmp_path / "new.toml", "--package", tmp_path, "--time-limit", 5)
        assert done.exit_code == 0, done.output
        assert (tmp_path / "new.toml").read_text() == f"{tmp_path} 5\n"
        assert done.stdout == f"{tmp_path / 'new.toml'}: {len(shipped.CASES)} cases\n"

    def test_it_needs_the_package(self, tmp_path: Path) -> None:
        done = verify("--make-golden", tmp_path / "new.toml")
        assert done.exit_code == 2
        assert "--package FOLDER" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--golden", "--published"), "--golden and --published do not go together"),
        (("x.mat", "--published"), "FILE and --published do not go together"),
        (("x.mat", "--make-golden", "y.toml"), "FILE and --make-golden do not go together"),
        (("x.mat", "--data-root", "y"), "--data-root goes with --published"),
        (("--golden", "--markdown", "y"), "--markdown goes with --published"),
        (("--published", "--json"), "--json goes with the package"),
        (("--make-golden", "y.toml", "--ratio", "2"), "--ratio goes with a comparison"),
    ],
)
def test_one_thing_is_verified_at_a_time(arguments: tuple[str, ...], message: str) -> None:
    done = verify(*arguments)
    assert done.exit_code == 2
    assert message in done.output
