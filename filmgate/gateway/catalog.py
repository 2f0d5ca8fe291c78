"""The models over HTTP: the list, its categories, one model, and the OpenAPI document of all."""

from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.manifest import Manifest
from filmgate.gateway import wire
from filmgate.gateway.context import Context, flag, json_response, whole_number
from filmgate.gateway.openapi import openapi_document

__all__ = ["CatalogRoutes"]


class CatalogRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def catalog(self, request: Request) -> Response:
        await self._context.key(request)
        query = request.query_params
        search, category = query.get("search", "").lower(), query.get("category", "")
        limit = whole_number(request, "limit", default=100, low=1, high=500)
        offset = whole_number(request, "offset", default=0, low=0, high=1_000_000)
        schemas = flag(request, "include_schema")
        found = [
            manifest
            for manifest in self._context.requests.catalog.values()
            if category in ("", manifest.category)
            and query.get("kind", "model") in ("", "model")
            and _mentions(manifest, search)
        ]
        base_url = self._context.base_url(request)
        page = [wire.catalog_entry(m, base_url, schemas=schemas) for m in found[offset : offset + limit]]
        return json_response(wire.CatalogReply(page, len(found)))

    async def categories(self, request: Request) -> Response:
        await self._context.key(request)
        return json_response(
            wire.CategoriesReply(sorted({m.category for m in self._context.requests.catalog.values()}))
        )

    async def model(self, request: Request) -> Response:
        await self._context.key(request)
        manifest = self._context.requests.manifest(request.path_params["model_id"])
        return json_response(wire.catalog_entry(manifest, self._context.base_url(request), schemas=True, details=True))

    async def openapi(self, request: Request) -> Response:
        return json_response(openapi_document(self._context.requests.catalog, self._context.base_url(request)))


def _mentions(manifest: Manifest, search: str) -> bool:
    return search in f"{manifest.id} {manifest.display_name} {manifest.description}".lower()
