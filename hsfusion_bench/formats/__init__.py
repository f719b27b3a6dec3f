"""Arrays in files of other people: MAT, NumPy, HDF5, TIFF, ENVI; which array is meant, and how its axes lie."""
