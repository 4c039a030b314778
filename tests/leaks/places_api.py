"""Where a secret can stand in calls of the Responses API and of the endpoints beside it."""

import json
from random import Random
from typing import Final

from tests.leaks import filler
from tests.leaks.case import RESPONSES, FromText, Place, Sent, bare, dumps, in_text, post, responses
from tests.leaks.draw import fill
from tests.leaks.filler import told
from tests.leaks.kind import HERE


def item(**more: object) -> Sent:
    first = {"role": "user", "content": "Go on."}
    return responses([first, more])


def prompt_variables(secret: str, chance: Random) -> Sent:
    prompt = {"id": fill("pmpt_{x:32}", chance), "version": "2", "variables": {"login": secret}}
    return post(RESPONSES, {"prompt": prompt})


def in_list(secret: str, chance: Random) -> Sent:
    texts = [filler.sentence(chance) for _ in range(40)]
    texts.insert(chance.randrange(40), told(secret, chance))
    return post("/v1/embeddings", {"model": "text-embedding-3-small", "input": texts})


def mcp(**more: object) -> FromText:
    def make(text: str) -> Sent:
        server = {"type": "mcp", "server_label": "shop", "server_url": "https://mcp.shop.lan/sse"}
        filled = {name: str(value).replace(HERE, text) for name, value in more.items()}
        return responses("Hi", tools=[server | filled])

    return make


def function_item(key: str) -> FromText:
    return lambda text: item(type=f"function_call{key}", call_id="call_1", name="run", output=text)


RESPONSES_API: Final[dict[str, Place]] = {
    "input": in_text(responses),
    "instructions": in_text(lambda t: responses("Hi", instructions=t)),
    "input_text": in_text(
        lambda t: item(type="message", role="user", content=[{"type": "input_text", "text": t}])
    ),
    "output_text": in_text(
        lambda t: item(role="assistant", content=[{"type": "output_text", "text": t}])
    ),
    "function_call": in_text(
        lambda t: item(type="function_call", call_id="c", name="run", arguments=json.dumps([t]))
    ),
    "function_call_output": in_text(function_item("_output")),
    "custom tool call": in_text(
        lambda t: item(type="custom_tool_call", call_id="c", name="sh", input=t)
    ),
    "shell command": bare(
        lambda s: item(
            type="local_shell_call",
            call_id="c",
            action={"type": "exec", "command": ["curl", "-H", f"X-Auth: {s}", "https://a.lan"]},
        )
    ),
    "patch": in_text(
        lambda t: item(
            type="apply_patch_call",
            call_id="c",
            operation={"type": "update_file", "path": "a.py", "diff": f"@@\n-a\n+{t}"},
        )
    ),
    "reasoning summary": in_text(
        lambda t: item(type="reasoning", summary=[{"type": "summary_text", "text": t}])
    ),
    "input_file's address": bare(
        lambda s: item(
            role="user", content=[{"type": "input_file", "file_url": f"https://a.lan/d?k={s}"}]
        )
    ),
    "MCP server's address": bare(mcp(server_url=f"https://mcp.shop.lan/{HERE}/sse")),
    "MCP server's description": in_text(mcp(server_description=HERE)),
    "prompt variable": prompt_variables,
    "text format": in_text(lambda t: responses("Hi", text={"format": {"description": t}})),
}
OTHERS: Final[dict[str, Place]] = {
    "embeddings input": in_text(
        lambda t: post("/v1/embeddings", {"model": "text-embedding-3-small", "input": t})
    ),
    "embeddings input, one of many": in_list,
    "moderation": in_text(lambda t: post("/v1/moderations", {"input": [t]})),
    "image prompt": in_text(lambda t: post("/v1/images/generations", {"prompt": t, "n": 1})),
    "speech input": in_text(
        lambda t: post("/v1/audio/speech", {"model": "gpt-4o-mini-tts", "voice": "a", "input": t})
    ),
    "speech instructions": in_text(
        lambda t: post("/v1/audio/speech", {"voice": "alloy", "input": "Hi", "instructions": t})
    ),
    "completion prompt": in_text(lambda t: post("/v1/completions", {"prompt": ["Hi", t]})),
    "completion suffix": in_text(lambda t: post("/v1/completions", {"prompt": "Hi", "suffix": t})),
    "conversation item": in_text(
        lambda t: post("/v1/conversations", {"items": [{"role": "user", "content": t}]})
    ),
    "vector store's name": bare(lambda s: post("/v1/vector_stores", {"name": s})),
    "vector store's attributes": bare(
        lambda s: post("/v1/vector_stores/vs_1/files", {"file_id": "f", "attributes": {"a": s}})
    ),
    "vector store's query": in_text(
        lambda t: post("/v1/vector_stores/vs_1/search", {"query": t, "rewrite_query": True})
    ),
    "batch metadata": bare(
        lambda s: post("/v1/batches", {"input_file_id": "f", "metadata": {"owner": s}})
    ),
    "fine-tuning suffix": bare(
        lambda s: post("/v1/fine_tuning/jobs", {"training_file": "f", "suffix": s})
    ),
    "evaluation": in_text(
        lambda t: post("/v1/evals", {"testing_criteria": [{"type": "python", "source": t}]})
    ),
    "body is one string": in_text(lambda t: Sent("POST", RESPONSES.encode(), dumps(t))),
    "body is a list": in_text(lambda t: post(RESPONSES, [1, [t]])),
}
