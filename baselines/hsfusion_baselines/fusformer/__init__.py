"""Fusformer: a transformer whose tokens are all pixels (Hu et al., IEEE GRSL 2022)."""
