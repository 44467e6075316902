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

const LotteryStatusQuery = graphql(
  `
    query LotteryStatus {
      answer: lotteryStatus {
        ... on LotteryStatus {
          dailyLimit {
            ...DailyLimit
          }
          config {
            prizes {
              id
              label
              stock
              isActive
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

const DrawLotteryMutation = graphql(
  `
    mutation DrawLottery($input: PlayInput!) {
      answer: drawLottery(input: $input) {
        ... on LotteryDraw {
          id
          ...Outcome
          dailyLimit {
            ...DailyLimit
          }
          prize {
            id
            label
            stock
          }
        }
        ...Failure
      }
    }
  `,
  [OutcomeFields, DailyLimitFields, FailureFields],
);

type LotteryDraw = Success<ResultOf<typeof DrawLotteryMutation>["answer"]>;

export function Lottery() {
  const { t, number } = useText();
  const [status] = useQuery({ query: LotteryStatusQuery });
  const { send, busy, fault } = useCommand(DrawLotteryMutation);
  const [draw, setDraw] = useState<LotteryDraw | null>(null);
  const [drawing, setDrawing] = useState(false);
  const refresh = useRefresh();

  async function play() {
    setDrawing(true);
    const [drawn] = await Promise.all([send({}), motion(900)]);
    setDrawing(false);
    if (drawn) setDraw(drawn);
    refresh();
  }

  function stockNote(stock: number | null): string {
    if (stock === null) return t.lottery.endless;
    return stock === 0 ? t.lottery.soldOut : t.lottery.stock(number(stock));
  }

  return (
    <section className="card game">
      <Answered result={status}>
        {({ dailyLimit, config }) => (
          <>
            <div className="ticket" data-drawing={drawing} data-open={Boolean(draw) && !drawing}>
              <small>HARU LOTTERY</small>
              <strong>{drawing || !draw ? "?" : draw.prize.label}</strong>
            </div>
            {draw && !drawing ? (
              <Outcome key={draw.id} play={draw} />
            ) : (
              <p className="hint">{drawing ? t.lottery.drawing : t.lottery.invitation}</p>
            )}
            {fault && <Problem fault={fault} />}
            <button className="play" disabled={busy || drawing || isUsedUp(dailyLimit)} onClick={() => void play()}>
              {t.lottery.play}
            </button>
            <DailyLimit limit={dailyLimit} />
            <OddsTable
              drawn={drawing ? undefined : draw?.prize.id}
              rows={config.prizes
                .filter(({ isActive }) => isActive)
                .map(({ id, label, stock, odds, reward }) => ({
                  id,
                  label,
                  percent: odds.percent,
                  reward,
                  note: stockNote(stock),
                  isGone: stock === 0,
                }))}
            />
          </>
        )}
      </Answered>
    </section>
  );
}
