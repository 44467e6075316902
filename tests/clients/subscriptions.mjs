// Subscriptions by graphql-ws, graphql-sse, and by urql and Apollo Client on top of graphql-ws.
import assert from 'node:assert/strict';
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client as UrqlClient, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';
import { bearer, check, dayFromNow, newPlayer, origin, possibleTypes, send, tokens, url } from './haru.mjs';

const wsUrl = `${origin.replace(/^http/, 'ws')}/graphql`;
const overWebSocket = (token, options = {}) =>
  createWsClient({
    url: wsUrl,
    webSocketImpl: WebSocket,
    lazyCloseTimeout: 0,
    retryAttempts: 0,
    connectionParams: { Authorization: `Bearer ${token}` },
    ...options,
  });
const overEvents = (token) => createSseClient({ url, headers: bearer(token), retryAttempts: 0 });

const RANKING = `subscription Ranking($date: Date!) { rankingPublished(date: $date) { ... on RankingSnapshot { date revision totalEntries } } }`;
const TODAY = `subscription Today {
  todayFeatureChanged { __typename ... on TodayFeature { featureType } ... on UserError { code } }
}`;

globalThis.WebSocket ??= WebSocket; // Apollo's link looks for it; Node has one from version 22 on

/** Publish a day's ranking. */
async function publish(date, scores, expectedRevision = null) {
  const rows = scores.map((score, index) => ({ rank: index + 1, displayName: `player ${index}`, score }));
  const { data, errors } = await send(
    tokens.OPERATOR,
    `mutation ($input: PublishRankingInput!) {
      publishRanking(input: $input) { ... on PublishRankingPayload { snapshot { revision } } ... on UserError { code message } }
    }`,
    { input: { date, expectedRevision, rows } },
  );
  assert.equal(errors, undefined);
  return data.publishRanking.snapshot.revision;
}

/** The first answer of a subscription; then it is over. */
async function first(client, request) {
  for await (const answer of client.iterate(request)) return answer;
  assert.fail('it was over before an answer came');
}

check('graphql-ws: what is on, told at once', async () => {
  const { data } = await first(overWebSocket(tokens.PLAYER), { query: TODAY });
  assert.deepEqual(data.todayFeatureChanged, { __typename: 'TodayFeature', featureType: 'DICE' });
});

check('graphql-ws: a published ranking is told', () => publishedIsTold(overWebSocket(tokens.PLAYER), -71));

check('graphql-ws: a query and a mutation', async () => {
  const client = overWebSocket(await newPlayer('graphql-ws'));
  const { data } = await first(client, { query: '{ me { balances { amount } } }' });
  assert.ok(data.me.balances.length >= 1);
  const query = 'mutation { playDice(input: {idempotencyKey: "1"}) { ... on DicePlay { replayed } } }';
  assert.deepEqual((await first(client, { query })).data, { playDice: { replayed: false } });
});

check('graphql-ws: an invalid document has its code', async () => {
  await assert.rejects(first(overWebSocket(tokens.PLAYER), { query: 'subscription { shoeSize }' }), (errors) => {
    assert.equal(errors[0].extensions.code, 'BAD_REQUEST');
    return true;
  });
});

check('graphql-ws: a bad token closes with 4403', async () => {
  await assert.rejects(first(overWebSocket('nonsense'), { query: TODAY }), ({ code }) => code === 4403);
});

check('graphql-sse: what is on, told at once', async () => {
  const { data } = await first(overEvents(tokens.PLAYER), { query: TODAY });
  assert.deepEqual(data.todayFeatureChanged, { __typename: 'TodayFeature', featureType: 'DICE' });
});

check('graphql-sse: a published ranking is told', () => publishedIsTold(overEvents(tokens.PLAYER), -72));

check('graphql-sse: a query', async () => {
  const { data } = await first(overEvents(tokens.PLAYER), { query: '{ me { externalId } }' });
  assert.equal(data.me.externalId, 'demo-player');
});

check('graphql-sse: a bad token is refused', async () => {
  await assert.rejects(first(overEvents('nonsense'), { query: TODAY }), ({ response }) => response.status === 401);
});

check('urql: a subscription over graphql-ws', async () => {
  const ws = overWebSocket(tokens.PLAYER);
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: ws.subscribe({ query, variables }, sink) }),
  });
  await urqlIsTold({ url, exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })] });
});

check('urql: a subscription as an event stream, with fetchSubscriptions', async () => {
  const exchanges = [cacheExchange, fetchExchange];
  await urqlIsTold({ url, exchanges, fetchSubscriptions: true, fetchOptions: { headers: bearer(tokens.PLAYER) } });
});

async function urqlIsTold(options) {
  const { data, error } = await new Promise((resolve) => {
    const { unsubscribe } = new UrqlClient(options).subscription(TODAY, {}).subscribe((result) => {
      setTimeout(() => unsubscribe());
      resolve(result);
    });
  });
  assert.equal(error, undefined);
  assert.equal(data.todayFeatureChanged.featureType, 'DICE');
}

check('Apollo Client: a subscription over graphql-ws', async () => {
  const client = new ApolloClient({
    cache: new InMemoryCache({ possibleTypes: possibleTypes() }),
    link: new GraphQLWsLink(overWebSocket(tokens.PLAYER)),
  });
  const { data, error } = await new Promise((resolve) => {
    const subscription = client.subscribe({ query: gql(TODAY) }).subscribe((result) => {
      setTimeout(() => subscription.unsubscribe());
      resolve(result);
    });
  });
  assert.equal(error, undefined);
  assert.equal(data.todayFeatureChanged.featureType, 'DICE');
});

/** A past day's ranking: as it is, then as it is replaced. */
async function publishedIsTold(client, days) {
  const date = dayFromNow(days);
  assert.equal(await publish(date, [20, 10]), 1);
  const told = [];
  for await (const { data } of client.iterate({ query: RANKING, variables: { date } })) {
    told.push(data.rankingPublished);
    if (told.length === 1) await publish(date, [30, 20, 10], 1);
    else break;
  }
  assert.deepEqual(told, [{ date, revision: 1, totalEntries: 2 }, { date, revision: 2, totalEntries: 3 }]);
}
