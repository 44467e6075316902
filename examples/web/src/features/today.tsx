import { useEffect } from "react";
import { useQuery } from "urql";
import { ServerClock, useTimeUntil } from "../clock";
import { FailureFields, graphql, isFailure, type Failure, type FeatureType } from "../graphql";
import { useText } from "../language";
import { Answered } from "../parts/problem";
import { useTold } from "../subscription";
import { Dice } from "./dice";
import { Lottery } from "./lottery";
import { Ranking } from "./ranking";
import { Roulette } from "./roulette";
import { SeasonPass } from "./season-pass";
import { Wallet } from "./wallet";

export const TodayQuery = graphql(
  `
    query Today {
      answer: todayFeature {
        ... on TodayFeature {
          date
          featureType
          title
          serverTime
          endsAt
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

const TodayChanges = graphql(
  `
    subscription TodayChanges {
      answer: todayFeatureChanged {
        ... on TodayFeature {
          date
          featureType
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

const MAIN = { DICE: Dice, ROULETTE: Roulette, LOTTERY: Lottery } as const;

/** Today's feature comes first; around it is what goes on every day. */
export function Today({ onChanged }: { onChanged: () => void }) {
  const [result] = useQuery({ query: TodayQuery });
  const shown = result.data?.answer;
  const told = useTold(TodayChanges);
  const isAnother = shown && told && whatIsOn(shown) !== whatIsOn(told);
  useEffect(() => {
    if (isAnother) onChanged();
  }, [isAnother]);
  return (
    <Answered result={result}>
      {({ date, featureType, title, serverTime, endsAt }) => {
        const Game = featureType in MAIN ? MAIN[featureType as keyof typeof MAIN] : null;
        const ranking = <Ranking today={date} isOn={featureType === "RANKING"} />;
        return (
          <ServerClock serverTime={serverTime}>
            <Hero feature={featureType} date={date} title={title} endsAt={endsAt} onPassed={onChanged} />
            <div className="columns">
              <div>
                {Game && <Game />}
                {featureType !== "RANKING" && <SeasonPass />}
                {!Game && ranking}
              </div>
              <div>
                <Wallet />
                {featureType === "RANKING" && <SeasonPass />}
                {Game && ranking}
              </div>
            </div>
          </ServerClock>
        );
      }}
    </Answered>
  );
}

function whatIsOn(answer: { date: string; featureType: FeatureType } | Failure): string {
  return isFailure(answer) ? answer.code : `${answer.date} ${answer.featureType}`;
}

interface HeroProps {
  feature: FeatureType;
  date: string;
  title: string;
  endsAt: string;
  onPassed: () => void;
}

function Hero({ feature, date, title, endsAt, onPassed }: HeroProps) {
  const { t, day } = useText();
  const time = useTimeUntil(endsAt, onPassed);
  useEffect(() => {
    document.documentElement.dataset["feature"] = feature; // its colours
  }, [feature]);
  return (
    <section className="hero">
      <div>
        <p>
          {t.today} · {t.features[feature]}
        </p>
        <h1>{title}</h1>
        <p>{day(date)}</p>
      </div>
      <p className="countdown">
        {t.nextDay} <time role="timer">{time}</time>
      </p>
    </section>
  );
}
