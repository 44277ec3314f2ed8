"""A region's files: YAML into frozen models, and every mistake with its line."""

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

M = TypeVar("M", bound=BaseModel)

# A directory of 1,500 receivers takes a second with the one in C, and two and a half with the other.
_Fast: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOL = "tag:yaml.org,2002:bool"


class Loader(_Fast):  # type: ignore[misc, valid-type]
    """YAML for people: YES and NO are answers here, and only ``true`` and ``false`` are truth values."""

    yaml_implicit_resolvers: ClassVar = {
        letter: [(tag, pattern) for tag, pattern in found if tag != _BOOL]
        for letter, found in _Fast.yaml_implicit_resolvers.items()
    }


Loader.add_implicit_resolver(_BOOL, re.compile("^(?:true|false)$"), ["t", "f"])


class PolicyError(Exception):
    """A file of a region that cannot be used; the message says what to change, line by line."""


class Part(BaseModel):
    """One frozen part of a policy; an unknown key is an error, never a hint."""

    model_config = ConfigDict(frozen=True, extra="forbid")


DEEPEST = 20
"""So deep a policy is never nested."""
LARGEST = 30_000
"""So many pieces (names, values, lists) no policy has; the sample has a tenth of them."""
MOST_TOLD = 20
"""Of more mistakes than these the first are told."""


def plain(text: str) -> None:
    """Refuse what no policy needs before it is read: aliases, tags, deep nesting, too many pieces; ``PolicyError``."""
    depth = 0
    try:
        for number, event in enumerate(yaml.parse(text, Loader=Loader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            tagged = isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None
            if tagged or depth > DEEPEST or number > LARGEST:
                line = event.start_mark.line + 1 if event.start_mark is not None else 1
                raise PolicyError(
                    f"line {line}: geen verwijzingen (*) of tags (!), niet dieper dan {DEEPEST}, hoogstens {LARGEST} "
                    f"delen / no aliases (*) or tags (!), no deeper than {DEEPEST}, at most {LARGEST} parts"
                )
    except yaml.YAMLError as error:
        raise PolicyError(str(error)) from error


Mistake = tuple[tuple[str | int, ...], str]
"""Where in a file, and what is wrong there, in Dutch and English."""


def load(model: type[M], text: str) -> M:
    """A model from YAML text; ``PolicyError`` names line and place of each mistake."""
    try:
        node = yaml.compose(text, Loader=Loader)
        return model.model_validate(yaml.load(text, Loader=Loader))
    except ValidationError as error:
        raise PolicyError(
            "; ".join(
                f"{_where(node, one['loc'])}: {one['msg']}" for one in error.errors(include_input=False)[:MOST_TOLD]
            )
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # the other is of a day that there is not, or of a number too long
        raise PolicyError(str(error)) from error


def refusal(text: str, mistakes: Sequence[Mistake]) -> PolicyError:
    """What pydantic cannot see, how the parts go together: with line and place of each mistake in this text."""
    node = yaml.compose(text, Loader=Loader)
    return PolicyError("; ".join(f"{_where(node, place)}: {wrong}" for place, wrong in mistakes[:MOST_TOLD]))


def _where(node: yaml.Node | None, place: Iterable[int | str]) -> str:
    """``line N, a.b.0``: as far down as the text has it."""
    path = [str(step) for step in place]
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == step), None)
            if found is None:
                break
            node = found[1]
        elif isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
            node = node.value[int(step)]
        else:
            break
    line = node.start_mark.line + 1 if node is not None else 1
    return f"line {line}, {'.'.join(path) or 'file'}"
