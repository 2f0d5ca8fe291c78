"""The Model API on your own machines."""

__all__ = ["__version__"]

__version__ = "0.1.0"
