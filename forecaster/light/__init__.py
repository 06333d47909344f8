"""The networks' forward pass in numpy, from the same model file: a forecast needn't wait for torch to be imported.

Results equal torch's within 1e-5; a test checks this for every network here.
"""
