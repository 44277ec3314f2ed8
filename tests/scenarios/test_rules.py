"""What each rule of the sample policy comes to (``rule.py`` says how a file is read)."""

import pytest

from tests.cases import REGION
from tests.scenarios.rule import Asked, Given, answered, rule_cases
from tests.scenarios.story import Story, found, played
from tests.world import regions

GIVENS, STORIES = rule_cases()
ASKED = Asked.of(regions()[REGION].policy)


@pytest.mark.parametrize("given", GIVENS, ids=lambda given: given.name)
def test_the_tables_answer_as_the_rule_says(given: Given):
    answer = answered(ASKED, given.facts)

    assert {name: answer[name] for name in given.then} == dict(given.then)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_goes_as_the_rule_says(story: Story):
    for world, wanted in played(story):
        assert found(world, wanted) == dict(wanted), story.cell
