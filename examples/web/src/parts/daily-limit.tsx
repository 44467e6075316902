import { useTimeUntil } from "../clock";
import { graphql } from "../graphql";
import { useText } from "../language";
import type { ResultOf } from "gql.tada";

export const DailyLimitFields = graphql(`
  fragment DailyLimit on DailyLimit {
    max
    remaining
    unlimited
    resetsAt
  }
`);

/** How often the game can still be played, and when the count starts anew. */
export function DailyLimit({ limit }: { limit: ResultOf<typeof DailyLimitFields> }) {
  const { t, number } = useText();
  const time = useTimeUntil(limit.resetsAt);
  if (limit.unlimited) return <p className="limit">{t.unlimited}</p>;
  return (
    <p className="limit">
      <progress max={limit.max} value={limit.remaining} aria-hidden="true" />
      <span data-testid="limit">{t.limit(number(limit.remaining), number(limit.max))}</span>
      {limit.remaining === 0 && <small>{t.resetsIn(time)}</small>}
    </p>
  );
}

export function isUsedUp({ unlimited, remaining }: ResultOf<typeof DailyLimitFields>): boolean {
  return !unlimited && remaining === 0;
}
