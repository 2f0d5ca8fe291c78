"""All settings: what may be set (`table`), how values are read (`kinds`), and where they come from (`loading`)."""

from filmgate.config.loading import OTHER_VARIABLES, load_settings
from filmgate.config.table import CONFIG_VARIABLE, PREFIX, SETTINGS, Setting, Settings

__all__ = ["CONFIG_VARIABLE", "OTHER_VARIABLES", "PREFIX", "SETTINGS", "Setting", "Settings", "load_settings"]
