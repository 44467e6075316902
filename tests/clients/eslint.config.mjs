// @graphql-eslint's recommended and Relay rules for schema.graphql. Every exception is named, with its reason.
import graphql from '@graphql-eslint/eslint-plugin';

const schema = '../../schema.graphql';

/** Types without an `id`, since nothing refers to them by one: a new type has an `id`, or a reason here. */
const WITHOUT_ID = [
  // How things stand for the caller, read whole: there is one of each.
  'DailyLimit', 'DiceStatus', 'LotteryStatus', 'RouletteStatus', 'SeasonPassStatus', 'SeasonProgress', 'StampDay',
  'TodayFeature',
  // Known by what they are: a date, a feature, a level, a rank, a kind of reward, an outcome.
  'Balance', 'DiceOdds', 'FeatureConfig', 'LevelReward', 'MyRanking', 'RankingEntry', 'RankingSnapshot',
  'ScheduledDay', 'ScheduleIssue', 'SeasonLevel', 'SeasonLevelSpec',
  // Values, part of what has an id.
  'GrantedReward', 'Odds', 'RewardSpec', 'StampReceipt',
  // Answers to a command, and refusals.
  'DailyLimitReached', 'DeletedRanking', 'IssuedToken', 'Problem', 'ValidationFailed', 'ValidationIssue',
  // Relay's; connections and edges are named below, by their suffix.
  'PageInfo',
];

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { types: WITHOUT_ID, suffixes: ['Connection', 'Edge'] } },
      ],
      // Pages are read forwards only: the specification asks for one direction.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
      // Lists of a known, small size are plain lists. There is no `node(id:)`, and so no interface Node.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }],
    },
  },
];
