"""The command that makes a believable city with three agencies, and serves it like any other."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

import typer
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from starlette.types import ASGIApp

from hub.command.names import refuse_occupied_names
from hub.command.serve import run, upkeep_beside
from hub.demo.build import MARKET, MARKET_ROLES, ensure_city, market_server
from hub.demo.city import LEAST_PEOPLE, MOST_PEOPLE, City
from hub.demo.control import ask
from hub.demo.place import Place, write_private
from hub.demo.seed import Desks, register_city
from hub.demo.session import session_opener
from hub.demo.sheet import compose_sheet
from hub.demo.supervisor import Supervisor
from hub.kernel.db.provision import provided
from hub.kernel.db.quarters import SOCKET_NAME, private
from hub.kernel.errors import Code, HubError
from hub.kernel.log import configure_logging
from hub.kernel.settings import Settings, settings_of_process

LOOPBACK = ip_network("127.0.0.1/32")
MOST_SEED = 9999
STATES = {"ok": "正常 answers", "slow": "很慢 slow", "broken": "出错 broken", "stopped": "停机 stopped"}
app = typer.Typer(help="Make and serve a demo city. 演示城市。")
agency = typer.Typer(help="Stop, start, slow or break an agency of the running demo. 控制演示部门。")
app.add_typer(agency, name="agency")

People = Annotated[
    int | None,
    typer.Option(min=LEAST_PEOPLE, max=MOST_PEOPLE, help="How many people; 5,000 at first. 人口数。"),
]
Seed = Annotated[
    int | None, typer.Option(min=0, max=MOST_SEED, help="Another number, another city. 随机种子。")
]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_000, help="The hub's port instead of HUB_PORT. 端口。")
]
Name = Annotated[str, typer.Argument(help="police, market or licences")]


class Bars:
    """Shows each step of a long work as a bar."""

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar for so many parts while the block runs."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(name, total=total)
            yield lambda count: progress.advance(task, count)


@app.callback(invoke_without_command=True)
def demo(context: typer.Context, people: People = None, seed: Seed = None, port: Port = None) -> None:
    """Make the city when it is not there, start its agencies and the hub, and serve until stopped."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings(port)
    configure_logging(settings.log_level)
    refuse_occupied_names()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = Place(private(settings.data), settings.port)
    private(place.folder)
    with (
        suppress(KeyboardInterrupt),
        _city(place, people, seed) as city,
        Supervisor(place) as agencies,
        provided(settings) as ready,
    ):
        _register(ready, place, city)
        agencies.await_ready()
        if settings.database_url is None:
            upkeep_beside(ready)
        _say_what_to_open(ready, place)
        run(ready, application)


def application(settings: Settings) -> ASGIApp:
    """A worker's application with the demo's sessions."""
    from hub.asgi import create

    sheet = Place(settings.data, settings.port).sheet
    return create(settings, lambda hub: session_opener(hub.clients, sheet))


@agency.command()
def stop(name: Name) -> None:
    """End an agency's process."""
    _command("stop", name)


@agency.command()
def start(name: Name) -> None:
    """Start an agency, or let a slow or broken one work again."""
    _command("start", name)


@agency.command()
def slow(name: Name) -> None:
    """Let an agency answer later than the hub waits."""
    _command("slow", name)


@agency.command("break")
def break_(name: Name) -> None:
    """Let an agency answer with rubbish."""
    _command("break", name)


@agency.command()
def status() -> None:
    """Show how every agency does."""
    _command("status", "")


def _command(act: str, name: str) -> None:
    settings = settings_of_process()
    for one, state in ask(Place(settings.data, settings.port).control_socket, act, name).items():
        typer.echo(f"{one:10} {STATES[state]}")


def _settings(port: int | None) -> Settings:
    settings = settings_of_process()
    if port is not None:
        default = settings.issuer == f"http://127.0.0.1:{settings.port}"
        issuer = f"http://127.0.0.1:{port}" if default else settings.issuer
        settings = replace(settings, port=port, issuer=issuer)
    ports = tuple(range(one, one + 1) for one in Place(settings.data, settings.port).ports.values())
    return replace(settings, agency_networks=(*settings.agency_networks, (LOOPBACK, ports)))


@contextmanager
def _city(place: Place, people: int | None, seed: int | None) -> Iterator[City]:
    """The city, whole, while the database of its market regulation runs."""
    server = market_server(place)
    server.start()
    try:
        city = ensure_city(place, server, Bars(), people, seed)
        dsn = urlsplit(server.dsn(MARKET_ROLES.serving[0], MARKET))
        folder = parse_qs(dsn.query)["host"][0]
        known = {"market_password": unquote(dsn.password or ""), "market_socket": f"{folder}/{SOCKET_NAME}"}
        place.keep_secrets(place.secrets() | known)
        yield city
    finally:
        server.stop()


def _register(settings: Settings, place: Place, city: City) -> None:
    known = place.secrets()
    secret = asyncio.run(_registered(settings, place, known))
    place.keep_secrets(known | {"client_secret": secret})
    write_private(place.sheet, compose_sheet(place, city, settings.issuer, secret))


async def _registered(settings: Settings, place: Place, known: dict[str, str]) -> str:
    from hub.wiring import open_hub

    if settings.owner_database_url is None:
        rule = "the database's URL as its owner role"
        raise HubError(Code.SETTING_INVALID, setting="HUB_OWNER_DATABASE_URL", rule=rule)
    owning = replace(settings, database_url=settings.owner_database_url)
    hub = open_hub(owning, CollectorRegistry())
    desks = Desks(hub.catalogue, hub.register, hub.clients, hub.procedures, hub.grants, hub.regions)
    try:
        await hub.clients.start()
        return await register_city(desks, place.ports, known)
    finally:
        await hub.clients.stop()
        await hub.close_connections()
        await hub.database.close()


def _say_what_to_open(settings: Settings, place: Place) -> None:
    rows: Any = (
        ("打开 Open", settings.issuer),
        ("提问 Ask", f"{settings.issuer}/graphiql"),
        ("脚本用 For scripts", str(place.sheet)),
        ("停掉一个部门 Stop an agency", "hub demo agency stop police"),
        ("退出 Quit", "Ctrl-C"),
    )
    table = Table(
        box=None, show_header=False, title="演示城市已就绪 · The demo city is ready", title_justify="left"
    )
    for row in rows:
        table.add_row(*row)
    Console(soft_wrap=True).print(table)
