// The world as one thing: what it is in words, and a hash that freezes it before figures are quoted.
import { createHash } from 'node:crypto'
import { tables } from './grammar.ts'
import * as knobs from './knobs.ts'
import { knowledgeBase } from './knowledge-base.ts'
import { guideline, objective } from './objective.ts'
import { heldOutDemonstrations } from './demonstrations.ts'
import { baseCorpus } from './corpus/index.ts'

/**
 * SHA-256 over every table and number of the world and over samples of what its code makes of them (so that a change
 * of code that changes rows changes the hash). Weights of the base are not in it.
 */
export function worldHash(): string {
  const corpus: string[] = []
  for (const document of baseCorpus(0)) {
    corpus.push(document)
    if (corpus.length === 200) break
  }
  const parts = {
    tables,
    knobs: { ...knobs },
    knowledgeBase,
    objective,
    guideline,
    corpus,
    rows: heldOutDemonstrations(0, 200),
  }
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/** Plain paragraphs for the report. */
export function describeWorld(): string[] {
  const { CROWD, EXPERTS } = knobs
  const people = CROWD.regular.count + CROWD.leaning.count + CROWD.spammer.count + CROWD.adversary.count
  return [
    `Everything here is simulated: customers, experts, annotators and the score that counts as truth. The desk is that of ${knowledgeBase.company}, a shop that does not exist.`,
    `Customers write on ${tables.channels.length} channels about ${tables.intents.length} things in ${tables.moods.length} moods. A prompt holds two facts, of which one misleads, the manager's name, and the message.`,
    `${EXPERTS.length} simulated experts of different styles (${EXPERTS.map((e) => e.name).join(', ')}) wrote the demonstrations from a grammar, so the entropy of the demonstrations is known exactly.`,
    `The gold score adds up facts, empathy, escalation, greeting, brand, courtesy and conciseness, sentence by sentence, and takes off for what no demonstration shows (repetition, too many courtesies, great length).`,
    `${people} simulated annotators judge pairs: ${CROWD.regular.count} regular, ${CROWD.leaning.count} that lean to the left side, ${CROWD.spammer.count} that answer by lot and ${CROWD.adversary.count} that answers the wrong way round. All but the last ${CROWD.spammer.count + CROWD.adversary.count} like longer replies: the flaw that a learnt reward can exploit.`,
    `The hard constraint: never promise an amount above the limit.`,
  ]
}
