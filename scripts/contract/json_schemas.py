"""From a type of `processor.wire` to its JSON Schema, in words for readers of any language."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from scripts.contract.fields import JsonSchema, field_of

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_COMMENT: Final = "Made from processor/wire by scripts/schemas: change it there."

# As somebody reads it: what it is, what must be there, each field, and last what was named.
_ORDER: Final = (
    "$schema", "$comment", "title", "description", "$ref", "type", "const", "enum", "format",
    "minLength", "maxLength", "minimum", "maximum", "maxItems", "minProperties", "pattern",
    "not", "required", "additionalProperties", "properties", "items", "if", "then", "else", "anyOf",
    "oneOf", "allOf", "contentEncoding", "$defs",
)  # fmt: skip


_MERE_TYPES: Final[list[JsonSchema]] = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "array", "items": {"type": "integer"}},
    {"type": "object", "additionalProperties": {"type": "string"}},
]


class _Generator(GenerateJsonSchema):
    """Pydantic's own, without the titles that it makes of field names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(adapter: TypeAdapter[Any], title: str, description: str) -> JsonSchema:
    """The schema of what an adapter reads.

    Args:
        adapter: of a record, or of several that are told apart by a field.
        title: the record's name.
        description: what it is and where it stands.

    Raises:
        KeyError: a field is described nowhere.
    """
    found: JsonSchema = adapter.json_schema(schema_generator=_Generator)
    # A word of OpenAPI's, which JSON Schema does not know.
    found.pop("discriminator", None)
    definitions: dict[str, Any] = dict(found.pop("$defs", {}))  # type: ignore[arg-type]
    named: dict[str, Any] = {}
    for record in [found, *definitions.values()]:
        _describe(record, named)
    definitions |= dict(sorted(named.items()))
    found |= {"title": title, "description": description}
    if definitions:
        found["$defs"] = definitions
    return in_order({"$schema": DIALECT, "$comment": _COMMENT, **found})


def _describe(record: JsonSchema, named: dict[str, Any]) -> None:
    """Say what each field of a record is; schemas that have a name of their own go to `named`."""
    properties: Any = record.get("properties", {})
    for name, content in properties.items():
        field = field_of(str(record["title"]), name)
        if field.rule and content in _MERE_TYPES:
            content = field.rule
        properties[name] = {"description": field.words, **_by_name(content, named)}
    if isinstance(text := record.get("description"), str):
        record["description"] = " ".join(text.replace("``", "").split())


def _by_name(schema: Any, named: dict[str, Any]) -> Any:
    """The schema with a reference wherever one has a title."""
    if isinstance(schema, list):
        return [_by_name(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if enums := _enums(schema):
        return {"type": "string", "enum": enums}
    told = {keyword: _by_name(content, named) for keyword, content in schema.items()}
    if not isinstance(title := told.pop("title", None), str):
        return told
    named[title] = told
    return {"$ref": f"#/$defs/{title}"}


def _enums(schema: dict[str, Any]) -> list[str]:
    """The texts of a choice between lists of texts, which is one list."""
    choices = schema.get("anyOf", [])
    if all("enum" in choice for choice in choices):
        return [text for choice in choices for text in choice["enum"]]
    return []


def in_order(schema: JsonSchema) -> JsonSchema:
    """The schema with its keywords in the order in which somebody reads them.

    Raises:
        ValueError: a keyword has no place in it.
    """
    return {
        keyword: _content_in_order(keyword, schema[keyword])
        for keyword in sorted(schema, key=_ORDER.index)
    }


def _content_in_order(keyword: str, content: JsonValue) -> JsonValue:
    if isinstance(content, list):
        return [in_order(one) if isinstance(one, dict) else one for one in content]
    if not isinstance(content, dict):
        return content
    if keyword in ("properties", "$defs"):
        return {name: in_order(one) for name, one in content.items() if isinstance(one, dict)}
    return in_order(content)


def records_in(schema: JsonSchema) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every record in a schema, with its name."""
    definitions: Any = schema.get("$defs", {})
    for name, one in [(str(schema["title"]), schema), *definitions.items()]:
        if "properties" in one:
            yield name, one
