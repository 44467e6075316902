import { useState } from "react";
import { useQuery } from "urql";
import type { ResultOf } from "gql.tada";
import { useCommand } from "../command";
import { FailureFields, graphql, type Success } from "../graphql";
import { useText } from "../language";
import { Answered, Problem } from "../parts/problem";
import { SeasonPassQuery, useRefresh } from "../shared";

const StampMutation = graphql(
  `
    mutation Stamp($input: StampInput!) {
      answer: stamp(input: $input) {
        ... on StampReceipt {
          xpAdded
          currentLevel
          leveledUp
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
        ... on LevelReward {
          level
          reward {
            type
            amount
          }
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

type Status = Success<ResultOf<typeof SeasonPassQuery>["answer"]>;

export function SeasonPass() {
  const { t, day } = useText();
  const [status] = useQuery({ query: SeasonPassQuery });
  return (
    <section className="card season" aria-labelledby="season">
      <h2 id="season">{t.season.title}</h2>
      <Answered result={status}>
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
  const from = levels.find(({ level }) => level === currentLevel)?.requiredXp ?? 0;
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
      <progress max={(nextLevelXp ?? currentXp) - from || 1} value={nextLevelXp === null ? 1 : currentXp - from} />
      <small>{nextLevelXp === null ? t.season.atTop : t.season.toNext(number(nextLevelXp - currentXp))}</small>
    </div>
  );
}

function Stamp({ stamped }: { stamped: boolean }) {
  const { t, number } = useText();
  const { send, busy, fault } = useCommand(StampMutation);
  const [receipt, setReceipt] = useState<Success<ResultOf<typeof StampMutation>["answer"]> | null>(null);
  const refresh = useRefresh();
  async function stamp() {
    setReceipt(await send({}));
    refresh();
  }
  if (stamped) {
    return (
      <p className="stamped" role="status">
        {receipt ? t.stampAdded(number(receipt.xpAdded)) : t.season.stamped}
        {receipt?.leveledUp && ` · ${t.levelUp(receipt.currentLevel)}`}
      </p>
    );
  }
  return (
    <>
      {fault && <Problem fault={fault} />}
      <button className="stamp" disabled={busy} onClick={() => void stamp()}>
        {t.season.stamp}
      </button>
    </>
  );
}

function Levels({ levels }: Pick<Status, "levels">) {
  const { t, reward } = useText();
  const { send, busy, fault } = useCommand(ClaimRewardMutation);
  const refresh = useRefresh();
  const [claimed, setClaimed] = useState<Success<ResultOf<typeof ClaimRewardMutation>["answer"]> | null>(null);
  async function claim(level: number) {
    setClaimed(await send({ level }));
    refresh();
  }
  return (
    <>
      {fault && <Problem fault={fault} />}
      {claimed && (
        <p className="claimed" role="status">
          {t.season.level} {claimed.level} · {t.won(reward(claimed.reward))}
        </p>
      )}
      <ol className="levels">
        {levels.map((each) => (
          <li key={each.level} data-state={each.state}>
            <b>{each.level}</b>
            <span>{reward(each.reward)}</span>
            {each.state === "CLAIMABLE" && !each.autoClaim ? (
              <button disabled={busy} onClick={() => void claim(each.level)}>
                {t.season.claim}
              </button>
            ) : (
              <small>{each.state === "LOCKED" && each.autoClaim ? t.season.auto : t.season.states[each.state]}</small>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
