import { useAnswer } from "../answer";
import { graphql, type FeatureType } from "../graphql";
import { useText } from "../language";

const SheetsQuery = graphql(`
  query Sheets($feature: FeatureType!, $from: Date!, $to: Date!) {
    answer: oddsSheets(featureType: $feature, from: $from, to: $to) {
      nodes {
        id
        hash
        effectiveFrom
        emergencyReason
      }
    }
  }
`);

const DAYS_AHEAD = 14;

/** A date some days from this device's, whichever zone either is in: generous by a day. */
function day(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}

/** Where the odds stand for everybody to read, and when they will be others. */
export function Sheet({ feature, hash }: { feature: FeatureType; hash: string }) {
  const { t, moment } = useText();
  const { answer } = useAnswer(SheetsQuery, { feature, from: day(-1), to: day(DAYS_AHEAD) });
  const sheets = answer?.nodes ?? [];
  const ahead = sheets.filter(({ effectiveFrom }) => Date.parse(effectiveFrom) > Date.now()).reverse();
  const reason = sheets.find((sheet) => sheet.hash === hash)?.emergencyReason;
  return (
    <div className="sheet">
      <a href={`/odds/${hash}`}>{t.sheet.link}</a>
      {reason && <p className="note">{t.sheet.reason(reason)}</p>}
      {ahead.map((sheet) => (
        <p className="note" key={sheet.id}>
          <a href={`/odds/${sheet.hash}`}>{t.sheet.ahead(moment(sheet.effectiveFrom))}</a>
        </p>
      ))}
    </div>
  );
}
