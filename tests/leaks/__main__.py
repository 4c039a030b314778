"""`python -m tests.leaks`: how much of the generated corpus is found, and how much stopped wrongly.

--seed N …     other seeds than the usual one; their cases are counted together
--scale N      N times as many cases in each family
--group NAME   one group alone, several times for several
--wrong        every case in which the scanner was wrong
--markdown     the table as docs/leaks.md shows it
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from tests.leaks.case import Case
from tests.leaks.corpus import EACH, SEED, corpus
from tests.leaks.judge import judge, markdown, mistakes, table
from tests.leaks.subject import verdict


def main(argv: Sequence[str] | None = None) -> int:
    asked = arguments(argv)
    made = judge(cases(asked), verdict)
    said = [markdown(made) if asked.markdown else table(made)]
    if asked.wrong:
        said.append(mistakes(made))
    sys.stdout.write("\n".join(said) + "\n")
    return 0 if all(map(made.holds, asked.group or EACH)) and not made.bad_families() else 1


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.leaks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, nargs="+", default=[SEED])
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--group", action="append", choices=list(EACH), default=[])
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args(argv)


def cases(asked: argparse.Namespace) -> Iterator[Case]:
    for seed in asked.seed:
        yield from corpus(seed, asked.scale, asked.group)


if __name__ == "__main__":
    sys.exit(main())
