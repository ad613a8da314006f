// Reads the graph of a workspace and walks it, beside the requests: it goes through folders, hashes files and parses rows,
// which would hold all others up. JavaScript, because a worker starts without the loader of TypeScript.
import { parentPort, workerData } from 'node:worker_threads'
import { load } from '../../scripts/built.mjs'

const { addExtra, beginningsOf, readGraph, walkFrom } = await load('lineage')
let graph = graphOf(workerData)

function graphOf({ root, guidelines, extra }) {
  const read = readGraph(root, { near: root, guidelines })
  addExtra(read, extra)
  return read
}

parentPort.on('message', ({ number, id, loose, renewed }) => {
  if (renewed !== undefined) {
    graph = graphOf(renewed)
    return
  }
  try {
    const answer = id === undefined ? beginningsOf(graph) : walkFrom(graph, id, loose)
    parentPort.postMessage({ number, answer }, [])
  } catch (error) {
    parentPort.postMessage({ number, problem: error.message }, [])
  }
})
