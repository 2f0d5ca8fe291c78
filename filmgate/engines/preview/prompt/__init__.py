"""Prompts taken apart and read: shot lists, camera moves, framing, look. Words only; knows nothing of pictures."""
