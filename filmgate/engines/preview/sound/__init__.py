"""Sound for a clip: what a prompt says of it, sources made from noise and tones, and their mix."""
