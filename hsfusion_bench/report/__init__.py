"""Leaderboards, derived from records: on the terminal, as CSV, LaTeX and Markdown."""
