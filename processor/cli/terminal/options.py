"""The options that commands share."""

from typing import Annotated, Any

import typer

from processor.settings import Settings


def setting(
    name: str,
    *,
    flag: str | None = None,
    metavar: str | None = "N",
    default: object = None,
) -> Any:
    """An option that sets a setting; its help is the setting's description and default.

    Args:
        name: the setting.
        flag: the option, where it is not called as the setting.
        metavar: what its value is called.
        default: what to show as its default, where the command has another one.
    """
    field = Settings.model_fields[name]
    description = field.description or ""
    if default is None:
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return typer.Option(
        flag or f"--{name.replace('_', '-')}",
        help=f"{description[:1].upper()}{description[1:]}. [default: {default}]",
        show_default=False,
        metavar=metavar,
    )


def _utf8(text: str | None) -> str | None:
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("must be UTF-8") from None
    return text


BootstrapServers = Annotated[str | None, setting("bootstrap_servers", metavar="SERVERS")]
TopicPrefix = Annotated[str | None, setting("topic_prefix", metavar="PREFIX")]
AppId = Annotated[str | None, setting("app_id", metavar="NAME")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
User = Annotated[
    str | None,
    typer.Option("--user", metavar="USER", help="Only this user's.", callback=_utf8),
]
Stream = Annotated[int | None, typer.Option("--stream", metavar="N", help="Only this stream's.")]
