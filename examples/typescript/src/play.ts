// A player's day: see what is on, play until the day's limit, claim what the season pass owes, look at the balance.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, fetchExchange, type AnyVariables, type OperationResult } from '@urql/core';
import { graphql } from './gql/index.js';

const TODAY = graphql(`
  query Today {
    todayFeature {
      __typename
      ... on TodayFeature { date featureType title endsAt }
      ... on UserError { code message }
    }
  }
`);
/** The games, each played by a mutation of its own; what all have in common is asked of their interface. */
const GAMES = {
  DICE: graphql(`
    mutation PlayDice($input: PlayInput!) {
      play: playDice(input: $input) { __typename ...Play ...Refusal }
    }
  `),
  ROULETTE: graphql(`
    mutation SpinRoulette($input: PlayInput!) {
      play: spinRoulette(input: $input) { __typename ...Play ...Refusal }
    }
  `),
  LOTTERY: graphql(`
    mutation DrawLottery($input: PlayInput!) {
      play: drawLottery(input: $input) { __typename ...Play ...Refusal }
    }
  `),
};
// Fragments are found by their names.
graphql(`
  fragment Play on GamePlay {
    replayed
    reward { type amount balance }
    dailyLimit { remaining unlimited }
  }
  fragment Refusal on UserError {
    code message retryable
    ... on DailyLimitReached { dailyLimit { resetsAt } }
  }
`);
const SEASON_PASS = graphql(`
  query SeasonPass {
    seasonPassStatus {
      __typename
      ... on SeasonPassStatus {
        progress { currentLevel currentXp nextLevelXp }
        levels { level state }
      }
      ... on UserError { code message }
    }
  }
`);
const CLAIM_REWARD = graphql(`
  mutation ClaimReward($input: ClaimRewardInput!) {
    claimReward(input: $input) {
      __typename
      ... on LevelReward { level reward { type amount balance } }
      ... on UserError { code message }
    }
  }
`);
const BALANCES = graphql(`
  query Balances {
    me { externalId balances { type amount } }
  }
`);

const client = new Client({
  url: `${process.env['HARU_URL'] ?? 'http://127.0.0.1:8000'}/graphql`,
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetchOptions: { headers: { authorization: `Bearer ${process.env['TOKEN']}` } },
});

function quit(message: string): never {
  console.error(message);
  process.exit(1);
}

/** The data of an answer. A token that is not valid, or a request that is wrong, has errors and an `extensions.code`. */
function dataOf<Data, Variables extends AnyVariables>({ data, error }: OperationResult<Data, Variables>): Data {
  if (error || !data) return quit(error?.message ?? 'The answer has no data.');
  return data;
}

/** Play once. When the answer is lost on its way, or may be another, the very same play is sent again. */
async function playOnce(game: keyof typeof GAMES) {
  // One key per play. Made before the first attempt, it makes sending it again safe.
  const input = { idempotencyKey: randomUUID() };
  for (let attempt = 0; attempt < 5; attempt++) {
    await sleep(attempt * 1000);
    const result = await client.mutation(GAMES[game], { input });
    if (result.error?.networkError) continue;
    const { play } = dataOf(result);
    if (play.__typename !== 'Problem' || !play.retryable) return play;
  }
  return quit('The server does not answer.');
}

/** Play the day's game until its limit is reached, or three times where there is none. */
async function playGame(game: keyof typeof GAMES): Promise<void> {
  for (let plays = 1; ; plays++) {
    const play = await playOnce(game);
    switch (play.__typename) {
      case 'DailyLimitReached':
        console.log(`come back at ${play.dailyLimit.resetsAt}`);
        return;
      case 'Problem':
        console.log(`${play.code}: ${play.message}`);
        return;
      default: {
        const { reward, dailyLimit } = play;
        const left = dailyLimit.unlimited ? 'no limit' : `${dailyLimit.remaining} left`;
        console.log(`${play.__typename}: ${reward.amount} ${reward.type}, ${left}`);
        if (dailyLimit.unlimited && plays === 3) return;
      }
    }
  }
}

async function claimLevels(): Promise<void> {
  const { seasonPassStatus: status } = dataOf(await client.query(SEASON_PASS, {}));
  if (status.__typename === 'Problem') {
    console.log(`${status.code}: ${status.message}`);
    return;
  }
  console.log(`season pass: level ${status.progress.currentLevel}, ${status.progress.currentXp} XP`);
  for (const { level } of status.levels.filter(({ state }) => state === 'CLAIMABLE')) {
    // The key says what is claimed: however often this runs, the level is claimed once.
    const input = { idempotencyKey: `claim-${level}`, level };
    const { claimReward } = dataOf(await client.mutation(CLAIM_REWARD, { input }));
    console.log(`level ${level}: ${claimReward.__typename}`);
  }
}

const { todayFeature: today } = dataOf(await client.query(TODAY, {}));
if (today.__typename === 'Problem') quit(`${today.code}: ${today.message}`);
console.log(`${today.date}: ${today.title}`);
if (today.featureType !== 'RANKING' && today.featureType !== 'SEASON_PASS') await playGame(today.featureType);
await claimLevels();
const { me } = dataOf(await client.query(BALANCES, {}));
for (const { amount, type } of me.balances) console.log(`${me.externalId} has ${amount} ${type}`);
