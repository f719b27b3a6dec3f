"""MoG-DCN: model-guided deep convolutional network (Dong et al., TIP 2021)."""
