import { useEffect, useState, useSyncExternalStore } from "react";
import { useClient } from "urql";
import type { Asks } from "./graphql";

/**
 * What a subscription told last; undefined before it told anything.
 *
 * A stream ends when the token expires or the server is deployed anew, and an answer with errors is its last. It is
 * taken up again after a pause and then tells at once how things stand, so nothing is missed. A page that nobody sees
 * has none: over HTTP/1.1 a browser has six connections to a host, for all its tabs.
 */
export function useTold<Answer, Variables extends Record<string, string>>(
  subscription: Asks<Answer, Variables>,
  variables: Variables,
): Answer | undefined {
  const client = useClient();
  const [told, setTold] = useState<Answer>();
  const [attempt, setAttempt] = useState(0);
  const isSeen = useSyncExternalStore(onVisibilityChange, () => !document.hidden);

  useEffect(() => {
    if (!isSeen) return;
    let timer = 0;
    const stream = client.subscription(subscription, variables).subscribe(({ data, error, hasNext }) => {
      if (data?.answer) setTold(data.answer);
      if (hasNext && !error) return;
      clearTimeout(timer);
      timer = window.setTimeout(() => setAttempt(attempt + 1), pause());
    });
    return () => {
      clearTimeout(timer);
      stream.unsubscribe();
    };
  }, [client, isSeen, attempt, JSON.stringify(variables)]);
  return told;
}

/** One to three seconds: not all players come back at the same moment. */
function pause(): number {
  return 1000 + Math.random() * 2000;
}

function onVisibilityChange(notify: () => void): () => void {
  document.addEventListener("visibilitychange", notify);
  return () => document.removeEventListener("visibilitychange", notify);
}
