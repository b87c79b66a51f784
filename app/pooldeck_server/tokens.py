"""`pooldeck token` and `pooldeck link`: ways into the server that runs, made by the server itself.

They ask by the socket in the data folder, which only the server's own user and root may open: so
they need no token, and get the administrator of the machine in when all are lost.

0  done
1  not done; one line says why
2  wrong arguments or settings
"""

import sys
from pathlib import Path
from time import gmtime, strftime
from typing import Annotated, Any, Final

import msgspec
import typer

from pooldeck_server.command_line.options import AsJson, Config, Data, in_words, place, print_json
from pooldeck_server.command_line.parser import new_commands
from pooldeck_server.domain.access import Role
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tokens import (
    CreateToken,
    ListTokens,
    MakeLink,
    RevokeToken,
    Token,
    TokenAnswer,
    TokenRequest,
    read_life,
)
from pooldeck_server.runtime.access.asking import ask
from pooldeck_server.settings import read_settings

_REFUSED: Final = 1
_OPEN: Final = (
    'this server asks for no token yet: set access = "tokens" (POOLDECK_ACCESS=tokens) and start '
    "it again, so that tokens count"
)


commands = new_commands(
    add_completion=False,
    help="Make, list and revoke named tokens, through the server that runs with the data folder; "
    "only its own user and root can.",
)


@commands.command()
@in_words()
def create(
    *,
    name: Annotated[str, typer.Argument(help="whose it is, such as ci")],
    role: Annotated[
        Role,
        typer.Option(
            help="viewer looks, operator also submits, cancels and retries, admin does everything; "
            "host only runs tasks on another machine"
        ),
    ],
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="after 12h, 90d, 4w, 1y, or never")
    ] = "90d",
    values: Annotated[
        bool,
        typer.Option("--values", help="let a viewer see arguments, results and messages"),
    ] = False,
    functions: Annotated[
        list[str] | None,
        typer.Option(
            "--function",
            metavar="PATTERN",
            help="only for these functions, such as acme.*; may be given several times",
        ),
    ] = None,
    pools: Annotated[
        list[str] | None,
        typer.Option(
            "--pool",
            metavar="PATTERN",
            help="only for these pools; may be given several times",
        ),
    ] = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Make a token, and print its secret: once, here."""
    try:
        life = read_life(expires)
        wanted = {"name": name, "role": role.value, "values": values, "expires_in": life}
        limits = {"functions": functions or [], "pools": pools or []}
        request = msgspec.convert(wanted | limits, TokenRequest)
    except msgspec.ValidationError as error:
        return _complain(str(error))
    except InvalidRequest as error:
        return _complain(error.detail)
    answer = ask(_socket(data, config), CreateToken(request))
    if answer.error is not None:
        return _complain(answer.error)
    made = answer.tokens[0]
    if as_json:
        print_json({"token": _info(made), "secret": answer.secret})
        return _warn_if_open(answer)
    _say(answer.secret or "")
    _remark(f"{made.name}: {_in_words(made)}; the secret is not kept, and never shown again")
    return _warn_if_open(answer)


@commands.command(name="list")
@in_words()
def list_tokens(data: Data = None, config: Config = None, as_json: AsJson = False) -> int:
    """List the tokens, without their secrets."""
    answer = ask(_socket(data, config), ListTokens())
    if answer.error is not None:
        return _complain(answer.error)
    if as_json:
        print_json({"items": [_info(token) for token in answer.tokens]})
        return _warn_if_open(answer)
    for token in answer.tokens:
        used = f"used {_moment(token.used_at)}" if token.used_at else "never used"
        _say(f"{token.name}: {_in_words(token)}; made by {token.created_by}, {used}")
    if not answer.tokens:
        _say("there is no named token")
    return _warn_if_open(answer)


@commands.command()
@in_words()
def revoke(
    name: Annotated[str, typer.Argument(help="its name")],
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Let a token count no more, at once."""
    answer = ask(_socket(data, config), RevokeToken(name))
    if answer.error is not None:
        return _complain(answer.error)
    if as_json:
        print_json(_info(answer.tokens[0]))
        return 0
    _say(f"{name} was revoked: it counts no more, nor do logins that were begun with it")
    return 0


@in_words()
def link(data: Data = None, config: Config = None, as_json: AsJson = False) -> int:
    """Print a link that logs a browser in, once, within 15 minutes."""
    answer = ask(_socket(data, config), MakeLink())
    if answer.error is not None:
        return _complain(answer.error)
    if as_json:
        print_json({"link": answer.secret})
        return 0
    _say(answer.secret or "")
    return 0


def _socket(data: Path | None, config: Path | None) -> Path:
    """Return where the server listens that runs with the data folder."""
    return read_settings(place(data, config)).socket


def _info(token: Token) -> Any:
    """Return a token as the API shows it: without the hash of its secret."""
    from pooldeck_server.web.api.schemas.tokens import TokenInfo  # noqa: PLC0415  (slow to import)

    return TokenInfo.of(token)


def _in_words(token: Token) -> str:
    values = " with values" if token.sees_values and token.role is Role.VIEWER else ""
    only = " ".join((*token.functions, *token.pools))
    ends = f"until {_moment(token.expires_at)}" if token.expires_at else "without an end"
    return f"{token.role}{values}{f', only {only}' if only else ''}, {ends}"


def _moment(at: int) -> str:
    return strftime("%Y-%m-%d %H:%M UTC", gmtime(at / SECOND))


def _warn_if_open(answer: TokenAnswer) -> int:
    if not answer.is_asked_for:
        _remark(_OPEN)
    return 0


def _say(text: str) -> None:
    print(text)  # noqa: T201  (the command's own voice)


def _complain(problem: str) -> int:
    _remark(problem)
    return _REFUSED


def _remark(text: str) -> None:
    print(f"pooldeck: {text}", file=sys.stderr)  # noqa: T201  (the command's own voice)
