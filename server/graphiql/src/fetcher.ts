import type { Fetcher, FetcherOpts, FetcherParams, Observable } from "@graphiql/toolkit";
import type { ExecutionResult, GraphQLSchema } from "graphql";
import { createClient, type Client } from "graphql-ws";

import type { Config } from "./config";
import { emptyUploads, multipartBody, operationOf } from "./uploads";

const ACCEPT = "application/graphql-response+json, application/json;q=0.9";
const NO_FILE = "This operation uploads a file and none is picked: press File at the top of the page, then run it again.";

interface Observer {
  next(result: ExecutionResult): void;
  error(error: unknown): void;
  complete(): void;
}

export interface Connection {
  fetcher: Fetcher;
  close(): void;
}

/**
 * One signed-in (or anonymous) caller's way to the server. The token goes with every request, introspection
 * included, and with the first message of a subscription's socket.
 */
export function connect(config: Config, token: string | null, picked: { schema: GraphQLSchema | null; file: File | null }): Connection {
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  const sockets = new Set<Client>();

  async function post(body: string | FormData, extra: FetcherOpts["headers"]): Promise<ExecutionResult> {
    const headers = new Headers({ accept: ACCEPT });
    if (typeof body === "string") headers.set("content-type", "application/json");
    for (const [name, value] of Object.entries((extra ?? {}) as Record<string, unknown>)) headers.set(name, String(value));
    for (const [name, value] of Object.entries(authorization)) headers.set(name, value);
    const response = await fetch(config.endpoint, { method: "POST", body, headers, credentials: "omit" });
    const text = await response.text();
    try {
      return JSON.parse(text) as ExecutionResult;
    } catch {
      throw new Error(`The server answered ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
    }
  }

  /** Not an async generator: stopping one would wait for the next event, which may be tomorrow. */
  function subscribe(params: FetcherParams, extra: FetcherOpts["headers"]): Observable<ExecutionResult> {
    const url = new URL(config.subscriptionUrl, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const observable = {
      subscribe(observer: Observer) {
        const socket = createClient({ url: url.href, connectionParams: { ...extra, ...authorization }, retryAttempts: 2 });
        const close = () => {
          sockets.delete(socket);
          void socket.dispose();
        };
        sockets.add(socket);
        const unsubscribe = socket.subscribe(params as { query: string }, {
          next: (result) => observer.next(result as ExecutionResult),
          error: (error) => {
            close();
            observer.error(explained(error, url));
          },
          complete: () => {
            close();
            observer.complete();
          },
        });
        return { unsubscribe };
      },
    };
    return observable as Observable<ExecutionResult>; // of its three forms GraphiQL calls this one
  }

  const fetcher: Fetcher = (asked, options) => {
    const operation = operationOf(asked.query, asked.operationName);
    const extra = options?.headers;
    const params = operation?.name ? { ...asked, operationName: operation.name.value } : asked;
    if (params.operationName === "IntrospectionQuery" || !operation) return post(JSON.stringify(params), extra);
    if (operation.operation === "subscription") return subscribe(params, extra);
    const [path] = picked.schema ? emptyUploads(picked.schema, operation, params.variables) : [];
    if (!path) return post(JSON.stringify(params), extra);
    if (!picked.file) return Promise.resolve({ errors: [{ message: NO_FILE }] } as unknown as ExecutionResult);
    return post(multipartBody({ ...params }, path, picked.file), extra);
  };

  return { fetcher, close: () => sockets.forEach((socket) => void socket.dispose()) };
}

function explained(error: unknown, url: URL): unknown {
  if (error instanceof CloseEvent) return new Error(`The socket was closed: ${error.code} ${error.reason}`.trim());
  if (error instanceof Event) return new Error(`No socket could be opened at ${url.href}`);
  return error;
}
