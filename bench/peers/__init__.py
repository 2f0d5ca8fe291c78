"""The services that `bench/queue.py` measures: one thin job behind each of them."""
