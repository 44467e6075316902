import { DailyLimitFields, FailureFields, graphql } from "../graphql";
import { useText } from "../language";
import { PlayButton, Result, useGame } from "../parts/game";
import { OddsTable } from "../parts/odds";
import { Outcome, OutcomeFields } from "../parts/outcome";
import { Answered } from "../parts/problem";

const DiceFields = graphql(
  `
    fragment Dice on DiceStatus {
      dailyLimit {
        ...DailyLimit
      }
      config {
        revision
        hash
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
  `,
  [DailyLimitFields],
);

const DiceStatusQuery = graphql(
  `
    query DiceStatus {
      answer: diceStatus {
        ...Dice
        ...Failure
      }
    }
  `,
  [DiceFields, FailureFields],
);

const PlayDiceMutation = graphql(
  `
    mutation PlayDice($input: PlayInput!) {
      answer: playDice(input: $input) {
        ... on DicePlay {
          id
          ...Outcome
          status {
            ...Dice
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
  [OutcomeFields, DiceFields, FailureFields],
);

export function Dice() {
  const { t } = useText();
  const game = useGame({ status: DiceStatusQuery, play: PlayDiceMutation, suspense: 900 });
  const { play, isPlaying } = game;
  return (
    <section className="card game" aria-label={t.features.DICE}>
      <Answered heard={game.status}>
        {({ config, odds }) => (
          <>
            <div className="table" data-rolling={isPlaying} data-outcome={play?.outcome}>
              <Hand name={t.dice.you} dice={play?.userDice} sum={play?.userSum} hidden={isPlaying} />
              <span className="versus">vs</span>
              <Hand name={t.dice.dealer} dice={play?.dealerDice} sum={play?.dealerSum} hidden={isPlaying} />
            </div>
            <Result>
              {play && !isPlaying ? (
                <Outcome key={play.id} title={t.dice.outcomes[play.outcome]} play={play} />
              ) : (
                <p className="hint">{isPlaying ? t.dice.rolling : t.dice.invitation}</p>
              )}
            </Result>
            <PlayButton game={game} label={t.dice.play} />
            <OddsTable
              sheet={{ feature: "DICE", hash: config.hash }}
              drawn={isPlaying ? undefined : play?.outcome}
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
  const { t } = useText();
  return (
    <div className="hand" role="group" aria-label={name}>
      <span>{name}</span>
      <div>
        {(dice ?? [null, null]).map((face, index) => (
          <Die key={index} name={t.dice.die(name, index + 1)} face={hidden ? null : face} />
        ))}
      </div>
      <b>{t.dice.sum(hidden || sum === undefined ? "?" : String(sum))}</b>
    </div>
  );
}

/** Which of nine places have a pip, by face. */
const PIPS = ["", "4", "08", "048", "0268", "02468", "023568"];

function Die({ name, face }: { name: string; face: number | null }) {
  const { t } = useText();
  return (
    <span className="die" role="img" aria-label={`${name}: ${face ?? t.dice.unknown}`}>
      {face === null ? "?" : Array.from({ length: 9 }, (_, place) => <i key={place} data-on={PIPS[face]?.includes(`${place}`)} />)}
    </span>
  );
}
