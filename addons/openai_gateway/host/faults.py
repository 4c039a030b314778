"""What is told of a fault of our own: that it was, where it came from, never what it was about."""

import logging

from openai_gateway.services import Services

log = logging.getLogger(__name__)


def report(services: Services | None, stage: str, fault: BaseException, call_id: str = "") -> None:
    """Counts an internal error and logs it; without services, while starting, it is logged only."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    log.error("%s: internal error in %s: %s at %s", call_id or "-", stage,
              type(fault).__name__, where)  # fmt: skip
    if services is not None:
        services.metrics.internal_error(stage)
