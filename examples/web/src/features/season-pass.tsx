import { useState } from "react";
import type { ResultOf } from "gql.tada";
import { useAnswer } from "../answer";
import { useCommand } from "../command";
import { FailureFields, graphql, type Success } from "../graphql";
import { useText } from "../language";
import { Place, Press } from "../parts/press";
import { Answered, Problem } from "../parts/problem";
import { SeasonPassQuery, useRefresh } from "../refresh";

const StampMutation = graphql(
  `
    mutation Stamp($input: StampInput!) {
      answer: stamp(input: $input) {
        ... on StampPayload {
          receipt {
            xpAdded
            currentLevel
            leveledUp
          }
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

const ClaimRewardMutation = graphql(
  `
    mutation ClaimReward($input: ClaimRewardInput!) {
      answer: claimReward(input: $input) {
        ... on ClaimRewardPayload {
          levelReward {
            level
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
  [FailureFields],
);

type Stamped = Success<ResultOf<typeof StampMutation>["answer"]>;
type Claimed = Success<ResultOf<typeof ClaimRewardMutation>["answer"]>;
type Status = Success<ResultOf<typeof SeasonPassQuery>["answer"]>;

export function SeasonPass() {
  const { t, day } = useText();
  const heard = useAnswer(SeasonPassQuery, {});
  return (
    <section className="card season" aria-labelledby="season">
      <h2 id="season">{t.season.title}</h2>
      <Answered heard={heard}>
        {({ season, progress, levels, today }) => (
          <>
            <p className="note">
              {season.name} · {t.season.period(day(season.startDate), day(season.endDate))}
            </p>
            <Progress progress={progress} levels={levels} />
            <Stamp stamped={today.stamped} />
            <Levels levels={levels} />
          </>
        )}
      </Answered>
    </section>
  );
}

function Progress({ progress, levels }: Pick<Status, "progress" | "levels">) {
  const { t, number } = useText();
  const { currentLevel, currentXp, nextLevelXp, totalStamps } = progress;
  const reached = levels.find(({ level }) => level === currentLevel)?.requiredXp ?? 0;
  const isAtTop = nextLevelXp === null;
  const toNext = isAtTop ? t.season.atTop : t.season.toNext(number(Math.max(0, nextLevelXp - currentXp)));
  const [done, needed] = isAtTop ? [1, 1] : [currentXp - reached, nextLevelXp - reached];
  return (
    <div className="progress">
      <p>
        <strong>
          {t.season.level} {currentLevel}
        </strong>
        <span>
          {number(currentXp)} XP · {t.season.stamps(number(totalStamps))}
        </span>
      </p>
      <progress max={needed} value={Math.min(done, needed)} aria-label={toNext} />
      <small>{toNext}</small>
    </div>
  );
}

function Stamp({ stamped }: { stamped: boolean }) {
  const { t, number } = useText();
  const { send, busy, fault } = useCommand(StampMutation);
  const [receipt, setReceipt] = useState<Stamped["receipt"] | null>(null);
  const refresh = useRefresh();
  async function stamp() {
    setReceipt((await send({}))?.receipt ?? null);
    refresh();
  }
  return (
    <Place className="stamping">
      <p className="stamped" role="status">
        {stamped && (receipt ? t.stampAdded(number(receipt.xpAdded)) : t.season.stamped)}
        {stamped && receipt?.leveledUp && ` · ${t.levelUp(receipt.currentLevel)}`}
      </p>
      {!stamped && fault && <Problem fault={fault} />}
      {!stamped && (
        <Press className="stamp" isOff={busy} onPress={() => void stamp()}>
          {t.season.stamp}
        </Press>
      )}
    </Place>
  );
}

function Levels({ levels }: Pick<Status, "levels">) {
  const { t, reward } = useText();
  const { send, busy, fault } = useCommand(ClaimRewardMutation);
  const refresh = useRefresh();
  const [claimed, setClaimed] = useState<Claimed["levelReward"] | null>(null);
  async function claim(level: number) {
    setClaimed((await send({ level }))?.levelReward ?? null);
    refresh();
  }
  return (
    <>
      {fault && <Problem fault={fault} />}
      <p className="claimed" role="status">
        {claimed && `${t.season.level} ${claimed.level} · ${t.won(reward(claimed.reward))}`}
      </p>
      <ol className="levels">
        {levels.map((each) => (
          <li key={each.level} data-state={each.state}>
            <Place>
              <b>{each.level}</b>
              <span>{reward(each.reward)}</span>
              {each.state === "CLAIMABLE" && !each.autoClaim ? (
                <Press
                  isOff={busy}
                  aria-label={t.season.claimLevel(each.level, reward(each.reward))}
                  onPress={() => void claim(each.level)}
                >
                  {t.season.claim}
                </Press>
              ) : (
                <small>{each.state !== "CLAIMED" && each.autoClaim ? t.season.auto : t.season.states[each.state]}</small>
              )}
            </Place>
          </li>
        ))}
      </ol>
    </>
  );
}
