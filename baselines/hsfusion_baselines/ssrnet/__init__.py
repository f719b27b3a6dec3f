"""SSR-NET: spatial-spectral reconstruction network (Zhang et al., TGRS 2021)."""
