"""The parser of the command line, and how every error becomes one sentence and an exit code."""

from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from filmgate.cli.cancel import cancel
from filmgate.cli.check import check
from filmgate.cli.courier import courier
from filmgate.cli.doctor import doctor
from filmgate.cli.gateway import gateway
from filmgate.cli.keys import keys
from filmgate.cli.models import models
from filmgate.cli.result import result
from filmgate.cli.run import run
from filmgate.cli.serve import serve
from filmgate.cli.status import status
from filmgate.cli.terminal import BAD_INPUT, FAILED, say_error
from filmgate.cli.usage import UsageInvalid
from filmgate.cli.version import version
from filmgate.cli.webhooks import webhooks
from filmgate.cli.weights import weights
from filmgate.cli.worker import worker
from filmgate.domain.errors import FilmgateError, StartupError

__all__ = ["app", "run_app"]

_BAD_INPUT_CODES = frozenset({"argument_invalid", "inputs_invalid", "model_unknown", "key_refused", "request_unknown"})
"""Refusals by a server that more typing can mend."""

app = typer.Typer(
    name="filmgate",
    help="The Model API on your own machines: one call turns a picture into a video.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help loads no rich
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.command()(serve)
app.command()(gateway)
app.command()(courier)
app.command()(worker)
app.command()(run)
app.command()(models)
app.add_typer(weights, name="weights")
app.add_typer(keys, name="keys")
app.add_typer(webhooks, name="webhooks")
app.command()(status)
app.command()(result)
app.command()(cancel)
app.command()(check)
app.command()(doctor)
app.command()(version)


def run_app(arguments: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    try:
        code = app(list(arguments), prog_name="filmgate", standalone_mode=False)
    except TyperException as error:
        return _say_usage(error)
    except FilmgateError as error:
        for sentence in getattr(error, "faults", ()) or (error.sentence,):
            say_error(sentence)
        return BAD_INPUT if isinstance(error, StartupError | UsageInvalid) or error.code in _BAD_INPUT_CODES else FAILED
    return code if isinstance(code, int) else 0


def _say_usage(error: TyperException) -> int:
    say_error(error.format_message())
    return error.exit_code
