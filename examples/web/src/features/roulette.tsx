import { DailyLimitFields, FailureFields, graphql } from "../graphql";
import { useText } from "../language";
import { PlayButton, Result, useGame } from "../parts/game";
import { OddsTable } from "../parts/odds";
import { Outcome, OutcomeFields } from "../parts/outcome";
import { Answered } from "../parts/problem";
import { Wheel } from "../parts/wheel";

const RouletteFields = graphql(
  `
    fragment Roulette on RouletteStatus {
      dailyLimit {
        ...DailyLimit
      }
      config {
        revision
        hash
        segments {
          id
          slot
          ko: label(language: KO)
          en: label(language: EN)
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
  `,
  [DailyLimitFields],
);

const RouletteStatusQuery = graphql(
  `
    query RouletteStatus {
      answer: rouletteStatus {
        ...Roulette
        ...Failure
      }
    }
  `,
  [RouletteFields, FailureFields],
);

const SpinRouletteMutation = graphql(
  `
    mutation SpinRoulette($input: PlayInput!) {
      answer: spinRoulette(input: $input) {
        ... on RouletteSpin {
          id
          ...Outcome
          status {
            ...Roulette
          }
          segment {
            id
            slot
            ko: label(language: KO)
            en: label(language: EN)
            isJackpot
          }
        }
        ...Failure
      }
    }
  `,
  [OutcomeFields, RouletteFields, FailureFields],
);

export function Roulette() {
  const { t, named } = useText();
  // The server has drawn already; the wheel only shows it.
  const game = useGame({ status: RouletteStatusQuery, play: SpinRouletteMutation, reveal: 3200 });
  const { play, isPlaying } = game;
  const title = play && (play.segment.isJackpot ? t.roulette.jackpot : named(play.segment));
  return (
    <section className="card game" aria-label={t.features.ROULETTE}>
      <Answered heard={game.status}>
        {({ config }) => (
          <>
            <Wheel segments={config.segments} drawn={play} />
            <Result>
              {play && !isPlaying && title ? (
                <Outcome key={play.id} title={title} play={play} />
              ) : (
                <p className="hint">{isPlaying ? t.roulette.spinning : t.roulette.invitation}</p>
              )}
            </Result>
            <PlayButton game={game} label={t.roulette.play} />
            <OddsTable
              sheet={{ feature: "ROULETTE", hash: config.hash }}
              drawn={isPlaying ? undefined : play?.segment.id}
              rows={config.segments.map((segment) => ({
                id: segment.id,
                label: named(segment),
                percent: segment.odds.percent,
                reward: segment.reward,
              }))}
            />
          </>
        )}
      </Answered>
    </section>
  );
}
