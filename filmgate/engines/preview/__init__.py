"""The CPU preview engine: learned depth, matte and in-painting turn one picture into a short 2.5D clip.

`from filmgate.engines.preview.engine import PreviewEngine`; this package itself imports nothing heavy.
"""
