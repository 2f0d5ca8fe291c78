"""The ASGI application: routes, the pages that are mounted beside them, and every error as JSON."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from filmgate.domain.errors import Refusal
from filmgate.gateway.context import Context
from filmgate.gateway.problems import http_problem, refusal_problem, unexpected_problem
from filmgate.gateway.routes import routes

__all__ = ["gateway_app"]


def gateway_app(context: Context, pages: Sequence[BaseRoute] = ()) -> Starlette:
    """The application. It never redirects: a path with a slash too many is a path that is not there."""
    app = Starlette(
        routes=[*routes(context), *pages],
        exception_handlers={
            Refusal: refusal_problem,
            HTTPException: http_problem,
            Exception: unexpected_problem,
        },
    )
    app.router.redirect_slashes = False
    return app
