"""Every error that Filmgate raises on purpose.

    FilmgateError
    ├── Refusal               the call is refused; nothing was stored
    │   ├── BodyUnreadable        not a JSON object
    │   ├── BodyTooLarge
    │   ├── ContentTypeUnknown    a content type or encoding that is not read here
    │   ├── KeyRefused            no, malformed, unknown, expired or revoked key
    │   ├── ScopeMissing          the key lacks the scope
    │   ├── CreditMissing
    │   ├── ModelUnknown
    │   ├── RequestUnknown        absent, expired or another account's: one answer for all
    │   ├── FileUnknown
    │   ├── DeliveryUnknown
    │   ├── InputsInvalid         every fault at once
    │   └── Unavailable           cannot accept now, try again
    ├── RequestFailure        an accepted request ends `failed`
    │   ├── InputUnreachable      its file could not be fetched
    │   ├── InputRejected         its file breaks a rule
    │   ├── EngineFailure         the engine says why
    │   └── WorkerLost            the machinery gave up after the last attempt
    ├── MediaUnreadable       a file is not a picture or sound that we can read
    ├── RequestStopped        raised inside an engine when its request was told to stop
    ├── EngineBroken          raised inside an engine that cannot go on: its process ends, the request is tried anew
    └── StartupError          the process does not start
        ├── SettingInvalid
        ├── ManifestInvalid
        └── WeightsInvalid

The class decides whose fault it is, `code` is stable for programs, the message is one sentence for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "BodyTooLarge",
    "BodyUnreadable",
    "ContentTypeUnknown",
    "CreditMissing",
    "DeliveryUnknown",
    "EngineBroken",
    "EngineFailure",
    "Fault",
    "FileUnknown",
    "FilmgateError",
    "InputRejected",
    "InputUnreachable",
    "InputsInvalid",
    "KeyRefused",
    "ManifestInvalid",
    "MediaUnreadable",
    "ModelUnknown",
    "Refusal",
    "RequestFailure",
    "RequestStopped",
    "RequestUnknown",
    "ScopeMissing",
    "SettingInvalid",
    "StartupError",
    "Unavailable",
    "WeightsInvalid",
    "WorkerLost",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one input: where it is, a sentence, and the kind of rule that it breaks."""

    loc: tuple[str | int, ...]
    message: str
    kind: str


class FilmgateError(Exception):
    """Root of the tree. `code` is stable; `sentence` tells the caller what to do next."""

    code = "internal_error"

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if code is not None:
            self.code = code


class Refusal(FilmgateError):
    code = "refused"


class BodyUnreadable(Refusal):
    code = "body_unreadable"


class BodyTooLarge(Refusal):
    code = "body_too_large"


class ContentTypeUnknown(Refusal):
    code = "content_type_unknown"


class KeyRefused(Refusal):
    code = "key_refused"


class ScopeMissing(Refusal):
    code = "scope_missing"


class CreditMissing(Refusal):
    code = "credit_missing"


class ModelUnknown(Refusal):
    code = "model_unknown"


class RequestUnknown(Refusal):
    code = "request_unknown"


class FileUnknown(Refusal):
    code = "file_unknown"


class DeliveryUnknown(Refusal):
    code = "delivery_unknown"


class InputsInvalid(Refusal):
    code = "inputs_invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


class Unavailable(Refusal):
    code = "unavailable"

    def __init__(self, sentence: str, *, retry_after_s: int = 1) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class RequestFailure(FilmgateError):
    """Ends an accepted request as `failed`. `retryable`: the same request may succeed if sent again."""

    code = "request_failed"

    def __init__(self, sentence: str, *, code: str | None = None, retryable: bool = False) -> None:
        super().__init__(sentence, code=code)
        self.retryable = retryable


class InputUnreachable(RequestFailure):
    code = "input_unreachable"


class InputRejected(RequestFailure):
    code = "input_rejected"


class EngineFailure(RequestFailure):
    code = "engine_failed"


class WorkerLost(RequestFailure):
    code = "worker_lost"


class MediaUnreadable(FilmgateError):
    code = "media_unreadable"


class RequestStopped(FilmgateError):
    code = "request_stopped"


class EngineBroken(FilmgateError):
    code = "engine_broken"


class StartupError(FilmgateError):
    code = "startup_failed"


class SettingInvalid(StartupError):
    code = "setting_invalid"


class ManifestInvalid(StartupError):
    code = "manifest_invalid"


class WeightsInvalid(StartupError):
    code = "weights_invalid"
