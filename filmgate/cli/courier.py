"""`filmgate courier`: one courier, where it is wanted."""

from filmgate.cli.roles import become_role
from filmgate.cli.settings import takes_settings
from filmgate.config import Settings

__all__ = ["courier"]


@takes_settings(
    "data", "models", "engines", "fetch_allow", "fetch_http", "fetch_timeout_s", "lease_s", "drain_s", "log_level"
)
def courier(settings: Settings) -> None:
    """Start one courier.

    It fetches the inputs of requests and has them judged.
    """
    become_role("courier", settings)
