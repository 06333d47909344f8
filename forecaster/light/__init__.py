"""The networks' forward pass in numpy, from the same model file: a forecast need not wait for torch to be imported.

Equal to torch's within 1e-5, which a test holds for every network that is here.
"""
