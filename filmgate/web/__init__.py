"""The web pages. They use the public HTTP API and nothing else."""
