// PPO: policy and critic that train (two models, or one with a value head), the frozen reference, the reward as a sum of the learned term and rules, and who
// judges at marks. Rules and judges read text; the recipe knows tokens only.
import { type Check, type JudgedPair, learnedReward, ppo, type RewardTerm, type Rollout } from '#align'
import type { HeadSpec } from '#engine/contract'
import { ConfigError } from '#errors'
import type { Comparison, Judgement, PromptRow } from '#schema'
import { isAdapterFolder } from '#lm'
import { loadTokenizer, type Tokenizer } from '#text'
import type { PpoJob } from './jobs.ts'
import { withKeptAnswers } from './kept-answers.ts'
import { itemOf, writeMark } from './marks.ts'
import { readCard } from './models.ts'
import { artifactsOf, readPrompts } from './rows.ts'
import { readRules, type Rule } from './rules.ts'
import { asBase, frozen, modelLimit, startOrResume } from './start.ts'
import { promptTokens, requireRows, usable } from './tokens.ts'
import type { Context, Prepared } from './train.ts'

/**
 * Who judges fresh pairs at a mark; which of `a` and `b` is whose is already drawn, and no model is named. `probability`: that `a` is better.
 * `judgements`: every answer behind it, which the run keeps. `purpose` names the mark and the opponent.
 */
export type TextJudge = ((pairs: readonly Comparison[], purpose: string) => Promise<TextVerdict[]>) & {
  /** Told of all pairs of a mark before any of them is asked about. */
  announce?: (step: number, asked: readonly Comparison[]) => Promise<void>
}
export type TextVerdict = { probability: number; decided?: boolean; judgements: Judgement[] }

export async function preparePpo(job: PpoJob, context: Context): Promise<Prepared> {
  const { engine, say, resume } = context
  const { config } = job
  const judge = judgeOf(job, context)
  if (job.judge !== undefined && !judge)
    throw new ConfigError(`--judge: expected a judge that is at hand, got ${job.judge}`)
  if (job.criticFrom === 'reward' && job.reward === undefined)
    throw new ConfigError('--critic-from reward needs --reward')
  const rules = job.rules === undefined ? [] : await readRules(job.rules)
  const tokenizer = loadTokenizer(job.model)
  const limits = { maxTokens: modelLimit(job.model), maxNew: config.maxTokens }
  const tokensOf = async (from: PromptRow[], what: string) => {
    const tokenized = await promptTokens(
      tokenizer,
      from.map(({ prompt }) => prompt),
      limits,
    )
    return { tokens: requireRows(tokenized, what, say), rows: usable(from, tokenized) }
  }
  const rows = await readPrompts(job.data)
  const markRows = job.markData === undefined ? rows : await readPrompts(job.markData)
  const { tokens: prompts } = await tokensOf(rows, 'prompts')
  const isOne = job.criticFrom === 'policy'
  const heads: HeadSpec = { value: { hidden: [], detached: isOne && config.valueWeight === 0, init: 'zero' } }
  const policy = await startOrResume(context, 'policy', {
    weights: job.model,
    lora: job.lora,
    seed: config.seed,
    ...(isOne && { heads }),
  })
  const base = asBase(policy, { folder: job.model, lora: job.lora })
  const criticWeights = job.criticFrom === 'reward' ? job.reward! : job.model
  const critic = isOne
    ? policy
    : await startOrResume(context, 'critic', {
        weights: criticWeights,
        lora: isAdapterFolder(criticWeights) ? undefined : job.lora,
        base,
        seed: config.seed,
        heads,
      })
  const reference = await frozen(engine, job.reference, base)
  const reward = job.reward === undefined ? undefined : await frozen(engine, job.reward, base)
  const card = job.reward === undefined ? undefined : readCard(job.reward)
  if (judge && reward && !card?.reward?.accuracy)
    say('the reward model has no accuracy at launch: marks cannot tell when it has gone stale')
  const terms: RewardTerm[] = []
  if (reward)
    terms.push(
      learnedReward({
        engine,
        model: reward,
        weight: job.rewardWeight,
        ...(card?.reward && { range: card.reward.range }),
      }),
    )
  terms.push(...rules.map((rule) => ruleTerm(rule, tokenizer)))
  const asTexts = (pairs: JudgedPair[], purpose: string): Comparison[] =>
    pairs.map(({ prompt, a, b }, i) => ({
      item: itemOf(purpose, i),
      prompt: textOf(tokenizer, prompt),
      a: textOf(tokenizer, a),
      b: textOf(tokenizer, b),
    }))
  const marks = judge && (await tokensOf(markRows, 'prompts of marks'))
  const check: Check | undefined = marks && {
    judge: (pairs, purpose) => judge(asTexts(pairs, purpose), purpose),
    ...(judge.announce && {
      announce: (step, asked) => {
        const strata = strataOf(marks, tokenizer)
        const pairs = asked.flatMap(({ pairs: own, purpose }) => asTexts(own, purpose))
        return judge.announce!(
          step,
          pairs.map((pair) => ({ ...pair, ...strata.get(pair.prompt as string) })),
        )
      },
    }),
    prompts: marks.tokens,
    ...(card?.reward?.accuracy && { launchAccuracy: card.reward.accuracy }),
  }
  return {
    recipe: ppo({
      engine,
      policy,
      reference,
      critic,
      config,
      prompts,
      stopTokens: tokenizer.eosIds,
      terms,
      ...(check && { check }),
      ...(job.watch !== undefined && {
        watched: (await tokensOf(await readPrompts(job.watch), 'watched prompts')).tokens,
      }),
      ...(resume && { resume }),
    }),
    models: { policy, ...(!isOne && { critic }), reference, ...(reward && { reward }) },
    result: 'policy',
    inputs: artifactsOf(
      { data: job.data, markData: job.markData, watch: job.watch, rules: job.rules, ...judgedBy(job, 'rules') },
      { model: job.model, reference: job.reference, reward: job.reward, ...judgedBy(job, 'reward') },
    ),
    simulated: card?.simulated === true || job.judge?.startsWith('simulated') === true,
    onMark: (folder, step, pairs) => writeMark(folder, step, { pairs, textOf: (tokens) => textOf(tokenizer, tokens) }),
  }
}

/** At the mark at which another reward model gave way, the answers are there. */
function judgeOf({ earlierRewards }: PpoJob, { judge, run }: Pick<Context, 'judge' | 'run'>): TextJudge | undefined {
  const last = earlierRewards?.at(-1)
  return judge && last && run !== undefined ? withKeptAnswers(judge, { run, step: last.until }) : judge
}

/** The file behind the judge `rules:FILE`, the model behind `reward:FOLDER`. */
function judgedBy({ judge }: PpoJob, kind: 'rules' | 'reward'): { judge?: string } {
  return judge?.startsWith(`${kind}:`) ? { judge: judge.slice(kind.length + 1) } : {}
}

function ruleTerm({ name, weight, score }: Rule, tokenizer: Tokenizer): RewardTerm {
  return {
    name,
    weight,
    score: async (rollouts: Rollout[]) =>
      rollouts.map(({ prompt, completion, hasEnded }) =>
        score({ prompt: textOf(tokenizer, prompt), completion: textOf(tokenizer, completion), finished: hasEnded }),
      ),
  }
}

/** What part of the domain a prompt belongs to, where its row says so, by the text that judges see. */
function strataOf(
  { tokens, rows }: { tokens: Int32Array[]; rows: PromptRow[] },
  tokenizer: Tokenizer,
): Map<string, Pick<PromptRow, 'stratum'>> {
  return new Map(
    rows.flatMap(({ stratum }, i) =>
      stratum === undefined ? [] : [[textOf(tokenizer, tokens[i]!), { stratum }] as const],
    ),
  )
}

function textOf(tokenizer: Tokenizer, tokens: Int32Array): string {
  return tokenizer.decode(tokens, { skipSpecial: true })
}
