"""The rule files that one configuration names, read and judged; a fault in one is a problem of the
configuration, told with its file, line and column.
"""

from dataclasses import dataclass
from pathlib import Path

from openai_gateway.api.price_file import PriceFileError
from openai_gateway.api.prices import PriceTable
from openai_gateway.config.load import Loaded
from openai_gateway.config.problems import ConfigError, Problem
from openai_gateway.config.rules import price_files


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What calls are judged and priced by; `files` are to be watched for changes."""

    prices: PriceTable
    files: tuple[Path, ...]


def read(loaded: Loaded) -> Rulebook:
    """Raises: ConfigError with every problem of the files."""
    listed, own = price_files(loaded.root, loaded.config.models.prices)
    files = tuple(path for path in (listed, own) if path is not None)
    try:
        prices = PriceTable.load(listed, own)
    except PriceFileError as error:
        problems = tuple(
            Problem(fault.file, fault.line, fault.column, fault.path, fault.message)
            for fault in error.faults
        )
        raise ConfigError(problems, (*loaded.secret_files, *files)) from error
    except OSError as error:
        message = f"cannot be read ({error.strerror}); models.prices and rules/ name price files"
        problem = Problem(str(error.filename), 1, 1, "(file)", message)
        raise ConfigError((problem,), (*loaded.secret_files, *files)) from error
    return Rulebook(prices, files)
