// Rates models beside the requests: every interval is a thousand fits. JavaScript, because a worker starts without the loader of
// TypeScript.
import { parentPort, workerData } from 'node:worker_threads'
import { load } from '../../scripts/built.mjs'

const { atLevels, rateModels } = await load('evaluate')
const { parts, models, anchor, seed, levels } = workerData

const rated = (level) =>
  Object.assign(
    {},
    ...parts.map(({ criterion, judgements, pairs }) => {
      const of = rateModels({ judgements, pairs, models, anchor, seed, level })
      return criterion === undefined ? of : { [criterion]: of }
    }),
  )

parentPort.postMessage(atLevels(levels, rated), [])
