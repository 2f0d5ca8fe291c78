"""The one error of the command line itself: what was typed cannot be meant."""

from filmgate.domain.errors import FilmgateError

__all__ = ["UsageInvalid"]


class UsageInvalid(FilmgateError):
    code = "usage_invalid"
