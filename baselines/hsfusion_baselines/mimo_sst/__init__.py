"""MIMO-SST: multi-input multi-output spatial-spectral transformer (Fang et al., IEEE TGRS 2024)."""
