"""LIIF: local implicit image function (Chen et al., CVPR 2021), carried over to fusion."""
