import { useRef, useState } from "react";
import { useClient } from "urql";
import { isFailure, type Asks, type Success } from "./graphql";
import { asFault, type Fault } from "./parts/problem";

interface Command {
  idempotencyKey: string;
  expectedRevision?: number | null;
}

/**
 * Sends a mutation so that it takes effect once, however often it has to be sent.
 *
 * The idempotency key stays the same until an answer is there: `retryExchange` repeats a request that got lost, and
 * when even that gave up, pressing the button again goes on with the same key. A failure that is not `retryable` ends
 * it too: it wrote nothing, and the next press is a new command.
 */
export function useCommand<Answer extends object, Input extends Command>(
  mutation: Asks<Answer, { input: Input }>,
) {
  const client = useClient();
  const open = useRef<{ wish: string; input: Input } | null>(null); // the command that has no answer yet
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);

  async function send(input: Omit<Input, "idempotencyKey">): Promise<Success<Answer> | null> {
    // A key belongs to one input, the revision that was seen when it was pressed first among it.
    const wish = JSON.stringify({ ...input, expectedRevision: undefined });
    if (open.current?.wish !== wish) open.current = { wish, input: { ...input, idempotencyKey: newKey() } as Input };
    setBusy(true);
    setFault(null);
    const { data, error } = await client.mutation(mutation, { input: open.current.input });
    setBusy(false);
    const answer = data?.answer;
    if (!answer) {
      setFault(asFault(error));
      return null;
    }
    if (!isFailure(answer)) {
      open.current = null;
      return answer as Success<Answer>;
    }
    if (!answer.retryable) open.current = null;
    setFault(asFault(answer));
    return null;
  }

  return { send, busy, fault };
}

/** `crypto.randomUUID` is there on https and localhost alone; a phone that tries the page over the local network has neither. */
function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
