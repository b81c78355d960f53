"""Commands of agencies' officers who bring connectors into service, and of the bureau's who approve them."""

from __future__ import annotations

import typer

from hub.command import connector_check, connector_new, connector_steps, connector_types

app = typer.Typer(no_args_is_help=True)


@app.callback()
def connector() -> None:
    """Bring connectors into service.

    提出、审核和启用连接器。
    """


connector_new.register(app)
connector_check.register(app)
connector_steps.register(app)
connector_types.register(app)
