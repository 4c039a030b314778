"""A budget and a change of one, as `openai-gateway budgets` shows them: 80 columns, and JSON."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_gateway.cli.reading import WIDTH, can_draw, cut

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.accounting.spend import Change
    from openai_gateway.config.spending import Spending
    from openai_gateway.readiness.budgets import Standing

type Line = tuple[str, dict[str, Any]]

_BAR: Final = 20
_NAMES: Final = 11
_FULL: Final = 1000
UNKNOWN: Final = "-"


def lines(one: "Standing", now: float) -> list[Line]:
    """A budget, with the style of each line."""
    from openai_gateway.core.money import dollars

    rule, status = one.rule, one.status
    reserved = UNKNOWN if one.reserved is None else dollars(one.reserved)
    rows = [
        *_limit(one),
        ("spent", f"{dollars(status.spent)}  {_percent(one.per_mille)}  {_bar(one.per_mille)}"),
        ("reserved", reserved),
        ("remaining", dollars(one.remaining)),
        ("resets", _resets(status.resets_at, now)),
        ("forecast", _forecast(one)),
        ("alerts", _alerts(one)),
    ]
    head = f"{cut(rule.name, 24)}  {rule.period}, {rule.zone}; {_mode(one)}"
    full = one.per_mille >= _FULL
    return [
        (cut(head, WIDTH), {"bold": True}),
        *(
            (
                f"  {name:<{_NAMES}}{value}".rstrip(),
                {"fg": "red"} if full and name == "spent" else {},
            )
            for name, value in rows
        ),
    ]


def _mode(one: "Standing") -> str:
    """What happens to a call beyond the limit, and what is reserved before one."""
    return f"{'hard' if one.rule.hard else 'soft'}, reserves {_reserve(one)}"


def _reserve(one: "Standing") -> str:
    return "worst" if one.rule.worst else "expected"


def _limit(one: "Standing") -> list[tuple[str, str]]:
    from openai_gateway.core.money import dollars

    text, override = dollars(one.status.limit), one.override
    if override is None:
        return [("limit", text)]
    until = f"{_clock(override.until)}, by {cut(override.by, 40)}"
    return [("limit", f"{text}, raised from {dollars(one.rule.limit)}"), ("until", until)]


def _resets(at: int | None, now: float) -> str:
    if at is None:
        return "never"
    return f"{_clock(at)}, in {_span(max(0, int(at - now)))}"


def _forecast(one: "Standing") -> str:
    from openai_gateway.core.money import dollars

    status = one.status
    if status.resets_at is None:
        return f"{UNKNOWN}  (has no end)"
    if status.forecast is None:
        return f"{UNKNOWN}  (too early in the period)"
    return f"{dollars(status.forecast)}  {_percent(status.forecast * 1000 // status.limit)}"


def _alerts(one: "Standing") -> str:
    shares = [str(share) for share in one.rule.shares]
    sent = [share for share in shares if share in one.alerted]
    left = [share for share in shares if share not in one.alerted]
    text = f"sent at {', '.join(sent) or UNKNOWN}; to come at {', '.join(left) or UNKNOWN}"
    return cut(text, WIDTH - _NAMES - 2)


def _percent(per_mille: int) -> str:
    return f"{per_mille // 10}.{per_mille % 10} %"


def _bar(per_mille: int) -> str:
    block = "█" if can_draw() else "#"
    return block * min(_BAR, per_mille * _BAR // _FULL)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def as_json(one: "Standing", said: "Spending") -> dict[str, object]:
    """All of it; money in nano-dollars, null where it is not known."""
    rule, status, override = one.rule, one.status, one.override
    return {
        "name": rule.name,
        "environment": said.environment,
        "period": rule.period,
        "timezone": rule.zone,
        "limit_nano_usd": status.limit,
        "configured_nano_usd": rule.limit,
        "override": None
        if override is None
        else {
            "limit_nano_usd": override.limit,
            "until": _clock(override.until),
            "by": override.by,
            "at": _clock(override.at),
        },
        "spent_nano_usd": status.spent,
        "reserved_nano_usd": one.reserved,
        "remaining_nano_usd": one.remaining,
        "percent": one.per_mille / 10,
        "started_at": None if status.resets_at is None else _clock(one.start),
        "resets_at": status.resets,
        "forecast_nano_usd": status.forecast,
        "alert_at": list(rule.shares),
        "alerts_sent": [float(share) for share in one.alerted],
        "hard": rule.hard,
        "reserve": _reserve(one),
    }


def change_lines(one: "Change") -> list[str]:
    """Two lines: who and when, then what."""
    from openai_gateway.core.money import dollars

    before = UNKNOWN if one.before is None else dollars(one.before)
    ended = one.command == "end"
    until = "ended early" if ended else f"until {_clock(one.until.timestamp())}"
    return [
        cut(f"{_clock(one.at.timestamp())}  {one.budget}, by {one.by}", WIDTH),
        f"  from {before} to {dollars(one.nano_usd)}, {until}",
    ]


def change_json(one: "Change") -> dict[str, object]:
    """Money in nano-dollars; `from` and `command` are null in rows of an earlier version."""
    return {
        "at": _clock(one.at.timestamp()),
        "budget": one.budget,
        "by": one.by,
        "command": one.command,
        "from_nano_usd": one.before,
        "to_nano_usd": one.nano_usd,
        "until": _clock(one.until.timestamp()),
    }
