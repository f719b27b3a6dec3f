"""The steps of MoG-DCN."""

import torch

from hsfusion_baselines.mogdcn.network import MoGDCN


def test_an_estimate_that_explains_both_images_is_kept() -> None:
    torch.manual_seed(0)
    network = MoGDCN(4, 2, 4).double()
    for module in (network.unblur, network.unrespond):
        assert module.bias is not None
        torch.nn.init.zeros_(module.bias)
    x = torch.rand(1, 4, 8, 12).double()
    with torch.inference_mode():
        lr_hsi, hr_msi = network.blur(x), network.respond(x)
        torch.testing.assert_close(network.outer(x, x, lr_hsi, hr_msi), x)
        # 0.1 and 0.9 are the published start of step and weight.
        torch.testing.assert_close(network.outer(x, x + 1, lr_hsi, hr_msi), x + 0.09)
        torch.testing.assert_close(network.inner(x, -x, hr_msi), x)
