import { useEffect, useRef, type ReactNode } from "react";
import { useAnswer, useLast } from "../answer";
import { ServerClock, useTimeUntil } from "../clock";
import { FailureFields, graphql, isFailure, type Failure, type FeatureType } from "../graphql";
import { useText, type Named } from "../language";
import { Answered, Problem } from "../parts/problem";
import { useTold } from "../subscription";
import { Dice } from "./dice";
import { Lottery } from "./lottery";
import { Ranking } from "./ranking";
import { Roulette } from "./roulette";
import { SeasonPass } from "./season-pass";
import { Wallet } from "./wallet";

const TodayFields = graphql(`
  fragment Today on TodayFeature {
    date
    featureType
    ko: title(language: KO)
    en: title(language: EN)
    serverTime
    endsAt
  }
`);

const TodayQuery = graphql(
  `
    query Today {
      answer: todayFeature {
        ...Today
        ...Failure
      }
    }
  `,
  [TodayFields, FailureFields],
);

const TodayChanges = graphql(
  `
    subscription TodayChanges {
      answer: todayFeatureChanged {
        ...Today
        ...Failure
      }
    }
  `,
  [TodayFields, FailureFields],
);

const GAMES = { DICE: Dice, ROULETTE: Roulette, LOTTERY: Lottery } as const;

/** Today's feature comes first; around it is what goes on every day, also on one on which nothing is on. */
export function Today({ onChanged }: { onChanged: () => void }) {
  const asked = useAnswer(TodayQuery, {});
  const answer = useLast(asked.answer, useTold(TodayChanges, {}));
  useChange(answer && whatIsOn(answer), onChanged);
  return (
    <Answered heard={{ ...asked, answer }} refused={(failure) => <QuietDay failure={failure} onPassed={onChanged} />}>
      {({ date, featureType, ko, en, serverTime, endsAt }) => {
        const Game = featureType in GAMES ? GAMES[featureType as keyof typeof GAMES] : null;
        const ranking = <Ranking today={date} isOn={featureType === "RANKING"} />;
        return (
          <ServerClock serverTime={serverTime}>
            <Hero feature={featureType} date={date} title={{ ko, en }} endsAt={endsAt} onPassed={onChanged} />
            <Columns
              main={
                <>
                  {Game && <Game />}
                  {featureType !== "RANKING" && <SeasonPass />}
                  {!Game && ranking}
                </>
              }
              side={
                <>
                  <Wallet />
                  {featureType === "RANKING" && <SeasonPass />}
                  {Game && ranking}
                </>
              }
            />
          </ServerClock>
        );
      }}
    </Answered>
  );
}

/** Calls back when the value becomes another one than it was at first. */
function useChange(value: string | undefined, onChanged: () => void): void {
  const first = useRef<string>(undefined);
  useEffect(() => {
    first.current ??= value;
    if (value !== first.current) onChanged();
  }, [value]);
}

function whatIsOn(answer: { date: string; featureType: FeatureType } | Failure): string {
  return isFailure(answer) ? answer.code : `${answer.date} ${answer.featureType}`;
}

/** A day on which nothing is on; where that is meant so, it tells when to look again. */
function QuietDay({ failure, onPassed }: { failure: Failure; onPassed: () => void }) {
  const { t } = useText();
  const { endsAt, serverTime } = failure;
  useColours(null);
  return (
    <>
      <section className="hero">
        <div>
          <p>{t.today}</p>
          <h1>{t.quietDay}</h1>
          <Problem fault={failure} />
        </div>
        {endsAt && serverTime && (
          <ServerClock serverTime={serverTime}>
            <Countdown endsAt={endsAt} onPassed={onPassed} />
          </ServerClock>
        )}
      </section>
      <Columns main={<SeasonPass />} side={<Wallet />} />
    </>
  );
}

function Countdown({ endsAt, onPassed }: { endsAt: string; onPassed: () => void }) {
  const { t } = useText();
  const time = useTimeUntil(endsAt, onPassed);
  return (
    <p className="countdown">
      {t.nextDay} <time>{time}</time>
    </p>
  );
}

function Columns({ main, side }: { main: ReactNode; side: ReactNode }) {
  return (
    <div className="columns">
      <div>{main}</div>
      <div>{side}</div>
    </div>
  );
}

function useColours(feature: FeatureType | null): void {
  useEffect(() => {
    document.documentElement.dataset["feature"] = feature ?? "";
  }, [feature]);
}

interface HeroProps {
  feature: FeatureType;
  date: string;
  title: Named;
  endsAt: string;
  onPassed: () => void;
}

function Hero({ feature, date, title, endsAt, onPassed }: HeroProps) {
  const { t, day, named } = useText();
  useColours(feature);
  return (
    <section className="hero">
      <div>
        <p>
          {t.today} · {t.features[feature]}
        </p>
        <h1>{named(title)}</h1>
        <p>{day(date)}</p>
      </div>
      <Countdown endsAt={endsAt} onPassed={onPassed} />
    </section>
  );
}
