"""The field's MATLAB test package: files of batches, folders of results, the engines that run it, and its values."""
