import type { ResultOf } from "gql.tada";
import { graphql } from "../graphql";
import { isNothing, useText } from "../language";

export const OutcomeFields = graphql(`
  fragment Outcome on GamePlay {
    replayed
    reward {
      type
      amount
      couponCode
    }
    seasonPass {
      addedStamp
      xpAdded
      currentLevel
      leveledUp
    }
  }
`);

/** What every play tells, whatever the game: its reward, and what it did for the season pass. */
export function Outcome({ title, play }: { title?: string; play: ResultOf<typeof OutcomeFields> }) {
  const { t, number, reward } = useText();
  const nothing = isNothing(play.reward);
  const stamp = play.seasonPass;
  return (
    <div className="outcome" data-nothing={nothing}>
      {title && <strong>{title}</strong>}
      <p>{nothing ? t.nothingWon : t.won(reward(play.reward))}</p>
      {play.reward.type === "COUPON" && (
        <p className="note">
          {play.reward.couponCode ? (
            <>
              {t.couponCode} <code>{play.reward.couponCode}</code>
            </>
          ) : (
            t.couponWaiting
          )}
        </p>
      )}
      {stamp && stamp.addedStamp > 0 && (
        <p className="note">
          {t.stampAdded(number(stamp.xpAdded))}
          {stamp.leveledUp && ` · ${t.levelUp(stamp.currentLevel)}`}
        </p>
      )}
      {play.replayed && <p className="note">{t.replayed}</p>}
    </div>
  );
}
