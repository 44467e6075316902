import { useEffect, useState } from "react";
import { useQuery } from "urql";
import type { ResultOf } from "gql.tada";
import { FailureFields, graphql, isFailure, type Success } from "../graphql";
import { useText } from "../language";
import { Answered } from "../parts/problem";

const RankingQuery = graphql(
  `
    query Ranking($date: Date!, $first: Int!) {
      answer: rankingSnapshot(date: $date) {
        ... on RankingSnapshot {
          totalEntries
          entries(first: $first) {
            nodes {
              rank
              displayName
              score
              isMe
            }
          }
          me {
            rank
            displayName
            score
          }
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

type Snapshot = Success<ResultOf<typeof RankingQuery>["answer"]>;

const LOOK_BACK_DAYS = 7;

/** The ranking of a day; on other days than a ranking's own, the last one that there was. */
export function Ranking({ today, isOn }: { today: string; isOn: boolean }) {
  const { t, day } = useText();
  const newest = isOn ? today : plusDays(today, -1);
  const [date, setDate] = useState(newest);
  const [lookingBack, setLookingBack] = useState(isOn ? 0 : LOOK_BACK_DAYS);
  const [first, setFirst] = useState(10);
  const [result] = useQuery({ query: RankingQuery, variables: { date, first } });

  const answer = result.data?.answer;
  useEffect(() => {
    if (lookingBack === 0 || result.stale || !answer || !isFailure(answer)) return;
    setLookingBack(lookingBack - 1);
    setDate(plusDays(date, -1));
  }, [answer]);

  function goTo(other: string) {
    setLookingBack(0);
    setFirst(10);
    setDate(other);
  }
  return (
    <section className="card ranking" aria-labelledby="ranking">
      <h2 id="ranking">{t.ranking.title}</h2>
      <nav>
        <button aria-label={t.ranking.earlier} onClick={() => goTo(plusDays(date, -1))}>
          ‹
        </button>
        <time dateTime={date}>{day(date)}</time>
        <button aria-label={t.ranking.later} disabled={date >= newest} onClick={() => goTo(plusDays(date, 1))}>
          ›
        </button>
      </nav>
      <Answered result={result}>{(snapshot) => <Entries snapshot={snapshot} onMore={() => setFirst(first + 30)} />}</Answered>
    </section>
  );
}

function Entries({ snapshot, onMore }: { snapshot: Snapshot; onMore: () => void }) {
  const { t, number } = useText();
  const { nodes } = snapshot.entries;
  const { me } = snapshot;
  const rows = me && !nodes.some(({ isMe }) => isMe) ? [...nodes, { ...me, isMe: true }] : nodes;
  return (
    <>
      <ol>
        {rows.map(({ rank, displayName, score, isMe }) => (
          <li key={rank} data-me={isMe} data-top={rank <= 3 ? rank : undefined}>
            <b>{rank}</b>
            <span>
              {displayName} {isMe && <mark>{t.ranking.me}</mark>}
            </span>
            <data value={score}>{number(score)}</data>
          </li>
        ))}
      </ol>
      <p className="note">
        {t.ranking.players(number(snapshot.totalEntries))}
        {!me && ` · ${t.ranking.unranked}`}
      </p>
      {rows.length < snapshot.totalEntries && nodes.length < 100 && (
        <button className="quiet" onClick={onMore}>
          {t.ranking.more}
        </button>
      )}
    </>
  );
}

function plusDays(date: string, days: number): string {
  const moved = new Date(`${date}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}
