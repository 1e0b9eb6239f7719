"""State machines that Hypothesis drives: a rule for each command, and for what nobody asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from authbus.admin_commands import ExportUser, FindUsers
from authbus.commands import ExportAccount
from authbus.message import Command
from tests.model.leading import leads
from tests.model.play import PAUSES, Play
from tests.model.pure import PureService
from tests.model.real import RealService
from tests.model.repeating import come_again, come_late
from tests.model.service import Service
from tests.model.table import RULES

T = TypeVar("T")

# What only SQL answers.
LOOKED_UP = (ExportAccount, ExportUser, FindUsers)


@dataclass(frozen=True)
class Drawn:
    """Takes what Hypothesis draws: the first of some things is the simplest one."""

    data: st.DataObject

    def __call__(self, options: Sequence[T]) -> T:
        return options[self.data.draw(st.integers(0, len(options) - 1))]


class Machine(RuleBasedStateMachine):
    """The rules of every machine."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.play = Play(service, lambda options: options[0])

    @initialize(stumbles=st.booleans())
    def begin(self, *, stumbles: bool) -> None:
        self.play.stumbles = stumbles
        self.play.begin()

    @rule(pause=st.sampled_from(PAUSES))
    def time_passes(self, pause: Any) -> None:
        self.play.wait(pause)

    @rule()
    def sessions_are_swept(self) -> None:
        self.play.sweep()


class _Pure(Machine):
    """Its rows are in memory."""

    def __init__(self) -> None:
        super().__init__(PureService())


class _Real(Machine):
    """What concerns the inbox."""

    def __init__(self, service: RealService) -> None:
        service.reset()
        super().__init__(service)
        self.service = service

    @rule(data=st.data())
    def a_command_comes_again(self, data: st.DataObject) -> None:
        self.play.choose = Drawn(data)
        come_again(self.play, self.service)

    @rule(data=st.data(), kind=st.sampled_from([*RULES]))
    def a_command_comes_late(self, data: st.DataObject, kind: type[Command]) -> None:
        self.play.choose = Drawn(data)
        come_late(self.play, self.service, kind)


def _asks(kind: type[Command]) -> Callable[..., None]:
    """The rule of one command."""

    @precondition(lambda machine: leads(kind, machine.play.model))
    @rule(data=st.data())
    def asks(self: Machine, data: st.DataObject) -> None:
        self.play.choose = Drawn(data)
        self.play.step(kind)

    return asks


_ASKS = {kind.__name__: _asks(kind) for kind in RULES}
RealMachine: type[_Real] = type("RealMachine", (_Real,), _ASKS)
PureMachine: type[_Pure] = type(
    "PureMachine",
    (_Pure,),
    {name: asks for name, asks in _ASKS.items() if name not in {k.__name__ for k in LOOKED_UP}},
)
