import { authExchange } from "@urql/exchange-auth";
import { refocusExchange } from "@urql/exchange-refocus";
import { retryExchange } from "@urql/exchange-retry";
import { cacheExchange, Client, fetchExchange, type CombinedError } from "urql";
import { renew, type Session } from "./session";

const RETRIED_CODES = ["UNAVAILABLE", "RATE_LIMITED"];

/** A client for one session. Nothing that one player saw is ever shown to the next: each has a cache of their own. */
export function createClient(session: Session | null, onRefused: () => void): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    fetchSubscriptions: true, // as event streams, by the exchange that sends everything else
    exchanges: [
      refocusExchange(), // who comes back to the page sees how things are now: another tab may have played
      cacheExchange,
      // Before the retries, so that a token is looked for once. A demo token that has run out is replaced by a new one.
      authExchange(async (utils) => ({
        addAuthToOperation: (operation) =>
          session ? utils.appendHeaders(operation, { Authorization: `Bearer ${session.token}` }) : operation,
        didAuthError: (error) => hasCode(error, ["UNAUTHENTICATED"]),
        async refreshAuth() {
          if (!session || !(await renew(session))) onRefused();
        },
      })),
      // A request whose answer got lost is sent again as it was, idempotency key and all: if it had
      // reached the server, the first answer comes back with `replayed: true` and nothing is granted twice.
      retryExchange({
        retryIf: (error) => Boolean(error.networkError) || hasCode(error, RETRIED_CODES),
        initialDelayMs: 300,
        maxDelayMs: 3000,
        maxNumberAttempts: 4,
      }),
      fetchExchange,
    ],
  });
}

function hasCode(error: CombinedError, codes: string[]): boolean {
  return error.graphQLErrors.some(({ extensions }) => codes.includes(String(extensions["code"])));
}
