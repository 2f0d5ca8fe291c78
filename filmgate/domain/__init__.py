"""The words and rules of Filmgate: pure values and functions, no input or output."""
