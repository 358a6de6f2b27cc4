import { type Static, Type } from 'typebox';
import { callerParameter } from '../access/scope.js';
import { jsonContent, Nullable, Time, Word } from './types.js';

const Day = (description: string) => Type.Optional(Type.String({ format: 'date', description }));

export const UsageParameters = Type.Object(
  {
    from: Day('The first day, of UTC. If absent, the first of the month that `to` is in.'),
    to: Day('The last day. If absent, today. At most 400 days from `from`.'),
    ...callerParameter,
  },
  { additionalProperties: false },
);
export type UsageParameters = Static<typeof UsageParameters>;

const notNegative = Type.Number({ minimum: 0 });
const amount = { avatars: Type.Integer({ minimum: 0 }), seconds: notNegative, usd: notNegative };

const amounts = {
  reserved: Type.Object(amount, {
    description:
      'Held for avatars that are not final, `unconfirmed` or `timed_out`: what they may cost at most, from the length of the speech, or the greatest length there may be where it is not known.',
  }),
  settled: Type.Object(
    {
      ...amount,
      estimated_usd: Type.Number({
        minimum: 0,
        description: 'What they come to by the price that is set here.',
      }),
      billed_usd: Type.Number({
        minimum: 0,
        description: 'What Modellix says it billed, for those of which it does.',
      }),
    },
    {
      description:
        'What avatars cost that have `succeeded`, or were billed all the same. `usd` is as billed, and by the price where Modellix does not say.',
    },
  ),
};

const cap = Nullable(
  Type.Object({
    usd: Type.Number({ description: 'What may be spent.' }),
    used_usd: Type.Number({ description: 'Reserved and settled.' }),
    left_usd: Type.Number({ description: 'What is left; 0 where it is less.' }),
    resets_at: Time('When the next period begins.'),
  }),
  '`null`: there is none.',
);

export const UsageView = Type.Object(
  {
    from: Type.String({ format: 'date' }),
    to: Type.String({ format: 'date' }),
    currency: Type.Literal('USD'),
    data: Type.Array(
      Type.Object({
        date: Type.String({
          format: 'date',
          description: 'When the avatars were accepted, whenever they ended.',
        }),
        caller: Type.String(),
        mode: Word(['std', 'pro']),
        ...amounts,
      }),
      { description: 'By caller, day and mode; what there is nothing of is left out.' },
    ),
    total: Type.Object(amounts),
    caps: Type.Object(
      { day: cap, month: cap },
      { description: 'Of today and of this month, whatever days were asked for.' },
    ),
  },
  {
    $id: 'Usage',
    description:
      'What was spent: an account of the gateway, from what Modellix says it billed for each avatar, and from the prices that are set where it does not say.',
  },
);
export type UsageView = Static<typeof UsageView>;

const nothing = { avatars: 0, seconds: 0, usd: 0 };
const some = { avatars: 2, seconds: 14.4, usd: 0.64, estimated_usd: 0.6452, billed_usd: 0.64 };

export const usageContent = jsonContent<UsageView>('Usage', {
  from: '2026-11-01',
  to: '2026-11-28',
  currency: 'USD',
  data: [{ date: '2026-11-28', caller: 'shop', mode: 'std', reserved: nothing, settled: some }],
  total: { reserved: nothing, settled: some },
  caps: {
    day: { usd: 10, used_usd: 0.64, left_usd: 9.36, resets_at: '2026-11-29T00:00:00.000Z' },
    month: null,
  },
});
