"""Windows: how images are cut and rearranged, and the attention inside them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hsfusion_baselines.bdt.network import WindowChannelAttention
from hsfusion_baselines.blocks.restormer import ChannelAttention
from hsfusion_baselines.blocks.windows import (
    WindowAttention,
    WindowBlock,
    cut_windows,
    from_quadrants,
    join_windows,
    relative_positions,
    to_quadrants,
)
from hsfusion_baselines.net_3dt.prior import shift_mask


def by_hand(side: int, cell: int) -> list[int]:
    """Return where each row of the shuffled image comes from: rows of even cells first."""
    rows = np.arange(side)
    return [*rows[rows // cell % 2 == 0], *rows[rows // cell % 2 == 1]]


@pytest.mark.parametrize("cell", [1, 2, 4])
def test_the_shuffle_gathers_cells_by_parity(cell: int) -> None:
    x = torch.arange(24.0 * 16 * 2).reshape(1, 24, 16, 2)
    shuffled = to_quadrants(x, cell)
    expected = x[:, by_hand(24, cell)][:, :, by_hand(16, cell)]
    assert torch.equal(shuffled, expected)
    assert torch.equal(from_quadrants(shuffled, cell), x)


def test_the_shuffle_of_areas_is_that_of_each_alone() -> None:
    x = torch.arange(16.0 * 24).reshape(1, 16, 24, 1)
    whole = to_quadrants(x, 2, area=8)
    assert torch.equal(whole[:, 8:, 16:], to_quadrants(x[:, 8:, 16:], 2))
    assert torch.equal(from_quadrants(whole, 2, area=8), x)


def test_windows_are_blocks_of_pixels() -> None:
    x = torch.arange(2.0 * 8 * 12 * 3).reshape(2, 8, 12, 3)
    windows = cut_windows(x, 4)
    assert torch.equal(windows[7], x[1, :4, 4:8].reshape(16, 3))
    assert torch.equal(join_windows(windows, 8, 12), x)


def multihead(attention: WindowAttention, channels: int) -> nn.MultiheadAttention:
    """Return torch's own layer with the same weights."""
    reference = nn.MultiheadAttention(channels, attention.heads, batch_first=True)
    reference.in_proj_weight.data.copy_(attention.qkv.weight)
    reference.in_proj_bias.data.copy_(attention.qkv.bias)
    reference.out_proj.load_state_dict(attention.project.state_dict())
    return reference.double()


def test_window_attention_is_multihead_attention() -> None:
    torch.manual_seed(0)
    attention = WindowAttention(12, 3).double()
    windows = torch.rand(5, 16, 12, dtype=torch.float64)
    expected, _ = multihead(attention, 12)(windows, windows, windows)
    torch.testing.assert_close(attention(windows), expected, rtol=1e-12, atol=1e-12)


def test_scale_position_bias_and_mask_change_the_logits() -> None:
    torch.manual_seed(0)
    attention = WindowAttention(12, 3, scale=4.0, positions=3).double()
    windows, mask = torch.rand(5, 9, 12, dtype=torch.float64), torch.rand(5, 1, 9, 9, dtype=torch.float64)
    table = attention.position_bias
    assert table is not None
    bias = torch.empty(3, 9, 9, dtype=torch.float64)
    for first in range(9):
        for second in range(9):
            row, column = np.subtract(divmod(first, 3), divmod(second, 3))
            bias[:, first, second] = table[(row + 2) * 5 + column + 2]
    reference = multihead(attention, 12)
    reference.in_proj_weight.data[:12] *= 4 * 2  # torch's layer divides by the root of a head's 4 channels
    reference.in_proj_bias.data[:12] *= 4 * 2
    logits = (bias + mask).flatten(0, 1)
    expected, _ = reference(windows, windows, windows, attn_mask=logits)
    torch.testing.assert_close(attention(windows, mask), expected, rtol=1e-12, atol=1e-12)


def test_relative_positions_are_counted_row_by_row() -> None:
    offsets = relative_positions(2)
    assert offsets.tolist() == [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]


@pytest.mark.parametrize(("height", "width"), [(16, 24), (8, 8)])
def test_shifted_windows_do_not_reach_round_the_image(height: int, width: int) -> None:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    # In the image before it was rolled, windows that start at 4 group its pixels: those before 4 are cut off.
    groups = torch.stack([(rows + 4) % height, (columns + 4) % width], dim=-1).add(4).div(8, rounding_mode="floor")
    places = cut_windows(groups[None], 8)
    together = (places[:, :, None] == places[:, None]).all(dim=-1)
    assert torch.equal(shift_mask(height, width)[:, 0] == 0, together)
    assert not together.all()


def test_channel_attention_in_windows_is_that_of_each_alone() -> None:
    torch.manual_seed(0)
    attention = WindowChannelAttention(8, 2).double()
    query, key, value = (torch.rand(2, 8, 16, 24, dtype=torch.float64) for _ in range(3))

    def window(x: Tensor) -> Tensor:
        return x[:, :, 8:, 16:]

    alone = ChannelAttention.attend(attention, window(query), window(key), window(value))
    torch.testing.assert_close(window(attention.attend(query, key, value)), alone, rtol=1e-12, atol=1e-12)


def test_stochastic_depth_leaves_branches_out_in_training_only() -> None:
    torch.manual_seed(0)
    block = WindowBlock(4, 2, 2, drop_path=0.75)
    x = torch.rand(1, 4, 4, 4).expand(400, 4, 4, 4)
    with torch.inference_mode():
        whole = block.eval()(x)
        trained = block.train()(x)
        untouched = (trained == x).flatten(1).all(dim=1)
        # Both branches are left out in 9 of 16 images.
        assert untouched.sum().item() == pytest.approx(225, abs=30)
        assert not (whole == x).any()
