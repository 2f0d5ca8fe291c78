"""One command per claim, with a peer or a physical limit measured beside it in the same run."""
