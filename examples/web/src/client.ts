import { authExchange } from "@urql/exchange-auth";
import { retryExchange } from "@urql/exchange-retry";
import { cacheExchange, Client, fetchExchange, type CombinedError } from "urql";
import { demoSession, remember, type Session } from "./session";

const RETRIED_CODES = ["UNAVAILABLE", "RATE_LIMITED"];

/** A client for one session. Nothing that one player saw is ever shown to the next: each has a cache of their own. */
export function createClient(session: Session | null, onSignedOut: () => void): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    fetchSubscriptions: true, // as event streams, by the exchange that sends everything else
    exchanges: [
      cacheExchange,
      // Before the retries, so that a token is looked for once. A demo token that has run out is replaced by a new one.
      authExchange(async (utils) => {
        let current = session;
        return {
          addAuthToOperation: (operation) =>
            current ? utils.appendHeaders(operation, { Authorization: `Bearer ${current.token}` }) : operation,
          didAuthError: (error) => hasCode(error, ["UNAUTHENTICATED"]),
          async refreshAuth() {
            current = current?.isDemo ? await demoSession() : null;
            remember(current);
            if (!current) onSignedOut();
          },
        };
      }),
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
