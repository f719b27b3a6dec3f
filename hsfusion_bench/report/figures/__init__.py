"""Figures for papers, drawn from records: one kind, one module. Matplotlib is imported when something is drawn."""
