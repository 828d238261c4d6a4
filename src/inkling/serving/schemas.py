"""Bodies of requests that are JSON, with examples."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from inkling.labels import LONGEST_NAME

LARGEST_NUMBER = 2**53 - 1
"""Every program that reads JSON knows whole numbers up to here."""

LARGEST_GROUP = 1000
"""The most pictures that a proposal can be said to need."""

Number = Annotated[StrictInt, Field(ge=1, le=LARGEST_NUMBER)]
Id = Annotated[int, Path(ge=1, le=LARGEST_NUMBER)]
BegunName = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_NAME)]


class _Body(BaseModel):
    """Refuses members that it does not know, so that a slip of the pen has no effect unseen."""

    model_config = ConfigDict(extra="forbid")


class Acceptance(_Body):
    """How a proposal is accepted."""

    name: Name | None = Field(None, description="Name of the class. Without: the name given by rename.")
    first_name: StrictBool = Field(False, description="Take the likeliest name.")
    join: StrictBool = Field(False, description="Give the images to the known class of that name.")

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "bench"}]})


class NewName(_Body):
    """A name."""

    name: Name

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "house cat"}]})


class Gathered(_Body):
    """Images that are to make a new class."""

    name: Name
    images: list[Annotated[StrictStr, Field(min_length=1, max_length=1000)]] = Field(min_length=1, max_length=1000)

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "starfish", "images": ["b7e23ec29af22b0b"]}]}
    )


class Others(_Body):
    """Proposals to merge with."""

    proposals: list[Number] = Field(min_length=1, max_length=1000)

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"proposals": [2]}]})


class Move(_Body):
    """Where an image goes."""

    to: Name | Number | None = Field(description="Name of a class, number of an open proposal, or null for neither.")

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "cat"}, {"to": 2}]})


class Undo(_Body):
    """Which event is meant."""

    event: Number | None = Field(None, description="Number of the event; without, whichever is the latest.")

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"event": 7}]})


class NewJob(_Body):
    """What long work is to be done."""

    kind: Literal["evaluate", "discover"]
    min_images: Annotated[StrictInt, Field(ge=2, le=LARGEST_GROUP)] | None = Field(
        None, description="To discover: pictures that a proposal needs; without, as the service was started."
    )

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "evaluate"}]})


class Download(_Body):
    """What is to be taken along."""

    what: Literal["memory", "pictures"]
    layout: Literal["folders", "csv", "imagefolder"] = Field("folders", description="Of pictures: how they lie.")
    originals: StrictBool = Field(
        False, description="Of pictures: the files that were learned from, in place of the small pictures."
    )

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"what": "memory"}, {"what": "pictures", "layout": "csv"}]}
    )
