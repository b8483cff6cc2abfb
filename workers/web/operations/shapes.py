"""What an operation is made of: its words, what it asks and answers, the function that does it, and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerMinute
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from db.bookings.names import Named
from db.tx import Tx
from domain.errors import BadInputError

NAME_CHARS_MAX: Final = 200
YEARS: Final = range(2000, 2200)
"""Of times that may be asked for: within what the database and arithmetic on times can hold."""
AMOUNT_MAX: Final = 10**15
"""Minor units; more than anything costs, and exact in every language's numbers."""


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise PydanticCustomError("printable", "must be printable characters, not only spaces")
    return text


def _of_this_age(at: datetime) -> datetime:
    if at.year not in YEARS:
        message = f"must lie in the years {YEARS.start} to {YEARS.stop - 1}"
        raise PydanticCustomError("years", message)
    return at


Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX), AfterValidator(_printable)]
"""An id, or what another system calls it."""
Moment = Annotated[AwareDatetime, AfterValidator(_of_this_age)]
"""A time with its zone."""
Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
"""Minor units."""


class Asked(BaseModel):
    """What every operation is asked: strictly what is named, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    actor: Name = Field(description="Who acts, by id or external id.")


class Answered(BaseModel):
    """What an operation answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf which application asks, under which key (empty where nothing is changed)."""

    application: str
    actor: UUID
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How often one actor may do what counts into it."""

    name: str
    limit: RateLimitItem


CHECKOUT: Final = Bucket(name="checkout", limit=RateLimitItemPerMinute(5))
"""Whatever takes places."""
CANCEL: Final = Bucket(name="cancel", limit=RateLimitItemPerMinute(10))
"""Whatever gives them back."""
PARTICIPANTS: Final = Bucket(name="participants", limit=RateLimitItemPerMinute(30))
"""Whatever only looks."""
REMOVAL: Final = Bucket(name="removal", limit=RateLimitItemPerMinute(10))
"""A consultant takes somebody out."""
WISH: Final = Bucket(name="wish", limit=RateLimitItemPerMinute(5))
"""A customer asks for what takes no place yet."""
DECISION: Final = Bucket(name="decision", limit=RateLimitItemPerMinute(10))
"""A consultant decides on what customers ask for."""
REFUND: Final = Bucket(name="refund", limit=RateLimitItemPerMinute(10))
"""Whatever gives money back."""

AskedT = TypeVar("AskedT", bound=Asked)
AnsweredT = TypeVar("AnsweredT", bound=Answered)


@dataclass(frozen=True, slots=True)
class Operation(Generic[AskedT, AnsweredT]):
    """One line of the table. `work` may raise any `ExpectedError`; then nothing was done."""

    name: str
    """Its family and its own, such as `bookings.start_checkout`: the path, and what an application is let in for."""
    actor: Named
    asks: type[AskedT]
    work: Callable[[Tx, Caller, AskedT], AnsweredT]
    bucket: Bucket
    answers: type[AnsweredT]
    is_reading: bool = False
    """Nothing is changed, so no key is needed."""

    @property
    def path(self) -> str:
        """Where it is asked for."""
        return f"/v1/{self.name.replace('.', '/')}"


AnyOperation = Operation[Any, Any]


def read(asks: type[AskedT], body: bytes) -> AskedT:
    """Return what `body` asks for. Raises `BadInputError`, whose place is the first field that breaks a rule."""
    try:
        return asks.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        value = None if place == "body" or first["type"] == "missing" else first["input"]
        raise BadInputError(place, value, first["msg"]) from error
