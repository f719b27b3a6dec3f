"""LFormer: linearly-evolved transformer (Hou, Cao et al., ACM MM 2024)."""
