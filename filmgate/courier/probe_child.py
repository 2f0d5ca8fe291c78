"""The process that decodes strangers' files: locked down first, then one file at a time until its channel ends.

Started by `probe` with the channel as its standard input. It opens nothing: each order brings two open files.
"""

import os
import signal
import socket
import sys

import msgspec

from filmgate.courier.lockdown import limit_processor_time, lock_down
from filmgate.courier.probe_audio import measure_audio, rehearse_sounds
from filmgate.courier.probe_image import measure_image, rehearse_images
from filmgate.courier.probe_wire import MAX_LINE_BYTES, Answer, Hello, Order
from filmgate.domain.errors import MediaUnreadable

__all__: list[str] = []


def main() -> None:
    """Serve orders; with `--level` only say how far this system lets itself be locked down."""
    if "--level" in sys.argv:
        sys.stdout.write(lock_down())
        return
    rehearse_images()
    rehearse_sounds()
    # The terminal's Ctrl-C reaches every process; when to stop is the parent's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=sys.stdin.fileno()) as channel:
        _send(channel, Hello(lock_down()))
        while _serve(channel):
            pass


def _serve(channel: socket.socket) -> bool:
    """Carry out one order. False when there are no more, or when this process had better not go on."""
    line, files, _, _ = socket.recv_fds(channel, MAX_LINE_BYTES, 2)
    if not line:
        return False
    order = msgspec.json.decode(line, type=Order)
    source_file, clean_file = files
    try:
        answer = _measure(order, source_file, clean_file)
    except MediaUnreadable as unreadable:
        answer = Answer(problem=unreadable.sentence)
    except MemoryError:
        answer = Answer(problem="The file needs more memory to be decoded than this server gives it.", spent=True)
    _send(channel, answer)
    return not answer.spent


def _measure(order: Order, source_file: int, clean_file: int) -> Answer:
    limit_processor_time(order.processor_time_s)
    with os.fdopen(source_file, "rb") as source, os.fdopen(clean_file, "wb") as clean:
        if order.kind == "image":
            return Answer(image=measure_image(source, clean, order.max_pixels))
        return Answer(audio=measure_audio(source, clean))


def _send(channel: socket.socket, message: Hello | Answer) -> None:
    channel.sendall(msgspec.json.encode(message) + b"\n")


if __name__ == "__main__":
    main()
