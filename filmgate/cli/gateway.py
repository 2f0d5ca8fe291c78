"""`filmgate gateway`: one gateway, where it is wanted."""

from filmgate.cli.roles import become_role
from filmgate.cli.settings import takes_settings
from filmgate.config import Settings

__all__ = ["gateway"]


@takes_settings(
    "host", "port", "data", "public_url", "models", "engines", "fetch_allow", "fetch_http", "retention_days",
    "max_body_bytes", "lease_s", "drain_s", "log_level",
)  # fmt: skip
def gateway(settings: Settings) -> None:
    """Start one gateway.

    It speaks HTTP, checks what it is sent, and writes requests into the database.
    """
    become_role("gateway", settings)
