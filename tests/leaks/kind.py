"""What a kind of secret is: a name, how one is made, and the texts in which it usually stands."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from tests.leaks.draw import fill

type Want = Literal["stop", "report"]
type Code = Callable[[str, Random], str]  # a text, written otherwise
HERE: Final = "§"

# A token that can be told by itself, in the sentences, code and files in which people paste it.
BARE: Final = (
    "Why does § not work any more?",
    "My key is §.",
    "It was the wrong one (§), I think.",
    "Try it with <§> please",
    "the token `§` was in the ticket",
    'TOKEN="§"',
    "config.set('§')",
    "a=1&k=§&page=2",
    "first §, then the other one",
    "| ci | § | 2026-11-02 |",
    "export APP_ACCESS=§\n",
    'curl -H "X-Auth: §" https://api.internal.lan/v1/things',
    "client = Client('§', timeout=30)",
    "That is all I have: §",
    "§ is what they gave me",
    "https://api.internal.lan/v1/things?k=§&page=2",
    "key:§",
    "«§»",
    "[§](https://wiki.internal.lan/keys)",
    "- §\n- and a second line",
    "before:\n    §\nafter",
    '{"value":"§","kind":3}',
    "value: §  # from the vault",
    "echo § | login --stdin",
    "(see also: §)",
    "§; then restart",
    "Do not send **§** to anyone.",
    "log: auth with §... failed",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret, and the text in which it stands."""

    secret: str
    text: str


type Maker = Callable[[Random], Planted]


@dataclass(frozen=True, slots=True)
class Kind:
    """`form` is a form of draw.py, or makes both value and text; `want` is what facts ask for.

    A kind that is only to be reported is found where it is reported or stopped.
    """

    name: str
    form: str | Maker
    stands: tuple[str, ...] = BARE
    want: Want = "stop"

    def plant(self, chance: Random) -> Planted:
        if not isinstance(self.form, str):
            return self.form(chance)
        secret = fill(self.form, chance)
        return Planted(secret, fill(chance.choice(self.stands), chance).replace(HERE, secret))


def bare(table: Iterable[tuple[str, str]], want: Want = "stop") -> tuple[Kind, ...]:
    """Kinds that are told by themselves."""
    return tuple(Kind(name, form, want=want) for name, form in table)


def assigned(table: Iterable[tuple[str, str, str]]) -> tuple[Kind, ...]:
    """Kinds that are told by the name beside them; the third column is it, as a variable's name."""
    return tuple(Kind(name, form, under_name(variable)) for name, form, variable in table)


def under_name(variable: str) -> tuple[str, ...]:
    """The ways in which code and settings give a value to a name such as MISTRAL_API_KEY."""
    first, *rest = variable.lower().split("_")
    snake = variable.lower()
    camel = first + "".join(word.capitalize() for word in rest)
    return (
        f"{variable}={HERE}",
        f'export {variable}="{HERE}"\nmake run\n',
        f"{variable}: {HERE}\n",
        f'{{"{snake}": "{HERE}", "retries": 3}}',
        f"{snake} = '{HERE}'\n",
        f'{snake} = "{HERE}"  # do not commit\n',
        f'const {camel} = "{HERE}";',
        f'  {camel}: "{HERE}",\n  timeout: 30,',
        f"Client(region='eu', {snake}='{HERE}')",
        f'env {{\n  name  = "{variable}"\n}}\n{snake}={HERE}\n',
        f'os.environ["{variable}"] = "{HERE}"',
        f"docker run -e {variable}={HERE} -p 80:80 shop",
        f"set it so: `{variable}={HERE}`, then start again",
    )
