"""Titles and labels in several languages: published, shown, drawn, told again."""

from __future__ import annotations

from typing import Any

import pytest

from models import FeatureType, Role
from tests.staff import kept, operator, upsert, valid
from tests.world import Client, World, forge

KO, EN = "한밤의 주사위", "Midnight dice"
BOTH = [{"language": "EN", "text": EN}, {"language": "KO", "text": KO}]
TITLE = "own: title ko: title(language: KO) en: title(language: EN)"
LABEL = TITLE.replace("title", "label")
TODAY = f"{{ todayFeature {{ ... on TodayFeature {{ {TITLE} }} }} }}"
FEATURES = f"{{ featureConfigs {{ featureType {TITLE} titles {{ language text }} }} }}"
GAMES = {
    FeatureType.ROULETTE: ("upsertRouletteConfig", "segments", "spinRoulette", "... on RouletteSpin { it: segment {"),
    FeatureType.LOTTERY: ("upsertLotteryConfig", "prizes", "drawLottery", "... on LotteryDraw { it: prize {"),
}
every_game = pytest.mark.parametrize("feature", GAMES)


async def title(world: World) -> tuple[str, ...]:
    """Today's title: the event's own, in Korean, in English."""
    return tuple((await (await world.player()).data(TODAY))["todayFeature"].values())


async def publish(world: World, feature: FeatureType, name: str, **languages: str) -> None:
    """Publish a revision all of whose parts have this label, and these in the languages."""
    mutation, parts, *_ = GAMES[feature]
    given = valid(mutation, name=name, expectedRevision=await newest(world, feature))
    labels = [{"language": language, "text": text} for language, text in languages.items()]
    given[parts] = [part | {"label": name, "labels": labels} for part in given[parts]]
    assert "code" not in await upsert(await operator(world), mutation, given)


async def newest(world: World, feature: FeatureType) -> int:
    return int(await world.sql.fetchval(f"SELECT max(revision) FROM {feature.lower()}_config"))


async def play(client: Client, feature: FeatureType, key: str) -> dict[str, Any]:
    """Play: the label of what was drawn, in each language."""
    _, _, game, drawn = GAMES[feature]
    document = f"""mutation P($key: String!) {{ {game}(input: {{idempotencyKey: $key}}) {{
        ... on GamePlay {{ replayed }} {drawn} {LABEL} odds {{ weight totalWeight }} }} }} }} }}"""
    answer: dict[str, Any] = (await client.data(document, key=key))[game]
    return answer


async def history(client: Client, feature: FeatureType) -> list[dict[str, Any]]:
    """What was drawn, newest first."""
    drawn = GAMES[feature][3]
    document = f"{{ me {{ plays {{ nodes {{ {drawn} {LABEL} odds {{ weight totalWeight }} }} }} }} }} }} }}"
    return [node["it"] for node in (await client.data(document))["me"]["plays"]["nodes"]]


def labels(drawn: dict[str, Any]) -> tuple[str, str, str]:
    return drawn["own"], drawn["ko"], drawn["en"]


async def test_a_title_in_each_language(world: World) -> None:
    olive = await operator(world)
    given = valid("upsertFeatureConfig", title="Dice!", titles=BOTH)
    assert (await upsert(olive, "upsertFeatureConfig", given))["title"] == "Dice!"
    assert await title(world) == ("Dice!", KO, EN)
    features = (await olive.data(FEATURES))["featureConfigs"]
    (dice,) = [feature for feature in features if feature["featureType"] == "DICE"]
    assert dice["titles"] == BOTH[::-1], "in the order of the languages"
    assert (dice["own"], dice["ko"], dice["en"]) == ("Dice!", KO, EN)


async def test_what_is_not_given_is_told_in_the_event_s_own_words(world: World) -> None:
    olive = await operator(world)
    await upsert(olive, "upsertFeatureConfig", valid("upsertFeatureConfig", title="주사위", titles=BOTH[:1]))
    assert await title(world) == ("주사위", "주사위", EN)
    await upsert(olive, "upsertFeatureConfig", valid("upsertFeatureConfig", title="주사위", expectedRevision=2))
    assert await title(world) == ("주사위", "주사위", "주사위")


async def test_titles_are_on_record(world: World) -> None:
    await upsert(await operator(world), "upsertFeatureConfig", valid("upsertFeatureConfig", titles=BOTH))
    staff = await world.player("auditor", Role.AUDITOR)
    (entry,) = (await staff.data("{ auditLog { nodes { before after } } }"))["auditLog"]["nodes"]
    assert entry["before"]["titles"] == {"KO": "주사위 대결", "EN": "Dice duel"}
    assert entry["after"]["titles"] == {"KO": KO, "EN": EN}


async def test_spellings_are_one(world: World) -> None:
    titles = [{"language": "KO", "text": "\u1112\u1161\u1102\u1173\u11af"}]
    await upsert(await operator(world), "upsertFeatureConfig", valid("upsertFeatureConfig", titles=titles))
    assert (await title(world))[1] == "하늘"


@every_game
async def test_a_label_in_each_language_is_shown_drawn_and_told_again(world: World, feature: FeatureType) -> None:
    await world.today(feature)
    await publish(world, feature, "old", KO="옛", EN="former")
    alice = await world.player()
    first = await play(alice, feature, "a")
    assert labels(first["it"]) == ("old", "옛", "former")
    await publish(world, feature, "new", KO="새")
    second = await play(alice, feature, "b")
    assert labels(second["it"]) == ("new", "새", "new")
    for key, answer in (("a", first), ("b", second)):
        assert await play(alice, feature, key) == answer | {"replayed": True}
    assert await history(alice, feature) == [second["it"], first["it"]]


@every_game
async def test_the_game_is_shown_in_each_language(world: World, feature: FeatureType) -> None:
    await world.today(feature)
    await publish(world, feature, "spring", EN="Spring", KO="봄")
    kind, parts = feature.title(), GAMES[feature][1]
    field = f"{feature.lower()}Status"
    document = f"{{ {field} {{ ... on {kind}Status {{ config {{ {parts} {{ {LABEL} }} }} }} }} }}"
    shown = (await (await world.player()).data(document))[field]["config"][parts]
    assert {labels(part) for part in shown} == {("spring", "봄", "Spring")}


@every_game
async def test_events_stay_small(world: World, feature: FeatureType) -> None:
    await world.today(feature)
    await publish(world, feature, "spring", EN="Spring", KO="봄")
    await play(await world.player(), feature, "a")
    meta = await world.sql.fetchval("SELECT meta_json::text FROM user_event_log WHERE event_name = 'PLAY'")
    assert "spring" in meta
    assert "labels" not in meta


@every_game
async def test_an_answer_that_was_kept_without_labels_comes_again(world: World, feature: FeatureType) -> None:
    await world.today(feature)
    await publish(world, feature, "spring", EN="Spring")
    alice = await world.player()
    await play(alice, feature, "a")
    await forge(world.sql, "UPDATE idempotency_key SET answer = (answer::jsonb #- '{drawn,labels}')::json")
    assert labels((await play(alice, feature, "a"))["it"]) == ("spring", "spring", "spring")


TWICE = [BOTH[0], BOTH[1], BOTH[0]]
LONG = [BOTH[0], {"language": "KO", "text": "가" * 101}]


@pytest.mark.parametrize(("given", "fault"), [(TWICE, ["2", "language"]), (LONG, ["1", "text"])])
@pytest.mark.parametrize(
    ("mutation", "path"),
    [
        ("upsertFeatureConfig", ["titles"]),
        ("upsertRouletteConfig", ["segments", "3", "labels"]),
        ("upsertLotteryConfig", ["prizes", "1", "labels"]),
    ],
)
async def test_faults_are_told_where_they_are(
    world: World, mutation: str, path: list[str], given: list[dict[str, str]], fault: list[str]
) -> None:
    wanted: Any = valid(mutation)
    target = wanted
    for step in path[:-1]:
        target = target[int(step) if step.isdigit() else step]
    target[path[-1]] = given
    before = await kept(world)
    answer = await upsert(await operator(world), mutation, wanted)
    assert answer["code"] == "VALIDATION_FAILED"
    assert [issue["path"] for issue in answer["issues"]] == [path + fault]
    assert await kept(world) == before


async def test_demo_data_tells_both(world: World) -> None:
    assert await title(world) == ("주사위 대결", "주사위 대결", "Dice duel")
