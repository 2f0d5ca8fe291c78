"""Engines: each makes the files of one job. They know the domain and nothing of each other."""
