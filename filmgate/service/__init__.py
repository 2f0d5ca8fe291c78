"""What Filmgate does, whoever asks: submit, status, result, cancel, uploads, keys and device login."""
