"""Contract of ``protocols.TextGenerator``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from coldstart.catalog.titles import clean_text
from coldstart.errors import ColdstartError
from coldstart.generation.decoding.local import MOST_CHOICES
from coldstart.protocols import TextGenerator
from coldstart.schema import DecodingConfig

if TYPE_CHECKING:
    from coldstart.protocols import PromptTokenizer
    from coldstart.schema import Candidate

PROMPT = "Movies:\nToy Story\n"
TITLES = ("Toy Story", "Toy Story 2", "Toy", "Alien", "Aliens", "Fargo")
SAMPLE = DecodingConfig(mode="sample", n=8, max_new_tokens=12)
BEAM = replace(SAMPLE, mode="beam", n=4)
DIVERSE = replace(BEAM, mode="diverse", groups=2)
MODES = pytest.mark.parametrize("config", [SAMPLE, BEAM, DIVERSE], ids=lambda config: config.mode)


class TextGeneratorContract(ABC):
    """Clean titles, best first, the same for the same arguments."""

    tolerance: ClassVar[float] = 0.1
    """Nats by which the log-probabilities of two equal calls may differ."""
    certain: ClassVar[float] = 1e-3
    """Nats by which the log-probability of an only choice may differ from 0."""

    @abstractmethod
    def make(self) -> TextGenerator:
        """A generator; may be the same one every time."""

    @abstractmethod
    def lines(self) -> PromptTokenizer:
        """The tokenizer of the model that it writes with."""

    def write(
        self,
        config: DecodingConfig,
        seed: int = 0,
        choices: Sequence[str] | None = None,
        prompt: str = PROMPT,
    ) -> Sequence[Candidate]:
        """Titles of one call."""
        return self.make().write(prompt, self.lines(), config, seed, choices)

    def test_is_a_text_generator(self) -> None:
        """It says how many calls may be under way."""
        made = self.make()
        assert isinstance(made, TextGenerator)
        assert made.concurrency >= 1

    @MODES
    @pytest.mark.parametrize("n", [1, 4])
    def test_distinct_clean_titles_best_first(self, config: DecodingConfig, n: int) -> None:
        """At most as many as asked for, with log-probabilities below 0."""
        found = self.write(replace(config, n=n))
        texts = [c.text for c in found]
        assert 1 <= len(found) <= n
        assert len(set(texts)) == len(texts)
        assert [c.logprob for c in found] == sorted((c.logprob for c in found), reverse=True)
        assert all(c.strategy == "free" and c.item_ids == () and c.logprob < 0 for c in found)
        assert all(text == clean_text(text) != "" for text in texts)

    @MODES
    def test_the_same_arguments_give_the_same_titles(self, config: DecodingConfig) -> None:
        """In the same order."""
        first, again = self.write(config, seed=3), self.write(config, seed=3)
        assert [c.text for c in first] == [c.text for c in again]
        expected = pytest.approx([c.logprob for c in again], abs=self.tolerance)
        assert [c.logprob for c in first] == expected

    def test_drawing_follows_its_seed_and_the_prompt(self) -> None:
        """Another one gives other titles."""

        def drawn(seed: int, prompt: str = PROMPT) -> list[str]:
            return [c.text for c in self.write(SAMPLE, seed, prompt=prompt)]

        assert drawn(1) != drawn(2)
        assert drawn(1) != drawn(1, "Movies:\nThe Matrix\n")

    @MODES
    def test_choices_are_all_that_is_written(self, config: DecodingConfig) -> None:
        """Each at most once, best first."""
        found = self.write(replace(config, n=4), choices=[*TITLES, "Toy"])
        assert 1 <= len(found) <= 4
        assert {c.text for c in found} <= set(TITLES)
        assert len({c.text for c in found}) == len(found)
        assert [c.logprob for c in found] == sorted((c.logprob for c in found), reverse=True)

    def test_the_only_choice_is_certain(self) -> None:
        """Whatever characters it has."""
        title = 'Say "Hi" \\ there: 红高粱 – été [REC]'
        (found,) = self.write(SAMPLE, choices=[title])
        assert found.text == title
        assert found.logprob == pytest.approx(0, abs=self.certain)

    @pytest.mark.parametrize(
        ("choices", "told"),
        [
            ([], "0 choices, expected 1 to 200"),
            ([f"Title {n}" for n in range(MOST_CHOICES + 1)], "201 choices"),
            (["Alien", "Ali\nen"], "choice 'Ali"),
            (["Alien", "  "], "choice '  '"),
        ],
        ids=["none", "too many", "two lines", "blank"],
    )
    def test_choices_that_do_not_fit_are_refused(self, choices: list[str], told: str) -> None:
        """With the choice that is wrong, or their number."""
        with pytest.raises(ColdstartError, match=told):
            self.write(SAMPLE, choices=choices)

    def test_prompts_that_cannot_be_read_are_refused(self) -> None:
        """Empty ones, and those that are longer than the model takes."""
        with pytest.raises(ColdstartError, match="the prompt has no tokens"):
            self.write(SAMPLE, prompt="")
        with pytest.raises(ColdstartError, match=r"the model takes \d+"):
            self.write(SAMPLE, prompt="a\n" * 8192)
