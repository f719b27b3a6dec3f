"""A method on a task: fused, scored, counted, timed, and recorded; results made elsewhere; real pairs."""
