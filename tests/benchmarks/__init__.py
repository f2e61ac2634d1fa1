"""Measurements, never timed tests: ratios inside one run, absolute values printed beside them."""
