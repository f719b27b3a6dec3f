"""Reading MossFuse checkpoints that its authors' code wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from hsfusion_baselines.blocks.checkpoint import load_plain
from hsfusion_baselines.mossfuse.network import MossFuse

__all__ = ["read_authors_checkpoint", "translate"]

_KEY = "Model_stage1"

# Fragments of the authors' names and ours, replaced in this order.
_FRAGMENTS = (
    ("modelE_MSI.", "msi_encoder."),
    ("modelE_HSI.", "hsi_encoder."),
    ("modelD_MSI.", "msi_decoder."),
    ("modelD_HSI.", "hsi_decoder."),
    ("modelD_LR.reduce_channel.", "lr_msi_decoder.merge."),
    ("modelD_LR.", "lr_msi_decoder."),
    ("modelD_HR.fuse.", "fusion_decoder.merge."),
    ("modelD_HR.fuse1.", "fusion_decoder.spatial."),
    ("modelD_HR.fuse2.", "fusion_decoder.spectral."),
    ("modelD_HR.", "fusion_decoder."),
    ("reduce_channel.", "unused_merge."),
    ("blind.srf", "degradation.response"),
    ("blind.blur_down.KernelParam", "degradation.root"),
    ("patch_embed.proj.", "embed."),
    ("encoder_level1.", "blocks."),
    ("encoder_level2.", "blocks."),
    ("baseFeature.", "shared."),
    ("detailFeature.", "complement."),
    ("output.", "head."),
    (".fuse.", ".aggregation."),
    # Transformer blocks.
    ("norm1.body.", "attention_norm."),
    ("norm2.body.", "feed_forward_norm."),
    ("ffn.project_in.", "feed_forward.expand."),
    ("ffn.dwconv.", "feed_forward.depthwise."),
    ("ffn.project_out.", "feed_forward.project."),
    ("attn.qkv_dwconv.", "attention.qkv_depthwise."),
    ("attn.project_out.", "attention.project."),
    ("attn.DWConv.", "attention.guide_convolution."),
    ("attn.Spatial_Att.spatial_atten.", "attention.spatial_gate."),
    ("attn.Spectral_Att.spectral_atten.", "attention.spectral_gate."),
    ("attn.", "attention."),
    # Large-kernel blocks. The last ".gamma" left is the layer scale.
    ("act.1.gamma", "feed_forward.2.scale"),
    ("act.1.beta", "feed_forward.2.shift"),
    (".gamma", ".layer_scale"),
    ("pwconv1.1.", "feed_forward.0."),
    ("pwconv2.0.", "feed_forward.3."),
    ("pwconv2.2.", "feed_forward.4."),
    ("dwconv.lk_origin.", "spatial.0.branches.0.0."),
    ("dwconv.origin_bn.", "spatial.0.branches.0.1."),
    ("dwconv.dil_conv_k5_1.", "spatial.0.branches.1.0."),
    ("dwconv.dil_bn_k5_1.", "spatial.0.branches.1.1."),
    ("dwconv.dil_conv_k3_2.", "spatial.0.branches.2.0."),
    ("dwconv.dil_bn_k3_2.", "spatial.0.branches.2.1."),
    ("dwconv.dil_conv_k3_3.", "spatial.0.branches.3.0."),
    ("dwconv.dil_bn_k3_3.", "spatial.0.branches.3.1."),
    (".norm.", ".spatial.1."),
    (".se.", ".squeeze_excite."),
)


def read_authors_checkpoint(path: Path, network: MossFuse) -> dict[str, Tensor]:
    """Read a file of the authors' training script (``CAVE_32_model.pth`` and the like).

    Parameters
    ----------
    path
        The file: what ``torch.save`` wrote of ``{"Model_stage1": state}``.
    network
        The network that the state is for.

    Returns
    -------
    dict of Tensor
        A state for ``network.load_state_dict``, on the CPU.

    Raises
    ------
    ValueError
        If the file is no such file, or does not fit the network; the message says what does not fit.
    OSError
        If the file cannot be opened.
    """
    content = load_plain(path)
    state = content.get(_KEY) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise ValueError(f"{path} is not a MossFuse checkpoint: it holds no tensors under the key {_KEY!r}")
    try:
        return translate(state, network)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def translate(state: Mapping[str, Tensor], network: MossFuse) -> dict[str, Tensor]:
    """Return a state of the authors' network under this network's names.

    Parameters
    ----------
    state
        The authors' names and tensors; the prefix ``module.`` (of ``nn.DataParallel``) is ignored.
    network
        The network that the state is for.

    Returns
    -------
    dict of Tensor
        A state for ``network.load_state_dict``.

    Raises
    ------
    ValueError
        If names or shapes do not fit the network; the message gives the first of them and their number.
    """
    expected = network.state_dict()
    ours = {_rename(name): (name, tensor) for name, tensor in state.items()}
    problems = [f"it lacks {name}" for name in expected if name not in ours]
    problems += [
        f"it has {theirs}, which the network does not" for name, (theirs, _) in ours.items() if name not in expected
    ]
    problems += [
        f"its {theirs} has shape {tuple(tensor.shape)}, the network's {name} {tuple(expected[name].shape)}"
        for name, (theirs, tensor) in ours.items()
        if name in expected and _sides(tensor) != _sides(expected[name])
    ]
    if problems:
        more = f" (and {len(problems) - 1} more differences)" if len(problems) > 1 else ""
        raise ValueError(
            f"the checkpoint does not fit this MossFuse: {problems[0]}{more}. It must have the same numbers "
            "of bands, width and blocks a stage (1 in the released checkpoint, 3 in the training script)."
        )
    return {name: ours[name][1].reshape(tensor.shape) for name, tensor in expected.items()}


def _rename(name: str) -> str:
    name = name.removeprefix("module.")
    for theirs, ours in _FRAGMENTS:
        name = name.replace(theirs, ours)
    return name


def _sides(tensor: Tensor) -> list[int]:
    """Return the shape without sides of 1: the authors' linear layers are 1x1 convolutions here."""
    return [side for side in tensor.shape if side > 1]
