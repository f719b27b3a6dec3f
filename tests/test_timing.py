import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hsfusion_bench.devices import choose_device
from hsfusion_bench.errors import UsageError
from hsfusion_bench.runs.measure import counting_flops, device_name, measure_latency, peak_memory

CPU = torch.device("cpu")


def test_flops_of_a_convolution_are_two_per_multiply_add() -> None:
    network, image = nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 16, 20)
    with counting_flops((16, 20)) as flops:
        network(image)
    assert flops[0].value == 2 * (3 * 3 * 3) * 8 * 16 * 20
    assert not flops[0].lower_bound
    assert flops[0].uncounted == []


def test_flops_of_fused_attention_are_those_of_its_two_products() -> None:
    query, key, value = torch.zeros(2, 3, 5, 4), torch.zeros(2, 3, 7, 4), torch.zeros(2, 3, 7, 4)
    with torch.inference_mode(), counting_flops((8, 8)) as flops:
        nn.functional.scaled_dot_product_attention(query, key, value)
    assert flops[0].value == 2 * (2 * 3) * (5 * 4 * 7 + 5 * 7 * 4)


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (lambda image: torch.fft.fft2(image), "fft"),
        (lambda image: nn.functional.grid_sample(image, torch.zeros(1, 4, 4, 2), align_corners=False), "grid_sampler"),
    ],
)
def test_what_the_counter_does_not_know_makes_a_lower_bound(work, name: str) -> None:  # type: ignore[no-untyped-def]
    with counting_flops((8, 8)) as flops:
        work(torch.ones(1, 3, 8, 8))
    assert flops[0].lower_bound
    assert any(name in operator for operator in flops[0].uncounted)


def test_quick_calls_are_timed_ten_times_after_a_warm_up() -> None:
    calls = []
    latency = measure_latency(lambda: calls.append(time.perf_counter()), CPU, (8, 8))
    assert latency.runs == 10
    assert latency.warmup == 1
    assert len(calls) == 11
    assert 0 <= latency.median_ms <= latency.p90_ms
    assert not latency.synchronised


def test_slow_calls_are_timed_for_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def run() -> None:
        clock[0] += 0.9

    latency = measure_latency(run, CPU, (8, 8), warmed_up=1)
    assert latency.runs == 3  # 2.7 s; after two runs only 1.8 s had gone
    assert latency.median_ms == pytest.approx(900)


def test_memory_of_a_large_array_is_seen() -> None:
    with peak_memory(CPU) as memory:
        np.ones(40_000_000).sum()
    assert 300 < memory[0].peak_mb < 420  # 320 MB
    assert memory[0].kind == "growth of the process"


def test_memory_is_seen_where_the_kernel_keeps_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("there is no /proc")

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    with peak_memory(CPU) as memory:
        np.ones(40_000_000).sum()  # it is free again at the end
    assert 300 < memory[0].peak_mb < 420
    with pytest.raises(ZeroDivisionError), peak_memory(CPU):
        _ = 1 / 0


def test_a_device_is_torchs_or_its_name() -> None:
    assert device_name(CPU) == device_name("cpu") != ""
    with peak_memory("cpu") as memory:
        assert not measure_latency(lambda: None, "cpu", (8, 8)).synchronised
    assert memory[0].kind == "growth of the process"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("device", ["cuda", torch.device("cuda"), torch.device("cuda", 0)])
def test_a_gpu_is_one_by_its_name_too(device: str | torch.device) -> None:
    assert device_name(device) == torch.cuda.get_device_name()
    with peak_memory(device) as memory:
        assert measure_latency(lambda: torch.ones(8, device="cuda"), device, (8, 8)).synchronised
    assert memory[0].kind == "CUDA memory allocated"


def test_auto_is_the_cpu_where_no_network_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsfusion_bench.devices._has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"
    assert choose_device("auto", networks=False) == "cpu"
    assert choose_device("cuda", networks=False) == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    for networks in (False, True):
        with pytest.raises(UsageError, match="no CUDA device"):
            choose_device("cuda", networks=networks)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_gpu_is_synchronised_around_every_run() -> None:
    device = torch.device("cuda")
    a = torch.randn(4096, 4096, device=device)
    latency = measure_latency(lambda: a @ a, device, (8, 8))
    assert latency.synchronised
    # 1.4e11 operations cannot be done in less than 0.5 ms in float32: unsynchronised, the launch alone takes 0.02 ms
    assert latency.median_ms > 0.5


def test_torch_is_not_asked_for_a_device_where_no_driver_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("torch was asked"))
    monkeypatch.setattr("hsfusion_bench.devices._AMD", tmp_path / "kfd")
    monkeypatch.setattr("hsfusion_bench.devices._NVIDIA", {sys.platform: "no-such-library.so"})
    assert choose_device("auto") == "cpu"
    monkeypatch.setattr("hsfusion_bench.devices._NVIDIA", {})  # a system without CUDA
    assert choose_device("auto") == "cpu"


@pytest.mark.skipif(sys.platform != "linux", reason="the library that stands for the driver is Linux's")
@pytest.mark.parametrize("driver", ["a library", "a device"])
def test_torch_is_asked_where_a_driver_is(driver: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = "libc.so.6" if driver == "a library" else "no-such-library.so"
    (tmp_path / "kfd").write_bytes(b"")
    monkeypatch.setattr("hsfusion_bench.devices._AMD", tmp_path / ("none" if driver == "a library" else "kfd"))
    monkeypatch.setattr("hsfusion_bench.devices._NVIDIA", {sys.platform: library})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"
