"""The scenarios of the domain model, each by its number (``story.py`` says how a file is read)."""

import pytest

from tests.scenarios.story import Story, found, played, stories

STORIES = stories()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_scenario_goes_as_the_table_says(story: Story):
    for world, wanted in played(story):
        assert found(world, wanted) == dict(wanted), story.cell
