"""DSPNet: dual spatial-spectral pyramid network (Sun et al., TGRS 2023)."""
