"""What the shared store holds that no gateway wrote: it raises nothing, and ends no tick."""

from openai_gateway.budgets.redis import RedisSpend
from openai_gateway.budgets.store import Override

GOOD = b'["team",50000000000,1795564800.0,"ana",1795500000.0]'


class Answering:
    """A runner of scripts before a Redis in which somebody has written by hand."""

    def __init__(self, kept: list[bytes]) -> None:
        self._kept = kept

    async def run(self, script: str, keys: list[bytes], arguments: list[str | int]) -> list[bytes]:
        del script, keys
        return self._kept if arguments == ["overrides"] else []


async def test_an_override_that_cannot_be_read_leaves_the_others_in_force() -> None:
    strange = [b"", b"no JSON", b"[]", b'["team",1]', b'["team","x",1,"ana",1]', b"{}", b"7"]
    store = RedisSpend(Answering([*strange, GOOD]), "staging")
    said = Override("team", 50 * 10**9, 1_795_564_800.0, "ana", 1_795_500_000.0)
    assert await store.overrides() == (said,)
