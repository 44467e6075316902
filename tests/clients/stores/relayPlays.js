// What Relay's compiler alone knows: a list that is read page by page, and which member of a union came.
const graphql = String.raw;

export const plays = graphql`
  fragment relayPlays_plays on Player
  @refetchable(queryName: "relayPlaysPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    plays(first: $first, after: $after) @connection(key: "relayPlays_plays") {
      edges {
        node { id ... on LotteryDraw { prize { prizeId odds { percent } } } }
      }
    }
  }
`;
export const PlaysQuery = graphql`
  query relayPlaysQuery {
    me { id ...relayPlays_plays }
  }
`;
export const draw = graphql`
  fragment relayPlays_draw on LotteryDraw { id prize { label } }
`;
export const refusal = graphql`
  fragment relayPlays_refusal on UserError { code retryable }
`;
export const DrawMutation = graphql`
  mutation relayPlaysDrawMutation($input: PlayInput!) {
    drawLottery(input: $input) {
      ...relayPlays_draw @alias(as: "draw")
      ...relayPlays_refusal @alias(as: "refusal")
    }
  }
`;
