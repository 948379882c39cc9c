"""What was shown and what was taken: by day, by arm, and by item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from pydantic import BaseModel, ConfigDict, Field

from coldstart.schema import Item
from coldstart.serve.experiment import arm_reports
from coldstart.serve.growth import LIKE_KINDS, NO_TEST
from coldstart.serve.reports.rates import MeanAmount, Rate
from coldstart.serve.store import ItemReaction, ShownList, SubjectOutcome

TAKEN_KINDS = frozenset({"click", "like", "buy"})
"""Kinds of event that count as a click for the click-through rate."""
BOUGHT = "buy"
"""Kind of event whose items' values add up to the income."""
_TOP = 50
_ONE = "all"


class EngagementGroup(BaseModel):
    """Counts and rates of one day, one arm, or all."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(
        description="Day (UTC, ISO 8601), arm, artifact outside of an A/B test, or “all”."
    )
    test: str | None = Field(default=None, description="A/B test of an arm.")
    people: int = Field(description="Sessions and subjects that were shown a list.")
    lists: int = Field(description="Lists shown.")
    shown: int = Field(description="Items shown: one item counts once per person.")
    taken: int = Field(description="Of these, clicked, liked or bought afterwards.")
    ctr: Rate = Field(description="taken / shown; interval by bootstrap over people.")
    converted: int = Field(description="People who liked or bought an item they were shown.")
    conversion: Rate = Field(description="converted / people; Wilson's interval.")
    covered: int = Field(description="Different items of the catalog that were shown.")
    coverage: float = Field(description="covered / items of the catalog; a count, no estimate.")
    new_share: Rate = Field(
        description="Share of shown items that the artifact was made without; over people."
    )
    income: MeanAmount = Field(
        description="Value of what was bought after it was shown, per person: the items' `value`, "
        "else `price`; absent if no item has either. Bootstrap over people."
    )
    gain: float | None = Field(
        default=None, description="Conversion minus that of the test's first arm."
    )
    gain_low: float | None = Field(default=None, description="Newcombe's 95 % interval of it.")
    gain_high: float | None = None


class ShownItem(BaseModel):
    """How often one item was shown and taken."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    title: str
    shown: int = Field(description="People who were shown it.")
    taken: int = Field(description="Of these, clicked, liked or bought it afterwards.")
    rate: Rate


class Engagement(BaseModel):
    """What was shown and what was taken in a window of days."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    days: list[EngagementGroup] = Field(
        description="One per day, oldest first, days without lists too."
    )
    arms: list[EngagementGroup] = Field(
        description="By arm of an A/B test, else by artifact; tests and artifacts in the order of "
        "their first lists, arms in that of the test, the control first."
    )
    total: EngagementGroup
    kinds: dict[str, int] = Field(description="People and items by kind of reaction.")
    items: list[ShownItem] = Field(description="Most shown first.")
    complete: bool = Field(
        description="False if there were more lists or events than are read; the oldest are "
        "missing then."
    )


Arm = tuple[str, str]
"""A/B test (empty: none) and arm; outside of a test the artifact's name."""


@dataclass(slots=True)
class _Place:
    """First time that a person was shown an item."""

    at: datetime
    arm: Arm
    taken: bool = False
    converted: bool = False
    bought: bool = False


@dataclass
class EngagementCounts:
    """Lists and reactions, to be counted.

    Args:
        lists: number of lists by day and by arm.
        places: first exposure by (person, item).
        kinds: distinct (person, item) by kind of reaction.
        arms: time of the first list of each arm.
    """

    lists: Counter[tuple[str, object]] = field(default_factory=Counter)
    places: dict[tuple[str, str], _Place] = field(default_factory=dict)
    kinds: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    arms: dict[Arm, datetime] = field(default_factory=dict)

    def add_lists(self, lists: Iterable[ShownList]) -> None:
        """Count lists, in any order."""
        for shown in lists:
            arm = arm_of(shown)
            self.lists["day", _day(shown.at)] += 1
            self.lists["arm", arm] += 1
            self.arms[arm] = min(shown.at, self.arms.get(arm, shown.at))
            for item in shown.item_ids:
                key = (shown.person, item)
                place = self.places.get(key)
                if place is None or shown.at < place.at:
                    self.places[key] = _Place(shown.at, arm)

    def add_reactions(self, events: Iterable[ItemReaction]) -> None:
        """Count reactions, after all lists: to items that the person had been shown."""
        for event in events:
            key = (event.person, event.item)
            place = self.places.get(key)
            if place is None or event.at < place.at:
                continue
            self.kinds[event.kind].add(key)
            place.taken |= event.kind in TAKEN_KINDS
            place.converted |= event.kind in LIKE_KINDS
            place.bought |= event.kind == BOUGHT

    def report(
        self,
        catalog: Mapping[str, Item],
        new: Collection[str],
        since: datetime,
        now: datetime,
        *,
        order: Sequence[Arm] = (),
        complete: bool = True,
    ) -> Engagement:
        """Rates of what was counted.

        Args:
            catalog: items by id.
            new: ids of items that the artifact was made without.
            since: start of the window.
            now: its end.
            order: arms of the present A/B test, the control first.
            complete: whether everything in the window was counted.
        """
        by: dict[tuple[str, object], list[tuple[tuple[str, str], _Place]]] = defaultdict(list)
        for key, place in self.places.items():
            entry = (key, place)
            for which in (("day", _day(place.at)), ("arm", place.arm), (_ONE, _ONE)):
                by[which].append(entry)
        self.lists[_ONE, _ONE] = sum(n for (kind, _), n in self.lists.items() if kind == "arm")

        valued = any(worth(item) for item in catalog.values())

        def group(kind: str, key: object, name: str, test: str | None = None) -> EngagementGroup:
            places = by[kind, key]
            return _group(
                name, test, self.lists[kind, key], places, catalog, frozenset(new), valued
            )

        days, day = [], since.astimezone(UTC).date()
        while day <= now.astimezone(UTC).date():
            days.append(group("day", day.isoformat(), day.isoformat()))
            day += timedelta(days=1)
        arms = [group("arm", arm, arm[1], arm[0] or None) for arm in self._ordered(order)]
        return Engagement(
            since=since,
            days=days,
            arms=_with_gains(arms),
            total=group(_ONE, _ONE, _ONE),
            kinds={kind: len(keys) for kind, keys in sorted(self.kinds.items())},
            items=_items(by[_ONE, _ONE], catalog),
            complete=complete,
        )

    def _ordered(self, order: Sequence[Arm]) -> list[Arm]:
        """Arms by the first list of their test, then as in ``order``, then by name."""
        begun: dict[str, datetime] = {}
        for (test, name), at in self.arms.items():
            begun[test or name] = min(at, begun.get(test or name, at))
        place = {arm: n for n, arm in enumerate(order)}

        def key(arm: Arm) -> tuple[datetime, int, Arm]:
            return begun[arm[0] or arm[1]], place.get(arm, len(place)), arm

        return sorted(self.arms, key=key)


def arm_of(shown: ShownList) -> Arm:
    """A/B test and arm of a list; without a test, the artifact that made it."""
    if shown.experiment is None or shown.experiment == NO_TEST or shown.arm is None:
        return "", shown.artifact
    return shown.experiment, shown.arm


def _group(
    name: str,
    test: str | None,
    lists: int,
    places: Sequence[tuple[tuple[str, str], _Place]],
    catalog: Mapping[str, Item],
    new: frozenset[str],
    valued: bool,
) -> EngagementGroup:
    people: dict[str, list[int]] = {}  # shown, taken, new, converted
    income: defaultdict[str, float] = defaultdict(float)
    covered: set[str] = set()
    for (person, item), place in places:
        counts = people.setdefault(person, [0, 0, 0, 0])
        counts[0] += 1
        counts[1] += place.taken
        counts[2] += item in new
        counts[3] |= place.converted
        if item in catalog:
            covered.add(item)
            income[person] += worth(catalog[item]) if place.bought else 0
    shown, taken, fresh, converted = (
        [row[column] for row in people.values()] for column in range(4)
    )
    return EngagementGroup(
        name=name,
        test=test,
        people=len(people),
        lists=lists,
        shown=sum(shown),
        taken=sum(taken),
        ctr=Rate.of_places(taken, shown),
        converted=sum(converted),
        conversion=Rate.of_people(sum(converted), len(people)),
        covered=len(covered),
        coverage=len(covered) / len(catalog) if catalog else 0.0,
        new_share=Rate.of_places(fresh, shown),
        income=MeanAmount.of_people([income[p] for p in people]) if valued else MeanAmount(),
    )


def worth(item: Item) -> float:
    """Value of one purchase of an item: its ``value``, else its ``price``, else 0."""
    return item.value if item.value is not None else item.price or 0.0


def _with_gains(arms: Sequence[EngagementGroup]) -> list[EngagementGroup]:
    """Arms with the difference of their conversion from that of the first arm of their test."""
    out = []
    for test, own in groupby(arms, key=lambda arm: arm.test):
        group = list(own)
        if test is None:
            out += group
            continue
        counts = [SubjectOutcome(a.name, a.people, a.lists, a.taken, a.converted) for a in group]
        for arm, told in zip(group, arm_reports(counts), strict=True):
            low, high = told.gain_interval or (None, None)
            gains = {"gain": told.gain, "gain_low": low, "gain_high": high}
            out.append(arm.model_copy(update=gains))
    return out


def _items(
    places: Sequence[tuple[tuple[str, str], _Place]], catalog: Mapping[str, Item]
) -> list[ShownItem]:
    shown = Counter(item for (_, item), _ in places)
    taken = Counter(item for (_, item), place in places if place.taken)
    top = sorted(shown.items(), key=lambda x: (-x[1], x[0]))[:_TOP]
    return [
        ShownItem(
            item_id=item,
            title=catalog[item].title if item in catalog else "",
            shown=n,
            taken=taken[item],
            rate=Rate.of_people(taken[item], n),
        )
        for item, n in top
    ]


def _day(at: datetime) -> str:
    day: date = at.astimezone(UTC).date()
    return day.isoformat()
