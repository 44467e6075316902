import { DailyLimitFields, FailureFields, graphql } from "../graphql";
import { useText } from "../language";
import { PlayButton, Result, useGame } from "../parts/game";
import { OddsTable } from "../parts/odds";
import { Outcome, OutcomeFields } from "../parts/outcome";
import { Answered } from "../parts/problem";
import { useTold } from "../subscription";

const LotteryFields = graphql(
  `
    fragment Lottery on LotteryStatus {
      dailyLimit {
        ...DailyLimit
      }
      config {
        revision
        hash
        prizes {
          id
          ko: label(language: KO)
          en: label(language: EN)
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
  `,
  [DailyLimitFields],
);

const LotteryStatusQuery = graphql(
  `
    query LotteryStatus {
      answer: lotteryStatus {
        ...Lottery
        ...Failure
      }
    }
  `,
  [LotteryFields, FailureFields],
);

const LotteryChanges = graphql(
  `
    subscription LotteryChanges {
      answer: lotteryStockChanged {
        ...Lottery
        ...Failure
      }
    }
  `,
  [LotteryFields, FailureFields],
);

const DrawLotteryMutation = graphql(
  `
    mutation DrawLottery($input: PlayInput!) {
      answer: drawLottery(input: $input) {
        ... on LotteryDraw {
          id
          ...Outcome
          status {
            ...Lottery
          }
          prize {
            prizeId
            ko: label(language: KO)
            en: label(language: EN)
          }
        }
        ...Failure
      }
    }
  `,
  [OutcomeFields, LotteryFields, FailureFields],
);

export function Lottery() {
  const { t, number, named } = useText();
  const told = useTold(LotteryChanges, {});
  const game = useGame({ status: LotteryStatusQuery, play: DrawLotteryMutation, told, suspense: 900 });
  const { play, isPlaying } = game;

  function stockNote(stock: number | null): string {
    if (stock === null) return t.lottery.endless;
    return stock === 0 ? t.lottery.soldOut : t.lottery.stock(number(stock));
  }

  return (
    <section className="card game" aria-label={t.features.LOTTERY}>
      <Answered heard={game.status}>
        {({ config }) => {
          const isSoldOut = config.prizes.every(({ odds }) => odds.percent === 0);
          return (
            <>
              <div className="ticket" data-drawing={isPlaying} data-open={Boolean(play) && !isPlaying}>
                <small>HARU LOTTERY</small>
                <strong>{isPlaying || !play ? "?" : named(play.prize)}</strong>
              </div>
              <Result>
                {play && !isPlaying ? (
                  <Outcome key={play.id} play={play} />
                ) : (
                  <p className="hint">{isPlaying ? t.lottery.drawing : isSoldOut ? t.errors.OUT_OF_STOCK : t.lottery.invitation}</p>
                )}
              </Result>
              <PlayButton game={game} label={isSoldOut ? t.lottery.soldOut : t.lottery.play} isSoldOut={isSoldOut} />
              <OddsTable
                sheet={{ feature: "LOTTERY", hash: config.hash }}
                drawn={isPlaying ? undefined : play?.prize.prizeId}
                rows={config.prizes
                  .filter(({ isActive }) => isActive)
                  .map((prize) => ({
                    id: prize.id,
                    label: named(prize),
                    percent: prize.odds.percent,
                    reward: prize.reward,
                    note: stockNote(prize.stock),
                    isGone: prize.stock === 0,
                  }))}
              />
            </>
          );
        }}
      </Answered>
    </section>
  );
}
