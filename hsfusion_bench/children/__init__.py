"""Processes that do a part of the work: none outlives the one that started it, or runs code of the current folder.

`calling` has functions of ours in a process of their own, `supervised` runs commands.
"""
