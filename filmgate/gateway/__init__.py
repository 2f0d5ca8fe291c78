"""The role that speaks HTTP: it checks a call, writes one row, and answers."""
