"""U2Net: two U-nets, integrated in space and spectrum (Peng et al., ACM MM 2023)."""
