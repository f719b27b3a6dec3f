"""GuidedNet: fusion guided by the high-resolution image, level by level (Ran et al., TCYB 2023)."""
