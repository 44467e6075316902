import { useEffect, useState } from "react";
import type { ResultOf } from "gql.tada";
import { useAnswer } from "../answer";
import { FailureFields, graphql, isFailure, type Success } from "../graphql";
import { useText } from "../language";
import { Place, Press } from "../parts/press";
import { Answered } from "../parts/problem";
import { useTold } from "../subscription";

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

const RankingChanges = graphql(
  `
    subscription RankingChanges($date: Date!) {
      answer: rankingPublished(date: $date) {
        ... on RankingSnapshot {
          revision
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

type Snapshot = Success<ResultOf<typeof RankingQuery>["answer"]>;

const LOOK_BACK_DAYS = 7;
const FIRST = 10;
const MORE = 30;
const MOST = 100; // of one page
const NO_REVISION = 0; // while there is no ranking, or none any more

/** The ranking of a day; on other days than a ranking's own, the last one that there was. */
export function Ranking({ today, isOn }: { today: string; isOn: boolean }) {
  const { t, day } = useText();
  const newest = isOn ? today : plusDays(today, -1);
  const [date, setDate] = useState(newest);
  const [lookingBack, setLookingBack] = useState(isOn ? 0 : LOOK_BACK_DAYS);

  function goTo(other: string) {
    setLookingBack(0);
    setDate(other);
  }
  function lookBack() {
    if (lookingBack === 0) return;
    setLookingBack(lookingBack - 1);
    setDate(plusDays(date, -1));
  }
  const Day = isOn && date === today ? TodaysRanking : RankingOfDay;
  return (
    <section className="card ranking" aria-labelledby="ranking">
      <h2 id="ranking">{t.ranking.title}</h2>
      <nav aria-labelledby="ranking">
        <Press isOff={false} aria-label={t.ranking.earlier} onPress={() => goTo(plusDays(date, -1))}>
          ‹
        </Press>
        <time dateTime={date} aria-live="polite">
          {day(date)}
        </time>
        <Press isOff={date >= newest} aria-label={t.ranking.later} onPress={() => goTo(plusDays(date, 1))}>
          ›
        </Press>
      </nav>
      <Day key={date} date={date} onMissing={lookBack} />
    </section>
  );
}

interface DayProps {
  date: string;
  revision?: number | undefined;
  onMissing: () => void;
}

/** Of the rankings today's alone is published while somebody looks on. */
function TodaysRanking(props: DayProps) {
  const told = useTold(RankingChanges, { date: props.date });
  return <RankingOfDay {...props} revision={told && ("revision" in told ? told.revision : NO_REVISION)} />;
}

function RankingOfDay({ date, revision, onMissing }: DayProps) {
  const [first, setFirst] = useState(FIRST);
  const heard = useAnswer(RankingQuery, { date, first });
  const { answer, again } = heard;
  useEffect(() => {
    if (answer && isFailure(answer)) onMissing();
  }, [answer]);
  useEffect(() => {
    if (revision !== undefined) again();
  }, [revision]);
  return <Answered heard={heard}>{(snapshot) => <Entries snapshot={snapshot} onMore={() => setFirst(first + MORE)} />}</Answered>;
}

function Entries({ snapshot, onMore }: { snapshot: Snapshot; onMore: () => void }) {
  const { t, number } = useText();
  const { nodes } = snapshot.entries;
  const { me } = snapshot;
  const rows = me && !nodes.some(({ isMe }) => isMe) ? [...nodes, { ...me, isMe: true }] : nodes;
  return (
    <Place>
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
      {rows.length < snapshot.totalEntries && nodes.length < MOST && (
        <button type="button" className="quiet" onClick={onMore}>
          {t.ranking.more}
        </button>
      )}
    </Place>
  );
}

function plusDays(date: string, days: number): string {
  const moved = new Date(`${date}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}
