import { useText } from "../language";
import type { RewardType } from "../graphql";

export interface OddsRow {
  id: string;
  label: string;
  percent: number;
  reward: { type: RewardType; amount: number };
  note?: string;
  isGone?: boolean;
}

/** Every way a game can end, with its odds: nobody plays without knowing them. */
export function OddsTable({ rows, drawn }: { rows: OddsRow[]; drawn?: string | undefined }) {
  const { t, percent, reward } = useText();
  return (
    <section className="odds">
      <h3>{t.odds}</h3>
      <ul>
        {rows.map((row) => (
          <li key={row.id} data-drawn={row.id === drawn} data-gone={row.isGone}>
            <span>{row.label}</span>
            <span className="what">
              {row.label !== reward(row.reward) && reward(row.reward)}
              {row.note && <small>{row.note}</small>}
            </span>
            <b>{percent(row.percent)}</b>
            <progress max={100} value={row.percent} aria-hidden="true" />
          </li>
        ))}
      </ul>
    </section>
  );
}
