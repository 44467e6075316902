// Nothing with an id means two things: what three stores that normalise show is what was on the wire.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import Relay from 'relay-runtime';
import { check, dayFromNow, newPlayer, send, tokens } from './haru.mjs';
import * as documents from './stores/documents.js';
import { apollo, artifact, relay, urql } from './stores/stores.mjs';

const POINTS = { type: 'POINT', amount: 10 };
const RANKED = dayFromNow(-73); // no demo data's day

const complaints = [];
console.warn = console.error = (...said) => complaints.push(said);

let players = 0;
const { data } = await send(tokens.PLAYER, '{ clock { businessDate } }');
const today = data.clock.businessDate;

await schedule('LOTTERY');

await check('Apollo Client: odds of a prize that is sold out', () => soldOut(apollo));
await check('graphcache: odds of a prize that is sold out', () => soldOut(urql));
await check('Relay: odds of a prize that is sold out', () => soldOut(relay));

await check('Apollo Client: balances and limit after a play, without asking', () => played(apollo));
await check('graphcache: balances and limit after a play, without asking', () => played(urql));
await check('Relay: balances and limit after a play, without asking', () => played(relay));

await check('Apollo Client: an old key that is replayed', () => replayed(apollo));
await check('graphcache: an old key that is replayed', () => replayed(urql));
await check('Relay: an old key that is replayed', () => replayed(relay));

await check('Apollo Client: a new revision over a subscription', () => republished(apollo));
await check('graphcache: a new revision over a subscription', () => republished(urql));
await check('Relay: a new revision over a subscription', () => republished(relay));

await check('Apollo Client: a ranking and a day that are replaced', () => replaced(apollo));
await check('graphcache: a ranking and a day that are replaced', () => replaced(urql));
await check('Relay: a ranking and a day that are replaced', () => replaced(relay));

await check('Relay: a list page by page, and which member of a union came', pageByPage);

await check('no store complains', async () => assert.deepEqual(complaints, []));

await schedule('DICE'); // as the other scripts find it

/** Two prizes, of which one is gone after a few draws: each draw goes on telling the odds by which it was drawn. */
async function soldOut(store) {
  await publish([prize('the only one', 1), prize('endless', null)]);
  const player = await somebody(store);
  await player.ask('Status');
  const labels = [];
  while (labels.at(-2) !== 'the only one') labels.push((await player.draw(`${labels.length}`)).prize.label);
  await player.ask('History');
  await player.showsWhatTheServerTells('Status', 'History');
  const [{ node: after }, { node: gone }] = player.read('History').me.plays.edges;
  assert.deepEqual([gone.prize.stockAfter, gone.prize.odds.percent, after.prize.odds.percent], [0, 50, 100]);
  const [{ id, stock, odds }] = player.read('Status').lotteryStatus.config.prizes;
  assert.deepEqual([id, stock, odds.percent], [gone.prize.prizeId, 0, 0]);
}

async function played(store) {
  await publish([prize('some', 100)]);
  const player = await somebody(store);
  await player.ask('Balances');
  await player.ask('Status');
  await player.draw('1');
  const [{ amount }] = player.read('Balances').me.balances;
  const { dailyLimit, config } = player.read('Status').lotteryStatus;
  assert.deepEqual([amount > 0, dailyLimit.used, config.prizes[0].stock], [true, 1, 99]);
  await player.showsWhatTheServerTells('Balances', 'Status');
}

/** The first answer to a key comes again, and takes nothing back that happened since. */
async function replayed(store) {
  await publish([prize('some', 100)]);
  const player = await somebody(store);
  for (const name of ['Balances', 'Status']) await player.ask(name);
  const first = await player.draw('1');
  await player.draw('2');
  await player.ask('History');
  const again = await player.draw('1');
  const fact = ({ id, dailyLimit, reward, prize }) => ({ id, dailyLimit, reward, prize });
  assert.equal(again.replayed, true);
  assert.deepEqual(fact(again), fact(first));
  assert.deepEqual([again.dailyLimit.used, again.status.dailyLimit.used], [1, 2]);
  await player.showsWhatTheServerTells('Balances', 'Status', 'History');
}

/** Of the lottery: how it stands is one thing, whatever revision is on; each revision is another. */
async function republished(store) {
  await publish([prize('before', 100)]);
  const player = await somebody(store);
  await player.ask('Status');
  await player.draw('1');
  await player.ask('History');
  const label = ({ lotteryStatus }) => lotteryStatus.config.prizes[0].label;
  assert.equal(label(player.read('Status')), 'before');
  await player.isTold('StockChanged', {}, ({ lotteryStockChanged }) => label({ lotteryStatus: lotteryStockChanged }) === 'after', () =>
    publish([prize('after', 50)]),
  );
  assert.equal(label(player.read('Status')), 'after');
  await player.showsWhatTheServerTells('Status', 'History');
}

/** What a query's answer is replaced by is another thing: the subscription's updater puts it there. */
async function replaced(store) {
  const player = await somebody(store);
  const unranked = { date: dayFromNow(-74) };
  await player.ask('Ranking', unranked);
  assert.equal(player.read('Ranking', unranked).rankingSnapshot.code, 'RANKING_NOT_FOUND');
  const day = { date: RANKED };
  const { revision } = await rank([30, 20, 10]);
  await player.ask('Ranking', day);
  await player.isTold('RankingPublished', day, ({ rankingPublished }) => rankingPublished.revision > revision, () => rank([7]));
  await player.showsWhatTheServerTells(['Ranking', day]);

  await player.ask('Today');
  await player.isTold('TodayChanged', {}, ({ todayFeatureChanged }) => todayFeatureChanged.featureType === 'RANKING', () =>
    schedule('RANKING'),
  );
  await player.showsWhatTheServerTells('Today');
  await schedule('LOTTERY');
}

async function pageByPage() {
  await publish([prize('the only one', 1)]);
  const player = await somebody(relay);
  const draw = async (idempotencyKey) => (await player.send('relayPlaysDrawMutation', { input: { idempotencyKey } })).drawLottery;
  const { environment } = player;
  const shown = (fragment, reference) => environment.lookup(Relay.getSingularSelector(artifact(fragment), reference)).data;

  const [drawn, refused] = [await draw('1'), await draw('2')];
  assert.equal(shown('relayPlays_draw', drawn.draw).prize.label, 'the only one');
  assert.equal(drawn.refusal, null);
  assert.equal(refused.draw, null);
  assert.equal(shown('relayPlays_refusal', refused.refusal).code, 'OUT_OF_STOCK');

  await publish([prize('some', 100)]);
  for (const key of ['3', '4', '5']) await draw(key);
  const { me } = await player.ask('relayPlaysQuery');
  const plays = () => shown('relayPlays_plays', me).plays;
  const pages = [];
  for (pages.push(plays()); plays().pageInfo.hasNextPage; pages.push(plays())) {
    await player.ask('relayPlaysPageQuery', { id: me.id, first: 2, after: plays().pageInfo.endCursor });
  }
  assert.deepEqual(pages.map(({ edges }) => edges.length), [2, 4]);
  assert.equal(new Set(plays().edges.map(({ node }) => node.id)).size, 4);
}

/** A new player, with a store that is empty. */
async function somebody(store) {
  const token = await newPlayer(`store ${players++}`);
  const player = store(token);
  const told = async (name, variables) => {
    const { data, errors } = await send(token, documents[name], variables);
    assert.equal(errors, undefined);
    return data;
  };
  return {
    ...player,
    draw: async (idempotencyKey) => {
      const { drawLottery } = await player.send('Draw', { input: { idempotencyKey } });
      assert.ok(drawLottery.id, inspect(drawLottery));
      return drawLottery;
    },
    async showsWhatTheServerTells(...asked) {
      for (const [name, variables] of asked.map((each) => [each].flat())) {
        assert.deepEqual(plain(player.read(name, variables)), plain(await told(name, variables)), name);
      }
    },
    /** Follow a subscription; when it has told how things stand, change them; until it tells that. */
    isTold: (name, variables, isChanged, change) =>
      new Promise((resolve, reject) => {
        let hasBegun = false;
        const end = player.follow(name, variables, (error, answer) => {
          if (error) return reject(error);
          if (!hasBegun) change().catch(reject);
          hasBegun = true;
          if (isChanged(answer)) setTimeout(() => resolve(end())); // after the store has taken it in
        });
      }),
  };
}

/** An answer without the names of types, which each store asks for in its own places. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, each]) => !name.startsWith('__') && each !== undefined)
      .map(([name, each]) => [name, plain(each)]),
  );
}

function prize(label, stock) {
  return { label, weight: 1, stock, reward: POINTS };
}

/** What staff send; refused, it fails. */
async function command(mutation, type, input) {
  const query = `mutation ($input: ${type}!) { answer: ${mutation}(input: $input) { __typename ... on UserError { code message } } }`;
  const { data, errors } = await send(tokens.OPERATOR, query, { input });
  assert.equal(errors, undefined);
  assert.equal(data.answer.code, undefined, data.answer.message);
}

async function publish(prizes) {
  const { data } = await send(tokens.PLAYER, documents.Status);
  const { revision } = data.lotteryStatus.config;
  const seen = { expectedRevision: revision, acknowledge: ['STOCK_RESTATED'] }; // each check has a stock of its own
  const input = { name: 'of these checks', maxDailyTickets: 40, prizes, ...seen };
  await command('upsertLotteryConfig', 'UpsertLotteryConfigInput', input);
}

async function schedule(featureType) {
  const asked = 'query ($day: Date!) { featureSchedule(from: $day, to: $day) { revision } }';
  const { data } = await send(tokens.OPERATOR, asked, { day: today });
  const input = { date: today, featureType, expectedRevision: data.featureSchedule[0].revision };
  await command('upsertFeatureSchedule', 'UpsertFeatureScheduleInput', input);
}

/** Publish a past day's ranking; how it stands then. */
async function rank(scores) {
  const asked = 'query ($date: Date!) { rankingSnapshot(date: $date) { ... on RankingSnapshot { revision } } }';
  const standing = async () => (await send(tokens.OPERATOR, asked, { date: RANKED })).data.rankingSnapshot;
  const rows = scores.map((score, index) => ({ rank: index + 1, displayName: `player ${index}`, score }));
  const input = { date: RANKED, rows, expectedRevision: (await standing()).revision ?? null };
  await command('publishRanking', 'PublishRankingInput', input);
  return standing();
}
