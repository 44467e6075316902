// Apollo Client against a running server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { bearer, check, newPlayer, notingFetch, possibleTypes, tokens, url } from './haru.mjs';

const POSSIBLE_TYPES = possibleTypes();

const client = (token, { fetch, before = [] } = {}) =>
  new ApolloClient({
    cache: new InMemoryCache({ possibleTypes: POSSIBLE_TYPES }),
    link: ApolloLink.from([...before, new HttpLink({ uri: url, fetch, headers: bearer(token) })]),
  });

/** The errors of an answer: what the promise is rejected with. */
async function errorsOf(promise) {
  const failure = await promise.then(() => assert.fail('there was no error'), (error) => error);
  assert.ok(CombinedGraphQLErrors.is(failure), failure);
  return failure.errors;
}

const TODAY = gql`
  query Today {
    todayFeature {
      ... on TodayFeature { date featureType endsAt }
      ... on UserError { code message retryable }
    }
  }
`;
const PLAY = gql`
  mutation Play($input: PlayInput!) {
    playDice(input: $input) {
      ... on DicePlay { id replayed outcome reward { type amount balance } }
      ... on DailyLimitReached { dailyLimit { remaining resetsAt } }
      ... on UserError { code message retryable }
    }
  }
`;

check('a query', async () => {
  const { data } = await client(tokens.PLAYER).query({ query: TODAY });
  assert.equal(data.todayFeature.__typename, 'TodayFeature');
  assert.equal(data.todayFeature.featureType, 'DICE');
});

check('a query answered from the cache', async () => {
  const { fetch, requests } = notingFetch();
  const asking = client(tokens.PLAYER, { fetch });
  const [first, again] = [await asking.query({ query: TODAY }), await asking.query({ query: TODAY })];
  assert.deepEqual(again.data, first.data);
  assert.equal(requests.length, 1);
});

check('a mutation, and its retry with the same key', async () => {
  const player = client(await newPlayer('apollo mutation'));
  const play = { mutation: PLAY, variables: { input: { idempotencyKey: 'once' } } };
  const [first, again] = [await player.mutate(play), await player.mutate(play)];
  assert.equal(first.data.playDice.replayed, false);
  assert.deepEqual(again.data.playDice, { ...first.data.playDice, replayed: true });
});

check('a refusal is data: a member of the union with code and message', async () => {
  const player = client(await newPlayer('apollo refusal'));
  const play = async (idempotencyKey) =>
    (await player.mutate({ mutation: PLAY, variables: { input: { idempotencyKey } } })).data.playDice;
  for (const key of ['1', '2', '3']) assert.equal((await play(key)).__typename, 'DicePlay');
  const refusal = await play('4');
  assert.equal(refusal.__typename, 'DailyLimitReached');
  assert.equal(refusal.code, 'DAILY_LIMIT_REACHED');
  assert.equal(refusal.dailyLimit.remaining, 0);
});

check('a top-level error carries its code and path', async () => {
  const [error] = await errorsOf(client(tokens.PLAYER).query({ query: gql`{ players { nodes { id } } }` }));
  assert.equal(error.extensions.code, 'FORBIDDEN');
  assert.deepEqual(error.path, ['players']);
});

check('without a token: UNAUTHENTICATED', async () => {
  const [error] = await errorsOf(client().query({ query: gql`{ me { externalId } }` }));
  assert.equal(error.extensions.code, 'UNAUTHENTICATED');
});

check('with a bad token: UNAUTHENTICATED', async () => {
  const [error] = await errorsOf(client('nonsense').query({ query: gql`{ me { externalId } }` }));
  assert.equal(error.extensions.code, 'UNAUTHENTICATED');
});

check('a document that does not fit the schema: BAD_REQUEST', async () => {
  const [error] = await errorsOf(client(tokens.PLAYER).query({ query: gql`{ me { shoeSize } }` }));
  assert.equal(error.extensions.code, 'BAD_REQUEST');
  assert.match(error.message, /shoeSize/);
});

check('a variable of the wrong type: BAD_REQUEST', async () => {
  const variables = { input: { idempotencyKey: 7 } };
  const [error] = await errorsOf(client(tokens.PLAYER).mutate({ mutation: PLAY, variables }));
  assert.equal(error.extensions.code, 'BAD_REQUEST');
});

check('automatic persisted queries by GET: miss, register, hit', () => persisted('GET', true));

check('automatic persisted queries by POST: miss, register, hit', () => persisted('POST', false));

async function persisted(method, useGETForHashedQueries) {
  const query = gql(`query ApolloPersistedBy${method}${process.pid} { me { externalId } }`);
  const sha256 = (text) => createHash('sha256').update(text).digest('hex');
  const ask = async () => {
    const { fetch, requests } = notingFetch();
    const before = [new PersistedQueryLink({ sha256, useGETForHashedQueries })];
    const { data } = await client(tokens.PLAYER, { fetch, before }).query({ query });
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
