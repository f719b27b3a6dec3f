"""BDT: bidirectional dilation transformer (Deng et al., IJCAI 2023)."""
