"""SSF-CNN and its densely concatenating form (Han et al., ICIP 2018)."""
