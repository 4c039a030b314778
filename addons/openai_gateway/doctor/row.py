"""What the call log says of one call: whether it left with the staging key in its credential."""

import time
from typing import Final

from openai_gateway.doctor.finding import Part
from openai_gateway.doctor.site import Site
from openai_gateway.readiness import rows
from openai_gateway.readiness.place import NoLog, place
from openai_gateway.readiness.rows import Row
from openai_gateway.readiness.source import reading

_WAIT_S: Final = 3.0  # a row is written within a second
_LOOK_S: Final = 0.1
_ATTACHED: Final = "keys.attach"


def swapped(site: Site, call_id: str) -> Part:
    """Judges by the call's trace; the log is waited for, as rows are written in batches."""
    try:
        row = _row(site, call_id)
    except NoLog as error:
        return Part("unknown", f"the call log cannot be read ({error})", "see `database`")
    if row is None:
        text = f"the call passed, and has no row ({call_id}) within {_WAIT_S:g} s"
        return Part("unknown", text, "log.calls: all; see `database`")
    trace = rows.as_json(row)["trace"] or ()
    stages = [step["stage"] for step in trace]
    if row["outcome"] != "forwarded" or _ATTACHED not in stages:
        text = f"a call with the production key was not swapped ({call_id})"
        return Part("fail", text, f"openai-gateway explain {call_id}")
    key = row["key"]
    return Part("pass", f"the production key of `{key}` left as its staging key ({call_id})")


def _row(site: Site, call_id: str) -> Row | None:
    where = place(str(site.path) if site.path else None, site.environ, site.root)
    end = time.monotonic() + _WAIT_S
    while True:
        with reading(where) as connection:
            found = rows.one(connection, call_id)
        if found is not None or time.monotonic() > end:
            return found
        time.sleep(_LOOK_S)
