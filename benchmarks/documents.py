"""What clients send: a play with the full document, and the day's first screen."""

from __future__ import annotations

GRANTED = "fragment granted on GrantedReward { type amount balance couponCode }"

DRAWN = {
    "DICE": "... on DicePlay { userDice userSum dealerDice dealerSum outcome }",
    "ROULETTE": "... on RouletteSpin { segment { id slot label isJackpot odds { weight totalWeight percent } } }",
    "LOTTERY": "... on LotteryDraw { prize { prizeId label stockAfter odds { weight totalWeight percent } } }",
}
FIELDS = {"DICE": "playDice", "ROULETTE": "spinRoulette", "LOTTERY": "drawLottery"}
ANSWERS = {"DICE": b'"DicePlay"', "ROULETTE": b'"RouletteSpin"', "LOTTERY": b'"LotteryDraw"'}
"""What the answer to a successful play holds."""


def play(game: str) -> str:
    """Play, asking for everything: 36 fields for the dice (those of a fragment counted once)."""
    return f"""
mutation Play($input: PlayInput!) {{
  {FIELDS[game]}(input: $input) {{
    __typename
    ... on GamePlay {{
      id businessDate playedAt replayed
      reward {{ ...granted }}
      dailyLimit {{ ...limit }}
      seasonPass {{ ...receipt }}
    }}
    {DRAWN[game]}
    ... on UserError {{ code message retryable }}
    ... on DailyLimitReached {{ dailyLimit {{ ...limit }} }}
  }}
}}
fragment limit on DailyLimit {{ max used remaining unlimited resetsAt }}
fragment receipt on StampReceipt {{
  addedStamp xpAdded currentXp currentLevel leveledUp
  rewards {{ level claimedAt reward {{ ...granted }} }}
}}
{GRANTED}
"""


FIRST_SCREEN = """
query FirstScreen {
  todayFeature {
    ... on TodayFeature { date featureType title pagePath serverTime endsAt }
    ... on UserError { code message }
  }
  diceStatus {
    ... on DiceStatus {
      config {
        id name revision maxDailyPlays winReward { ...reward } drawReward { ...reward } loseReward { ...reward }
      }
      dailyLimit { max used remaining unlimited resetsAt }
    }
    ... on UserError { code message }
  }
  seasonPassStatus {
    ... on SeasonPassStatus {
      season { id name startDate endDate maxLevel }
      progress { currentXp currentLevel nextLevelXp totalStamps lastStampDate }
      today { date stamped }
      levels { level requiredXp autoClaim state claimedAt reward { ...reward } }
    }
    ... on UserError { code message }
  }
  me { id externalId isBlocked balances { type amount } }
}
fragment reward on RewardSpec { type amount couponType }
"""
FIRST_SCREEN_ANSWER = b'"diceStatus":{"config"'
