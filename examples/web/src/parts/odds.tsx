import { useText } from "../language";
import type { FeatureType, RewardType } from "../graphql";
import { Sheet } from "./sheet";

export interface OddsRow {
  id: string;
  label: string;
  percent: number;
  reward: { type: RewardType; amount: number };
  note?: string;
  isGone?: boolean;
}

interface OddsTableProps {
  rows: OddsRow[];
  drawn?: string | undefined;
  sheet: { feature: FeatureType; hash: string };
}

/** Every way a game can end, with its odds: nobody plays without knowing them. */
export function OddsTable({ rows, drawn, sheet }: OddsTableProps) {
  const { t, percent, reward } = useText();
  return (
    <section className="odds" aria-labelledby="odds">
      <h2 id="odds">{t.odds}</h2>
      <ul>
        {rows.map((row) => (
          <li key={row.id} data-drawn={row.id === drawn} data-gone={row.isGone}>
            <span>{row.label}</span>
            <span className="what">
              {row.label !== reward(row.reward) && reward(row.reward)}
              {row.note && <small>{row.note}</small>}
            </span>
            <b>{percent(row.percent)}</b>
            <progress max={100} value={row.percent} aria-label={t.oddsOf(row.label)} />
          </li>
        ))}
      </ul>
      <Sheet {...sheet} />
    </section>
  );
}
