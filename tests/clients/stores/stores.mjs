// Three stores that normalise, each with what the checks do: ask, send, follow, and read what the store shows.
import { createRequire } from 'node:module';
import { ApolloClient, ApolloLink, HttpLink, Observable, gql } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { print } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import Relay from 'relay-runtime';
import { bearer, send, url } from '../haru.mjs';
import { apolloCache, apolloUpdates, relayUpdates, urqlCache } from './caches.mjs';
import * as documents from './documents.js';

const events = (token) => createSseClient({ url, headers: bearer(token), retryAttempts: 0 });

export function apollo(token) {
  const live = new ApolloLink(
    ({ query, variables }) =>
      new Observable((sink) => events(token).subscribe({ query: print(query), variables }, sink)),
  );
  const http = new HttpLink({ uri: url, headers: bearer(token) });
  const link = ApolloLink.split(({ operationType }) => operationType === 'subscription', live, http);
  const client = new ApolloClient({ cache: apolloCache(), link });
  return {
    ask: async (name, variables) =>
      (await client.query({ query: gql(documents[name]), variables, fetchPolicy: 'network-only' })).data,
    send: async (name, variables) => (await client.mutate({ mutation: gql(documents[name]), variables })).data,
    read: (name, variables) => client.readQuery({ query: gql(documents[name]), variables }),
    follow: (name, variables, onTold) => {
      const followed = client.subscribe({ query: gql(documents[name]), variables }).subscribe(({ data, error }) => {
        if (data) apolloUpdates[name]?.(client.cache, data, variables);
        onTold(error, data);
      });
      return () => followed.unsubscribe();
    },
  };
}

export function urql(token) {
  const exchanges = [urqlCache(), fetchExchange];
  const client = new Client({
    url, exchanges, preferGetMethod: false, fetchSubscriptions: true, fetchOptions: { headers: bearer(token) },
  });
  const dataOf = ({ data, error }) => {
    if (error) throw error;
    return data;
  };
  return {
    ask: async (name, variables) =>
      dataOf(await client.query(documents[name], variables, { requestPolicy: 'network-only' }).toPromise()),
    send: async (name, variables) => dataOf(await client.mutation(documents[name], variables).toPromise()),
    read: (name, variables) => client.readQuery(documents[name], variables, { requestPolicy: 'cache-only' })?.data,
    follow: (name, variables, onTold) =>
      client.subscription(documents[name], variables).subscribe(({ data, error }) => onTold(error, data)).unsubscribe,
  };
}

const compiled = createRequire(new URL('./__generated__/', import.meta.url));
const KINDS = ['Query', 'Mutation', 'Subscription'];

/** What relay-compiler made of a document. */
export function artifact(name) {
  const [kind] = KINDS.filter((each) => documents[name]?.includes(`documents${name}${each}`));
  return compiled(kind ? `./documents${name}${kind}.graphql.js` : `./${name}.graphql.js`);
}

export function relay(token) {
  const { Environment, Network, Observable: Told, RecordSource, Store, createOperationDescriptor } = Relay;
  const answer = ({ text }, variables) => send(token, text, variables);
  const told = ({ text: query }, variables) => Told.create((sink) => events(token).subscribe({ query, variables }, sink));
  const environment = new Environment({ network: Network.create(answer, told), store: new Store(new RecordSource()) });
  return {
    environment,
    ask: async (name, variables = {}) => {
      environment.retain(createOperationDescriptor(artifact(name), variables)); // as a screen does that shows it
      const asked = Relay.fetchQuery(environment, artifact(name), variables, { fetchPolicy: 'network-only' });
      return asked.toPromise();
    },
    send: (name, variables) =>
      new Promise((onCompleted, onError) => {
        Relay.commitMutation(environment, { mutation: artifact(name), variables, onCompleted, onError });
      }),
    read: (name, variables = {}) => {
      const seen = environment.lookup(createOperationDescriptor(artifact(name), variables).fragment);
      return seen.isMissingData ? undefined : seen.data;
    },
    follow: (name, variables, onTold) => {
      const followed = Relay.requestSubscription(environment, {
        subscription: artifact(name),
        variables,
        updater: (store, data) => relayUpdates[name]?.(store, data, variables),
        onNext: (data) => onTold(undefined, data),
        onError: onTold,
      });
      return () => followed.dispose();
    },
  };
}

export const STORES = { apollo, urql, relay };
