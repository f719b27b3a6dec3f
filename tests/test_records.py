import json
import math
from pathlib import Path

import pytest

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.runs.recorded import recorded_store, robustness_root
from hsfusion_bench.runs.records import Statistic, Store, dump, json_schema, read_record
from support.records import make_record, make_speed


def test_a_record_comes_back_as_it_went(tmp_path: Path) -> None:
    record = make_record()
    assert read_record(Store(tmp_path).write(record).path) == record


def test_keys_that_readers_rely_on() -> None:
    content = json.loads(dump(make_record()))
    assert content["schema"] == "hsfusion-bench/record/1"
    assert content["method"]["name"] == "mine"
    assert {"name", "scale", "protocol", "split", "scenes"} <= content["dataset"].keys()
    assert content["scenes"][0]["psnr"] == 30.0
    assert content["summary"]["psnr"] == {"mean": 32.0, "std": 8**0.5}
    assert {"parameters", "trainable"} <= content["model"].keys()
    assert content["status"] == "ok"
    assert content["error"] is None


def test_numbers_that_json_does_not_know_are_spelled(tmp_path: Path) -> None:
    record = make_record(scenes={"a": math.inf, "b": -math.inf})
    record.summary = {"psnr": Statistic(mean=math.inf, std=math.nan)}
    text = dump(record)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert '"mean": "Inf"' in text
    assert '"std": "NaN"' in text
    back = read_record(Store(tmp_path).write(record).path)
    assert back.scenes[1].psnr == -math.inf
    assert back.summary is not None
    assert math.isnan(back.summary["psnr"].std)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": "something/else"}', dump(make_record()).replace('"status"', '"stat"')]
)
def test_a_file_that_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(HsbenchError, match=r"x\.json is not a valid record"):
        read_record(path)


def test_a_run_that_failed_does_not_replace_one_of_more_scenes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path, kept = store.write(make_record(of=2))
    assert not kept
    half = make_record(of=2, status="incomplete")
    half.dataset.scenes = 1
    assert store.write(half) == (path, True)
    assert read_record(path).status == "ok"
    one = make_record(scenes={"a": 1.0}, of=2)
    store.write_scene(half, one)
    assert store.scene(half, "a") == one
    assert store.scene(half, "b") is None
    # what is unfinished is no row of a leaderboard, and goes once the run is whole
    assert len(list(store.records())) == 1
    store.write(make_record(of=2))
    assert store.scene(half, "a") is None
    empty = make_record("other", scenes={}, of=0, status="no weights", error="none")
    assert read_record(store.write(empty).path).status == "no weights"


def test_subsets_do_not_overwrite_the_whole_split(tmp_path: Path) -> None:
    store = Store(tmp_path)
    paths = {
        store.write(make_record(of=2)).path,
        store.write(make_record(of=11)).path,
        store.write(make_record(scenes={"a": 1.0}, of=11)).path,
    }
    assert len(paths) == 3
    assert len(list(store.records())) == 3


def test_speeds_lie_apart_by_device(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(make_record())
    first = store.write_speed(make_speed("mine", 1.0, "CPU one"))
    second = store.write_speed(make_speed("mine", 2.0, "GPU two"))
    assert first != second
    assert {speed.device for speed in store.speeds()} == {"CPU one", "GPU two"}
    assert len(list(store.records())) == 1


def test_the_files_of_a_task_are_those_that_say_so() -> None:
    for store in (recorded_store(), Store(robustness_root())):
        told = {path: read_record(path).dataset for path in store.record_files()}
        assert len(told) > 40
        for task in {(each.name, each.scale, each.protocol) for each in told.values()}:
            of_it = [path for path, each in told.items() if (each.name, each.scale, each.protocol) == task]
            assert store.record_files(*task) == of_it


def test_the_files_of_a_protocol_are_those_of_all_seeds_of_its_noise(tmp_path: Path) -> None:
    store, record = Store(tmp_path), make_record()
    for protocol in ("uestc-snr30-30", "uestc-snr30-30-seed2", "uestc-snr30-30-shift1", "uestc"):
        store.write(record.model_copy(update={"dataset": record.dataset.model_copy(update={"protocol": protocol})}))
    found = store.record_files(protocol="uestc-snr30-30")
    assert [path.parent.name for path in found] == ["cave-x4-uestc-snr30-30", "cave-x4-uestc-snr30-30-seed2"]


def test_the_schema_documents_the_keys() -> None:
    schema = json_schema()
    assert {"schema", "method", "dataset", "scenes", "summary", "model", "status", "error"} <= schema[
        "properties"
    ].keys()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HsbenchError, match="cannot be written"):
        Store(tmp_path / "file").write(make_record())
