// What every script of checks needs: the running server, somebody to be, and a way to report.
//
//   HARU_URL     the server, such as http://127.0.0.1:8000
//   HARU_TOKENS  a JSON object of the demo accounts' tokens: {"PLAYER": ..., "OPERATOR": ..., "ADMIN": ...}
//
// Each check is one call of `check` at the beginning of a line: the tests read the names off the source.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { buildSchema, isAbstractType, isObjectType } from 'graphql';

export const origin = process.env.HARU_URL;
export const url = `${origin}/graphql`;
export const tokens = JSON.parse(process.env.HARU_TOKENS);
export const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

/** Run a check, and print how it went as a line of JSON. */
export async function check(name, run) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('took more than a minute')), 60_000);
  });
  try {
    await Promise.race([run(), late]);
    console.log(JSON.stringify({ name, ok: true }));
  } catch (error) {
    console.log(JSON.stringify({ name, ok: false, reason: error?.stack ?? inspect(error) }));
  } finally {
    clearTimeout(timer);
  }
}

/** Send a document with plain fetch. */
export async function send(token, query, variables = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

/** The token of a player who is new. */
export async function newPlayer(externalId) {
  const { data } = await send(
    tokens.ADMIN,
    'mutation ($id: String!) { issueToken(input: {externalId: $id}) { ... on IssuedToken { accessToken } } }',
    { id: `${externalId} ${process.pid}` },
  );
  return data.issueToken.accessToken;
}

/** fetch, which notes every request: its method, what it carried, and the answer. */
export function notingFetch() {
  const requests = [];
  const noting = async (input, options = {}) => {
    const { searchParams } = new URL(input);
    const carried =
      typeof options.body === 'string' ? JSON.parse(options.body) : Object.fromEntries(searchParams.entries());
    const response = await fetch(input, options);
    const answer = await response.clone().text();
    requests.push({ method: options.method ?? 'GET', sentQuery: Boolean(carried.query), status: response.status, answer });
    return response;
  };
  return { fetch: noting, requests };
}

export const schema = () => buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));

/** What a cache must know to match `... on UserError`: the members of each union and interface. */
export function possibleTypes() {
  const known = schema();
  const abstract = Object.values(known.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(abstract.map((type) => [type.name, known.getPossibleTypes(type).map(({ name }) => name)]));
}

/** The types without an id, which a cache keeps within what has one. */
export function valueTypes() {
  const known = schema();
  const roots = [known.getQueryType(), known.getMutationType(), known.getSubscriptionType()];
  return Object.values(known.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__') && !roots.includes(type) && !type.getFields().id)
    .map(({ name }) => name);
}

/** A date so many days from now, as the event's calendar writes it. */
export const dayFromNow = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
