"""Files, uploads, batches and whatever else is made once and read back later."""

from typing import Any

from tests.support.fake_openai.answers import Answer, error, of_json
from tests.support.fake_openai.asking import Asking, Part, fresh, now

type Object = dict[str, Any]


def upload(ask: Asking) -> Answer:
    """POST /v1/files, a multipart body."""
    part = ask.form.get("file", Part(b""))
    value = {
        "id": fresh("file-"),
        "object": "file",
        "bytes": len(part.data),
        "created_at": now(),
        "filename": part.filename or "upload",
        "purpose": ask.field("purpose", "user_data"),
        "status": "processed",
    }
    return of_json(ask.keep(value, part.data))


def files(ask: Asking) -> Answer:
    return _page([v for v in ask.memory.objects.values() if v["object"] == "file"])


def _page(data: list[Object]) -> Answer:
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    head: Object = {"object": "list", "data": data, "first_id": first, "last_id": last}
    return of_json({**head, "has_more": False})


def read(ask: Asking) -> Answer:
    """GET of anything made before, by the last {segment} of its path."""
    name = list(ask.params.values())[-1]
    found = ask.memory.objects.get(name)
    return missing(name) if found is None else of_json(found)


def missing(name: str) -> Answer:
    return error(404, "invalid_request_error", None, f"No such object: {name}", "id")


def content(ask: Asking) -> Answer:
    """GET /v1/files/{file_id}/content: the bytes as they were uploaded."""
    name = ask.params["file_id"]
    if name not in ask.memory.contents:
        return missing(name)
    data = ask.memory.contents[name]
    pieces = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    headers = [("content-disposition", 'attachment; filename="download"')]
    return Answer(200, "application/octet-stream", pieces=pieces, headers=headers)


def remove(ask: Asking) -> Answer:
    name = list(ask.params.values())[-1]
    found = ask.memory.objects.pop(name, {"object": "object"})
    return of_json({"id": name, "object": found["object"], "deleted": True})


def batch(ask: Asking) -> Answer:
    """POST /v1/batches: accepted now, finished when it is read."""
    head: Object = {"id": fresh("batch_"), "object": "batch", "created_at": now(), "errors": None}
    head |= {name: ask.json.get(name) for name in ("endpoint", "input_file_id", "metadata")}
    head |= {"completion_window": "24h", "model": "gpt-6-luna"}
    counts = {"total": 2, "completed": 2, "failed": 0}
    usage = {
        "input_tokens": 200,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 240,
    }
    done: Object = {"status": "completed", "request_counts": counts, "usage": usage}
    whole = ask.keep({**head, **done, "output_file_id": fresh("file-")})
    zero = dict.fromkeys(counts, 0)
    return of_json({**whole, "status": "validating", "usage": None, "request_counts": zero})


def batches(ask: Asking) -> Answer:
    return _page([v for v in ask.memory.objects.values() if v["object"] == "batch"])


def fine_tune(ask: Asking) -> Answer:
    """POST /v1/fine_tuning/jobs; the organization's id comes back in it."""
    head: Object = {"id": fresh("ftjob-"), "object": "fine_tuning.job", "created_at": now()}
    head |= {"model": ask.model, "status": "queued", "organization_id": "org-FAKEstaging"}
    head |= {"training_file": ask.json.get("training_file", "file-x"), "result_files": []}
    head |= {"hyperparameters": {"n_epochs": "auto"}, "seed": 1}
    return of_json(ask.keep({**head, "trained_tokens": None, "fine_tuned_model": None}))


def container(ask: Asking) -> Answer:
    head: Object = {"id": fresh("cntr_"), "object": "container", "created_at": now()}
    name = ask.json.get("name", "")
    memory = ask.json.get("memory_limit", "1g")
    return of_json(ask.keep({**head, "status": "running", "name": name, "memory_limit": memory}))


def vector_store(ask: Asking) -> Answer:
    counts = dict.fromkeys(("in_progress", "completed", "failed", "cancelled", "total"), 0)
    head: Object = {"id": fresh("vs_"), "object": "vector_store", "created_at": now()}
    head |= {"name": ask.json.get("name"), "usage_bytes": 0, "file_counts": counts}
    return of_json(ask.keep({**head, "status": "completed", "last_active_at": now()}))


def search(ask: Asking) -> Answer:
    head: Object = {"object": "vector_store.search_results.page", "search_query": ["fake"]}
    return ask.answer({**head, "data": [], "has_more": False, "next_page": None})


def upload_begin(ask: Asking) -> Answer:
    head: Object = {"id": fresh("upload_"), "object": "upload", "created_at": now()}
    asked = {name: ask.json.get(name) for name in ("bytes", "filename", "purpose")}
    return of_json(ask.keep({**head, **asked, "status": "pending", "expires_at": now() + 3600}))


def upload_part(ask: Asking) -> Answer:
    head: Object = {"id": fresh("part_"), "object": "upload.part", "created_at": now()}
    return of_json(ask.keep({**head, "upload_id": ask.params["upload_id"]}))


def accepted(_: Asking) -> Answer:
    """POST /v1/traces/ingest answers without a body."""
    return Answer(204, None)


ROUTES = {
    ("POST", "/v1/files"): upload,
    ("GET", "/v1/files"): files,
    ("GET", "/v1/files/{file_id}"): read,
    ("DELETE", "/v1/files/{file_id}"): remove,
    ("GET", "/v1/files/{file_id}/content"): content,
    ("POST", "/v1/uploads"): upload_begin,
    ("POST", "/v1/uploads/{upload_id}/parts"): upload_part,
    ("POST", "/v1/batches"): batch,
    ("GET", "/v1/batches"): batches,
    ("GET", "/v1/batches/{batch_id}"): read,
    ("POST", "/v1/fine_tuning/jobs"): fine_tune,
    ("GET", "/v1/fine_tuning/jobs/{job_id}"): read,
    ("POST", "/v1/containers"): container,
    ("GET", "/v1/containers/{id}"): read,
    ("POST", "/v1/vector_stores"): vector_store,
    ("GET", "/v1/vector_stores/{id}"): read,
    ("POST", "/v1/vector_stores/{id}/search"): search,
    ("POST", "/v1/traces/ingest"): accepted,
}
