"""What shares of the reports a region expects: outside of them its rules do something that nobody meant."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from agents.policy.loading import Part

Percent = Annotated[float, Field(ge=0, le=100)]


class Band(Part):
    """From how many percent of the reports to how many; both belong to it, and either may be left out."""

    at_least: Percent | None = Field(default=None, alias="from")
    at_most: Percent | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("from of / or to")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("from is meer dan to / is more than to")
        return self

    def holds(self, share: float) -> bool:
        """Whether a share (percent) lies in it."""
        return (self.at_least is None or share >= self.at_least) and (self.at_most is None or share <= self.at_most)


class Bands(Part):
    """By what is counted. What has no band is counted, and held against nothing."""

    kept: Band | None = Field(default=None, description="at a desk of the centre: the destination begins with VT_")
    acute: Band | None = Field(default=None, description="rood")
    provisional: Band | None = Field(default=None, description="some acute question is open")
