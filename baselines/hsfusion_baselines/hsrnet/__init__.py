"""HSRnet: deep spatio-spectral attention network (Hu et al., TNNLS 2022)."""
