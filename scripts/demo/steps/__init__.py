"""The steps, one file a theme. A new step is a Step here and its name in STORY."""

from scripts.demo.step import Step
from scripts.demo.steps.books import COST, LOG, METRICS
from scripts.demo.steps.bounds import BUDGET, THROTTLE
from scripts.demo.steps.cheaper import CHEAPER
from scripts.demo.steps.days import BAD_DAY
from scripts.demo.steps.doors import ADMIN, ELSEWHERE
from scripts.demo.steps.keys import PROMPT, SWAP, UNKNOWN
from scripts.demo.steps.leaks import CUSTOMER, TOKEN_IN_LOG
from scripts.demo.steps.live import REALTIME, STREAM

STORY: tuple[Step, ...] = (
    SWAP,
    STREAM,
    PROMPT,
    TOKEN_IN_LOG,
    CUSTOMER,
    THROTTLE,
    BUDGET,
    CHEAPER,
    BAD_DAY,
    UNKNOWN,
    ADMIN,
    ELSEWHERE,
    REALTIME,
    METRICS,
    LOG,
    COST,
)
