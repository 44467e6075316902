import { useState } from "react";
import { useAnswer } from "../answer";
import { graphql } from "../graphql";
import { useText } from "../language";
import { Answered } from "./problem";

const ProofsQuery = graphql(`
  query Proofs {
    answer: me {
      id
      plays(first: 10) {
        nodes {
          __typename
          id
          playedAt
          proof {
            commitment
            shuffle
            seed
            message
            drawnFrom
            rolls
            revisionHash
            root
            inclusion
            leafIndex
            leafCount
          }
        }
      }
    }
  }
`);

/** What the latest plays were drawn from, to be checked in this browser: the proof goes along behind the `#`, to nobody. */
export function Proofs() {
  const { t } = useText();
  const [isOpen, open] = useState(false);
  return (
    <details className="proofs" onToggle={({ currentTarget }) => open(currentTarget.open)}>
      <summary>{t.proofs.title}</summary>
      {isOpen && <Plays />}
    </details>
  );
}

function Plays() {
  const { t, moment } = useText();
  const heard = useAnswer(ProofsQuery, {});
  return (
    <Answered heard={heard}>
      {({ plays: { nodes } }) => (
        <ul>
          {nodes.length === 0 && <li>{t.wallet.empty}</li>}
          {nodes.map(({ __typename, id, playedAt, proof }) => (
            <li key={id}>
              <span>{t.proofs.games[__typename]}</span>
              {proof?.seed ? (
                <a href={`/verify#${encodeURIComponent(JSON.stringify(proof))}`} target="_blank" rel="noreferrer">
                  {t.proofs.check}
                </a>
              ) : (
                <span className="hint">{t.proofs.later}</span>
              )}
              <small>{moment(playedAt)}</small>
            </li>
          ))}
        </ul>
      )}
    </Answered>
  );
}
