import { useState } from "react";
import { useQuery, type AnyVariables, type CombinedError } from "urql";
import type { Asks } from "./graphql";

/** What a query was answered last, and why nothing newer came. */
export interface Heard<Answer> {
  answer: Answer | undefined;
  error: CombinedError | undefined;
  again: () => void;
}

/** Asks a query. An answer stays when a later one does not come: what was true last is better than nothing. */
export function useAnswer<Answer, Variables extends AnyVariables>(
  query: Asks<Answer, Variables>,
  variables: Variables,
): Heard<Answer> {
  const [{ data, error }, ask] = useQuery({ query, variables } as Parameters<typeof useQuery<{ answer: Answer | null }>>[0]);
  return { answer: useLast(data?.answer ?? undefined), error, again: () => ask({ requestPolicy: "network-only" }) };
}

/** Of several values the one that came last, be it from a query, a play, a refusal or a subscription. */
export function useLast<Value>(...heard: (Value | undefined)[]): Value | undefined {
  const [{ before, last }, setKnown] = useState<{ before: typeof heard; last: Value | undefined }>({ before: [], last: undefined });
  const news = heard.filter((value, index) => value !== undefined && value !== before[index]);
  if (news.length === 0) return last;
  const newest = news.at(-1);
  setKnown({ before: heard, last: newest });
  return newest;
}

/** The value; while it is held, what it was before. */
export function useHeld<Value>(value: Value, isHeld: boolean): Value {
  const [kept, keep] = useState(value);
  if (isHeld) return kept;
  if (kept !== value) keep(value);
  return value;
}
