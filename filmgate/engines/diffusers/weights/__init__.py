"""Sets of open weights on disk: which are there, whether they are whole, and how they get there."""
