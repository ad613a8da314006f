// Reads the graph of a workspace and walks it, beside the requests: it goes through folders, hashes files and parses rows,
// which would hold all others up. JavaScript, because a worker starts without the loader of TypeScript.
import { parentPort, workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

register()
const { addExtra, beginningsOf, readGraph, walkFrom } = await import('#lineage')
const { root, guidelines, extra } = workerData
const graph = readGraph(root, { near: root, guidelines })
addExtra(graph, extra)

parentPort.on('message', ({ number, id, loose }) => {
  try {
    const answer = id === undefined ? beginningsOf(graph) : walkFrom(graph, id, loose)
    parentPort.postMessage({ number, answer }, [])
  } catch (error) {
    parentPort.postMessage({ number, problem: error.message }, [])
  }
})
