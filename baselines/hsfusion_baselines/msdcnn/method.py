"""MSDCNN as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.recipes import SSRNET_COMPARISON
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Card, Problem

if TYPE_CHECKING:
    import torch


class MSDCNNMethod(SupervisedMethod):
    """Multiscale and multidepth network (Yuan et al. 2018), as the authors of SSR-NET carried it over."""

    card = Card(
        name="msdcnn",
        title="MSDCNN",
        family="cnn",
        year=2018,
        reference=(
            "@article{yuan2018msdcnn, title={A Multiscale and Multidepth Convolutional Neural Network for Remote "
            "Sensing Imagery Pan-Sharpening}, author={Yuan, Qiangqiang and Wei, Yancong and Meng, Xiangchao and Shen, "
            "Huanfeng and Zhang, Liangpei}, journal={IEEE Journal of Selected Topics in Applied Earth Observations and "
            "Remote Sensing}, volume={11}, number={3}, pages={978--989}, year={2018}}"
        ),
    )
    recipe = SSRNET_COMPARISON
    local = True
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh MSDCNN."""
        from hsfusion_baselines.msdcnn.network import MSDCNN

        return MSDCNN(problem.bands, problem.msi_bands)
