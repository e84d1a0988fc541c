"""What `lossutils.plots` asks of the notebooks' backend."""
