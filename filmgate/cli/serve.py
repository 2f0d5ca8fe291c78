"""`filmgate serve`: all roles of one machine, supervised."""

from filmgate.cli.roles import become_role
from filmgate.cli.settings import takes_settings
from filmgate.config import Settings

__all__ = ["serve"]


@takes_settings()
def serve(settings: Settings) -> None:
    """Start Filmgate on this machine.

    That is a gateway, a courier and workers. Roles that die are started again. SIGTERM or Ctrl-C lets running requests
    end first; a second one does not wait.
    """
    become_role("serve", settings)
