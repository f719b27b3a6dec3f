"""The levels of GuidedNet."""

import re

import pytest
import torch

from hsfusion_baselines.guidednet.method import GuidedNetMethod
from hsfusion_baselines.guidednet.network import GuidedNet, Level
from hsfusion_bench.methods import Batch, HsbenchError, Problem


@pytest.mark.parametrize("scale", [1, 3, 6])
def test_a_scale_that_is_no_power_of_two_is_refused(scale: int) -> None:
    with pytest.raises(HsbenchError, match=rf"the scale is 2, 4, 8, \.\.\., not {scale}"):
        GuidedNetMethod().build(Problem(31, 3, scale, 0.0))


@pytest.mark.parametrize(("scale", "levels"), [(2, 1), (4, 2), (8, 3), (16, 4)])
def test_each_level_doubles_the_size(scale: int, levels: int) -> None:
    network = GuidedNet(5, 3, scale, features=4, blocks=1)
    images = network.images(torch.rand(1, 5, 2, 3), torch.rand(1, 3, 2 * scale, 3 * scale))
    assert [tuple(image.shape[-2:]) for image in images] == [(2 << i, 3 << i) for i in range(1, levels + 1)]


def test_equal_levels_are_one_level_shared() -> None:
    torch.manual_seed(1)
    shared, apart = (GuidedNet(5, 3, 8, shared=one, features=4, blocks=1) for one in (True, False))
    state = shared.state_dict()
    apart.load_state_dict({name: state[re.sub(r"^levels\.\d", "levels.0", name)] for name in apart.state_dict()})
    lr_hsi, hr_msi = torch.rand(1, 5, 2, 3), torch.rand(1, 3, 16, 24)
    assert torch.equal(shared(lr_hsi, hr_msi), apart(lr_hsi, hr_msi))


def test_shared_levels_are_one() -> None:
    def size(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    level = size(Level(31, 3, 64, 10))
    assert size(GuidedNet(31, 3, 8)) - size(GuidedNet(31, 3, 8, shared=True)) == 2 * level


def test_it_starts_as_the_authors_code_does() -> None:
    torch.manual_seed(0)
    network = GuidedNet(31, 3, 8)
    assert all(not parameter.any() for name, parameter in network.named_parameters() if name.endswith("bias"))
    enlarge = network.levels[0].enlarge.weight  # 31 to 124 channels
    limit = (6 / (9 * (31 + 124))) ** 0.5
    assert 0.99 * limit < enlarge.abs().max() <= limit


def test_loss_weighs_smaller_images_more() -> None:
    class Constant(GuidedNet):
        def images(self, lr_hsi: torch.Tensor, hr_msi: torch.Tensor) -> list[torch.Tensor]:
            return [torch.full((1, 1, side, side), 0.5) for side in (2, 4, 8)]

    reference = torch.zeros(1, 1, 8, 8)
    reference[..., ::2, ::2] = 0.25
    reference[..., ::4, ::4] = 0.5
    batch = Batch(torch.empty(0), torch.empty(0), reference, Problem(1, 1, 8, 3.5))
    terms = GuidedNetMethod().loss(Constant(1, 1, 8, features=4, blocks=1), batch)
    # At full size 4 of 64 pixels are right, 12 miss by 1/4 and 48 by 1/2; at half size 4 are right and 12 miss by 1/4.
    assert [term.item() for term in terms.values()] == [(12 / 4 + 48 / 2) / 64, 2 * (12 / 4) / 16, 0.0]
