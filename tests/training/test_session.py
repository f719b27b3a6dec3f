"""A training from scenes to weights: interrupted, taken up, refused."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import nn

from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import sha256_file
from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.methods.resize import upsample_bicubic
from hsfusion_bench.methods.weights import ValidationInfo, WeightsCard, read_weights
from hsfusion_bench.training import session
from hsfusion_bench.training.course import Budget, Course, Every, StepReport, TrainingListener
from hsfusion_bench.training.loading import Draw
from hsfusion_bench.training.scenes import TrainingScenes
from hsfusion_bench.training.session import Trained, train_weights
from hsfusion_bench.training.state import write_state
from hsfusion_bench.training.validation import split_patches
from support.training import PROTOCOL, RECIPE, Noise, Tiny

PROBLEM = Problem(31, 3, 4, 2.0)


@pytest.fixture
def source(tmp_path: Path) -> Noise:
    return Noise(tmp_path)


class Remember(TrainingListener):
    def __init__(self) -> None:
        self.went_on: list[int] = []
        self.reports: list[StepReport] = []
        self.looks: list[tuple[int, float, float]] = []
        self.steps: list[int] = []

    def resumed(self, method: str, step: int, steps: int, path: Path) -> None:
        self.went_on.append(step)

    def step_done(self, method: str, report: StepReport) -> None:
        self.reports.append(report)

    def validated(self, method: str, step: int, psnr: float, bicubic: float) -> None:
        self.looks.append((step, psnr, bicubic))

    def fitted(self, method: str, steps: int, minutes: float) -> None:
        self.steps.append(steps)


class InterruptAt(Remember):
    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def step_done(self, method: str, report: StepReport) -> None:
        if report.step == self.step:
            raise KeyboardInterrupt


def training_task(source: SceneSource, scene: str | None = None) -> Task:
    if scene is not None:
        return Task.over(source, PROTOCOL, 4, "test", [scene])
    return Task.over(source, PROTOCOL, 4, "train")


def train(
    source: Noise,
    path: Path,
    *,
    method: NetworkMethod | None = None,
    budget: Budget | None = None,
    listener: TrainingListener | None = None,
    scene: str | None = None,
    **course: object,
) -> Trained:
    return train_weights(
        method or Tiny(),
        TrainingScenes(training_task(source, scene)),
        path,
        budget or Budget(12),
        Course(**course),  # type: ignore[arg-type]
        listener or Remember(),
    )


def card(path: Path) -> WeightsCard:
    weights = read_weights(path, Tiny(), PROBLEM)
    assert weights.card is not None
    return weights.card


# -- what is left behind


def test_weights_have_a_card_and_a_log(source: Noise, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    listener = Remember()
    trained = train(
        source, path, budget=Budget(12, {"patch": "20"}), validate_every=Every(1, "epochs"), listener=listener
    )
    assert (trained.path, trained.step, trained.steps, trained.finished) == (path, 12, 12, True)
    made = card(path)
    assert (made.dataset, made.scale, made.protocol, made.bands, made.msi_bands) == ("noise", 4, "uestc", 31, 3)
    assert made.protocol_digest == PROTOCOL.digest(4)
    training = made.training
    assert (training.steps, training.planned_steps, training.recipe_steps) == (12, 12, RECIPE.steps)
    assert (training.scenes, training.changes, training.patch) == (["a", "b"], {"patch": "20"}, 20)
    assert training.recipe is not None
    assert training.recipe["learning_rate"] == RECIPE.learning_rate
    beside = json.loads(path.with_suffix(".json").read_text())
    assert beside.pop("sha256") == sha256_file(path)
    assert beside == made.model_dump(mode="json")
    head, *rows = (line.split(",") for line in path.with_suffix(".csv").read_text().splitlines())
    assert head == ["step", "learning_rate", "loss", "l1", "validation_psnr", "bicubic_psnr", "patches_per_second"]
    untrained, *rows = rows
    assert (untrained[:2], untrained[2:4]) == (["0", "0.01"], ["nan", "nan"])
    assert float(untrained[4]) < float(rows[-1][4])
    assert {row[5] for row in (untrained, *rows)} == {f"{training.validation.bicubic_psnr:.6g}"}  # type: ignore[union-attr]
    assert [int(row[0]) for row in rows] == list(range(1, 13))
    assert [float(row[2]) for row in rows] == pytest.approx([report.loss for report in listener.reports], rel=1e-5)
    # the mean of the first tenth of 12 steps is that of the first
    assert training.first_loss["l1"] == pytest.approx(float(rows[0][3]), rel=1e-5)
    assert not path.with_suffix(".state").exists()


def test_validation_is_a_psnr_on_held_out_patches(source: Noise, tmp_path: Path) -> None:
    class Constant(Tiny):
        """Predicts 0.5 whatever it has learned."""

        def predict(
            self, network: nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
        ) -> torch.Tensor:
            return 0.5 + 0 * super().predict(network, lr_hsi, hr_msi, problem)

    path = tmp_path / "w.safetensors"
    train(source, path, method=Constant(), validate_every=Every(1, "epochs"))
    found = card(path).training.validation
    assert found is not None
    # the variance of uniform noise about 0.5 is 1/12
    assert found.last_psnr == pytest.approx(10 * np.log10(12), abs=0.05)
    assert (found.best_step, found.last_step) == (0, 12)


def test_a_method_without_validation_trains_on_every_patch(source: Noise, tmp_path: Path) -> None:
    seen: list[int] = []

    class Counting(Tiny):
        recipe = replace(RECIPE, validation=False, batch_size=50)

        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            seen.append(len(batch.hr_msi))
            return super().loss(network, batch)

    train(source, tmp_path / "w.safetensors", method=Counting(), budget=Budget(1))
    # 16-pixel patches every 8 pixels on 48: 5 x 5, of two scenes
    assert seen == [50]
    assert card(tmp_path / "w.safetensors").training.validation is None


def test_weights_that_are_no_numbers_replace_no_good_ones(source: Noise, tmp_path: Path) -> None:
    class Wild(Tiny):
        """Has a loss that is a number, and a gradient that is none: that of a square root at 0."""

        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            zero = sum((0 * each).sum() for each in network.parameters())
            assert isinstance(zero, torch.Tensor)
            return {**super().loss(network, batch), "root": zero.sqrt()}

    path = tmp_path / "w.safetensors"
    train(source, path, budget=Budget(1))
    good = {file.name: file.read_bytes() for file in (path, path.with_suffix(".json"))}
    with pytest.raises(HsbenchError, match=r"is not finite after step 1 of 1, with a loss of \d\.\d+: it div") as told:
        train(source, path, method=Wild(), budget=Budget(1), resume="never")
    assert str(path) in str(told.value)
    assert {name: (tmp_path / name).read_bytes() for name in good} == good
    assert not list(tmp_path.glob("*.state"))


# -- interrupted and taken up


@pytest.mark.parametrize("stopped", [1, 5, 11])
def test_an_interrupted_training_ends_in_the_same_file(source: Noise, tmp_path: Path, stopped: int) -> None:
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    train(source, whole)
    with pytest.raises(KeyboardInterrupt):
        train(source, parts, listener=InterruptAt(stopped))
    assert card(parts).training.steps == stopped
    assert "stopped before the 12 asked for" in card(parts).training.describe()
    listener = Remember()
    train(source, parts, listener=listener)
    assert listener.went_on == [stopped]
    assert parts.read_bytes() == whole.read_bytes()
    assert [row.split(",")[:4] for row in parts.with_suffix(".csv").read_text().splitlines()] == [
        row.split(",")[:4] for row in whole.with_suffix(".csv").read_text().splitlines()
    ]
    assert not parts.with_suffix(".state").exists()


def test_the_card_names_the_machine_and_where_the_training_went_on(
    source: Noise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(source, path, listener=InterruptAt(5))
    told = card(path).training.machine
    assert told is not None
    assert told["torch-threads"] == str(torch.get_num_threads())
    assert {"cpu", "numpy-simd", "blas", "blas-threads", "torch-simd"} < set(told)
    monkeypatch.setattr(session, "of_training", lambda device: {**told, "torch-threads": "64"})
    train(source, path)
    assert card(path).training.machine == {**told, "torch-threads": f"{told['torch-threads']}, then 64"}


def test_a_limit_of_time_stops_a_session_and_not_the_schedule(source: Noise, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    train(source, whole)
    sessions = 0
    while not train(source, parts, budget=Budget(12, minutes=1e-9)).finished:
        sessions += 1
    assert sessions == 11
    assert parts.read_bytes() == whole.read_bytes()


def test_a_finished_training_is_not_made_again(source: Noise, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    train(source, path)
    content, listener = path.read_bytes(), Remember()
    again = train(source, path, listener=listener)
    assert again.finished
    assert (listener.went_on, listener.reports) == ([12], [])
    assert path.read_bytes() == content
    train(source, path, listener=listener, seed=1)
    assert len(listener.reports) == 12


def test_where_a_number_is_from_does_not_decide_a_training(source: Noise, tmp_path: Path) -> None:
    class Cited(Tiny):
        recipe = replace(RECIPE, source="elsewhere", sources={"patch": "a paper"})

    Cited.__module__ = Tiny.__module__  # the code is the same

    path = tmp_path / "w.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(source, path, listener=InterruptAt(5))
    resumed = Remember()
    train(source, path, method=Cited(), listener=resumed)
    assert len(resumed.went_on) == 1


def test_other_scenes_of_the_same_names_are_another_training(source: Noise, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(source, path, listener=InterruptAt(5))
    np.save(source.path("b"), np.zeros((31, 48, 48), np.float32))
    with pytest.raises(HsbenchError, match="is the state of another training: data was"):
        train(source, path)


def test_never_resuming_starts_anew(source: Noise, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(source, path, listener=InterruptAt(5))
    listener = Remember()
    train(source, path, listener=listener, resume="never")
    assert listener.went_on == []
    assert len(listener.reports) == 12


METHOD_FILE = """
from dataclasses import replace
from support.training import RECIPE, Tiny

class Slow(Tiny):
    recipe = replace(RECIPE, ema=0.9, accumulate=2)
"""


def command(folder: Path, out: str, *options: str) -> list[str]:
    (folder / "slow.py").write_text(METHOD_FILE)
    spec = f"{folder / 'slow.py'}:Slow"
    return [
        *(sys.executable, "-m", "hsfusion_bench", "train", spec, "--dataset", "demo", "--scale", "4"),
        *("--device", "cpu", "--max-steps", "60", "--out", str(folder / out), *options),
    ]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.mark.slow
def test_a_training_that_is_killed_ends_in_the_same_file(tmp_path: Path) -> None:
    subprocess.run(command(tmp_path, "whole.safetensors"), env=environment(), check=True, capture_output=True)
    state = tmp_path / "killed.state"
    killed = 0
    for _ in range(20):
        # a state after every step
        process = subprocess.Popen(
            command(tmp_path, "killed.safetensors", "--save-every", "1e-9"),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        before = state.stat().st_mtime_ns if state.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if killed < 2 and state.exists() and state.stat().st_mtime_ns != before:
                time.sleep(0.03 * killed)
                process.send_signal(signal.SIGKILL)
            time.sleep(0.001)
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        killed += 1
    assert killed >= 1
    assert (tmp_path / "killed.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """As `accelerate launch` starts them on GPUs: two processes that share every batch."""
    subprocess.run(command(tmp_path, "one.safetensors"), env=environment(), check=True, capture_output=True)
    python, *module = command(tmp_path, "two.safetensors")
    launch = [python, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", *module]
    done = subprocess.run(launch, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = (read_weights(tmp_path / f"{name}.safetensors", Tiny(), PROBLEM) for name in ("one", "two"))
    assert one.card is not None
    assert two.card is not None
    assert (one.card.training.processes, two.card.training.processes) == (1, 2)
    for name, tensor in one.state.items():
        torch.testing.assert_close(two.state[name], tensor, atol=1e-4, rtol=0)


# -- what must not be seen


def test_the_test_split_is_never_read(source: Noise, tmp_path: Path) -> None:
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open":
            opened.append(str(arguments[0]))

    sys.addaudithook(watch)
    train(source, tmp_path / "w.safetensors", validate_every=Every(1, "epochs"))
    watching = False
    read = {Path(file).name for file in opened if Path(file).parent == tmp_path}
    assert {"a.npy", "b.npy"} <= read
    assert not {"c.npy", "d.npy"} & read
    assert not [file for file in opened if "-test" in file]


class Blind(Tiny):
    """Learns from the two images alone."""

    recipe = replace(RECIPE, supervision="none", validation=False)

    def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        assert batch.hr_hsi is None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {"lr": (fused[:, :, 2::4, 2::4] - batch.lr_hsi).abs().mean()}


@pytest.mark.parametrize("scene", [None, "c"])
def test_references_of_noise_change_nothing_for_a_self_supervised_method(
    source: Noise, tmp_path: Path, own_cache: Path, scene: str | None
) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    train(source, first, method=Blind(), scene=scene)
    references = list(own_cache.glob("scenes/*/*/*.hr_hsi.npy"))
    assert len(references) == 2
    for path in references:
        np.save(path, np.random.default_rng(9).random(np.load(path).shape, np.float32))
    train(source, second, method=Blind(), scene=scene)
    found, expected = (read_weights(path, Blind(), PROBLEM) for path in (second, first))
    assert found.state.keys() == expected.state.keys()
    assert all(torch.equal(found.state[name], expected.state[name]) for name in expected.state)
    assert found.card is not None
    # a training scene is scored with its reference, which nothing else opens; a test scene never
    assert (found.card.training.validation is None) == (scene is not None)
    assert scene is not None or found.card != expected.card


def test_one_test_scene_is_trained_on_alone(source: Noise, tmp_path: Path) -> None:
    train(source, tmp_path / "c.safetensors", method=Blind(), scene="c")
    assert card(tmp_path / "c.safetensors").training.scenes == ["c"]


def test_scenes_are_observed_once_and_again_when_a_file_changes(
    source: Noise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = Noise.read
    monkeypatch.setattr(Noise, "read", lambda self, name: read.append(name) or plain(self, name))
    for _ in range(2):
        train(source, tmp_path / "w.safetensors", resume="never")
    assert read == ["a", "b"]
    np.save(source.path("b"), np.zeros((31, 48, 48), np.float32))
    train(source, tmp_path / "w.safetensors", resume="never")
    assert read == ["a", "b", "a", "b"]


# -- whether it learns, in the time there is


def test_a_look_is_had_by_epochs_steps_or_minutes(source: Noise, tmp_path: Path) -> None:
    def looks(every: Every | None) -> list[int]:
        listener = Remember()
        train(source, tmp_path / "w.safetensors", listener=listener, validate_every=every, resume="never")
        return [step for step, _, _ in listener.looks]

    assert looks(Every(5, "steps")) == [0, 5, 10, 12]
    assert looks(Every(1, "epochs")) == [0, 12]  # an epoch has 20 steps
    assert looks(Every(60, "minutes")) == [0, 12]
    assert looks(Every(1e-9, "minutes")) == [0, *range(1, 13)]
    # 24 patches are trained on, and ten are looked at: one look is enough
    assert looks(None) == [0, 12]


def test_there_are_20_looks_also_where_an_epoch_is_one_step(source: Noise, tmp_path: Path) -> None:
    class Short(Tiny):
        recipe = replace(RECIPE, patches_per_epoch=1, epochs=400, batch_size=1)

    listener = Remember()
    train(source, tmp_path / "w.safetensors", method=Short(), budget=Budget(400), listener=listener)
    assert [step for step, _, _ in listener.looks] == list(range(0, 401, 20))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20", (20, "epochs")), ("500steps", (500, "steps")), ("1 epoch", (1, "epochs")), ("2.5min", (2.5, "minutes"))],
)
def test_spans_are_read(text: str, expected: tuple[float, str]) -> None:
    assert Every.parse(text) == expected


@pytest.mark.parametrize("text", ["", "steps", "0steps", "1.5epochs", "-3min", "5 m", "nan", "inf", "3 hours"])
def test_what_is_not_a_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="such as 500steps"):
        Every.parse(text)


def test_bicubics_score_is_that_of_the_index_on_the_same_patches(source: Noise, tmp_path: Path) -> None:
    listener = Remember()
    train(source, tmp_path / "w.safetensors", listener=listener)
    patches = TrainingScenes(training_task(source)).patches(RECIPE, 0, reference=True)
    _, held_out = split_patches(patches, 0)
    batch = held_out.__getitems__([Draw(0, number) for number in range(len(held_out))])
    assert batch.hr_hsi is not None
    expected = [
        psnr_of_all_bands(upsample_bicubic(lr_hsi, 4).clip(0, 1), hr_hsi)
        for lr_hsi, hr_hsi in zip(batch.lr_hsi.numpy(), batch.hr_hsi.numpy(), strict=True)
    ]
    assert listener.looks[0][2] == pytest.approx(np.mean(expected), abs=1e-4)


def psnr_of_all_bands(fused: np.ndarray, reference: np.ndarray) -> float:
    return float(peak_signal_noise_ratio(reference.astype(float), fused.astype(float), data_range=1))


def test_a_training_that_fits_the_time_is_that_of_so_many_steps(source: Noise, tmp_path: Path) -> None:
    listener = Remember()
    fitted = tmp_path / "fitted.safetensors"
    made = train(source, fitted, budget=Budget(minutes=0.01, fit=True), listener=listener)
    assert made.finished
    assert listener.steps == [made.steps]
    train(source, tmp_path / "counted.safetensors", budget=Budget(made.steps))
    assert fitted.read_bytes() == (tmp_path / "counted.safetensors").read_bytes()
    # asked for again, it is there already, however many steps would fit now
    assert train(source, fitted, budget=Budget(minutes=0.02, fit=True)).steps == made.steps
    # what lies there of another training does not decide
    other = Budget(changes={"patch": "20"}, minutes=0.01, fit=True)
    train(source, fitted, budget=Budget(2, {"patch": "20"}, start=tmp_path / "counted.safetensors"))
    assert train(source, fitted, budget=other).steps > 2


def test_a_recipe_of_a_step_or_two_fits_any_time(source: Noise, tmp_path: Path) -> None:
    class Brief(Tiny):
        recipe = replace(RECIPE, epochs=1, patches_per_epoch=2)

    assert train(source, tmp_path / "w.safetensors", method=Brief(), budget=Budget(minutes=0.01, fit=True)).finished


def test_a_fitted_training_that_was_interrupted_keeps_its_steps(source: Noise, tmp_path: Path) -> None:
    path, interrupted = tmp_path / "w.safetensors", InterruptAt(3)
    with pytest.raises(KeyboardInterrupt):
        train(source, path, budget=Budget(minutes=0.01, fit=True), listener=interrupted)
    resumed = Remember()
    made = train(source, path, budget=Budget(minutes=0.01, fit=True), listener=resumed)
    assert (made.steps, resumed.went_on, resumed.steps) == (interrupted.steps[0], [3], [])


def test_a_training_may_begin_with_weights(source: Noise, tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    train(source, first, budget=Budget(5))
    # a rate that moves nothing: the second ends where it began
    train(source, second, budget=Budget(3, {"learning_rate": "1e-12", "final_learning_rate": "1e-12"}, start=first))
    begun, ended = (read_weights(path, Tiny(), PROBLEM) for path in (first, second))
    for name, tensor in begun.state.items():
        torch.testing.assert_close(ended.state[name], tensor)
    earlier = card(second).training.earlier
    assert earlier is not None
    assert (earlier.sha256, earlier.steps, earlier.pixels) == (begun.sha256, 5, 5 * 2 * 16 * 16)
    assert "3 of 400 steps after 5 earlier ones (2 % of the recipe)" in card(second).training.describe()
    with pytest.raises(KeyboardInterrupt):
        train(source, tmp_path / "third.safetensors", listener=InterruptAt(2), budget=Budget(4))
    with pytest.raises(HsbenchError, match="start was None, is "):
        train(source, tmp_path / "third.safetensors", budget=Budget(4, start=first))
    with pytest.raises(HsbenchError, match="there is no such weights file"):
        train(source, second, budget=Budget(3, start=tmp_path / "none.safetensors"))


def test_the_budget_says_whether_anything_was_learned() -> None:
    info = ValidationInfo(best_psnr=43.0, best_step=5, last_psnr=43.0, last_step=5, bicubic_psnr=42.5)
    assert info.describe() == "0.50 dB above bicubic on validation patches"
    assert "NOT above bicubic" in info.model_copy(update={"last_psnr": 42.5}).describe()


# -- refused


def spoil_identity(path: Path) -> None:
    write_state(path, {"method": "tiny", "steps": 99}, {"step": 1})


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch exploded",)


def plant_a_bomb(path: Path) -> None:
    torch.save({"schema": "hsfusion-bench/training/1", "identity": "{}", "state": Bomb()}, path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_identity, "is the state of another training: .*steps was 99, is 12"),
        (cut_off, "is not the state of a training, or is damaged"),
        (plant_a_bomb, "is not the state of a training, or is damaged"),
        (lambda path: path.write_bytes(pickle.dumps(Bomb())), "is not the state of a training, or is damaged"),
        (lambda path: torch.save({"schema": "other"}, path), "that this version can read"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(
    source: Noise, tmp_path: Path, spoil: Callable[[Path], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(source, path, listener=InterruptAt(5))
    spoil(path.with_suffix(".state"))
    with pytest.raises(HsbenchError, match=words):
        train(source, path)
    assert not (tmp_path / "exploded").exists()


def test_a_state_that_is_not_there_is_refused(source: Noise, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        train(source, tmp_path / "w.safetensors", resume=tmp_path / "nothing.state")


def test_a_loss_of_nan_keeps_the_last_state(source: Noise, tmp_path: Path) -> None:
    class Bad(Tiny):
        calls = 0

        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            self.calls += 1
            terms = dict(super().loss(network, batch))
            return {"l1": terms["l1"] * (float("nan") if self.calls == 8 else 1)}

    Bad.__module__ = Tiny.__module__  # its code stands for that of a training that went wrong once
    path = tmp_path / "w.safetensors"
    with pytest.raises(HsbenchError, match="the loss is nan at step 8 of 12"):
        train(source, path, method=Bad(), save_minutes=1e-9)
    assert card(path).training.steps == 7
    listener = Remember()
    train(source, path, listener=listener)
    assert listener.went_on == [7]


def test_a_full_disk_keeps_the_last_state(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from hsfusion_bench.cli import main\n"
        "from hsfusion_bench.training.course import TrainingListener\n"
        "from hsfusion_bench.cli.display import Display\n"
        "def limit(self, method, report):\n"
        "    if report.step == 9:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "Display.step_done = limit\n"
        "main(sys.argv[1:])\n"
    )
    arguments = command(tmp_path, "w.safetensors", "--save-every", "1e-9")[3:]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "w.state cannot be written" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    content = torch.load(tmp_path / "w.state", weights_only=True)
    assert content["state"]["step"] == 8
    assert read_weights(tmp_path / "w.safetensors", Tiny(), PROBLEM).card.training.steps == 8  # type: ignore[union-attr]


def test_a_stride_smaller_than_an_lr_pixel_is_one_lr_pixel(source: Noise) -> None:
    scenes = TrainingScenes(training_task(source))
    counts = [len(scenes.patches(replace(RECIPE, stride=stride), 0, reference=True)) for stride in (1, 4, 8)]
    assert counts[0] == counts[1] > counts[2]


def test_a_data_set_without_training_scenes_is_refused(source: Noise, tmp_path: Path) -> None:
    source.split = replace(source.split, train=())  # type: ignore[type-var]
    with pytest.raises(HsbenchError, match="the data set noise has no training scenes"):
        train(source, tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Problem(31, 3, 8, 4.0), "was trained for scale 4, not for 8"),
        (Problem(102, 3, 4, 2.0), "was trained for bands 31, not for 102"),
        (Problem(31, 4, 4, 2.0), "was trained for msi_bands 3, not for 4"),
    ],
)
def test_weights_of_another_problem_are_refused(source: Noise, tmp_path: Path, problem: Problem, words: str) -> None:
    train(source, tmp_path / "w.safetensors", budget=Budget(1))
    with pytest.raises(HsbenchError, match=words):
        read_weights(tmp_path / "w.safetensors", Tiny(), problem)


def test_weights_that_are_cut_off_are_refused(source: Noise, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    train(source, path, budget=Budget(1))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(HsbenchError, match="is not a readable safetensors file"):
        read_weights(path, Tiny(), PROBLEM)


def test_tensorboard_has_the_losses(source: Noise, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path = tmp_path / "w.safetensors"
    train(source, path, budget=Budget(3), tensorboard=tmp_path / "board")
    [events] = (tmp_path / "board").rglob("events.out.tfevents.*")
    board = EventAccumulator(str(events))
    board.Reload()
    logged = [line.split(",")[3] for line in path.with_suffix(".csv").read_text().splitlines()[1:]]
    assert [event.value for event in board.Scalars("l1")] == pytest.approx(
        [float(text) for text in logged[1:]], rel=1e-4
    )
