"""TFNet and ResTFNet: two-stream fusion networks (Liu et al., Information Fusion 2020)."""
