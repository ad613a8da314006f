// Settings that somebody gave and that a run would never read, because what they belong to is absent. A schema sees values
// with their defaults filled in and cannot tell what was given; so whoever reads flags or a form says which keys were.
import type { RecipeName } from './orders.ts'

/** Fields of a job or of an order: its inputs by name, and `config`, the settings whole. */
type Asked = Readonly<Record<string, unknown>> & { config: Readonly<Record<string, unknown>> }

type Rule = {
  setting: string
  isIgnored: (asked: Asked) => boolean
  /** What it lacks; `name` writes a field as its reader knows it. */
  needs: (name: (field: string) => string) => string
}

const without = (setting: string, input: string): Rule => ({
  setting,
  isIgnored: (asked) => asked[input] === undefined,
  needs: (name) => name(input),
})

const WATCHING = ['samplesEvery', 'samplesMaxTokens', 'samplesTemperature'].map((setting) => without(setting, 'watch'))

/** What the learning rate does after a warm-up that lasts as long as the run. */
const afterWarmup = (setting: string): Rule => ({
  setting,
  isIgnored: ({ config: { steps, warmupSteps } }) => steps !== undefined && Number(steps) <= Number(warmupSteps),
  needs: (name) => `more ${name('steps')} than ${name('warmupSteps')}`,
})

const RATE: Rule[] = [
  { setting: 'schedule', isIgnored: ({ config }) => config.floor === 1, needs: (name) => `${name('floor')} below 1` },
  afterWarmup('schedule'),
  afterWarmup('floor'),
]

/** At a round's only update the policy is the one that sampled: every ratio is 1 and no value has moved. */
const clips = (setting: 'clipRatio' | 'clipValue'): Rule => ({
  setting,
  isIgnored: ({ config }) => config.updateEpochs === 1 && config.minibatches === 1,
  needs: (name) => `${name('updateEpochs')} or ${name('minibatches')} above 1`,
})

const RULES: Record<RecipeName, Rule[]> = {
  sft: [
    ...RATE,
    {
      setting: 'evalEvery',
      isIgnored: ({ heldOut, general }) => heldOut === undefined && general === undefined,
      needs: (name) => name('heldOut'),
    },
    without('replayShare', 'replay'),
    ...WATCHING,
  ],
  reward: [...RATE, without('evalEvery', 'heldOut')],
  dpo: [...RATE, without('evalEvery', 'heldOut'), ...WATCHING],
  ppo: [
    ...RATE,
    without('samplesEvery', 'watch'),
    without('markEvery', 'judge'),
    without('markPairs', 'judge'),
    without('markLevel', 'judge'),
    clips('clipRatio'),
    clips('clipValue'),
    {
      setting: 'onAlarm',
      isIgnored: ({ judge, config }) => judge === undefined && config.klBudget === 'off' && config.onAlarm === 'pause',
      needs: (name) => `${name('judge')}, who looks at the pause, or a ${name('klBudget')}`,
    },
  ],
}

/** Each setting among `given` that the run would ignore, with what it lacks. */
export function ignoredSettings(
  recipe: RecipeName,
  asked: Asked,
  { given, name = (field) => field }: { given: Iterable<string>; name?: (field: string) => string },
): { setting: string; message: string }[] {
  const keys = new Set(given)
  return RULES[recipe].flatMap(({ setting, isIgnored, needs }) =>
    keys.has(setting) && isIgnored(asked)
      ? [{ setting, message: `${name(setting)} would be ignored without ${needs(name)}` }]
      : [],
  )
}
