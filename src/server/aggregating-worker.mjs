// Chooses a model of the annotators beside the requests: every model is fitted five times. JavaScript, because a worker starts
// without the loader of TypeScript.
import { parentPort, workerData } from 'node:worker_threads'
import { load } from '../../scripts/built.mjs'

const { aggregate } = await load('feedback')
const { method, evidence } = aggregate(workerData)
parentPort.postMessage({ method, evidence }, [])
