"""The application of the story: runs the Python it is given, in an environment of three variables.

It stands for any program that uses the `openai` SDK and knows nothing of the gateway. Each line of
its input is a step's code as JSON; after the step's own output comes a line that begins with END.
"""

import json
import sys

END = "\x04"


def play(code: str) -> str:
    """Runs one step's code; the fault that ended it, or nothing."""
    try:
        exec(code, {"__name__": "application"})  # noqa: S102 -- the demo's own code, shown as it is
    except Exception as fault:  # noqa: BLE001 -- whatever it is, the story tells it
        return f"{type(fault).__name__}: {fault}"
    return ""


if __name__ == "__main__":
    for line in sys.stdin:
        fault = play(json.loads(line))
        sys.stdout.write(f"{END}{json.dumps(fault)}\n")
        sys.stdout.flush()
