"""The two forms of ConSSF-CNN: what a comparison ran, and what the paper describes."""

import torch
from torch.nn.functional import conv2d, interpolate

from hsfusion_baselines.ssfcnn.network import ConSSFCNN


def test_forms_of_one_state() -> None:
    torch.manual_seed(2)
    paper, code = ConSSFCNN(4, 2, "features").double(), ConSSFCNN(4, 2, "images").double()
    code.load_state_dict(paper.state_dict())
    lr_hsi, hr_msi = torch.rand(1, 4, 3, 3).double(), torch.rand(1, 2, 6, 6).double()

    def layer(i: int, x: torch.Tensor) -> torch.Tensor:
        weight, bias = (paper.state_dict()[f"layers.{i}.0.{name}"] for name in ("weight", "bias"))
        return conv2d(torch.cat([hr_msi, x], dim=1), weight, bias, padding="same").relu()

    hsi_up = interpolate(lr_hsi, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(code(lr_hsi, hr_msi), layer(2, hsi_up))
    torch.testing.assert_close(paper(lr_hsi, hr_msi), layer(2, layer(1, layer(0, hsi_up))))
