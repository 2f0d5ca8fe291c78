"""The Python client: it knows the HTTP API and nothing else of Filmgate.

from filmgate.client import Client

with Client("http://127.0.0.1:8000", key) as client:
    request_id = client.submit("wan-ai/wan-2-5/image-to-video", {"prompt": "…", "img_url": client.upload("photo.jpg")})
    result = client.wait(request_id)
    client.download(result.outputs[0], "clip.mp4")
"""

from filmgate.client.client import Client
from filmgate.client.errors import (
    ArgumentInvalid,
    CallRefused,
    ClientError,
    CreditMissing,
    InputsInvalid,
    KeyRefused,
    ModelUnknown,
    ReplyUnreadable,
    RequestFailed,
    RequestUnknown,
    ServerFailed,
    ServerUnreachable,
    TooManyCalls,
    Unavailable,
    WaitExpired,
)
from filmgate.client.replies import Cancelled, Model, Result, Status

__all__ = [
    "ArgumentInvalid",
    "CallRefused",
    "Cancelled",
    "Client",
    "ClientError",
    "CreditMissing",
    "InputsInvalid",
    "KeyRefused",
    "Model",
    "ModelUnknown",
    "ReplyUnreadable",
    "RequestFailed",
    "RequestUnknown",
    "Result",
    "ServerFailed",
    "ServerUnreachable",
    "Status",
    "TooManyCalls",
    "Unavailable",
    "WaitExpired",
]
