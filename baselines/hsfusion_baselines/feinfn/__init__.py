"""FeINFN: Fourier-enhanced implicit neural fusion (Liang et al., NeurIPS 2024)."""
