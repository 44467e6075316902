// urql against a running server.
import assert from 'node:assert/strict';
import { Client, cacheExchange, fetchExchange, gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { bearer, check, dayFromNow, newPlayer, notingFetch, tokens, url } from './haru.mjs';

const client = (token, { exchanges = [cacheExchange, fetchExchange], ...options } = {}) =>
  new Client({ url, exchanges, fetchOptions: { headers: bearer(token) }, ...options });

const TODAY = gql`
  query Today {
    todayFeature {
      __typename
      ... on TodayFeature { date featureType endsAt }
      ... on UserError { code message retryable }
    }
  }
`;
const PLAY = gql`
  mutation Play($input: PlayInput!) {
    playDice(input: $input) {
      __typename
      ... on DicePlay { id replayed outcome reward { type amount balance } }
      ... on DailyLimitReached { dailyLimit { remaining resetsAt } }
      ... on UserError { code message retryable }
    }
  }
`;

check('a query, by GET as urql prefers', async () => {
  const { fetch, requests } = notingFetch();
  const { data, error } = await client(tokens.PLAYER, { fetch }).query(TODAY, {});
  assert.equal(error, undefined);
  assert.equal(data.todayFeature.featureType, 'DICE');
  assert.deepEqual(requests.map(({ method }) => method), ['GET']);
});

check('a query, by POST', async () => {
  const { fetch, requests } = notingFetch();
  const { data, error } = await client(tokens.PLAYER, { fetch, preferGetMethod: false }).query(TODAY, {});
  assert.equal(error, undefined);
  assert.equal(data.todayFeature.__typename, 'TodayFeature');
  assert.deepEqual(requests.map(({ method }) => method), ['POST']);
});

check('a mutation, and its retry with the same key', async () => {
  const player = client(await newPlayer('urql mutation'));
  const input = { idempotencyKey: 'once' };
  const [first, again] = [await player.mutation(PLAY, { input }), await player.mutation(PLAY, { input })];
  assert.equal(first.error, undefined);
  assert.equal(first.data.playDice.replayed, false);
  assert.deepEqual(again.data.playDice, { ...first.data.playDice, replayed: true });
});

check('a refusal is data: a member of the union with code and message', async () => {
  const player = client(await newPlayer('urql refusal'));
  const play = async (key) => (await player.mutation(PLAY, { input: { idempotencyKey: key } })).data.playDice;
  for (const key of ['1', '2', '3']) assert.equal((await play(key)).__typename, 'DicePlay');
  const refusal = await play('4');
  assert.equal(refusal.__typename, 'DailyLimitReached');
  assert.equal(refusal.code, 'DAILY_LIMIT_REACHED');
  assert.equal(refusal.retryable, false);
  assert.equal(refusal.dailyLimit.remaining, 0);
});

check('every fault of an input is listed in the union', async () => {
  const { data, error } = await client(tokens.OPERATOR).mutation(
    gql`
      mutation Configure($input: UpsertFeatureConfigInput!) {
        upsertFeatureConfig(input: $input) {
          __typename
          ... on ValidationFailed { issues { path message } }
          ... on UserError { code }
        }
      }
    `,
    { input: { featureType: 'DICE', title: '', pagePath: 'dice', isEnabled: true, stampXpBonus: -1 } },
  );
  assert.equal(error, undefined);
  assert.equal(data.upsertFeatureConfig.code, 'VALIDATION_FAILED');
  const paths = data.upsertFeatureConfig.issues.map(({ path }) => path.join('.'));
  assert.deepEqual(paths.sort(), ['pagePath', 'stampXpBonus', 'title']);
});

check('a top-level error carries its code and path', async () => {
  const { data, error } = await client(tokens.PLAYER).query('{ players { nodes { id } } }', {});
  assert.deepEqual(data, { players: null });
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, 'FORBIDDEN');
  assert.deepEqual(error.graphQLErrors[0].path, ['players']);
});

check('without a token: UNAUTHENTICATED', async () => {
  const { error } = await client().query('{ me { externalId } }', {});
  assert.equal(error.graphQLErrors[0].extensions.code, 'UNAUTHENTICATED');
});

check('with a bad token: UNAUTHENTICATED and status 401', async () => {
  const { error } = await client('nonsense').query('{ me { externalId } }', {});
  assert.equal(error.graphQLErrors[0].extensions.code, 'UNAUTHENTICATED');
  assert.equal(error.response.status, 401);
});

check('a document that does not fit the schema: BAD_REQUEST', async () => {
  for (const preferGetMethod of [true, false]) {
    const { error } = await client(tokens.PLAYER, { preferGetMethod }).query('{ me { shoeSize } }', {});
    assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_REQUEST');
    assert.match(error.message, /shoeSize/);
  }
});

check('a variable of the wrong type: BAD_REQUEST', async () => {
  const { error } = await client(tokens.PLAYER).mutation(PLAY, { input: { idempotencyKey: 7 } });
  assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_REQUEST');
});

check('automatic persisted queries by GET: miss, register, hit', () => persisted('GET', true));

check('automatic persisted queries by POST: miss, register, hit', () => persisted('POST', false));

async function persisted(method, preferGetForPersistedQueries) {
  const document = gql(`query PersistedBy${method}${process.pid} { me { externalId } }`);
  const ask = async () => {
    const { fetch, requests } = notingFetch();
    const exchanges = [persistedExchange({ preferGetForPersistedQueries }), fetchExchange];
    const asking = client(tokens.PLAYER, { exchanges, fetch, preferGetMethod: false });
    const { data, error } = await asking.query(document, {});
    assert.equal(error, undefined);
    assert.equal(data.me.externalId, 'demo-player');
    return requests;
  };
  const [miss, register, ...rest] = await ask();
  assert.equal(miss.method, method);
  assert.equal(miss.sentQuery, false);
  assert.match(miss.answer, /PERSISTED_QUERY_NOT_FOUND/);
  assert.equal(register.sentQuery, true);
  assert.deepEqual(rest, []);
  const hits = await ask();
  assert.deepEqual(hits.map(({ sentQuery }) => sentQuery), [false]);
}

check('an upload, as a multipart request', async () => {
  const file = new File(['rank,display_name,score,external_id\n1,하늘,9007199254740991,\n2,Ada,7,demo-player\n'], 'ranking.csv');
  const { data, error } = await client(tokens.OPERATOR).mutation(
    gql`
      mutation Upload($input: UploadRankingInput!) {
        uploadRanking(input: $input) {
          ... on PublishRankingPayload { snapshot { revision totalEntries entries { nodes { rank displayName score } } } }
          ... on UserError { code message }
        }
      }
    `,
    { input: { date: dayFromNow(40), file } },
  );
  assert.equal(error, undefined);
  assert.equal(data.uploadRanking.snapshot.revision, 1);
  assert.equal(data.uploadRanking.snapshot.totalEntries, 2);
  assert.equal(data.uploadRanking.snapshot.entries.nodes[0].score, Number.MAX_SAFE_INTEGER);
});
