import { useClient } from "urql";
import { FailureFields, graphql } from "./graphql";

/** Balances and the latest ledger lines. */
export const WalletQuery = graphql(`
  query Wallet {
    answer: me {
      balances {
        type
        amount
      }
      rewards(first: 6) {
        nodes {
          id
          type
          amount
          cause
          couponCode
          createdAt
        }
      }
    }
  }
`);

export const SeasonPassQuery = graphql(
  `
    query SeasonPass {
      answer: seasonPassStatus {
        ... on SeasonPassStatus {
          season {
            name
            startDate
            endDate
            maxLevel
          }
          progress {
            currentLevel
            currentXp
            totalStamps
            nextLevelXp
          }
          levels {
            level
            requiredXp
            autoClaim
            state
            reward {
              type
              amount
            }
          }
          today {
            stamped
          }
        }
        ...Failure
      }
    }
  `,
  [FailureFields],
);

/**
 * Asks again for what a command may have changed elsewhere on the page. urql's cache would do so by itself as soon as
 * the answer is there (`additionalTypenames`); we call this when the animation is over, so that it gives nothing away.
 */
export function useRefresh(): () => void {
  const client = useClient();
  return () => {
    void client.query(WalletQuery, {}, { requestPolicy: "network-only" }).toPromise();
    void client.query(SeasonPassQuery, {}, { requestPolicy: "network-only" }).toPromise();
  };
}
