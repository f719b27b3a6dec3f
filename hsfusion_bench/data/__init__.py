"""Scenes, degradations, camera responses, protocols and the readers of data sets."""
