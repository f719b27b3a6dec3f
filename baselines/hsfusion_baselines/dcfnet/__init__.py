"""DCFNet: dynamic cross feature fusion (Wu et al., ICCV 2021)."""
