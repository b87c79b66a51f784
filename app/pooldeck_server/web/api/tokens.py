"""Named tokens: who may come in, and what each may do. For admins."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.tokens import TokenRequest
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import read
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.schemas.tokens import NewToken, TokenInfo, TokenList
from pooldeck_server.web.http.dependencies import NamePath, ServerDep, SightDep
from pooldeck_server.web.http.responses import CHANGING, READING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/tokens", tags=["access"])

_EXAMPLE = {"name": "ci", "role": "operator", "expires_in": 7776000, "functions": ["acme.*"]}


@router.get("", responses=good(TokenList, "All tokens.") | bad(*READING))
async def list_tokens(server: ServerDep) -> Response:
    """List the named tokens; nobody can be told their secrets."""
    items = [TokenInfo.of(token) for token in server.tokens.all()]
    return answer(TokenList(items, server.tokens.is_asked_for))


@router.post(
    "",
    status_code=201,
    responses=good(NewToken, "The token, with its secret.", 201) | bad(*WRITING, 409),
    openapi_extra=takes(TokenRequest, _EXAMPLE),
)
async def create_token(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Make a named token; its secret is in this answer and nowhere else."""
    wanted = await body_of(request, _read_request, server.settings.limits)
    token, secret = await server.tokens.create(wanted, sight.principal.name)
    return answer(NewToken(TokenInfo.of(token), secret), 201)


@router.delete("/{name}", responses=good(TokenInfo, "The token that was.") | bad(*CHANGING, 404))
async def revoke_token(server: ServerDep, name: NamePath) -> Response:
    """Revoke a token: it counts no more at once, and what was begun with it ends."""
    return answer(TokenInfo.of(await server.tokens.revoke(name)))


def _read_request(body: bytes, limits: LimitSettings) -> TokenRequest:
    return read(TokenRequest, body, limits)
