"""Fusion without training: each method in a module of its own, and the numerics that several share."""
