import { useState } from "react";
import { useQuery } from "urql";
import type { ResultOf } from "gql.tada";
import { useCommand } from "../command";
import { FailureFields, graphql, type Success } from "../graphql";
import { useText } from "../language";
import { DailyLimit, DailyLimitFields, isUsedUp } from "../parts/daily-limit";
import { motion } from "../parts/motion";
import { OddsTable } from "../parts/odds";
import { Outcome, OutcomeFields } from "../parts/outcome";
import { Answered, Problem } from "../parts/problem";
import { useRefresh } from "../shared";

const DiceStatusQuery = graphql(
  `
    query DiceStatus {
      answer: diceStatus {
        ... on DiceStatus {
          dailyLimit {
            ...DailyLimit
          }
          odds {
            outcome
            odds {
              percent
            }
            reward {
              type
              amount
            }
          }
        }
        ...Failure
      }
    }
  `,
  [DailyLimitFields, FailureFields],
);

const PlayDiceMutation = graphql(
  `
    mutation PlayDice($input: PlayInput!) {
      answer: playDice(input: $input) {
        ... on DicePlay {
          id
          ...Outcome
          dailyLimit {
            ...DailyLimit
          }
          outcome
          userDice
          userSum
          dealerDice
          dealerSum
        }
        ...Failure
      }
    }
  `,
  [OutcomeFields, DailyLimitFields, FailureFields],
);

type DicePlay = Success<ResultOf<typeof PlayDiceMutation>["answer"]>;

export function Dice() {
  const { t } = useText();
  const [status] = useQuery({ query: DiceStatusQuery });
  const { send, busy, fault } = useCommand(PlayDiceMutation);
  const [play, setPlay] = useState<DicePlay | null>(null);
  const [rolling, setRolling] = useState(false);
  const refresh = useRefresh();

  async function roll() {
    setRolling(true);
    const [played] = await Promise.all([send({}), motion(900)]);
    setRolling(false);
    if (played) setPlay(played);
    refresh();
  }

  return (
    <section className="card game">
      <Answered result={status}>
        {({ dailyLimit, odds }) => (
          <>
            <div className="table" data-rolling={rolling} data-outcome={play?.outcome}>
              <Hand name={t.dice.you} dice={play?.userDice} sum={play?.userSum} hidden={rolling} />
              <span className="versus">vs</span>
              <Hand name={t.dice.dealer} dice={play?.dealerDice} sum={play?.dealerSum} hidden={rolling} />
            </div>
            {play && !rolling ? (
              <Outcome key={play.id} title={t.dice.outcomes[play.outcome]} play={play} />
            ) : (
              <p className="hint">{rolling ? t.dice.rolling : t.dice.invitation}</p>
            )}
            {fault && <Problem fault={fault} />}
            <button className="play" disabled={busy || rolling || isUsedUp(dailyLimit)} onClick={() => void roll()}>
              {t.dice.play}
            </button>
            <DailyLimit limit={dailyLimit} />
            <OddsTable
              drawn={rolling ? undefined : play?.outcome}
              rows={odds.map(({ outcome, odds, reward }) => ({
                id: outcome,
                label: t.dice.odds[outcome],
                percent: odds.percent,
                reward,
              }))}
            />
          </>
        )}
      </Answered>
    </section>
  );
}

interface HandProps {
  name: string;
  dice: number[] | undefined;
  sum: number | undefined;
  hidden: boolean;
}

function Hand({ name, dice, sum, hidden }: HandProps) {
  return (
    <div className="hand">
      <span>{name}</span>
      <div>
        {(dice ?? [null, null]).map((face, index) => (
          <Die key={index} face={hidden ? null : face} />
        ))}
      </div>
      <b>{hidden ? "?" : (sum ?? "?")}</b>
    </div>
  );
}

/** Which of nine places have a pip, by face. */
const PIPS = ["", "4", "08", "048", "0268", "02468", "023568"];

function Die({ face }: { face: number | null }) {
  return (
    <span className="die" role="img" aria-label={face === null ? "?" : String(face)}>
      {face === null ? "?" : Array.from({ length: 9 }, (_, place) => <i key={place} data-on={PIPS[face]?.includes(`${place}`)} />)}
    </span>
  );
}
