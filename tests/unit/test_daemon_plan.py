"""What is due when: hourly whatever the jitter, no burst after a gap, wishes granted without a flood."""

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.daemon.daemon_costs import estimate, within
from probe.daemon.plan import DAY, FULL_EVERY, HOUR, JITTER, Pace, Plan, Watched, share
from probe.incidents.model import Wants

EVERY = 600.0


def watch(sizes, every=EVERY):
    """Services of so many endpoints each, all of one platform a service."""
    found: list[Watched] = []
    for service, size in enumerate(sizes):
        for member in range(size):
            url = f"https://p{service}-{member}.example/"
            found.append(Watched(number=len(found), url=url, platform=f"p{service}", service="web", every=every))
    return tuple(found)


def rounds(plan, every, until, *, gaps=(), now=0.0):
    """The rounds until then, as (moment, looks); in the middle of *gaps* (from, length) nothing happens."""
    made = []
    while now < until:
        made.append((now, plan.round(every, now)))
        following = now + plan.until_round(every)
        for begins, length in gaps:
            if now < begins <= following:
                following = max(following, begins + length)
        now = following
    return made


def longest_pause(made, number, until):
    moments = [0.0, *(at for at, looks in made if any(look.number == number for look in looks)), until]
    return max(b - a for a, b in itertools.pairwise(moments))


# ---------------------------------------------------------------------------------------------------------------------
# turns


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    every=st.sampled_from([60.0, 300.0, 600.0, 900.0, 1800.0]),
    seed=st.integers(),
)
@settings(deadline=None, max_examples=60)
def test_every_endpoint_is_measured_hourly_whatever_the_jitter(sizes, every, seed):
    """However many endpoints take turns in a service, none waits for longer than an hour."""
    plan = Plan(watch(sizes, every), Pace(), random.Random(seed))
    until = 8 * HOUR
    made = rounds(plan, every, until)
    assert all(longest_pause(made, one.number, until) <= HOUR for one in plan.watched)


@pytest.mark.parametrize("extreme", [-1, 1])
def test_the_hour_holds_at_the_end_of_the_jitter(extreme):
    """Also when every interval is as long, or as short, as jitter can make it."""

    class Constant(random.Random):
        def uniform(self, a, b):
            return b if extreme > 0 else a

    plan = Plan(watch([1, 5, 6, 32]), Pace(), Constant(1))
    made = rounds(plan, EVERY, 6 * HOUR)
    assert all(longest_pause(made, one.number, 6 * HOUR) <= HOUR for one in plan.watched)
    pauses = [b[0] - a[0] for a, b in itertools.pairwise(made)]
    assert pauses == pytest.approx([EVERY * (1 + extreme * JITTER)] * len(pauses))


def test_a_round_takes_one_of_each_service_or_as_many_as_the_hour_demands():
    """Of five endpoints one a round is enough; of 32 there must be seven."""
    plan = Plan(watch([1, 5, 32]), Pace(), random.Random(2))
    _first, *others = rounds(plan, EVERY, HOUR)
    for _at, looks in others[: FULL_EVERY - 1]:
        of = Counter(plan.watched[look.number].platform for look in looks)
        assert (of["p0"], of["p1"], of["p2"]) == (1, 1, share(32, EVERY))
    assert share(32, EVERY) == 7


def test_every_sixth_round_is_full_and_each_endpoint_has_its_full_look():
    """In a service of two or three the same one would be full each time, if only the turn counted."""
    plan = Plan(watch([2, 3, 6]), Pace(), random.Random(3))
    made = rounds(plan, EVERY, DAY)
    for index, (_at, looks) in enumerate(made):
        kinds = {look.kind for look in looks}
        assert kinds == ({"full"} if index % FULL_EVERY == 0 else {"cheap"})
    fully = Counter(look.number for _at, looks in made for look in looks if look.kind == "full")
    assert set(fully) == {one.number for one in plan.watched}


def test_a_rhythm_of_its_own_is_a_row_of_rounds_of_its_own():
    """A platform that is to be looked at every two minutes is in no other rounds."""
    watched = (*watch([2]), Watched(number=2, url="https://t.example/", platform="t", every=120.0))
    plan = Plan(watched, Pace(), random.Random(4))
    assert plan.rhythms == (120.0, EVERY)
    assert {look.number for look in plan.round(120.0, 0.0)} == {2}
    assert 2 not in {look.number for look in plan.round(EVERY, 0.0)}


@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=5), seed=st.integers(), gap=st.floats(0, 30 * DAY))
@settings(deadline=None, max_examples=40)
def test_a_gap_makes_no_round_larger(sizes, seed, gap):
    """After sleep, a stopped machine or a kill switch the next round is as large as any, and they come no faster."""
    plan = Plan(watch(sizes), Pace(), random.Random(seed))
    at_most = sum(share(size, EVERY) + 1 for size in sizes)
    made = rounds(plan, EVERY, gap + 4 * HOUR, gaps=[(HOUR, gap)]) if gap < DAY else rounds(plan, EVERY, HOUR)
    if gap >= DAY:
        made += rounds(plan, EVERY, gap + 4 * HOUR, now=gap + HOUR)
    assert max(len(looks) for _at, looks in made) <= at_most
    assert min(b[0] - a[0] for a, b in itertools.pairwise(made)) >= EVERY * (1 - JITTER) * 0.999


def test_a_reload_takes_nobodys_turn():
    """A plan of other endpoints goes on where the earlier one was, for those that are in both."""
    before = Plan(watch([4]), Pace(), random.Random(5))
    first = {look.number for look in before.round(EVERY, 0.0)} | {look.number for look in before.round(EVERY, 600.0)}
    after = Plan((*watch([4]), Watched(number=4, url="https://new.example/", platform="new")), Pace(), random.Random(6))
    after.remember(before)
    then = {look.number for at in (1200.0, 1800.0) for look in after.round(EVERY, at) if look.number < 4}
    assert first | then == {0, 1, 2, 3}


def test_a_restart_begins_with_who_waited_longest():
    """What the archive says of the time before counts as a turn."""
    plan = Plan(watch([3]), Pace(), random.Random(7))
    plan.seen({"https://p0-0.example/": -10.0, "https://p0-2.example/": -20.0, "https://elsewhere.example/": -1.0})
    assert [look.number for look in plan.round(EVERY, 0.0)] == [1]


# ---------------------------------------------------------------------------------------------------------------------
# wishes


def url(number):
    return f"https://p0-{number}.example/"


def test_trouble_on_a_platform_has_all_of_it_measured_once():
    """As soon as one endpoint fails all of its platform are looked at; while the trouble stays, not again as a whole."""
    plan = Plan(watch([3, 2]), Pace(), random.Random(8))
    wants = Wants(platforms=frozenset({"p0"}))
    assert {look.number for look in plan.platforms(wants, 0.0)} == {0, 1, 2}
    assert plan.platforms(wants, 10.0) == ()
    assert plan.platforms(wants, 4 * HOUR) == ()
    assert plan.platforms(Wants(), 4 * HOUR) == ()
    assert len(plan.platforms(wants, 5 * HOUR)) == 3


def test_trouble_that_flaps_makes_no_flood():
    """A platform that fails and recovers each second is looked at as a whole every five minutes at most."""
    plan = Plan(watch([3]), Pace(), random.Random(9))
    wants = Wants(platforms=frozenset({"p0"}))
    looks = [len(plan.platforms(wants if second % 2 else Wants(), float(second))) for second in range(3600)]
    assert sum(looks) <= 3 * 12


@given(moments=st.lists(st.floats(0, HOUR), max_size=80))
def test_an_endpoint_is_burst_upon_every_five_minutes_at_most(moments):
    """Whatever the machine wishes for."""
    plan = Plan(watch([2]), Pace(), random.Random(10))
    wants = Wants(bursts=frozenset({url(0), "https://unknown.example/"}))
    made = [at for at in sorted(moments) if plan.bursts(wants, at)]
    assert all(b - a >= 300.0 for a, b in itertools.pairwise(made))


def test_a_burst_is_of_a_few_endpoints_and_of_many_platforms_first():
    """Ten platforms that vanish at once are confirmed four at a time, no platform twice before each has had one."""
    everything = tuple(
        Watched(
            number=number,
            url=f"https://{number:02}.example/",
            platform=f"p{number // 2}",
            service=str(number),
            every=EVERY,
        )
        for number in range(12)
    )
    plan = Plan(everything, Pace(), random.Random(10))
    wants = Wants(bursts=frozenset(one.url for one in everything))
    made = [sorted(look.number for look in plan.bursts(wants, at)) for at in (0.0, 60.0, 120.0, 180.0)]
    assert made == [[0, 2, 4, 6], [1, 3, 8, 10], [5, 7, 9, 11], []]


def test_bare_connections_are_confirmed_many_at_a_time():
    """A messenger of 32 servers is no reason to confirm for half an hour."""
    servers = tuple(
        Watched(number=n, url=f"tcp://192.0.2.{n}:443", platform="p", service="apps", every=EVERY) for n in range(32)
    )
    plan = Plan(servers, Pace(), random.Random(10))
    wants = Wants(bursts=frozenset(one.url for one in servers))
    assert [len(plan.bursts(wants, at)) for at in (0.0, 60.0, 120.0)] == [16, 16, 0]


def test_a_whole_platform_is_looked_at_without_what_was_looked_at_just_now():
    """Who was confirmed a moment ago has nothing new to tell."""
    plan = Plan(watch([3]), Pace(), random.Random(8))
    plan.bursts(Wants(bursts=frozenset({url(1)})), 0.0)
    assert {look.number for look in plan.platforms(Wants(platforms=frozenset({"p0"})), 60.0)} == {0, 2}


def test_the_others_of_a_platform_are_looked_at_again_after_five_minutes_at_most():
    """Whatever the machine wishes for."""
    plan = Plan(watch([3]), Pace(), random.Random(8))
    wants = Wants(others=frozenset({url(1), url(2), "https://unknown.example/"}))
    made = [[(look.number, look.kind) for look in plan.others(wants, at)] for at in (0.0, 1.0, 299.0, 300.0)]
    assert made == [[(1, "full"), (2, "full")], [], [], [(1, "full"), (2, "full")]]


def test_nothing_deep_is_asked_without_the_users_word():
    """Deep tests are for those who opted in."""
    wants = Wants(deep=frozenset({url(0)}))
    assert Plan(watch([2]), Pace(), random.Random(11)).deep_round(wants, 0.0) == ()
    willing = Plan(watch([2]), Pace(may_deep=True), random.Random(11))
    assert [(look.number, look.kind) for look in willing.deep_round(wants, 0.0)] == [(0, "deep")]
    assert willing.deep_round(wants, 60.0) == ()
    assert len(willing.deep_round(wants, HOUR)) == 1


def test_an_old_incident_is_asked_deeply_once_a_day_and_has_only_its_turns():
    """A block of years is no reason to measure every five minutes for years."""
    plan = Plan(watch([2]), Pace(may_deep=True), random.Random(12))
    held = frozenset({url(0)})
    new, old = Wants(rounds=held, deep=held), Wants(rounds=held, deep=held, old=held)
    assert len(plan.incident_round(new, 0.0)) == 1
    assert plan.incident_round(old, 300.0) == ()
    made = [hour for hour in range(49) if plan.deep_round(old, hour * HOUR)]
    assert made == [0, 24, 48]


# ---------------------------------------------------------------------------------------------------------------------
# data


def test_the_estimate_is_a_day_of_the_very_schedule():
    """So many looks as a day of rounds makes, and a month is thirty of them."""
    watched = watch([1, 5, 32])
    guess = estimate(watched, Pace())
    made = rounds(Plan(watched, Pace(), random.Random(0)), EVERY, DAY)
    assert guess.rounds == len(made)
    assert guess.cheap + guess.full == sum(len(looks) for _at, looks in made)
    assert guess.bytes_per_month == 30 * guess.bytes_per_day


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8), megabytes=st.integers(1, 200))
@settings(deadline=None, max_examples=40)
def test_a_small_cap_makes_rounds_rarer_and_leaves_room_for_trouble(sizes, megabytes):
    """An ordinary day takes six tenths of the cap at most, so that an incident does not find it spent."""
    watched, cap = watch(sizes), int(megabytes * 1e6)
    pace = within(watched, Pace(), cap)
    assert pace.stretch >= 1.0
    if pace.stretch < 24.0:
        assert estimate(watched, pace).bytes_per_day <= cap * 0.6


def test_somebody_elses_server_is_left_alone_between_looks():
    """Whoever wishes for it: no round, no burst and no incident's round before it has rested."""
    url = "openvpn://vpn.example:1194"
    mine = Watched(number=0, url=url, platform="vpn.example", service="openvpn", every=HOUR / 0.9, rests=HOUR)
    other = Watched(number=1, url="https://vpn.example/", platform="vpn.example", every=HOUR / 0.9)
    plan = Plan((mine, other), Pace(), random.Random(1))
    wants = Wants(bursts=frozenset({url}), rounds=frozenset({url}), platforms=frozenset({"vpn.example"}))

    def asked(looks):
        return [look.number for look in looks]

    assert sorted(asked(plan.round(HOUR / 0.9, 0.0))) == [0, 1]
    for at in (60.0, 900.0, HOUR - 1):
        assert asked(plan.bursts(wants, at)) == []
        assert asked(plan.incident_round(wants, at)) == []
    assert asked(plan.platforms(wants, 1000.0)) == [1]
    assert asked(plan.bursts(wants, HOUR)) == [0]
