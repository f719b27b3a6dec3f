"""DHIF-Net: iterative spatio-spectral regularisation (Huang et al., TCI 2022)."""
