// Examines versions of datasets beside the requests: they are read whole. JavaScript, because a worker starts without the
// loader of TypeScript.
import { parentPort, workerData } from 'node:worker_threads'
import { load } from '../../scripts/built.mjs'

const { examine } = await load('data')
const { workspace, asked } = workerData
parentPort.postMessage(await examine(workspace, asked), [])
