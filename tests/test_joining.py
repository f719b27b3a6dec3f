"""Records of single scenes, joined to that of a run: against the run itself, and numbers by hand."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path

import pytest

import hsfusion_bench as hb
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.methods import Observation, upsample_bicubic
from hsfusion_bench.runs.joining import identity, joined
from hsfusion_bench.runs.records import ModelInfo, Record, WeightsInfo
from support.records import make_record


def one(name: str, value: float, **changes: object) -> Record:
    return make_record(scenes={name: value}).model_copy(update=changes)


def before() -> Record:
    whole = make_record()
    scenes = [scene.model_copy(update={"psnr": None, "digest": None}) for scene in whole.scenes]
    return whole.model_copy(update={"scenes": scenes, "summary": None})


def test_two_scenes_make_the_record_of_both() -> None:
    whole = joined(before(), {"b": one("b", 34.0), "a": one("a", 30.0)})
    assert [scene.name for scene in whole.scenes] == ["a", "b"]
    assert whole.summary is not None
    assert (whole.summary["psnr"].mean, round(whole.summary["psnr"].std, 9)) == (32.0, round(8**0.5, 9))
    assert (whole.status, whole.error, whole.dataset.scenes, whole.elsewhere) == ("ok", None, 2, None)


def test_a_scene_that_is_not_there_is_told() -> None:
    half = joined(before(), {"b": one("b", 34.0)}, error="interrupted")
    assert (half.status, half.error, half.dataset.scenes) == ("incomplete", "interrupted", 1)
    assert half.scenes[0].psnr is None


def test_scenes_of_another_machine_are_named() -> None:
    here = make_record().environment
    there = {**here, "cpu": "another", "numpy": "9"}
    whole = joined(before(), {"a": one("a", 30.0), "b": one("b", 34.0, environment=there)})
    assert whole.environment == here
    assert whole.elsewhere == {"b": {"cpu": "another", "numpy": "9"}}
    assert identity(whole) == identity(whole.model_copy(update={"elsewhere": None}))
    assert identity(one("a", 1.0), machine=False) == identity(one("a", 1.0, environment=there), machine=False)
    assert identity(one("a", 1.0)) != identity(one("a", 1.0, environment=there))


def test_weights_of_each_scene_are_known_by_all_of_them() -> None:
    def own(name: str) -> WeightsInfo:
        digest = sha256(name.encode()).hexdigest()
        return WeightsInfo(
            sha256=digest, file=f"x.scenes/{name}.safetensors", origin="hsbench", trained_on=None, training=None
        )

    whole = joined(before(), {name: one(name, 30.0, weights=own(name)) for name in ("b", "a")})
    assert whole.weights is not None
    lines = "".join(f"{name} {sha256(name.encode()).hexdigest()}\n" for name in ("a", "b"))
    assert (whole.weights.file, whole.weights.sha256) == ("x.scenes", sha256(lines.encode()).hexdigest())


def test_what_was_counted_once_is_told_of_all() -> None:
    counted = ModelInfo(parameters=7, trainable=7, flops=None)
    told = before().model_copy(update={"model": ModelInfo(parameters=7)})
    whole = joined(told, {"a": one("a", 1.0, model=ModelInfo(parameters=7)), "b": one("b", 1.0, model=counted)})
    assert whole.model == counted


def test_a_method_is_measured_alone_and_then_the_next_scene_is_read_beside_fusing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    events: list[str] = []
    last_is_read = threading.Event()
    read = DemoSource.read

    def reading(source: DemoSource, name: str) -> object:
        events.append(f"read {name}")
        if name == "melons":
            last_is_read.set()
        return read(source, name)

    def mine(observation: Observation) -> object:
        events.append("fuse")
        if "read figs" in events:  # it is this one that is fused, or the last
            assert last_is_read.wait(60)
        return upsample_bicubic(observation.lr_hsi, observation.scale)

    monkeypatch.setattr(DemoSource, "read", reading)
    found = hb.run(hb.open_task("demo", 4), [mine], records=tmp_path)
    assert found.records[0].status == "ok"
    [speed] = found.speeds
    alone = events[: events.index("read figs")]
    assert alone == ["read oranges", *["fuse"] * (1 + speed.latency.runs)]
    assert events.count("fuse") == len(alone) - 1 + 2
