"""EDACA-Net: entropy-driven adaptive clustering attention, queried implicitly."""
