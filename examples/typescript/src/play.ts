// A player's day: see what is on, play until the day's limit, claim what the season pass owes, look at the balance.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, fetchExchange, type AnyVariables, type OperationResult } from '@urql/core';
import { graphql } from './gql/index.js';

// Each has one root field, which is called `answer`: null where something went wrong that no union tells.
const TODAY = graphql(`
  query Today {
    answer: todayFeature {
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
      answer: playDice(input: $input) { __typename ...Play ...Refusal }
    }
  `),
  ROULETTE: graphql(`
    mutation SpinRoulette($input: PlayInput!) {
      answer: spinRoulette(input: $input) { __typename ...Play ...Refusal }
    }
  `),
  LOTTERY: graphql(`
    mutation DrawLottery($input: PlayInput!) {
      answer: drawLottery(input: $input) { __typename ...Play ...Refusal }
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
    answer: seasonPassStatus {
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
    answer: claimReward(input: $input) {
      __typename
      ... on ClaimRewardPayload { levelReward { level reward { type amount balance } } }
      ... on UserError { code message }
    }
  }
`);
const BALANCES = graphql(`
  query Balances {
    answer: me { externalId balances { type amount } }
  }
`);

const client = new Client({
  url: `${process.env['HARU_URL'] ?? 'http://127.0.0.1:8000'}/graphql`,
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetchOptions: { headers: { authorization: `Bearer ${process.env['TOKEN']}` } },
});

function isGame(feature: string): feature is keyof typeof GAMES {
  return feature in GAMES;
}

function quit(message: string): never {
  console.error(message);
  process.exit(1);
}

/** The answer. A token that is not valid, or a request that is wrong, has errors instead, with an `extensions.code`. */
function answerOf<Answer, Variables extends AnyVariables>(
  { data, error }: OperationResult<{ answer: Answer | null }, Variables>,
): Answer {
  return data?.answer ?? quit(error?.message ?? 'There is no answer.');
}

/** Play once. When the answer is lost on its way, or may be another, the very same play is sent again. */
async function playOnce(game: keyof typeof GAMES) {
  // One key per play. Made before the first attempt, it makes sending it again safe.
  const input = { idempotencyKey: randomUUID() };
  for (let attempt = 0; attempt < 5; attempt++) {
    await sleep(attempt * 1000);
    const result = await client.mutation(GAMES[game], { input });
    if (result.error?.networkError) continue;
    const play = answerOf(result);
    if (!('code' in play) || !play.retryable) return play;
  }
  return quit('The server does not answer.');
}

/** Play the day's game until its limit is reached, or three times where there is none. */
async function playGame(game: keyof typeof GAMES): Promise<void> {
  for (let plays = 1; ; plays++) {
    const play = await playOnce(game);
    if (play.__typename === 'DailyLimitReached') return console.log(`come back at ${play.dailyLimit.resetsAt}`);
    // Every other refusal, also one that a later version adds, has a code.
    if ('code' in play) return console.log(`${play.code}: ${play.message}`);
    const { reward, dailyLimit } = play;
    const left = dailyLimit.unlimited ? 'no limit' : `${dailyLimit.remaining} left`;
    console.log(`${play.__typename}: ${reward.amount} ${reward.type}, ${left}`);
    if (dailyLimit.unlimited && plays === 3) return;
  }
}

async function claimLevels(): Promise<void> {
  const status = answerOf(await client.query(SEASON_PASS, {}));
  if ('code' in status) return console.log(`${status.code}: ${status.message}`);
  console.log(`season pass: level ${status.progress.currentLevel}, ${status.progress.currentXp} XP`);
  for (const { level } of status.levels.filter(({ state }) => state === 'CLAIMABLE')) {
    // The key says what is claimed: however often this runs, the level is claimed once.
    const input = { idempotencyKey: `claim-${level}`, level };
    const claimed = answerOf(await client.mutation(CLAIM_REWARD, { input }));
    console.log(`level ${level}: ${'code' in claimed ? claimed.code : claimed.levelReward.reward.type}`);
  }
}

const today = answerOf(await client.query(TODAY, {}));
if ('code' in today) quit(`${today.code}: ${today.message}`);
console.log(`${today.date}: ${today.title}`);
if (isGame(today.featureType)) await playGame(today.featureType);
await claimLevels();
const me = answerOf(await client.query(BALANCES, {}));
for (const { amount, type } of me.balances) console.log(`${me.externalId} has ${amount} ${type}`);
