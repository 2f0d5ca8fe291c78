"""`data:` URIs (RFC 2397): the bytes that a caller put into the body itself."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

__all__ = ["decode_data_uri"]


def decode_data_uri(uri: str) -> bytes:
    """The bytes of a `data:` URI. Raises ValueError with a clause that says what is wrong with it."""
    header, comma, payload = uri.partition(",")
    if not comma:
        raise ValueError("has no comma between its header and its data")
    if not header.lower().endswith(";base64"):
        return unquote_to_bytes(payload)
    try:
        return base64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not valid base64") from error
