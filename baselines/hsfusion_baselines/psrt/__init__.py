"""PSRT: pyramid shuffle-and-reshuffle transformer (Deng et al., IEEE TGRS 2023)."""
