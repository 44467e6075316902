// What all three stores ask, in the same words: Relay's compiler reads the documents here, the others take their texts.
const graphql = String.raw;

export const Balances = graphql`
  query documentsBalancesQuery {
    me { id balances { type amount } }
  }
`;
export const Status = graphql`
  query documentsStatusQuery {
    lotteryStatus {
      ... on LotteryStatus {
        id
        dailyLimit { max used remaining unlimited resetsAt }
        config { id revision prizes { id label stock odds { weight totalWeight percent } reward { type amount couponType } } }
      }
      ... on UserError { code message }
    }
  }
`;
export const History = graphql`
  query documentsHistoryQuery {
    me {
      id
      plays(first: 50) {
        edges {
          cursor
          node {
            id
            dailyLimit { max used remaining unlimited resetsAt }
            reward { type amount balance couponCode }
            ... on LotteryDraw {
              prize { prizeId label stockAfter odds { weight totalWeight percent } reward { type amount couponType } }
            }
          }
        }
        pageInfo { endCursor hasNextPage }
      }
    }
  }
`;
// A play tells how things stand after it: the player's balances, and the game.
export const Draw = graphql`
  mutation documentsDrawMutation($input: PlayInput!) {
    drawLottery(input: $input) {
      ... on LotteryDraw {
        id
        replayed
        dailyLimit { max used remaining unlimited resetsAt }
        reward { type amount balance couponCode }
        prize { prizeId label stockAfter odds { weight totalWeight percent } reward { type amount couponType } }
        player { id balances { type amount } }
        status {
          id
          dailyLimit { max used remaining unlimited resetsAt }
          ... on LotteryStatus {
            config { id revision prizes { id label stock odds { weight totalWeight percent } reward { type amount couponType } } }
          }
        }
      }
      ... on UserError { code message }
    }
  }
`;
export const StockChanged = graphql`
  subscription documentsStockChangedSubscription {
    lotteryStockChanged {
      ... on LotteryStatus {
        id
        dailyLimit { max used remaining unlimited resetsAt }
        config { id revision prizes { id label stock odds { weight totalWeight percent } reward { type amount couponType } } }
      }
      ... on UserError { code message }
    }
  }
`;
export const Ranking = graphql`
  query documentsRankingQuery($date: Date!) {
    rankingSnapshot(date: $date) {
      ... on RankingSnapshot { id date revision totalEntries entries(first: 10) { edges { cursor node { rank displayName score } } } }
      ... on UserError { code message }
    }
  }
`;
export const RankingPublished = graphql`
  subscription documentsRankingPublishedSubscription($date: Date!) {
    rankingPublished(date: $date) {
      ... on RankingSnapshot { id date revision totalEntries entries(first: 10) { edges { cursor node { rank displayName score } } } }
      ... on UserError { code message }
    }
  }
`;
export const Today = graphql`
  query documentsTodayQuery {
    todayFeature {
      ... on TodayFeature { date featureType pagePath endsAt }
      ... on UserError { code message }
    }
  }
`;
export const TodayChanged = graphql`
  subscription documentsTodayChangedSubscription {
    todayFeatureChanged {
      ... on TodayFeature { date featureType pagePath endsAt }
      ... on UserError { code message }
    }
  }
`;
