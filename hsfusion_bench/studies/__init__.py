"""Studies: many methods, data sets, scales, seeds and degradations, on one machine or a cluster."""
