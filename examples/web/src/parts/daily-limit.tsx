import { useTimeUntil } from "../clock";
import type { Limit } from "../graphql";
import { useText } from "../language";

/** How often the game can still be played, and when the count starts anew. */
export function DailyLimit({ limit }: { limit: Limit }) {
  const { t, number } = useText();
  const time = useTimeUntil(limit.resetsAt);
  if (limit.unlimited) return <p className="limit">{t.unlimited}</p>;
  return (
    <p className="limit">
      <progress max={limit.max} value={limit.remaining} aria-label={t.limitBar} />
      <span data-testid="limit">{t.limit(number(limit.remaining), number(limit.max))}</span>
      {limit.remaining === 0 && <small>{t.resetsIn(time)}</small>}
    </p>
  );
}
