"""3DT-Net: an unfolded optimisation whose prior is a 3-D CNN and a transformer (Ma et al., Information Fusion 2023)."""
