// Reads the graph of a workspace and walks it, beside the requests: it goes through folders, hashes files and parses rows,
// which would hold all others up. JavaScript, because a worker starts without the loader of TypeScript.
import { join, resolve } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { load } from '../../scripts/built.mjs'

const { addExtra, beginningsOf, belowOf, readGraph, walkFrom } = await load('lineage')
let graph = graphOf(workerData)

function graphOf({ root, guidelines, extra }) {
  const read = readGraph(root, { near: root, guidelines })
  addExtra(read, extra)
  return read
}

const root = resolve(workerData.root)
const start = JSON.stringify(join(root, '/')).slice(1, -1)

/** Runs are known by their folders; where the workspace lies is nobody's business in a browser. */
const told = (answer) => answer && JSON.parse(JSON.stringify(answer).replaceAll(start, ''))
const known = (id) => (graph.nodes.has(join(root, id)) ? join(root, id) : id)

parentPort.on('message', ({ number, id, loose, made, renewed }) => {
  if (renewed !== undefined) {
    graph = graphOf(renewed)
    return
  }
  try {
    const answer =
      made !== undefined
        ? belowOf(graph, made)
        : id === undefined
          ? beginningsOf(graph)
          : walkFrom(graph, known(id), loose)
    parentPort.postMessage({ number, answer: told(answer) }, [])
  } catch (error) {
    parentPort.postMessage({ number, problem: error.message }, [])
  }
})
