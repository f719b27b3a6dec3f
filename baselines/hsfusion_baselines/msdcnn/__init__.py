"""MSDCNN: multiscale and multidepth convolutional network (Yuan et al., JSTARS 2018)."""
