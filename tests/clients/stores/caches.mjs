// The set-ups of docs/clients.md, as it shows them.
import { InMemoryCache, gql } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { introspectionFromSchema } from 'graphql';
import { possibleTypes, schema, valueTypes } from '../haru.mjs';
import { Ranking, Today } from './documents.js';

// --- apollo
export const apolloCache = () =>
  new InMemoryCache({
    possibleTypes: possibleTypes(), // of unions and interfaces: else `... on UserError` matches nothing
    typePolicies: {
      // What has no id is part of what has one, and is replaced whole.
      ...Object.fromEntries(valueTypes().map((type) => [type, { keyFields: false }])),
      Query: {
        fields: {
          players: relayStylePagination(['search']),
          userEvents: relayStylePagination(['filter']),
          auditLog: relayStylePagination(['filter']),
          seasons: relayStylePagination(),
          diceConfigs: relayStylePagination(),
          rouletteConfigs: relayStylePagination(),
          lotteryConfigs: relayStylePagination(),
        },
      },
      Player: { fields: { plays: relayStylePagination(), rewards: relayStylePagination(), events: relayStylePagination() } },
      RankingSnapshot: { fields: { entries: relayStylePagination() } },
    },
  });

// --- urql
export const urqlCache = () =>
  cacheExchange({
    schema: introspectionFromSchema(schema()),
    keys: Object.fromEntries(valueTypes().map((type) => [type, () => null])),
    resolvers: {
      Query: {
        players: relayPagination(),
        userEvents: relayPagination(),
        auditLog: relayPagination(),
        seasons: relayPagination(),
        diceConfigs: relayPagination(),
        rouletteConfigs: relayPagination(),
        lotteryConfigs: relayPagination(),
      },
      Player: { plays: relayPagination(), rewards: relayPagination(), events: relayPagination() },
      RankingSnapshot: { entries: relayPagination() },
    },
    updates: {
      Subscription: {
        rankingPublished: ({ rankingPublished }, { date }, cache) =>
          cache.updateQuery({ query: Ranking, variables: { date } }, () => ({ rankingSnapshot: rankingPublished })),
        todayFeatureChanged: ({ todayFeatureChanged }, _, cache) =>
          cache.updateQuery({ query: Today }, () => ({ todayFeature: todayFeatureChanged })),
      },
    },
  });

// --- apollo updaters
export const apolloUpdates = {
  RankingPublished: (cache, { rankingPublished }, { date }) =>
    cache.writeQuery({ query: gql(Ranking), variables: { date }, data: { rankingSnapshot: rankingPublished } }),
  TodayChanged: (cache, { todayFeatureChanged }) =>
    cache.writeQuery({ query: gql(Today), data: { todayFeature: todayFeatureChanged } }),
};

// --- relay updaters
export const relayUpdates = {
  RankingPublished: (store, _, { date }) =>
    store.getRoot().setLinkedRecord(store.getRootField('rankingPublished'), 'rankingSnapshot', { date }),
  TodayChanged: (store) =>
    store.getRoot().setLinkedRecord(store.getRootField('todayFeatureChanged'), 'todayFeature'),
};
