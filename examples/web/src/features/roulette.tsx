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
import { Wheel } from "../parts/wheel";
import { useRefresh } from "../shared";

const RouletteStatusQuery = graphql(
  `
    query RouletteStatus {
      answer: rouletteStatus {
        ... on RouletteStatus {
          dailyLimit {
            ...DailyLimit
          }
          config {
            segments {
              id
              slot
              label
              isJackpot
              odds {
                percent
              }
              reward {
                type
                amount
              }
            }
          }
        }
        ...Failure
      }
    }
  `,
  [DailyLimitFields, FailureFields],
);

const SpinRouletteMutation = graphql(
  `
    mutation SpinRoulette($input: PlayInput!) {
      answer: spinRoulette(input: $input) {
        ... on RouletteSpin {
          id
          ...Outcome
          dailyLimit {
            ...DailyLimit
          }
          segment {
            id
            slot
            label
            isJackpot
          }
        }
        ...Failure
      }
    }
  `,
  [OutcomeFields, DailyLimitFields, FailureFields],
);

type RouletteSpin = Success<ResultOf<typeof SpinRouletteMutation>["answer"]>;

export function Roulette() {
  const { t } = useText();
  const [status] = useQuery({ query: RouletteStatusQuery });
  const { send, busy, fault } = useCommand(SpinRouletteMutation);
  const [spin, setSpin] = useState<RouletteSpin | null>(null);
  const [spinning, setSpinning] = useState(false);
  const [turns, setTurns] = useState(0);
  const refresh = useRefresh();

  async function play() {
    const spun = await send({});
    if (!spun) return;
    setSpin(spun);
    setSpinning(true);
    setTurns(turns + 1); // the server has drawn already; the wheel only shows it
    await motion(3200);
    setSpinning(false);
    refresh();
  }

  const title = spin && (spin.segment.isJackpot ? t.roulette.jackpot : spin.segment.label);
  return (
    <section className="card game">
      <Answered result={status}>
        {({ dailyLimit, config }) => (
          <>
            <Wheel segments={config.segments} stopAt={spin?.segment.slot ?? 0} turns={turns} />
            {spin && !spinning && title ? (
              <Outcome key={spin.id} title={title} play={spin} />
            ) : (
              spinning && <p className="hint">{t.roulette.spinning}</p>
            )}
            {fault && <Problem fault={fault} />}
            <button className="play" disabled={busy || spinning || isUsedUp(dailyLimit)} onClick={() => void play()}>
              {t.roulette.play}
            </button>
            <DailyLimit limit={dailyLimit} />
            <OddsTable
              drawn={spinning ? undefined : spin?.segment.id}
              rows={config.segments.map(({ id, label, odds, reward }) => ({ id, label, percent: odds.percent, reward }))}
            />
          </>
        )}
      </Answered>
    </section>
  );
}
