"""The one error of commands that fetch, convert, make or check weights."""

from filmgate.domain.errors import FilmgateError

__all__ = ["WeightsFault"]


class WeightsFault(FilmgateError):
    """Codes: `extra_missing`, `weights_present`, `format_unfit`, `disk_full`, `folder_unwritable`, `file_damaged`;
    of the hub `hub_offline`, `hub_unreachable`, `repository_unknown`, `repository_gated`, `only_pickles`.
    """

    code = "weights_fault"
