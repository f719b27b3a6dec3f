"""Readers of data sets: CAVE, the demo, those that a TOML file describes, single cubes, HDF5 samples."""
