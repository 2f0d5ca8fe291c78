"""Runs the roles of one machine as child processes, and leaves nothing behind however it ends."""
