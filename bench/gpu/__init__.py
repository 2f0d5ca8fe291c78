"""Speed of the open weights on a GPU: kernels, clips, pictures, and what a service does around them.

Weights are random, of full size, and built on the device; nothing is downloaded. Random weights say how fast and how
exact arithmetic is, and nothing about how clips look.
"""
