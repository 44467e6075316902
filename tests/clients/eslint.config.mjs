// @graphql-eslint's recommended and Relay rules for schema.graphql. Every exception is named, with its reason.
import { readFileSync } from 'node:fs';
import graphql from '@graphql-eslint/eslint-plugin';
import { buildSchema } from 'graphql';

const schema = '../../schema.graphql';

/** Types without an `id`: values, which a cache keeps within what has one. A new type has an `id`, or a reason here. */
const WITHOUT_ID = [
  // How things stand for the caller, within what has an id; today's feature is told as of now, with the time.
  'DailyLimit', 'SeasonProgress', 'StampDay', 'TodayFeature',
  // Known by what they are: a level, a rank, a kind of reward, an outcome, a day's fault, a day's draws by their date.
  'Balance', 'DiceOdds', 'DrawCommitment', 'LevelReward', 'MyRanking', 'RankingEntry', 'ScheduleIssue', 'SeasonLevel', 'SeasonLevelSpec',
  // Facts of one play, stamp or revision, which never change.
  'DrawnPrize', 'GrantedReward', 'Odds', 'OddsItem', 'DrawConformance', 'DrawnOutcome', 'DrawProof', 'RevisionConformance', 'RewardSpec', 'StampReceipt',
  // Facts of one answer: what a command did, would do, or why it did nothing.
  'Change', 'DeletedRanking', 'IssuedToken', 'ValidationIssue', 'Warning',
  'DailyLimitReached', 'NoFeatureToday', 'Problem', 'RevisionConflict', 'ValidationFailed', 'WarningsUnacknowledged',
  // Of the server or the caller's token, as of now; a pool is known by its coupon type, a text by its language.
  'Clock', 'CouponPool', 'LocalizedText', 'Session',
  // Relay's; connections, edges and payloads are named below, by their suffix.
  'PageInfo',
];

const types = buildSchema(readFileSync(schema, 'utf8')).getTypeMap();
const stale = WITHOUT_ID.filter((name) => !types[name] || types[name].getFields().id);
if (stale.length) throw new Error(`no longer without an id: ${stale}`);

/** Edges to what is no Node: a row of a ranking is known by its rank, within its snapshot. */
const EDGES_TO_VALUES = ['RankingEntryEdge'];

/** A rule that knows no exceptions, with some: what it says of these types is not reported. */
function except(rule, types) {
  const create = (context) => {
    const report = (found) => types.includes(found.node.value) || context.report(found);
    return rule.create(Object.create(context, { report: { value: report } }));
  };
  return { ...rule, create };
}

const relayEdges = except(graphql.rules['relay-edge-types'], EDGES_TO_VALUES);

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { '@graphql-eslint': { ...graphql, rules: { ...graphql.rules, 'relay-edge-types': relayEdges } } },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { types: WITHOUT_ID, suffixes: ['Connection', 'Edge', 'Payload'] } },
      ],
      // Pages are read forwards only: the specification asks for one direction.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
      // Lists of a known, small size are plain lists.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: true }],
    },
  },
];
