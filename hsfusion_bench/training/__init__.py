"""Training of networks: patches from scenes, and the loop."""
