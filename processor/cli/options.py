"""The options that commands share."""

from typing import Annotated

import typer

BootstrapServers = Annotated[
    str | None,
    typer.Option(help="Kafka's addresses, host:port,... [default: 127.0.0.1:9092]"),
]
AppId = Annotated[
    str | None,
    typer.Option(help="Consumer group and prefix of transactional ids [default: live-orders]"),
]
TopicPrefix = Annotated[
    str | None, typer.Option(help="What the names of all topics begin with [default: orders.]")
]
Json = Annotated[bool, typer.Option("--json", help="JSON lines, the records as they are.")]
