"""Benchmark of hyperspectral-multispectral image fusion whose indexes equal MATLAB's."""

__version__ = "0.1.0"
