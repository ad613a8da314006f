// The recipe of the bundled base, read by `hone pretrain`: what to train on is in corpus/, how is here.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const Recipe = z.strictObject({
  model: z.strictObject({
    vocabulary: z.number().int().describe('most tokens of the tokenizer'),
    hidden: z.number().int(),
    layers: z.number().int(),
    heads: z.number().int(),
    keyValueHeads: z.number().int(),
    intermediate: z.number().int(),
    ropeTheta: z.number(),
    tiedEmbeddings: z.boolean(),
    maxTokens: z.number().int(),
  }),
  training: z.strictObject({
    seed: z.number().int(),
    tokens: z.number().int().describe('stop after so many'),
    documentsPerStep: z.number().int().describe('one document a row, bucketed by length'),
    learningRate: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    epsilon: z.number(),
    weightDecay: z.number(),
    clipNorm: z.number(),
    warmupSteps: z.number().int(),
    lastLearningRate: z.number().describe('share of the rate left at the last step; it falls linearly'),
  }),
  gate: z.strictObject({
    lookupAccuracy: z.number().describe('share of look-up questions that a base must answer right'),
    questions: z.number().int(),
  }),
})
export type Recipe = z.infer<typeof Recipe>

export const recipe: Recipe = Recipe.parse(JSON.parse(readFileSync(new URL('./recipe.json', import.meta.url), 'utf8')))
