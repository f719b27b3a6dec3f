"""The ablations of FeINFN: each lacks or replaces one thing, and nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.feinfn import ablations
from hsfusion_baselines.feinfn.frequency import FrequencyFusion
from hsfusion_baselines.feinfn.implicit import PixelQuery
from hsfusion_baselines.feinfn.network import FeINFN
from hsfusion_bench import registry
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import NetworkMethod, Problem
from hsfusion_bench.methods.options import with_options
from hsfusion_bench.methods.weights import cached_path

PUBLISHED = 3_164_816
GABOR = 3 * 2  # omega and scale of each layer of the decoder
SPATIAL_MLP = (386 + 1) * 256 + (256 + 1) * 128 + (128 + 1) * 33
AMPLITUDE_MLP = (258 + 1) * 256 + (256 + 1) * 128 + (128 + 1) * 33
PHASE_CONVOLUTIONS = (258 + 9) * 256 + (256 + 9) * 128 + (128 + 9) * 33
# the two coordinates, and the weight of a candidate, of each of the three query networks
IMPLICIT = 3 * 2 * 256 + 2 * (128 + 1) + (128 + 9)

PARAMETERS = {
    "feinfn:relu": PUBLISHED - GABOR,
    "feinfn:gelu": PUBLISHED - GABOR,
    "feinfn:leaky-relu": PUBLISHED - GABOR,
    "feinfn:no-frequency": PUBLISHED - AMPLITUDE_MLP - PHASE_CONVOLUTIONS,
    "feinfn:no-spatial": PUBLISHED - SPATIAL_MLP,
    "feinfn:bilinear": PUBLISHED - IMPLICIT,
    "feinfn:bicubic": PUBLISHED - IMPLICIT,
}


def method(name: str) -> NetworkMethod:
    found = registry.find(name).load()
    assert isinstance(found, NetworkMethod)
    return found


def network(name: str) -> FeINFN:
    torch.manual_seed(0)
    built = method(name).build(Problem(4, 3, 4, 2.0))
    assert isinstance(built, FeINFN)
    return built.double()


def images() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    sizes = [(1, 3, 16, 16), (1, 4, 16, 16), (1, 4, 4, 4)]
    hr_msi, hsi_up, lr_hsi = (torch.rand(size, generator=generator, dtype=torch.float64) for size in sizes)
    return hr_msi, hsi_up, lr_hsi


def features(whole: FeINFN) -> tuple[Tensor, Tensor]:
    hr_msi, hsi_up, lr_hsi = images()
    return whole.spectral_encoder(lr_hsi), whole.spatial_encoder(torch.cat([hr_msi, hsi_up], dim=1))


def test_all_ablations_are_registered() -> None:
    assert set(PARAMETERS) == {name for name in registry.entries() if name.startswith("feinfn:")}


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_parameters(name: str, count: int) -> None:
    with torch.device("meta"):
        built = method(name).build(Problem(31, 3, 4, 2.0))
    assert sum(parameter.numel() for parameter in built.parameters()) == count


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("feinfn:relu", lambda v: torch.where(v > 0, v, 0)),
        ("feinfn:gelu", lambda v: v * (1 + torch.erf(v / math.sqrt(2))) / 2),
        ("feinfn:leaky-relu", lambda v: torch.where(v > 0, v, v / 100)),
    ],
)
def test_activation_replaces_the_wavelet_and_nothing_else(name: str, expected: nn.Module) -> None:
    ours, whole = network(name), network("feinfn")
    state = {key: value for key, value in whole.state_dict().items() if ".activation." not in key}
    ours.load_state_dict(state, strict=True)
    for layer in whole.decoder.layers:
        layer.activation.forward = expected
    with torch.inference_mode():
        torch.testing.assert_close(ours(*images()), whole(*images()))


@pytest.mark.parametrize(
    ("name", "absent"), [("feinfn:no-frequency", "frequency_fusion"), ("feinfn:no-spatial", "spatial_fusion")]
)
def test_a_branch_is_absent_and_the_other_takes_its_place(name: str, absent: str) -> None:
    ours, whole = network(name), network("feinfn")
    ours.load_state_dict(
        {key: value for key, value in whole.state_dict().items() if not key.startswith(absent)}, strict=True
    )
    (left,) = {"spatial_fusion", "frequency_fusion"} - {absent}
    with torch.inference_mode():
        feature = getattr(whole, left)(*features(whole))
        expected = images()[1] + whole.decoder(feature, feature).permute(0, 3, 1, 2)
        torch.testing.assert_close(ours(*images()), expected)


def test_without_the_frequency_branch_no_spectrum_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: object) -> Tensor:
        raise AssertionError("a spectrum was computed")

    monkeypatch.setattr(FrequencyFusion, "forward", never)
    monkeypatch.setattr(torch.fft, "rfft2", never)
    network("feinfn:no-frequency")(*images())
    with pytest.raises(AssertionError, match="a spectrum"):
        network("feinfn")(*images())


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_upsampling_is_that_of_the_features_before_one_query(mode: str) -> None:
    ours = network(f"feinfn:{mode}")
    assert isinstance(ours.frequency_fusion, FrequencyFusion)
    query = ours.frequency_fusion.amplitude
    assert isinstance(query, PixelQuery)
    lr, guide = features(ours)
    fine = functional.interpolate(lr, guide.shape[-2:], mode=mode, align_corners=False)
    hidden = query.first(torch.cat([fine, guide], dim=1).permute(0, 2, 3, 1))
    for layer in query.rest:
        hidden = layer(hidden.relu())
    torch.testing.assert_close(query(lr, guide), hidden)


def test_the_authors_files_are_of_the_published_network_only(tmp_path: Path) -> None:
    with pytest.raises(HsbenchError, match="FeINFN, ReLU reads weights written by hsbench"):
        ablations.ReLU().read_authors_weights(tmp_path / "authors.pth", Problem(31, 3, 4, 2.0))


def test_a_name_with_a_colon_is_looked_up_in_the_table() -> None:
    with pytest.raises(UsageError, match="did you mean feinfn:relu"):
        registry.find("feinfn:rel")


def test_weights_of_a_variant_lie_in_a_folder_without_a_colon() -> None:
    path = cached_path("feinfn:no-spatial", method("feinfn:no-spatial"), "demo-x4-uestc")
    assert path.parts[-2:] == ("feinfn-no-spatial", "demo-x4-uestc.safetensors")


def test_an_ablation_is_an_option() -> None:
    published = method("feinfn")
    relu = with_options(published, {"activation": "relu"})
    assert relu.build(Problem(4, 3, 4, 2.0)).state_dict().keys() == network("feinfn:relu").state_dict().keys()
    assert cached_path("feinfn", relu, "t").parts[-2] == "feinfn.activation-relu"
    with pytest.raises(UsageError, match="'tanh' is none of gabor, relu"):
        with_options(published, {"activation": "tanh"})
