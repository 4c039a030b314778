"""Which kinds of input a request holds, and whether all of it is of a form that is known here."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

type Object = Mapping[str, object]

UNKNOWN: Final = "unknown"
_PARTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("text", "refusal", "input_text", "output_text", "summary_text"), "text"),
    **dict.fromkeys(("image_url", "input_image"), "image"),
    **dict.fromkeys(("file", "input_file"), "file"),
    "input_audio": "audio",
}
# What stands between messages of a Responses input: calls of tools, what they gave, old thoughts.
_ITEMS: Final = frozenset(
    {
        *("function_call", "function_call_output", "reasoning", "item_reference"),
        *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
        *("mcp_call", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response"),
    }
)
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def kinds(body: Object) -> frozenset[str]:
    """text, image, file, audio; `unknown` where something is of no form that is known here."""
    return frozenset((*_in_messages(body.get("messages")), *_in_items(body.get("input"))))


def among(word: object, known: Container[str]) -> bool:
    """Whether it is one of these words; what a client sends may be anything."""
    return isinstance(word, str) and word in known


def _in_messages(messages: object) -> Iterator[str]:
    if messages is None:
        return
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, dict) or not among(message.get("role"), _ROLES):
            yield UNKNOWN
            continue
        if message.get("audio") is not None:
            yield "audio"
        yield from _in_content(message.get("content"))
    if not isinstance(messages, list):
        yield UNKNOWN


def _in_items(items: object) -> Iterator[str]:
    if items is None or isinstance(items, str):
        return
    for item in items if isinstance(items, list) else ({},):
        if not isinstance(item, dict) or not _is_known(item):
            yield UNKNOWN
            continue
        yield from _in_content(item.get("content"))
        yield from _in_content(item.get("output"))


def _is_known(item: Object) -> bool:
    kind = item.get("type", "message")
    return among(item.get("role"), _ROLES) if kind == "message" else among(kind, _ITEMS)


def _in_content(content: object) -> Iterable[str]:
    if content is None or isinstance(content, str):
        return ()
    if not isinstance(content, list):
        return (UNKNOWN,)
    return [
        _PARTS.get(str(part.get("type")), UNKNOWN) if isinstance(part, dict) else UNKNOWN
        for part in content
    ]
