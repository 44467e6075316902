// What the generated types promise; tsc compares.
import type { PlayMutation, ScalarsQuery, ScalarsQueryVariables, UploadMutation, UploadMutationVariables } from './gql/graphql.js';
import type { Same } from './same.js';

type Event = ScalarsQuery['userEvents']['nodes'][number];
type Uploaded = UploadMutation['uploadRanking'];
type Played = PlayMutation['spinRoulette'];
type Of<Union, Name extends string> = Extract<Union, { __typename: Name }>;

export const kept: [
  Same<ScalarsQuery['me']['id'], string>,
  Same<ScalarsQuery['me']['balances'][number]['amount'], number>,
  Same<ScalarsQuery['featureSchedule'][number]['date'], string>,
  Same<Event['createdAt'], string>,
  Same<unknown extends Event['meta'] ? true : false, true>,
  Same<ScalarsQueryVariables['day'], string>,
  Same<UploadMutationVariables['input']['file'], File>,
  Same<Uploaded['__typename'], 'RankingSnapshot' | 'ValidationFailed' | 'Problem'>,
  Same<Of<Uploaded, 'RankingSnapshot'>['entries']['nodes'][number]['score'], number>,
  Same<Of<Uploaded, 'ValidationFailed'>['issues'][number]['path'], string[]>,
  Same<Of<Uploaded, 'Problem'>['retryable'], boolean>,
  Same<Played['__typename'], 'RouletteSpin' | 'DailyLimitReached' | 'Problem'>,
  Same<Of<Played, 'RouletteSpin'>['reward']['balance'], number | null>,
  Same<Of<Played, 'DailyLimitReached'>['dailyLimit']['resetsAt'], string>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true];
