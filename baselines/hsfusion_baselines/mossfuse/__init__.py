"""MossFuse (Du et al., arXiv 2412.04802): self-supervised fusion by shared features."""
